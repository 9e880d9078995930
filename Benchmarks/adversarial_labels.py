#!/usr/bin/env python3
"""Which descent tells what poisoned samples show: that of the margin to the runner-up, or to the mean of all other logits.

    Benchmarks/adversarial_labels.py CASE...

CASE is a folder of `burn-bench attacks` (model.pt2, train/, truth.csv). Both descents run here in PyTorch,
on its poisoned samples that the model sees in the attacker's class; a row tells how often each label is the true one.
"""
import argparse
import csv
import pathlib

import torch

from packed import packed_set

STEPS = 40
OVERSHOOT = 1.02
# Of images of 3,072 values from 0 to 1.
SHORTEST, LONGEST = 0.02, 0.6


def poisoned(case):
    """Images (n, C, H, W) from 0 to 1, given labels, true labels."""
    images, labels = packed_set(case / "train")
    with open(case / "truth.csv") as file:
        truth = list(csv.DictReader(file))
    chosen = [index for index, row in enumerate(truth) if row["role"] == "poisoned"]
    true = torch.tensor([int(truth[index]["true_label"]) for index in chosen])
    pixels = torch.from_numpy(images[chosen]).permute(0, 3, 1, 2).float() / 255
    return pixels.contiguous(), torch.from_numpy(labels[chosen]).long(), true


def descend(model, images, own, mean):
    """The class that each image is in when it leaves its own first; its own where it never does."""
    position, met = images.clone(), own.clone()
    unit = (images[0].numel() / 3072) ** 0.5
    active = torch.arange(len(images))
    for _ in range(STEPS):
        batch = position[active].requires_grad_()
        logits = model(batch)
        mine = logits.gather(1, own[active, None])[:, 0]
        others = logits.scatter(1, own[active, None], -torch.inf)
        best = others.max(1)
        value = mine - (logits.sum(1) - mine) / (logits.shape[1] - 1) if mean else mine - best.values
        (gradient,) = torch.autograd.grad(value.sum(), batch)
        with torch.no_grad():
            margin = mine - best.values
            left = margin <= 0
            met[active[left]] = best.indices[left]
            stay = ~left
            norm = gradient[stay].flatten(1).norm(dim=1).clamp(min=1e-9)
            length = margin[stay] / norm * OVERSHOOT + 1e-5
            if mean:
                length = length.clamp(SHORTEST * unit, LONGEST * unit)
            active = active[stay]
            position[active] -= gradient[stay] * (length / norm).view(-1, 1, 1, 1)
            position[active] = position[active].clamp(0, 1)
        if not len(active):
            break
    return met


def shares(case):
    model = torch.export.load(case / "model.pt2").module()
    images, given, true = poisoned(case)
    hits, count = [0, 0], 0
    for start in range(0, len(images), 128):
        part = slice(start, start + 128)
        with torch.no_grad():
            seen = model(images[part]).argmax(1)
        followed = (seen == given[part]) & (given[part] != true[part])
        if not followed.any():
            continue
        chosen, own, wanted = images[part][followed], seen[followed], true[part][followed]
        for which, mean in enumerate((False, True)):
            hits[which] += int((descend(model, chosen, own, mean) == wanted).sum())
        count += len(wanted)
    return count, [100 * hit / max(count, 1) for hit in hits]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="+", type=pathlib.Path, metavar="CASE")
    arguments = parser.parse_args()
    for case in arguments.cases:
        for needed in ("model.pt2", "train/manifest.json", "truth.csv"):
            if not (case / needed).is_file():
                parser.error(f"{case} is not a case of `burn-bench attacks`: it has no {needed}")
    print("| case | samples | margin | mean logit |\n| --- | --- | --- | --- |")
    for case in arguments.cases:
        count, (margin, mean) = shares(case)
        print(f"| {case.name} | {count} | {margin:.1f} | {mean:.1f} |", flush=True)


if __name__ == "__main__":
    main()
