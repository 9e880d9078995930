#!/usr/bin/env python3
"""Reading speed per format, ours beside Python's usual loading of the same file, in the same run.

    Benchmarks/reading.py [--programs .build/release] [--images 10000] [--rounds 3]

Data sets: `burnd check MODEL SET` reads, checks, decodes and packs to disk; its time without a set is taken off.
Python (numpy, pickle, tarfile, Pillow) fills one array of pixels and one of labels in memory. Weights: `burnd check`
of a file of weights, beside torch.load and a memory-mapped read. Seconds are the best of the rounds; MB are those of the file.
"""
import argparse
import io
import json
import pathlib
import pickle
import subprocess
import sys
import tarfile
import tempfile
import time

import numpy as np
import torch
from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "Tests" / "Fixtures"))
sys.path.insert(0, str(ROOT / "scripts"))
import datasets  # noqa: E402
import export_graphs  # noqa: E402
import weights  # noqa: E402


def best(rounds, work):
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def decoded(items):
    pixels, labels = [], []
    for content, label in items:
        pixels.append(np.asarray(Image.open(io.BytesIO(content)).convert("RGB")))
        labels.append(label)
    return np.stack(pixels), np.array(labels)


def folders(path):
    with tarfile.open(path) as archive:
        return decoded((archive.extractfile(item).read(), item.name.split("/")[0]) for item in archive)


def shard(path):
    with tarfile.open(path) as archive:
        content, items = {}, []
        for item in archive:
            stem, kind = item.name.split(".")
            content[kind] = archive.extractfile(item).read()
            if kind == "cls":
                items.append((content["png"], int(content["cls"])))
        return decoded(items)


def cifar(path):
    with tarfile.open(path) as archive:
        parts = [pickle.load(archive.extractfile(item)) for item in archive if "data_batch" in item.name]
    return np.concatenate([part["data"] for part in parts]), sum((part["labels"] for part in parts), [])


def npz(path):
    with np.load(path) as file:
        return file["x"].copy(), file["y"].copy()


def make_sets(folder, count):
    random = np.random.default_rng(0)
    # Smooth noise: compresses about as photographs do.
    small = random.integers(0, 256, (count, 9, 9, 3)).astype(np.float32)
    x = np.stack([np.asarray(Image.fromarray(image.astype(np.uint8)).resize((32, 32), Image.BICUBIC))
                  for image in small])
    y = random.integers(0, 10, count)
    png = [datasets.png(image) for image in x]
    jpeg = []
    for image in x:
        buffer = io.BytesIO()
        Image.fromarray(image).save(buffer, "JPEG", quality=92)
        jpeg.append(buffer.getvalue())
    np.savez(folder / "set.npz", x=x, y=y)
    np.savez_compressed(folder / "deflated.npz", x=x, y=y)
    datasets.safetensors(folder / "set.safetensors", {"images": x, "labels": y})
    rows = x.transpose(0, 3, 1, 2).reshape(count, -1)
    datasets.tar(folder / "cifar-python.tar", [
        ("cifar/data_batch_1", pickle.dumps({"data": rows, "labels": y.tolist()}, 2))])
    datasets.tar(folder / "png-folders.tar", [(f"{y[i]:04d}/{i:06d}.png", png[i]) for i in range(count)])
    datasets.tar(folder / "jpeg-folders.tar", [(f"{y[i]:04d}/{i:06d}.jpg", jpeg[i]) for i in range(count)])
    datasets.tar(folder / "webdataset.tar", [item for i in range(count) for item in (
        (f"{i:06d}.png", png[i]), (f"{i:06d}.cls", str(y[i]).encode()))])
    return {
        "set.npz": npz, "deflated.npz": npz,
        "set.safetensors": lambda path: {key: value for key, value in load_safetensors(path).items()},
        "cifar-python.tar": cifar, "png-folders.tar": folders, "jpeg-folders.tar": folders,
        "webdataset.tar": shard,
    }


def load_safetensors(path):
    content = np.fromfile(path, np.uint8)
    length = int(content[:8].view(np.uint64)[0])
    header = json.loads(content[8:8 + length].tobytes())
    types = {"U8": np.uint8, "I64": np.int64, "F32": np.float32}
    return {key: content[8 + length + value["data_offsets"][0]:8 + length + value["data_offsets"][1]].copy()
            .view(types[value["dtype"]]) for key, value in header.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--programs", type=pathlib.Path, default=ROOT / ".build" / "release")
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=pathlib.Path)
    options = parser.parse_args()
    rows = []

    def burnd(*arguments):
        subprocess.run([options.programs / "burnd", "check", *map(str, arguments)], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def row(name, path, ours, theirs):
        size = path.stat().st_size / 1e6
        rows.append({"file": name, "mb": size, "burn_mb_s": size / ours, "python_mb_s": size / theirs})
        print(f"{name:20} {size:8.1f} {size / ours:10.0f} {size / theirs:10.0f}", flush=True)

    print(f"{'file':20} {'MB':>8} {'ours MB/s':>10} {'Python':>10}")
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        model = ROOT / "architectures" / "small_cnn.pt2"
        alone = best(options.rounds, lambda: burnd(model))
        for name, load in make_sets(folder, options.images).items():
            path = folder / name
            ours = best(options.rounds, lambda: burnd(model, path)) - alone
            row(name, path, ours, best(options.rounds, lambda: load(path)))
        net = export_graphs.GRAPHS["wrn-28-10"][0](10)
        torch.save(net.state_dict(), folder / "wrn.pth")
        weights.save_safetensors(
            {key: value for key, value in net.state_dict().items()}, folder / "wrn.safetensors")
        for name, load in (("wrn.pth", lambda path: torch.load(path, weights_only=True)),
                           ("wrn.safetensors", load_safetensors)):
            path = folder / name
            ours = best(options.rounds, lambda: burnd(path, "--architecture", "wrn-28-10"))
            row(name, path, ours, best(options.rounds, lambda: load(path)))
    if options.out:
        options.out.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
