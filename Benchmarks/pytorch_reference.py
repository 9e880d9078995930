#!/usr/bin/env python3
"""The benchmark's comparator: the same work in PyTorch eager.

Takes one JSON request a line on standard input and answers with one JSON line:

    {"work": "forward", "model": "resnet18", "layout": "channels_last", "repeats": 3}
    -> {"seconds": [...], "checksum": ...}

work: forward            logits of one batch, evaluation mode, no gradients
      input_gradient     forward and the gradient of the margin with respect to the input, evaluation mode
      training           one step of SGD (momentum 0.9, Nesterov, weight decay 5e-4) on the cross-entropy
      sgemm              one product of two square matrices (answers "gflops", the best of the repeats)
      flops              multiply-adds of the convolutions and linear layers, times two, of one sample forward
layout: contiguous or channels_last

Models are those of scripts/networks/export_architectures.py, with its weights. The batch is read from --input
(float32, N x 3 x 32 x 32), the labels from --labels (int32).
"""
import argparse
import json
import pathlib
import sys
import time

import numpy
import torch
import torch.nn.functional as F

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "scripts" / "networks"))
import export_architectures  # noqa: E402

SGEMM_SIZE = 2048


class Reference:
    def __init__(self, batch: torch.Tensor, labels: torch.Tensor):
        self.batch = batch
        self.labels = labels

    def prepare(self, request):
        model = export_architectures.build(request["model"])
        batch = self.batch.clone()
        if request["layout"] == "channels_last":
            model = model.to(memory_format=torch.channels_last)
            batch = batch.to(memory_format=torch.channels_last)
        return model, batch

    def forward(self, request):
        model, batch = self.prepare(request)
        model.eval()

        def step():
            with torch.no_grad():
                return model(batch)

        return step

    def input_gradient(self, request):
        model, batch = self.prepare(request)
        model.eval().requires_grad_(False)

        def step():
            x = batch.detach().requires_grad_()
            top = model(x).topk(2, dim=1).values
            return torch.autograd.grad((top[:, 0] - top[:, 1]).sum(), x)[0]

        return step

    def training(self, request):
        model, batch = self.prepare(request)
        model.train()
        optimiser = torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9, nesterov=True, weight_decay=5e-4)

        def step():
            optimiser.zero_grad(set_to_none=True)
            loss = F.cross_entropy(model(batch), self.labels)
            loss.backward()
            optimiser.step()
            return loss.detach()

        return step

    def sgemm(self, repeats):
        a, b = torch.rand(2, SGEMM_SIZE, SGEMM_SIZE)
        out = torch.empty(SGEMM_SIZE, SGEMM_SIZE)
        seconds = timed(lambda: torch.mm(a, b, out=out), repeats)[0]
        return {"gflops": 2 * SGEMM_SIZE**3 / min(seconds) / 1e9}

    def flops(self, request):
        model, batch = self.prepare(request)
        total = 0

        def count(module, inputs, output):
            nonlocal total
            total += 2 * output[0].numel() * module.weight[0].numel()

        for module in model.modules():
            if isinstance(module, (torch.nn.Conv2d, torch.nn.Linear)):
                module.register_forward_hook(count)
        model.eval()(batch[:2])
        return {"flops": total}

    def answer(self, request):
        work = request["work"]
        if work == "sgemm":
            return self.sgemm(request["repeats"])
        if work == "flops":
            return self.flops(request)
        seconds, result = timed(getattr(self, work)(request), request["repeats"])
        return {"seconds": seconds, "checksum": result.double().abs().sum().item()}


def timed(step, repeats):
    """Seconds of each of `repeats` calls after one that warms up, and the warm-up's result."""
    result = step()
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - start)
    return seconds, result


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--input", type=pathlib.Path, required=True)
    parser.add_argument("--labels", type=pathlib.Path, required=True)
    parser.add_argument("--threads", type=int, required=True)
    a = parser.parse_args()
    torch.set_num_threads(a.threads)
    batch = torch.from_numpy(numpy.fromfile(a.input, "<f4").reshape(-1, 3, 32, 32))
    labels = torch.from_numpy(numpy.fromfile(a.labels, "<i4")).long()
    reference = Reference(batch, labels)
    for line in sys.stdin:
        print(json.dumps(reference.answer(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
