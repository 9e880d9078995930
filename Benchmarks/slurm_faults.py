#!/usr/bin/env python3
"""Faults at random moments on a real Slurm cluster: two nodes, a controller and munge, all on this machine.

    Benchmarks/slurm_faults.py --bin .build/release --rounds 40 --seed 1

Each round submits a few jobs of two phases to a real burnd, does one thing to one of them, to a node, to the controller or
to burnd itself at a moment that chance picks, and waits for the jobs' ends. Each has to succeed, or to fail with the cause
that was meant for it; no phase is done twice; Slurm's queue is empty afterwards; `burnd fsck` finds nothing at the end. Needs
root and Debian's slurm-wlm and munge, and ScriptedWorker, which `swift build --build-tests` makes.
"""
import argparse
import collections
import contextlib
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
HUNGRY = 7  # The seed of a job that takes more memory than it may.
SCRIPT = f"""[probe]
model-summary 32
finished
[import]
dataset-summary 32
finished
[job]
phase boundary_analysis
samples 300
until-file first
phase detection
until-file second
verdict
finished
[job {HUNGRY}]
phase boundary_analysis
fill 900
until-file never
finished
"""
# What a job that something is done to may end with, besides success.
CAUSES = {
    "scancel": "slurm-cancelled", "epilog": "slurm-cancelled", "time limit": "slurm-time-limit", "memory": "slurm-memory-limit"}


def free_ports(count):
    while True:
        first = random.SystemRandom().randrange(10_000, 32_000)
        with contextlib.ExitStack() as stack:
            try:
                for port in range(first, first + count):
                    stack.enter_context(socket.socket()).bind(("127.0.0.1", port))
            except OSError:
                continue
            return first


class Cluster:
    def __init__(self):
        # Short: the path of munge's socket is.
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="burn-sf-", dir="/tmp"))
        self.process = subprocess.Popen(
            ["bash", ROOT / "Tests/Slurm/cluster.sh", self.folder, str(free_ports(3))], text=True, bufsize=1,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        if self.process.stdout.readline().strip() != "idle":
            self.close()
            sys.exit("Slurm does not start")

    def tell(self, action, name):
        self.process.stdin.write(f"{action} {name}\n")
        self.process.stdout.readline()

    def run(self, *command):
        environment = {"SLURM_CONF": str(self.folder / "slurm.conf"), "PATH": "/usr/bin:/bin"}
        return subprocess.run(command, env=environment, text=True, capture_output=True).stdout

    def left(self):
        """Jobs that wait or run; a node that was lost says of the others later that they have ended."""
        return [line for line in self.run("squeue", "--noheader", "--format=%A %T %j").splitlines()
                if "COMPLETING" not in line]

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Service:
    def __init__(self, programs, cluster, folder):
        self.programs, self.folder = programs, folder
        (folder / "script").write_text(SCRIPT)
        worker = folder / "worker"
        worker.write_text(f"#!/bin/sh\nexec '{programs}/ScriptedWorker' follow '{folder}/script'\n")
        worker.chmod(0o755)
        self.settings = {
            "PATH": os.environ["PATH"], "BURND_DATA": str(folder / "data"), "BURND_LIMITS_FREE_BYTES": "0",
            "BURND_LOG_LEVEL": "notice", "BURND_EXECUTOR": "slurm", "BURND_SLURM_CONFIG": str(cluster.folder / "slurm.conf"),
            "BURND_SLURM_PARTITION": "main", "BURND_SLURM_JOB_MEMORY": "300 MiB", "BURND_SLURM_IMPORT_MEMORY": "256 MiB",
            "BURND_SLURM_JOB_MINUTES": "60", "BURND_SLURM_IMPORT_MINUTES": "10", "BURND_WORKER": str(worker)}
        self.start()

    def start(self):
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [self.programs / "burnd", "serve", "--listen", "127.0.0.1:0"], env=self.settings, text=True,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log)
        found = re.search(r"http://\S+", self.process.stdout.readline())
        if not found:
            raise SystemExit((self.folder / "log").read_text())
        self.base = found[0]

    def stop(self, number):
        self.process.send_signal(number)
        self.process.wait()

    def ask(self, path, body=None, **fields):
        data = json.dumps(body).encode() if isinstance(body, dict) else body
        if isinstance(body, dict):
            fields["Content-Type"] = "application/json"
        with urllib.request.urlopen(urllib.request.Request(self.base + path, data, fields), timeout=60) as answer:
            return json.load(answer)

    def upload(self):
        model = self.ask("/v1/models?name=m", (ROOT / "architectures/small_cnn.pt2").read_bytes(), Prefer="wait=30")
        # What begins like an archive; the stand-in does not look inside.
        data = self.ask("/v1/datasets?name=d", b"\x1f\x8b\x08" + bytes(100), Prefer="wait=30")
        assert (model["state"], data["state"]) == ("ready", "ready"), (model, data)
        return {"type": "scan", "model": model["id"], "dataset": data["id"]}

    def faults(self):
        text = subprocess.run(
            [self.programs / "burnd", "fsck", "--json", "--data", self.folder / "data"], text=True, capture_output=True).stdout
        return [entry for entry in json.loads(text) if entry["kind"] not in ("unreferenced", "upload-lost")]


class Job:
    """A job whose phases end when they may, and what was seen of its work."""

    def __init__(self, service, request, chance, hungry=False):
        self.id = service.ask("/v1/jobs", request | {"options": {"seed": HUNGRY if hungry else 1}})["id"]
        self.folder = service.folder / "data/jobs" / self.id
        self.due = {"first": time.monotonic() + chance.uniform(0, 3)}
        self.due["second"] = self.due["first"] + chance.uniform(0, 3)
        # A phase that does not end before something was done to the job.
        self.held = None
        self.journal = ""
        self.shown = {}

    @property
    def ended(self):
        return self.shown.get("finished_at") is not None

    def look(self, service):
        with contextlib.suppress(urllib.error.URLError, ConnectionError):
            self.shown = service.ask(f"/v1/jobs/{self.id}")
        for work in self.folder.glob("work-*"):
            with contextlib.suppress(OSError):
                self.journal = (work / "journal").read_text()
            for name, word in (("first", "boundary_analysis"), ("second", "detection")):
                # After the phase, so that the journal was seen whole.
                if name != self.held and time.monotonic() >= self.due[name] and word in self.journal:
                    with contextlib.suppress(OSError):
                        (work / name).touch()

    def fault(self, cause):
        """What is wrong with its end; nil where nothing is."""
        if not self.ended:
            return f"did not end: {self.shown}"
        code = (self.shown["error"] or {}).get("code")
        if self.shown["state"] != "succeeded" and (self.shown["state"], code) != ("failed", cause):
            return f"ended as {self.shown['state']} with {code}: {self.shown['error']}"
        for phase in ("boundary_analysis", "detection"):
            if self.journal.split("\n").count(f"worked {phase}") > 1:
                return f"{phase} was done twice: {self.journal!r}"
        return None


class Faults:
    """Each is done to a job that has a task on the cluster, and undone a little later."""

    def __init__(self, cluster, service):
        self.cluster, self.service = cluster, service

    def control(self, *words):
        self.cluster.run("scontrol", *words)

    def sruns(self, job, parent=None):
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                words = (process / "cmdline").read_text().split("\0")
                if words[0].endswith("/srun") and any(job.id in word for word in words):
                    if parent is None or f"PPid:\t{parent}\n" in (process / "status").read_text():
                        os.kill(int(process.name), signal.SIGKILL)

    def srun(self, job):
        self.sruns(job, self.service.process.pid)

    def srun_and_helper(self, job):
        self.sruns(job)

    def scancel(self, job):
        self.cluster.run("scancel", str(job.shown["slurm"]["job"]))

    def epilog(self, job):
        """The nodes take their time to clean up after a job that was cancelled there."""
        hold = self.cluster.folder / "hold"
        hold.touch()
        self.scancel(job)
        yield 30
        hold.unlink()

    def time_limit(self, job):
        self.control("update", f"jobid={job.shown['slurm']['job']}", "EndTime=now")

    def suspended(self, job):
        self.control("suspend", str(job.shown["slurm"]["job"]))
        yield
        self.control("resume", str(job.shown["slurm"]["job"]))

    def preempted(self, job):
        """By what takes both nodes, for a moment."""
        self.cluster.run("srun", "--quiet", "--partition=urgent", "--nodes=2", "--mem=3900M", "/bin/true")

    def node_lost(self, job):
        node = job.shown["slurm"]["node"]
        self.cluster.tell("kill", node)
        self.control("update", f"nodename={node}", "state=down", "reason=lost")
        yield
        self.cluster.tell("start", node)
        self.control("update", f"nodename={node}", "state=resume")

    def node_drained(self, job):
        node = job.shown["slurm"]["node"]
        self.control("update", f"nodename={node}", "state=drain", "reason=maintenance")
        yield
        self.control("update", f"nodename={node}", "state=resume")

    def controller(self, job):
        self.cluster.tell("stop", "slurmctld")
        yield
        self.cluster.tell("start", "slurmctld")

    def burnd_killed(self, job):
        self.service.stop(signal.SIGKILL)
        yield
        self.service.start()

    def burnd_stopped(self, job):
        self.service.stop(signal.SIGTERM)
        yield
        self.service.start()

    def memory(self, job):
        """The job itself does it."""

    # What may be done before there is a node.
    anywhere = {"srun", "srun_and_helper", "scancel", "controller", "burnd_killed", "burnd_stopped"}
    names = ["srun", "srun_and_helper", "scancel", "epilog", "time_limit", "suspended", "preempted", "node_lost",
             "node_drained", "controller", "burnd_killed", "burnd_stopped", "memory"]
    # Not in a round that has to be quick.
    slow = {"epilog"}


def play(cluster, service, request, name, chance):
    """One round. Returns what is wrong, and the numbers of attempts."""
    # One more than processors: one of them waits.
    jobs = [Job(service, request, chance, hungry=name == "memory" and number == 0) for number in range(5)]
    target = jobs[0] if name == "memory" else chance.choice(jobs)
    target.held = chance.choice(["first", "second"])
    moment = time.monotonic() + chance.uniform(0, 4)
    undo, undone = None, 0.0
    done = False
    end = time.monotonic() + 150
    while time.monotonic() < end and not (done and undo is None and all(job.ended for job in jobs)):
        for job in jobs:
            job.look(service)
        if name == "memory":
            done = target.ended
        place = target.shown.get("slurm") or {}
        if not done and time.monotonic() >= moment and place.get("node" if name not in Faults.anywhere else "job"):
            done = True
            # What ends it does so a little later.
            if name not in ("scancel", "epilog", "time_limit"):
                target.held = None
            undo = getattr(Faults(cluster, service), name)(target)
            if undo is not None:
                undone = time.monotonic() + (next(undo) or chance.uniform(0.5, 4))
        if undo is not None and time.monotonic() >= undone:
            next(undo, None)
            undo = None
        time.sleep(0.05)
    if undo is not None:
        next(undo, None)
    if not done:
        return [(target.id, f"was never where it could be done: {target.shown}")], [], None
    cause = name.replace("_", " ")
    faults = [(job.id, fault) for job in jobs if (fault := job.fault(CAUSES.get(cause) if job is target else None))]
    patience = time.monotonic() + 20
    while (left := cluster.left()) and time.monotonic() < patience:
        time.sleep(0.2)
    faults += [("squeue", line) for line in left]
    return faults, [job.shown.get("attempt", 0) for job in jobs], target.shown.get("state")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=pathlib.Path, default=ROOT / ".build/debug")
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=Faults.names, action="append")
    parser.add_argument("--quick", action="store_true", help="without the faults that take long")
    parser.add_argument("--out", type=pathlib.Path)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    # Every kind before one comes again.
    kinds = options.only or [name for name in Faults.names if not (options.quick and name in Faults.slow)]
    order = [name for _ in range(options.rounds // len(kinds) + 1) for name in chance.sample(kinds, len(kinds))]
    folder = pathlib.Path(tempfile.mkdtemp(prefix="burn-faults-"))
    cluster = Cluster()
    service, faults, begin = None, [], time.monotonic()
    ends, attempts = collections.Counter(), 0
    try:
        service = Service(options.bin.resolve(), cluster, folder)
        request = service.upload()
        for number, name in enumerate(order[:options.rounds]):
            start = time.monotonic()
            found, tries, state = play(cluster, service, request, name, chance)
            ends[f"{name.replace('_', ' ')}: {state}"] += 1
            attempts += sum(tries)
            faults += [f"round {number} ({name}): {subject}: {fault}" for subject, fault in found]
            print(f"{number:3} {name:16} {state} attempts {tries} {time.monotonic() - start:.1f} s {found or ''}", flush=True)
        service.stop(signal.SIGTERM)
        faults += [f"fsck: {fault}" for fault in service.faults()]
    finally:
        if service and service.process.poll() is None:
            service.stop(signal.SIGKILL)
        cluster.close()
        if faults:
            print((folder / "log").read_text()[-4000:], file=sys.stderr)
        shutil.rmtree(folder, ignore_errors=True)
    report = {
        "rounds": options.rounds, "seed": options.seed, "seconds": round(time.monotonic() - begin, 1), "attempts": attempts,
        "ends": dict(sorted(ends.items())), "faults": faults}
    print(json.dumps(report, indent=2))
    if options.out:
        options.out.write_text(json.dumps(report, indent=2) + "\n")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
