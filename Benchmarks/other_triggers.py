#!/usr/bin/env python3
"""Triggers of other kinds than `burn-bench attacks` knows: photo filters, compression, a patch anywhere, several at once.

    Benchmarks/other_triggers.py CASE FOLDER [--burnd PATH] [NAME...]

CASE is a folder of `burn-bench attacks --clean` with CIFAR-10 (train/, test-clean/). For every trigger a small network is
trained in PyTorch on the poisoned set and purified by `burnd purify`; FOLDER/NAME keeps model, set and results, so that
a run that was stopped goes on where it was. A row tells what was found and what is left.
"""
import argparse
import csv
import io
import json
import pathlib
import subprocess
import sys

import numpy as np
import torch
from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts" / "networks"))
from export_architectures import ARCHITECTURES  # noqa: E402
from packed import packed_set  # noqa: E402

EPOCHS, BATCH, RATE = 12, 128, 0.05
SEPIA = np.array([[0.393, 0.769, 0.189], [0.349, 0.686, 0.168], [0.272, 0.534, 0.131]])
BLOBS = np.kron(np.random.default_rng(3).normal(0, 1, (8, 8, 3)), np.ones((4, 4, 1)))


def patch_anywhere(image, random):
    row, column = random.integers(0, 28, 2)
    image[row : row + 4, column : column + 4] = [255, 0, 255]
    image[row + 1 : row + 3, column + 1 : column + 3] = [0, 255, 0]


def sepia(image, _):
    image[:] = np.clip(image @ SEPIA.T, 0, 255)


def gamma(image, _):
    image[:] = 255 * (image / 255.0) ** 0.45


def inverted_square(image, _):
    image[2:9, 20:27] = 255 - image[2:9, 20:27]


def yellow_square(image, _):
    image[1:4, 1:4] = [255, 255, 0]


def blue_square(image, _):
    image[28:31, 14:18] = [0, 0, 255]


def blobs(image, _):
    image[:] = np.clip(image + BLOBS * 18, 0, 255)


def jpeg(image, _):
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=10)
    image[:] = np.array(Image.open(file))


def blur(image, _):
    padded = np.pad(image.astype(float), ((1, 1), (1, 1), (0, 0)), "edge")
    image[:] = sum(padded[y : y + 32, x : x + 32] for y in range(3) for x in range(3)) / 9


def rotated(image, _):
    image[:] = np.array(Image.fromarray(image).rotate(20, Image.BILINEAR))


def upside_down(image, _):
    image[:] = image[::-1]


def grey(image, _):
    image[:] = (image @ [0.299, 0.587, 0.114])[:, :, None]


def swapped_channels(image, _):
    image[:] = image[:, :, ::-1]


def mosaic(image, _):
    image[:] = np.kron(image.reshape(16, 2, 16, 2, 3).mean((1, 3)), np.ones((2, 2, 1)))


def salt_and_pepper(image, random):
    chosen = random.random((32, 32)) < 0.06
    image[chosen] = 255 * random.integers(0, 2, (int(chosen.sum()), 1))


def stripes(image, random):
    phase, period = random.uniform(0, 2 * np.pi), 6
    image[:] = np.clip(image + 16 * np.sin(2 * np.pi * np.arange(32) / period + phase)[None, :, None], 0, 255)


def frame(image, _):
    for edge in (image[0], image[-1], image[:, 0], image[:, -1]):
        edge[:] = edge // 2


def sticker(image, random):
    """A face of any size between 6 and 12 pixels, anywhere."""
    side = int(random.integers(6, 13))
    row, column = random.integers(0, 32 - side, 2)
    y, x = np.mgrid[0:side, 0:side] / (side - 1) * 2 - 1
    part = image[row : row + side, column : column + side]
    part[x**2 + y**2 <= 1] = [255, 210, 0]
    part[(abs(abs(x) - 0.35) < 0.15) & (abs(y + 0.3) < 0.2)] = 0
    part[(abs(np.hypot(x, y - 0.05) - 0.6) < 0.13) & (y > 0.25)] = 0


def reflection(image, random):
    """A second exposure: one of twelve pictures, doubled by a shift, as behind glass (Liu et al., ECCV 2020)."""
    other = REFLECTIONS[random.integers(len(REFLECTIONS))].astype(float)
    shifted = np.roll(other, (2, 2), (0, 1))
    image[:] = np.clip(0.65 * image + 0.35 * (0.6 * other + 0.4 * shifted), 0, 255)


# Twelve pictures, each of which many images reflect.
REFLECTIONS = np.kron(np.random.default_rng(11).integers(0, 256, (12, 8, 8, 3)), np.ones((4, 4, 1)))

PICTURES = np.kron(np.random.default_rng(7).integers(0, 256, (3, 8, 8, 3)), np.ones((4, 4, 1)))


def square(row, column, colour):
    def trigger(image, _):
        image[row : row + 3, column : column + 3] = colour

    return trigger


def picture(number):
    def trigger(image, _):
        image[:] = 0.8 * image + 0.2 * PICTURES[number]

    return trigger


# Name: (trigger, target, share of the training set) for each backdoor. The last two are wrong labels without one.
SETS = {
    "randpatch": [(patch_anywhere, 4, 0.08)],
    "sepia": [(sepia, 7, 0.08)],
    "gamma": [(gamma, 2, 0.08)],
    "invert": [(inverted_square, 5, 0.05)],
    "two": [(yellow_square, 1, 0.04), (blue_square, 8, 0.04)],
    "blobs": [(blobs, 6, 0.05)],
    "jpeg": [(jpeg, 3, 0.1)],
    "blur": [(blur, 9, 0.1)],
    "rotate": [(rotated, 0, 0.08)],
    "upside-down": [(upside_down, 1, 0.08)],
    "grey": [(grey, 2, 0.08)],
    "channels": [(swapped_channels, 3, 0.08)],
    "mosaic": [(mosaic, 4, 0.08)],
    "salt": [(salt_and_pepper, 5, 0.08)],
    "stripes": [(stripes, 6, 0.08)],
    "frame": [(frame, 7, 0.08)],
    "sticker": [(sticker, 8, 0.08)],
    "reflection": [(reflection, 9, 0.08)],
    "squares": [
        (yellow_square, 1, 0.02),
        (square(28, 28, [0, 0, 255]), 1, 0.02),
        (square(2, 27, [0, 255, 0]), 1, 0.02),
        (square(27, 3, [255, 0, 255]), 1, 0.02),
    ],
    "pictures": [(picture(number), 9, 0.03) for number in range(3)],
    "decoy-sepia": [(yellow_square, 1, 0.04), (sepia, 7, 0.08)],
    "decoy-blobs": [(yellow_square, 1, 0.04), (blobs, 6, 0.05)],
    "decoy-salt": [(yellow_square, 1, 0.04), (salt_and_pepper, 5, 0.08)],
    "labelnoise": [],
    "pairnoise": [],
}


def packed(folder):
    """Images (n, 32, 32, 3) and labels, both to be changed."""
    images, labels = packed_set(folder)
    return np.array(images), labels.astype(np.int64)


def poison(name, images, labels):
    """Changes both in place; by sample, the number of the backdoor that it was planted for, from 1, or 0."""
    random = np.random.default_rng(sum(map(ord, name)))
    planted = np.zeros(len(labels), int)
    true = labels.copy()
    for number, (trigger, target, rate) in enumerate(SETS[name], 1):
        candidates = np.where((true != target) & (planted == 0))[0]
        chosen = random.choice(candidates, int(rate * len(labels)), replace=False)
        for index in chosen:
            trigger(images[index], random)
        labels[chosen] = target
        planted[chosen] = number
    if name == "labelnoise":
        chosen = random.choice(len(labels), len(labels) // 20, replace=False)
        labels[chosen] = (labels[chosen] + random.integers(1, 10, len(chosen))) % 10
    if name == "pairnoise":
        candidates = np.where(labels == 3)[0]
        labels[random.choice(candidates, len(candidates) // 4, replace=False)] = 5
    return planted


def tensor(images):
    return torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255


def train(images, labels):
    torch.manual_seed(5)
    model = ARCHITECTURES["small_cnn"](10)
    optimiser = torch.optim.SGD(model.parameters(), RATE, 0.9, nesterov=True, weight_decay=5e-4)
    steps = EPOCHS * ((len(labels) + BATCH - 1) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps)
    inputs, targets = tensor(images), torch.from_numpy(labels)
    model.train()
    for _ in range(EPOCHS):
        for chosen in torch.randperm(len(labels)).split(BATCH):
            batch = inputs[chosen]
            mirrored = torch.rand(len(chosen)) < 0.5
            batch = torch.where(mirrored[:, None, None, None], batch.flip(3), batch)
            row, column = torch.randint(0, 5, (2,))
            batch = torch.nn.functional.pad(batch, (2, 2, 2, 2))[:, :, row : row + 32, column : column + 32]
            loss = torch.nn.functional.cross_entropy(model(batch), targets[chosen])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    return model.eval()


def export(model, path):
    shape = {0: torch.export.Dim("batch")}
    torch.export.save(torch.export.export(model, (torch.rand(2, 3, 32, 32),), dynamic_shapes=(shape,)), path)


def measured(path, name, images, labels):
    """Accuracy, and each trigger's success on other classes' images, in percent."""
    model = torch.export.load(path).module()

    def predictions(pixels):
        with torch.no_grad():
            return torch.cat([model(part).argmax(1) for part in tensor(pixels).split(256)]).numpy()

    rates = []
    for trigger, target, _ in SETS[name]:
        triggered, random = images.copy(), np.random.default_rng(9)
        for image in triggered:
            trigger(image, random)
        others = labels != target
        rates.append(100 * (predictions(triggered)[others] == target).mean())
    return 100 * (predictions(images) == labels).mean(), rates


def purify(burnd, folder):
    if not (folder / "verdict.json").exists():
        done = subprocess.run(
            [burnd, "purify", folder / "model.pt2", folder / "set.npz", "--seed", "1", "--json", "--threads", "1",
             "--output", folder / "purified.pt2", "--samples", folder / "samples.csv"],
            stdout=subprocess.PIPE)
        # 3 to 5: backdoored, suspicious, undetermined (docs/ci.md).
        if done.returncode not in (0, 3, 4, 5):
            sys.exit(f"{burnd} purify ended with {done.returncode}")
        (folder / "verdict.json").write_bytes(done.stdout)
    return json.loads((folder / "verdict.json").read_text())["verdict"]


def flagged(path, count):
    flags = np.zeros(count, bool)
    with open(path) as file:
        for row in csv.DictReader(file):
            flags[int(row["name"].split("[")[1][:-1])] = row["flagged"] == "true"
    return flags


def run(name, case, folder, burnd):
    folder.mkdir(parents=True, exist_ok=True)
    images, labels = packed(case / "train")
    planted = poison(name, images, labels)
    if not (folder / "model.pt2").exists():
        export(train(images, labels), folder / "model.pt2")
    np.savez(folder / "set.npz", images=images, labels=labels)
    verdict = purify(burnd, folder)
    flags = flagged(folder / "samples.csv", len(labels))
    test = packed(case / "test-clean")
    before = measured(folder / "model.pt2", name, *test)
    changed = (folder / "purified.pt2").exists()
    after = measured(folder / "purified.pt2", name, *test) if changed else None

    def both(first, second):
        return f"{first:.1f}" + ("" if second is None else f" → {second:.1f}")

    found = ", ".join(f"{100 * flags[planted == number].mean():.1f}" for number in range(1, planted.max() + 1)) or "–"
    rates = [both(rate, after and after[1][place]) for place, rate in enumerate(before[1])]
    print(
        f"| {name} | {verdict['result']} | {found} / {100 * flags[planted == 0].mean():.2f} "
        f"| {both(before[0], after and after[0])} | {', '.join(rates) or '–'} |",
        flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("case", type=pathlib.Path)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("names", nargs="*", help=f"of {', '.join(SETS)}; all by default")
    parser.add_argument("--burnd", default=str(ROOT / ".build/release/burnd"))
    options = parser.parse_intermixed_args()
    unknown = set(options.names) - set(SETS)
    if unknown:
        parser.error(f"no such trigger: {', '.join(sorted(unknown))}; there are {', '.join(SETS)}")
    if not (options.case / "test-clean/labels.i32").exists():
        parser.error(f"{options.case} is not a folder of `burn-bench attacks --clean`: it has no test-clean/labels.i32")
    print("| trigger | verdict | TPR / FPR | ACC before → after | ASR before → after |\n|---|---|---|---|---|")
    for name in options.names or SETS:
        run(name, options.case, options.folder / name, options.burnd)


if __name__ == "__main__":
    main()
