#!/usr/bin/env python3
"""What the stages of a job cost, beside what this machine could do and beside PyTorch eager.

    Benchmarks/cost.py MODEL DATA [--bin FOLDER] [--threads N] [--purify] [burnd's options...]
    Benchmarks/cost.py --json ANSWER.json MODEL DATA      # of a job that has run (`burnd scan --json`)

Passes are counted in forwards of one sample: a gradient of the input is two, a sample of training 3.35. Then follow

- PyTorch: the same passes in eager mode, a batch of 128 at a time, by the speed that it has here;
- the ceiling: sgemm's floating-point operations a second and the bandwidth of memory, and the share of sgemm's that the job's
  passes reach.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import time

import torch
from torch.utils.flop_counter import FlopCounterMode

# In forward passes, measured on the networks of docs/results.md.
GRADIENT, TRAINING = 2.0, 3.35
BATCH, REPEATS = 128, 5
VERDICTS = (0, 3, 4, 5)


def best(step) -> float:
    """Seconds of the quickest of some runs, after one to warm up."""
    step()
    taken = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        step()
        taken.append(time.perf_counter() - start)
    return min(taken)


def answer(a) -> dict:
    """What burnd says of the job."""
    if a.json:
        return json.loads(a.json.read_text())
    command = [a.bin / "burnd", "purify" if a.purify else "scan", "--json", "--threads", str(a.threads)]
    if a.purify:
        command += ["--output", "/dev/null"]
    done = subprocess.run([*map(str, command), *a.options, a.model, a.data], stdout=subprocess.PIPE)
    if done.returncode not in VERDICTS:
        sys.exit(f"burnd ended with {done.returncode}; it says above why.")
    return json.loads(done.stdout)


def in_forwards(cost: dict) -> float:
    return cost["forwards"] + GRADIENT * cost["gradients"] + TRAINING * cost["training_samples"]


def eager(model, shape) -> dict:
    """Seconds of one sample in PyTorch eager, by the kind of pass, and floating-point operations of a forward."""
    batch = torch.rand(BATCH, *shape).to(memory_format=torch.channels_last)
    parameters = [p for p in model.parameters() if p.requires_grad]

    def forward():
        with torch.no_grad():
            model(batch)

    def gradient():
        image = batch.detach().requires_grad_()
        torch.autograd.grad(model(image).sum(), image)

    def training():
        torch.autograd.grad(model(batch).sum(), parameters)

    seconds = {"forwards": best(forward) / BATCH, "gradients": best(gradient) / BATCH,
               "training_samples": best(training) / BATCH}
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(batch)
    return {"seconds": seconds, "flops": counter.get_total_flops() / BATCH}


def ceiling() -> dict:
    """Floating-point operations and bytes a second."""
    a, b = torch.rand(2048, 2048), torch.rand(2048, 2048)
    long = torch.rand(1 << 26)
    copy = torch.empty_like(long)
    return {"sgemm": 2 * 2048**3 / best(lambda: torch.mm(a, b)),
            "bandwidth": 2 * long.nbytes / best(lambda: copy.copy_(long))}


def row(name, forwards, gradients, training, passes, seconds, read="", memory=""):
    print(f"{name:18} {forwards:>9} {gradients:>9} {training:>9} {passes:>10} {seconds:>8} {read:>8} {memory:>7}")


def show(costs: list) -> None:
    row("stage", "forwards", "gradients", "training", "passes", "seconds", "MB", "MiB")
    for cost in costs:
        name = cost["stage"] + (f" {cost['round']}" if cost["round"] else "")
        row(name, cost["forwards"], cost["gradients"], cost["training_samples"], f"{in_forwards(cost):.0f}",
            f"{cost['seconds']:.1f}", f"{cost['bytes_read'] / 1e6:.1f}", cost["peak_memory"] >> 20)
    kinds = [sum(cost[kind] for cost in costs) for kind in ("forwards", "gradients", "training_samples")]
    row("all", *kinds, f"{sum(map(in_forwards, costs)):.0f}", f"{sum(c['seconds'] for c in costs):.1f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="a .pt2 file")
    parser.add_argument("data", help="its data set, as burnd takes it")
    parser.add_argument("--bin", type=pathlib.Path, default=pathlib.Path(".build/release"))
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--purify", action="store_true")
    parser.add_argument("--json", type=pathlib.Path, help="what burnd printed of a job that has run")
    a, a.options = parser.parse_known_args()
    torch.set_num_threads(a.threads)
    found = answer(a)
    costs = found["costs"]
    print(f"{found['type']}: {found['verdict']['result']}, {found['dataset']['summary']['samples']} samples\n")
    show(costs)
    shape = found["model"]["summary"]["input_shape"][1:]
    if None in shape:
        summary = found["dataset"]["summary"]
        shape = [summary["channels"], summary["height"], summary["width"]]
    torch_model = eager(torch.export.load(a.model).module(), shape)
    machine = ceiling()
    seconds = sum(cost["seconds"] for cost in costs)
    same = sum(cost[kind] * taken for cost in costs for kind, taken in torch_model["seconds"].items())
    passes = sum(map(in_forwards, costs))
    print(f"\nthe same passes in PyTorch eager: {same:.1f} s; the job: {seconds:.1f} s, all that is not a pass included")
    print(f"sgemm {machine['sgemm'] / 1e9:.0f} GFLOP/s, memory {machine['bandwidth'] / 1e9:.1f} GB/s; the job's passes: "
          f"{passes * torch_model['flops'] / seconds / 1e9:.1f} GFLOP/s, "
          f"{100 * passes * torch_model['flops'] / seconds / machine['sgemm']:.0f} % of sgemm")


if __name__ == "__main__":
    main()
