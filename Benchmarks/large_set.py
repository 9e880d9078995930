#!/usr/bin/env python3
"""What a data set of very many images costs beside its pixels: memory and time for each image, by container.

    Benchmarks/large_set.py [--programs .build/release] [--images 1000000] [--containers tar zip npz parquet]

The images are 8 x 8 pixels, so that nothing but names, labels and indices counts: what a set of 224 x 224 needs in
memory is the same, its packed pixels (150,528 bytes an image) lie on the disk. `burnd check` reads the set twice over, at
a tenth of the images and at all of them; the difference is what each image costs. Then `burnd serve` takes the largest
zip, which it checks itself.
"""
import argparse
import io
import os
import pathlib
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile

import numpy as np
from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "Benchmarks"))
from service import MemoryWatch, Service  # noqa: E402


def png():
    buffer = io.BytesIO()
    Image.fromarray(np.arange(192, dtype=np.uint8).reshape(8, 8, 3)).save(buffer, "PNG")
    return buffer.getvalue()


def name(index):
    return f"n{index % 1000:08d}/n{index % 1000:08d}_{index:08d}.png"


def make(path, container, count):
    content = png()
    if container == "tar":
        with tarfile.open(path, "w") as archive:
            for index in range(count):
                entry = tarfile.TarInfo(name(index))
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
    elif container == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            for index in range(count):
                archive.writestr(zipfile.ZipInfo(name(index)), content)
    elif container == "npz":
        np.savez(path, x=np.zeros((count, 8, 8, 3), np.uint8), y=np.arange(count) % 1000)
    else:
        import pyarrow as pa
        import pyarrow.parquet as pq

        image = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
        schema = pa.schema([("image", image), ("label", pa.int64())])
        with pq.ParquetWriter(path, schema) as writer:
            for start in range(0, count, 1000):
                cells = [{"bytes": content, "path": name(i)} for i in range(start, min(start + 1000, count))]
                labels = [i % 1000 for i in range(start, start + len(cells))]
                writer.write_table(pa.table({"image": cells, "label": labels}, schema=schema))


def check(program, path):
    """Seconds and the largest resident set of all its processes, in MiB."""
    started = time.perf_counter()
    process = subprocess.Popen([program, "check", ROOT / "architectures" / "small_cnn.pt2", path],
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    with MemoryWatch(process.pid) as memory:
        output = process.communicate()[0]
    # 8 x 8 pixels are not what the model takes: 2 is expected.
    if "images of 8 x 8" not in output:
        sys.exit(f"{path}: {output}")
    return time.perf_counter() - started, memory.children["resident"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", type=pathlib.Path, default=ROOT / ".build" / "release")
    parser.add_argument("--images", type=int, default=1_000_000)
    parser.add_argument("--containers", nargs="+", default=["tar", "zip", "npz", "parquet"])
    options = parser.parse_args()
    print(f"{'container':10} {'images':>9} {'s':>7} {'MiB':>7} {'bytes an image':>15}")
    with tempfile.TemporaryDirectory() as scratch:
        for container in options.containers:
            before = None
            for count in (options.images // 10, options.images):
                path = pathlib.Path(scratch) / f"set.{container}"
                make(path, container, count)
                seconds, memory = check(options.programs / "burnd", path)
                cost = "" if before is None else f"{(memory - before[1]) * 2**20 / (count - before[0]):15.0f}"
                print(f"{container:10} {count:9d} {seconds:7.1f} {memory:7.0f} {cost}", flush=True)
                before = (count, memory)
            if container == "zip":
                service = Service(options.programs / "burnd")
                try:
                    with MemoryWatch(service.process.pid) as memory:
                        service.upload("datasets", path)
                finally:
                    service.stop()
                print(f"{'':10} served    {'':7} {memory.own['resident']:7.0f} (burnd itself)", flush=True)
            os.remove(path)


if __name__ == "__main__":
    main()
