#!/usr/bin/env python3
"""Measures speed and memory and writes bench-results/TIME.json; prints a table.

1. Our engine beside PyTorch eager of the same wheel, in turns: forward, forward + input gradient, training
   step; batch 128, the same threads. Shares are of the sgemm speed measured in the same run.
2. The whole purification of a real case over HTTP: seconds of each phase, samples per second of the boundary
   analysis, peak memory of the service and of its worker. Skipped without --case.
3. The service's memory while a data set of 1 GB is uploaded.
4. Reading speed of every model and data format beside Python's (reading.py, which also runs by itself).
"""
import argparse
import datetime
import json
import os
import pathlib
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
import io

import numpy
import torch
from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts" / "networks"))
import engine  # noqa: E402
import reading  # noqa: E402
from service import MemoryWatch, Service  # noqa: E402


def processor() -> str:
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


def print_row(row):
    rate = row["images_per_second"]
    print(f"{row['model']:10} {row['work']:15} {rate['burn']:9.0f} {rate['channels_last']:9.0f} "
          f"{rate['contiguous']:9.0f} {row['speedup_over_best_eager']:8.2f}x "
          f"{100 * row['share_of_sgemm_peak']:8.0f} % {row['speedup_of_reduced']:9.2f}x", flush=True)


def measure_engine(a):
    print("images per second      ours     eager     eager   ours/best   share of  bfloat16\n"
          "batch 128, float32            chan.last   contig.     eager  sgemm peak     /ours")
    result = engine.measure(a.cache, a.models, a.programs / "burn-bench", a.threads, a.rounds, print_row)
    print(f"sgemm peak {result['sgemm_peak_gflops']:.0f} GFLOP/s on {a.threads} threads\n")
    return result


def make_case(case: pathlib.Path, cache: pathlib.Path) -> pathlib.Path:
    """The badnets case's data set as tar archives, built once."""
    folder = cache / "badnets-10000"
    if not (folder / "case.json").exists():
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run(
            [sys.executable, case.parent / "make_case.py", "--attack", "badnets", "--target", "8",
             "--train", "10000", "--out", folder], check=True)
    for name in ("train", "test/clean", "test/triggered"):
        archive = folder / (name.replace("/", "-") + ".tar")
        if not archive.exists():
            with tarfile.open(archive, "w") as tar:
                for entry in sorted((folder / name).iterdir()):
                    tar.add(entry, arcname=entry.name)
    return folder


def measure_purification(a):
    folder = make_case(a.case, a.cache)
    service = Service(a.programs / "burnd")
    try:
        model = service.upload("models", a.case / "model.pt2")
        sets = [service.upload("datasets", folder / name)
                for name in ("train.tar", "test-clean.tar", "test-triggered.tar")]
        with MemoryWatch(service.process.pid) as memory:
            job, seconds = service.run_job({
                "type": "purify", "model": model, "dataset": sets[0],
                "evaluation": {"clean": sets[1], "triggered": sets[2], "target_class": 8}})
        metrics = service.call("GET", f"/v1/jobs/{job['id']}/metrics")
    finally:
        service.stop()
    phases = {}
    for phase in metrics["phases"]:
        phases[phase["phase"]] = phases.get(phase["phase"], 0) + phase["seconds"]
    result = {
        "case": a.case.name, "samples": 10_000, "seconds": seconds, "phases": phases,
        "boundary_analysis_samples_per_second": 10_000 / phases["boundary_analysis"],
        "metrics": job["metrics"], "points": metrics["items"],
        "burnd_mib": memory.own, "worker_mib": memory.children,
    }
    print(f"purification of {a.case.name}, 10,000 samples: {seconds:.1f} s "
          f"({', '.join(f'{name} {value:.1f}' for name, value in phases.items())})")
    print(f"boundary analysis: {result['boundary_analysis_samples_per_second']:.0f} samples/s")
    for name, values in job["metrics"].items():
        print(f"{name}: " + ", ".join(f"{key.upper()} {100 * value:.2f} %" for key, value in values.items()))
    print(f"peak memory: burnd {memory.own['resident']:.0f} MiB, worker {memory.children['resident']:.0f} MiB "
          f"({memory.children['anonymous']:.0f} MiB without mapped files)\n")
    return result


def add_share_of_peak(purification, engine_result):
    """How near the boundary analysis comes to the machine's sgemm speed.

    Counts only the gradients that the job reports, each a forward and a backward pass of the case's network.
    """
    forward = next(row for row in engine_result["rows"] if row["model"] == "vgg6" and row["work"] == "forward")
    gradients = next(
        point["value"] for point in purification["points"] if point["name"] == "gradients_per_sample")
    flops = purification["boundary_analysis_samples_per_second"] * gradients * 2 * forward["flops_per_image"]
    share = flops / (engine_result["sgemm_peak_gflops"] * 1e9)
    purification |= {"gradients_per_sample": gradients, "share_of_sgemm_peak": share}
    print(f"boundary analysis: {gradients:.2f} gradients a sample, {100 * share:.0f} % of the sgemm peak\n")


def write_large_archive(path: pathlib.Path, megabytes: int) -> int:
    """Noise images of 512 x 512 pixels in two classes, about 0.8 MB each."""
    random = numpy.random.RandomState(0)
    with tarfile.open(path, "w") as tar:
        for index in range(megabytes * 1_000_000 // 786_900 + 1):
            data = io.BytesIO()
            noise = random.randint(0, 256, (512, 512, 3), dtype=numpy.uint8)
            Image.fromarray(noise).save(data, "png", compress_level=0)
            entry = tarfile.TarInfo(f"{'even' if index % 2 == 0 else 'odd'}/{index:05}.png")
            entry.size = data.tell()
            data.seek(0)
            tar.addfile(entry, data)
    return path.stat().st_size


def measure_upload(a):
    with tempfile.TemporaryDirectory(dir=a.cache) as folder:
        archive = pathlib.Path(folder) / "large.tar"
        size = write_large_archive(archive, 1000)
        service = Service(a.programs / "burnd")
        try:
            with MemoryWatch(service.process.pid) as memory:
                service.upload("datasets", archive)
        finally:
            service.stop()
    print(f"upload and import of {size / 1e9:.2f} GB: burnd {memory.own['resident']:.0f} MiB, "
          f"worker {memory.children['resident']:.0f} MiB at most")
    return {"bytes": size, "burnd_mib": memory.own, "worker_mib": memory.children}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", default=["resnet18", "wrn_16_1", "vgg6"])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--case", type=pathlib.Path, help="the badnets case folder")
    parser.add_argument("--only", choices=["engine", "purification", "upload", "reading"])
    parser.add_argument("--programs", type=pathlib.Path, default=ROOT / ".build/release")
    parser.add_argument("--cache", type=pathlib.Path, default=ROOT / ".cache/bench")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "bench-results")
    a = parser.parse_args()
    a.cache.mkdir(parents=True, exist_ok=True)
    now = datetime.datetime.now(datetime.timezone.utc)
    result = {
        "date": now.isoformat(timespec="seconds"), "processor": processor(), "threads": a.threads,
        "torch": torch.__version__,
    }
    print(f"{result['processor']}, {a.threads} threads, PyTorch {torch.__version__}\n")
    if a.only in (None, "engine"):
        result["engine"] = measure_engine(a)
    if a.only in (None, "purification"):
        if a.case is not None:
            result["purification"] = measure_purification(a)
            if "engine" in result and "vgg6" in a.models:
                add_share_of_peak(result["purification"], result["engine"])
        else:
            print("no case folder: the purification is not measured (--case)\n")
    if a.only in (None, "upload"):
        result["upload"] = measure_upload(a)
    if a.only in (None, "reading"):
        result["reading"] = reading.measure(a.programs, 10_000, a.rounds)
    a.out.mkdir(exist_ok=True)
    path = a.out / f"{now:%Y%m%dT%H%M%SZ}.json"
    path.write_text(json.dumps(result, indent=1) + "\n")
    print(path)


if __name__ == "__main__":
    main()
