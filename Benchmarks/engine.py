"""Our engine and PyTorch eager doing the same work in turns, in one run."""
import json
import os
import pathlib
import statistics
import subprocess
import sys

import numpy

import export_architectures

BATCH = 128
WORK = {
    # Passes over the network that the work needs, in units of a forward pass.
    "forward": 1,
    "input_gradient": 2,
    "training": 3,
}


class Peer:
    """A process that answers one JSON line for each JSON line."""

    def __init__(self, command):
        self.process = subprocess.Popen(
            [str(part) for part in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=os.environ | {"OMP_WAIT_POLICY": "PASSIVE"})

    def ask(self, **request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise SystemExit(f"{self.process.args[0]} ended with status {self.process.wait()}")
        return json.loads(answer)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def start_peers(cache: pathlib.Path, models, program: pathlib.Path, threads: int):
    folder = cache / "architectures"
    folder.mkdir(parents=True, exist_ok=True)
    for name in models:
        export_architectures.export(export_architectures.build(name), folder / f"{name}.pt2")
    random = numpy.random.RandomState(0)
    batch, labels = folder / "batch.f32", folder / "labels.i32"
    random.rand(BATCH, 3, 32, 32).astype("<f4").tofile(batch)
    random.randint(0, 10, BATCH).astype("<i4").tofile(labels)
    shared = ["--input", batch, "--labels", labels, "--threads", threads]
    reference = pathlib.Path(__file__).with_name("pytorch_reference.py")
    return Peer([program, "--models", folder, *shared]), Peer([sys.executable, reference, *shared])


def measure(cache, models, program, threads, rounds, report):
    """Rows of results; `report` is called with each as soon as it is there."""
    ours, eager = start_peers(cache, models, program, threads)
    peaks, rows = [], []
    for model in models:
        flops = eager.ask(work="flops", model=model, layout="contiguous")["flops"]
        for work, passes in WORK.items():
            seconds = {"reduced": [], "burn": [], "channels_last": [], "contiguous": []}
            sums = {}
            for _ in range(rounds):
                peaks.append(eager.ask(work="sgemm", repeats=5)["gflops"])
                answers = {
                    "burn": ours.ask(work=work, model=model, repeats=3),
                    "reduced": ours.ask(work=work, model=model, repeats=3, reduced=True),
                }
                for layout in ("channels_last", "contiguous"):
                    answers[layout] = eager.ask(work=work, model=model, repeats=3, layout=layout)
                for name, answer in answers.items():
                    seconds[name] += answer["seconds"]
                    sums[name] = answer["checksum"]
            if work != "training":  # dropout draws differ there
                check_equal(model, work, sums)
            rate = {name: BATCH / statistics.median(values) for name, values in seconds.items()}
            best_eager = max(rate["channels_last"], rate["contiguous"])
            rows.append({
                "model": model, "work": work, "images_per_second": rate, "flops_per_image": flops * passes,
                "speedup_of_reduced": rate["reduced"] / rate["burn"],
                "speedup_over_eager": rate["burn"] / rate["contiguous"],
                "speedup_over_best_eager": rate["burn"] / best_eager,
                "share_of_sgemm_peak": rate["burn"] * flops * passes / (max(peaks) * 1e9),
                "seconds": seconds,
            })
            report(rows[-1])
    ours.close()
    eager.close()
    return {"sgemm_peak_gflops": max(peaks), "rows": rows}


def check_equal(model, work, sums):
    for name, value in sums.items():
        # bfloat16 has an error of 2⁻⁹ in each layer.
        allowed = 0.05 if name == "reduced" else 1e-3
        if abs(value - sums["contiguous"]) > allowed * abs(sums["contiguous"]):
            raise SystemExit(f"{model} {work}: results differ: {sums}")
