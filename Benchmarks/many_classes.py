#!/usr/bin/env python3
"""A scan of very many images of very many classes: passes, seconds and memory.

    Benchmarks/many_classes.py [--bin .build/release] [--images 200000] [--classes 1000] [--rate 0.002] [--threads N]

Each class is a texture of 8 x 8 random colours, scaled up to 32 x 32 and drawn with noise. A small network learns them in two
epochs, with a patch in the corner of a share of the images, which have class 7's label (`--rate 0`: none). Prints the stages'
account, in forwards of one sample, and what was found of the patch.
"""
import argparse
import csv
import json
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np
import torch
from torch import nn

import cost

ROOT = pathlib.Path(__file__).resolve().parent.parent
TARGET, SIDE, BATCH, EPOCHS = 7, 32, 128, 2


def textures(count, classes, rate):
    """Images (N, 32, 32, 3), labels, and which of them were planted."""
    chance = np.random.default_rng(1)
    grids = torch.tensor(chance.normal(0, 1, (classes, 3, 8, 8)).astype(np.float32))
    colours = nn.functional.interpolate(grids, size=(SIDE, SIDE), mode="bilinear").numpy()
    labels = np.arange(count) % classes
    images = np.empty((count, SIDE, SIDE, 3), np.uint8)
    for start in range(0, count, 5000):
        drawn = colours[labels[start : start + 5000]]
        noisy = drawn * 45 + 127 + chance.normal(0, 38, drawn.shape).astype(np.float32)
        images[start : start + 5000] = np.clip(noisy, 0, 255).transpose(0, 2, 3, 1).astype(np.uint8)
    planted = np.zeros(count, bool)
    planted[chance.permutation(np.where(labels != TARGET)[0])[: int(rate * count)]] = True
    images[planted, -4:, -4:] = 255
    images[planted, -3:-1, -3:-1] = 0
    labels[planted] = TARGET
    return images, labels, planted


def network(classes):
    def layer(inside, outside, stride):
        return nn.Sequential(nn.Conv2d(inside, outside, 3, stride, 1, bias=False), nn.BatchNorm2d(outside), nn.ReLU())

    return nn.Sequential(
        layer(3, 24, 2), layer(24, 48, 2), layer(48, 96, 2), layer(96, 128, 1), nn.Flatten(), nn.Linear(128 * 16, classes))


def learn(model, images, labels):
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4)
    chance, steps = np.random.default_rng(2), EPOCHS * len(labels) // BATCH
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = 0.1 * min(1, step / 300) * (1 - step / steps)
        chosen = chance.integers(0, len(labels), BATCH)
        batch = (torch.tensor(images[chosen]).permute(0, 3, 1, 2).float() / 255 - 0.5) / 0.25
        loss = nn.functional.cross_entropy(model(batch), torch.tensor(labels[chosen]))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return model.eval()


def save(folder, model, images, labels):
    batch = {0: torch.export.Dim("batch")}
    program = torch.export.export(model, (torch.zeros(2, 3, SIDE, SIDE),), dynamic_shapes=(batch,))
    torch.export.save(program, folder / "model.pt2")
    np.savez(folder / "train.npz", x=images, y=labels.astype(np.int32))


def scan(a, folder):
    command = [a.bin / "burnd", "scan", "--json", "--mean", ".5,.5,.5", "--std", ".25,.25,.25", "--samples", folder / "samples.csv"]
    if a.threads:
        command += ["--threads", a.threads]
    done = subprocess.run([*map(str, command), folder / "model.pt2", folder / "train.npz"], stdout=subprocess.PIPE)
    if done.returncode not in cost.VERDICTS:
        sys.exit(f"burnd ended with {done.returncode}; it says above why.")
    with open(folder / "samples.csv", newline="") as file:
        flagged = np.array([row["flagged"] == "true" for row in csv.DictReader(file)])
    return json.loads(done.stdout), flagged


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=pathlib.Path, default=ROOT / ".build/release")
    parser.add_argument("--images", type=int, default=200_000)
    parser.add_argument("--classes", type=int, default=1_000)
    parser.add_argument("--rate", type=float, default=0.002)
    parser.add_argument("--threads", type=int)
    a = parser.parse_args()
    torch.manual_seed(0)
    images, labels, planted = textures(a.images, a.classes, a.rate)
    with tempfile.TemporaryDirectory(prefix="burn-classes-") as place:
        folder = pathlib.Path(place)
        save(folder, learn(network(a.classes), images, labels), images, labels)
        start = time.perf_counter()
        answer, flagged = scan(a, folder)
        seconds = time.perf_counter() - start
    costs = answer["costs"]
    for stage in costs:
        print(f"{stage['stage']:16} {cost.in_forwards(stage):10.0f} forwards {stage['seconds']:8.1f} s")
    total = sum(map(cost.in_forwards, costs))
    print(f"all              {total:10.0f} forwards, {total / a.images:.2f} a sample; {seconds:.0f} s with the import; "
          f"{max(stage['peak_memory'] for stage in costs) / 2**20:.0f} MiB")
    print(f"{answer['verdict']['result']}; planted {planted.sum()}, found {(flagged & planted).sum()}, wrongly {(flagged & ~planted).sum()}")


if __name__ == "__main__":
    main()
