#!/usr/bin/env python3
"""How much sooner two nodes of a Slurm cluster are done with one job than one node.

    Benchmarks/slurm_shards.py --bin .build/release --images 20000

A real burnd and a cluster of two nodes on this machine, each of one core: slurmd counts processors and doesn't bind them,
so workers are held to a core each by what starts them (taskset). One analysis of all samples (analysis: full) of a packed
set on one node, and again with slots: 2; results have to be the same bytes. Prints the seconds of the analysis and their
ratio; and, for a machine that has other work, the processor seconds of each worker by the end of the analysis with the
ratio that they leave: one node's to the busier of two. Needs root, Debian's slurm-wlm and munge, and two free cores.
"""
import argparse
import contextlib
import io
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time

import numpy

import slurm_faults
from slurm_faults import ROOT, Cluster

WORKER = """#!/bin/sh
case "$SLURMD_NODENAME" in
n1) exec nice --adjustment={nice} taskset --cpu-list 0 '{program}' "$@" ;;
n2) exec nice --adjustment={nice} taskset --cpu-list 1 '{program}' "$@" ;;
esac
exec '{program}' "$@"
"""


def images(count):
    """Noise of ten brightnesses, as an npz."""
    chance = numpy.random.default_rng(1)
    labels = numpy.arange(count, dtype=numpy.uint8) % 10
    pixels = chance.integers(0, 64, (count, 32, 32, 3), dtype=numpy.uint8) + labels[:, None, None, None] * 20
    file = io.BytesIO()
    numpy.savez(file, x=pixels, y=labels)
    return file.getvalue()


class Service(slurm_faults.Service):
    """One with the real worker, held to a core for each node."""

    def __init__(self, programs, cluster, folder, nice, share):
        self.programs, self.folder = programs, folder
        worker = folder / "worker"
        worker.write_text(WORKER.format(program=programs / "burn-worker", nice=nice))
        worker.chmod(0o755)
        self.settings = {
            "PATH": os.environ["PATH"], "BURND_DATA": str(folder / "data"), "BURND_LIMITS_FREE_BYTES": "0",
            "BURND_LOG_LEVEL": "notice", "BURND_EXECUTOR": "slurm", "BURND_SLURM_CONFIG": str(cluster.folder / "slurm.conf"),
            "BURND_SLURM_PARTITION": "main", "BURND_SLURM_JOB_MEMORY": "2000 MiB", "BURND_SLURM_IMPORT_MEMORY": "1000 MiB",
            # One task a node: it takes both processors that the node is said to have.
            "BURND_SLURM_PROCESSORS": "2", "BURND_WORKER": str(worker), "BURND_SHARE_SECONDS": str(share)}
        self.start()

    def text(self, path, kind="text/csv"):
        with slurm_faults.urllib.request.urlopen(
                slurm_faults.urllib.request.Request(self.base + path, headers={"Accept": kind}), timeout=60) as answer:
            return answer.read()


def spent(program, ticks=os.sysconf("SC_CLK_TCK")):
    """Processor seconds of each worker that runs, by its process."""
    found = {}
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (process / "exe").readlink() == program:
                fields = (process / "stat").read_text().rpartition(")")[2].split()
                found[process.name] = (int(fields[11]) + int(fields[12])) / ticks
    return found


def run(service, inputs, slots):
    """One job. Returns its seconds of analysis, the processor seconds of its workers by then, and what it found."""
    options = {"slots": slots, "analysis": "full", "threads": 1, "accept_disagreement": True}
    job = service.ask("/v1/jobs", inputs | {"options": options})["id"]
    # Those that wait for uploads to check are older.
    program = (service.programs / "burn-worker").resolve()
    others, workers = set(spent(program)), {}
    while (shown := service.ask(f"/v1/jobs/{job}"))["finished_at"] is None:
        if not any(phase["phase"] == "boundary_analysis" for phase in shown["phases"]):
            workers |= {process: seconds for process, seconds in spent(program).items() if process not in others}
        time.sleep(0.2)
    assert shown["state"] == "succeeded" and shown["attempt"] == 1, shown
    seconds = {phase["phase"]: phase["seconds"] for phase in shown["phases"]}
    found = (shown["verdict"], service.text(f"/v1/jobs/{job}/samples"))
    return seconds["boundary_analysis"], sorted(workers.values(), reverse=True), found


def parts(service):
    text = service.text("/metrics", "*/*").decode()
    return int(re.search(r'burn_job_parts_total\{result="finished"\} (\d+)', text)[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=pathlib.Path, default=ROOT / ".build/release")
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--model", type=pathlib.Path, default=ROOT / "architectures/small_cnn.pt2")
    parser.add_argument("--nice", type=int, default=0, help="of workers, on a machine that has other work")
    parser.add_argument("--share-seconds", type=int, default=20, help="the setting share_seconds")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--out", type=pathlib.Path)
    options = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="burn-shards-"))
    cluster, service = Cluster(), None
    rows = []
    try:
        service = Service(options.bin.resolve(), cluster, folder, options.nice, options.share_seconds)
        inputs = {
            "type": "scan", "model": service.ask("/v1/models?name=m", options.model.read_bytes(), Prefer="wait=60")["id"],
            "dataset": service.ask("/v1/datasets?name=d.npz", images(options.images), Prefer="wait=60")["id"]}
        while service.ask(f"/v1/datasets/{inputs['dataset']}")["state"] == "importing":
            time.sleep(0.5)
        for _ in range(options.rounds):
            alone, one, found = run(service, inputs, 1)
            shared, two, same = run(service, inputs, 2)
            assert found == same, "the results differ"
            rows.append({
                "one_node_s": round(alone, 1), "two_nodes_s": round(shared, 1), "ratio": round(alone / shared, 2),
                "one_node_processor_s": one, "two_nodes_processor_s": two, "processor_ratio": round(one[0] / two[0], 2),
                "parts": parts(service)})
            print(json.dumps(rows[-1]), flush=True)
        service.stop(signal.SIGTERM)
    finally:
        if service and service.process.poll() is None:
            service.stop(signal.SIGKILL)
        cluster.close()
        shutil.rmtree(folder, ignore_errors=True)
    report = {"images": options.images, "share_seconds": options.share_seconds, "model": options.model.name, "load": os.getloadavg()[0], "rounds": rows}
    print(json.dumps(report, indent=2))
    if options.out:
        options.out.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
