#!/usr/bin/env python3
"""Sham cases: a clean model with a data set in which a part of one class was changed.

    Benchmarks/sham_sets.py OUTPUT CASE ...

CASE is a folder of `burn-bench attacks --clean`. Every one is written once for each kind of change; the case's place and the kind
choose the class. The model has never seen the changed images, so that nothing in them is a trigger.
"""
import io
import json
import os
import shutil
import sys

import numpy as np
from PIL import Image


def jpeg(images, random):
    """Half of the class, saved as JPEG of quality 20."""
    for image in images[: len(images) // 2]:
        data = io.BytesIO()
        Image.fromarray(image.squeeze()).save(data, "JPEG", quality=20)
        image[:] = np.asarray(Image.open(data)).reshape(image.shape)


def brightness(images, random):
    """Half of the class, a third brighter."""
    half = images[: len(images) // 2]
    half[:] = np.clip(half.astype(np.float32) * 1.35, 0, 255).round().astype(np.uint8)


def date_stamp(images, random):
    """A fifth of the class, with digits of bars in the lower right corner."""
    side = images.shape[1]
    bars = (random.random((max(3, side // 8), side // 3)) > 0.5).astype(np.uint8)
    for image in images[: len(images) // 5]:
        corner = image[-bars.shape[0] - 1 : -1, -bars.shape[1] - 1 : -1]
        corner[bars > 0] = (255, 160, 32)[: image.shape[2]] if image.shape[2] == 3 else 255


def near_duplicates(images, random):
    """A twentieth of the class, replaced by one image with a little noise."""
    for image in images[1 : 1 + max(10, len(images) // 20)]:
        noise = random.normal(0, 4, image.shape)
        image[:] = np.clip(images[0].astype(np.float32) + noise, 0, 255).round().astype(np.uint8)


KINDS = {"jpeg": jpeg, "brightness": brightness, "date-stamp": date_stamp, "near-duplicates": near_duplicates}


def write(case, target, place, kind):
    shutil.copytree(case, target, ignore=shutil.ignore_patterns("evaluation", "training", "test-*", "*.log"))
    manifest = json.load(open(f"{target}/train/manifest.json"))
    summary = manifest["summary"]
    shape = (summary["samples"], summary["height"], summary["width"], summary["channels"])
    images = np.fromfile(f"{target}/train/images.u8", np.uint8).reshape(shape)
    labels = np.fromfile(f"{target}/train/labels.i32", np.int32)
    random = np.random.default_rng(1000 + place)
    if kind == "label-noise":
        # One sample in twenty of all classes has the label of another.
        names = len(summary["classes"])
        wrong = random.random(len(labels)) < 0.05
        labels[wrong] = (labels[wrong] + random.integers(1, names, wrong.sum())) % names
        for label, entry in enumerate(summary["classes"]):
            entry["samples"] = int((labels == label).sum())
        labels.astype(np.int32).tofile(f"{target}/train/labels.i32")
        json.dump(manifest, open(f"{target}/train/manifest.json", "w"))
    else:
        chosen = random.permutation(np.flatnonzero(labels == place % len(summary["classes"])))
        changed = images[chosen]
        KINDS[kind](changed, random)
        images[chosen] = changed
        images.tofile(f"{target}/train/images.u8")


def main():
    output, cases = sys.argv[1], sys.argv[2:]
    for place, case in enumerate(cases):
        for number, kind in enumerate([*KINDS, "label-noise"]):
            target = f"{output}/{os.path.basename(case)}-{kind}"
            if not os.path.exists(target):
                write(case, target, 5 * place + number, kind)
                print(target)


if __name__ == "__main__":
    main()
