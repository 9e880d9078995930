#!/usr/bin/env python3
"""Reading speed per format, ours beside Python's usual loading of the same file, in the same run.

    Benchmarks/reading.py [--programs .build/release] [--before FOLDER] [--images 10000] [--rounds 3]
                          [--only models|sets|FILE ...] [--out FILE.json]

Data sets: `burnd check MODEL SET` reads, checks, decodes and packs to disk; its time without a set is taken off.
Python (numpy, pickle, tarfile, csv, pyarrow, Pillow) fills one array of pixels and one of labels in memory.

Models: `burnd check MODEL` reads the graph, checks every operator and the checksum of every weight's entry; beside it
torch.export.load, onnxruntime.InferenceSession, torch.load and a plain read of safetensors. Starting a program is part
of ours (it is in the first row, a model of few bytes) and importing PyTorch no part of theirs.

Seconds are the best of the rounds; MB are those of the file. With --before, the programs of another version read each file
in turn with these: the last column is their seconds over ours.
"""
import argparse
import csv
import gzip
import io
import json
import pathlib
import pickle
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile

import numpy as np
import torch
from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "Tests" / "Fixtures"))
sys.path.insert(0, str(ROOT / "scripts" / "networks"))
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


# Data sets, as Python reads them.


def decoded(items):
    pixels, labels = [], []
    for content, label in items:
        pixels.append(np.asarray(Image.open(io.BytesIO(content)).convert("RGB")))
        labels.append(label)
    return np.stack(pixels), np.array(labels)


def folders(path):
    with tarfile.open(path) as archive:
        return decoded((archive.extractfile(item).read(), item.name.split("/")[0]) for item in archive)


def zipped(path):
    with zipfile.ZipFile(path) as archive:
        return decoded((archive.read(name), name.split("/")[0]) for name in archive.namelist())


def manifest(path):
    with zipfile.ZipFile(path) as archive:
        rows = list(csv.DictReader(io.StringIO(archive.read("manifest.csv").decode())))
        return decoded((archive.read(row["file_name"]), row["label"]) for row in rows)


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


def cifar_binary(path):
    with tarfile.open(path) as archive:
        rows = np.concatenate([np.frombuffer(archive.extractfile(item).read(), np.uint8).reshape(-1, 3073)
                               for item in archive])
    return rows[:, 1:].copy(), rows[:, 0].copy()


def idx(path):
    arrays = []
    with tarfile.open(path) as archive:
        for item in archive:
            content = gzip.decompress(archive.extractfile(item).read())
            arrays.append(np.frombuffer(content, np.uint8, offset=4 + 4 * content[3]).copy())
    return arrays


def npz(path):
    with np.load(path) as file:
        return file["x"].copy(), file["y"].copy()


def parquet(path):
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    return decoded((row["bytes"], label) for row, label in zip(
        table["image"].to_pylist(), table["label"].to_pylist()))


def load_safetensors(path):
    content = np.fromfile(path, np.uint8)
    length = int(content[:8].view(np.uint64)[0])
    header = json.loads(content[8:8 + length].tobytes())
    types = {"U8": np.uint8, "I64": np.int64, "F32": np.float32}
    return {key: content[8 + length + value["data_offsets"][0]:8 + length + value["data_offsets"][1]].copy()
            .view(types[value["dtype"]]) for key, value in header.items() if key != "__metadata__"}


def make_sets(folder, count):
    import pyarrow as pa
    import pyarrow.parquet as pq

    random = np.random.default_rng(0)
    # Smooth noise: compresses about as photographs do.
    small = random.integers(0, 256, (count, 9, 9, 3)).astype(np.uint8)
    x = np.stack([np.asarray(Image.fromarray(image).resize((32, 32), Image.BICUBIC)) for image in small])
    y = random.integers(0, 10, count)
    y[:10] = range(10)
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
    datasets.tar(folder / "cifar-binary.tar", [("data_batch_1.bin", np.concatenate(
        [y.astype(np.uint8)[:, None], rows], axis=1).tobytes())])
    datasets.tar(folder / "idx-gz.tar", [
        ("train-images-idx4-ubyte.gz", gzip.compress(datasets.idx(x), 6)),
        ("train-labels-idx1-ubyte.gz", gzip.compress(datasets.idx(y)))])
    images = [(f"{y[i]:04d}/{i:06d}.png", png[i]) for i in range(count)]
    datasets.tar(folder / "png-folders.tar", images)
    datasets.tar(folder / "png-folders.tar.gz", images, "w:gz")
    datasets.zipped(folder / "png-folders.zip", images)
    datasets.tar(folder / "jpeg-folders.tar", [(f"{y[i]:04d}/{i:06d}.jpg", jpeg[i]) for i in range(count)])
    datasets.tar(folder / "webdataset.tar", [item for i in range(count) for item in (
        (f"{i:06d}.png", png[i]), (f"{i:06d}.cls", str(y[i]).encode()))])
    table = "file_name,label\n" + "".join(f"{name},{y[i]}\n" for i, (name, _) in enumerate(images))
    datasets.zipped(folder / "manifest.zip", images + [("manifest.csv", table)])
    cells = pa.array([{"bytes": content, "path": None} for content in jpeg],
                     pa.struct([("bytes", pa.binary()), ("path", pa.string())]))
    pq.write_table(pa.table({"image": cells, "label": y}), folder / "jpeg.parquet", row_group_size=1000)
    return {
        "set.npz": npz, "deflated.npz": npz, "set.safetensors": load_safetensors, "cifar-python.tar": cifar,
        "cifar-binary.tar": cifar_binary, "idx-gz.tar": idx, "png-folders.tar": folders,
        "png-folders.tar.gz": folders, "png-folders.zip": zipped, "jpeg-folders.tar": folders,
        "webdataset.tar": shard, "manifest.zip": manifest, "jpeg.parquet": parquet,
    }


# Models


def onnx_session(path):
    import onnxruntime

    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])


def unpacked(path):
    """What somebody has to do with an archive of an ONNX model and its data."""
    with tempfile.TemporaryDirectory() as scratch, tarfile.open(path) as archive:
        archive.extractall(scratch, filter="data")
        return onnx_session(pathlib.Path(scratch) / "model.onnx")


def make_models(folder):
    """A network of 146 MB in every form, and one of a few kilobytes."""
    model = export_graphs.GRAPHS["wrn-28-10"][0](10).eval()
    state = model.state_dict()
    example, batch = (torch.zeros(2, 3, 32, 32),), ({0: torch.export.Dim("batch")},)
    torch.export.save(torch.export.export(model, example, dynamic_shapes=batch), folder / "wrn.pt2")
    torch.save(state, folder / "wrn.pth")
    weights.save_safetensors(state, folder / "wrn.safetensors")
    built_in = ["--architecture", "wrn-28-10"]
    models = {
        "wrn.pt2": (torch.export.load, []), "wrn.pth": (lambda path: torch.load(path, weights_only=True), built_in),
        "wrn.safetensors": (load_safetensors, built_in),
    }
    try:
        import onnx
        import onnxscript  # noqa: F401
    except ImportError:
        print("(no onnx and onnxscript: ONNX is left out)", file=sys.stderr)
        return models
    torch.onnx.export(model, example, str(folder / "wrn.onnx"), dynamo=True, external_data=False,
                      dynamic_shapes=batch, verbose=False)
    onnx.save_model(onnx.load(folder / "wrn.onnx"), folder / "model.onnx", save_as_external_data=True,
                    location="model.onnx.data")
    with tarfile.open(folder / "wrn-external.tar", "w") as archive:
        for name in ("model.onnx", "model.onnx.data"):
            archive.add(folder / name, name)
    return {**models, "wrn.onnx": (onnx_session, []), "wrn-external.tar": (unpacked, [])}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--programs", type=pathlib.Path, default=ROOT / ".build" / "release")
    parser.add_argument("--before", type=pathlib.Path)
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", default=["models", "sets"])
    parser.add_argument("--out", type=pathlib.Path)
    options = parser.parse_args()
    rows = measure(options.programs, options.images, options.rounds, options.before, options.only)
    if options.out:
        options.out.write_text(json.dumps(rows, indent=1))


def measure(programs, images, rounds, before=None, only=("models", "sets")):
    """Prints the table; gives its rows."""
    found = []

    def burnd(*arguments, of=programs):
        result = subprocess.run([of / "burnd", "check", *map(str, arguments)], stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True)
        if result.returncode:
            sys.exit(f"burnd check {' '.join(map(str, arguments))} failed:\n{result.stdout}")

    def row(name, path, ours, load, earlier=None):
        size, theirs = path.stat().st_size / 1e6, None
        try:
            theirs = best(rounds, lambda: load(path))
        except ImportError as error:
            print(f"({name}: {error})", file=sys.stderr)
        found.append({"file": name, "mb": size, "seconds": ours, "burn_mb_s": size / ours,
                      "python_mb_s": size / theirs if theirs else None,
                      "before": earlier / ours if earlier else None})
        shown = f"{size / theirs:10.0f}" if theirs else f"{'-':>10}"
        ratio = f"{earlier / ours:8.2f}" if earlier else ""
        print(f"{name:20} {size:8.1f} {size / ours:10.0f} {shown} {ratio}", flush=True)

    def pair(arguments, without=0):
        """Our best seconds, and those of the version before, in turn; None without one."""
        read = lambda of: best(1, lambda: burnd(*arguments, of=of))  # noqa: E731
        times = [(read(programs), read(before) if before else 0) for _ in range(rounds)]
        ours, earlier = (max(min(column) - without, 1e-3) for column in zip(*times))
        return ours, earlier if before else None

    print(f"{'file':20} {'MB':>8} {'ours MB/s':>10} {'Python':>10}")
    with tempfile.TemporaryDirectory() as scratch:
        folder = pathlib.Path(scratch)
        model = ROOT / "architectures" / "small_cnn.pt2"
        alone = best(rounds, lambda: burnd(model))
        if "models" in only:
            ours, earlier = pair([model])
            row("small_cnn.pt2", model, ours, torch.export.load, earlier)
            for name, (load, arguments) in make_models(folder).items():
                ours, earlier = pair([folder / name, *arguments])
                row(name, folder / name, ours, load, earlier)
        if set(only) != {"models"}:
            for name, load in make_sets(folder, images).items():
                if "sets" not in only and name not in only:
                    continue
                ours, earlier = pair(["--accept-disagreement", model, folder / name], alone)
                row(name, folder / name, ours, load, earlier)
    return found


if __name__ == "__main__":
    main()
