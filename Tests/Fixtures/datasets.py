#!/usr/bin/env python3
"""The same labelled images in every format that is imported, and what Pillow makes of them.

    datasets.py make DIR
"""
import gzip
import io
import json
import pathlib
import pickle
import struct
import sys
import tarfile
import zipfile

import numpy as np
from PIL import Image

CLASSES = ["cat", "dog", "eel"]


def png(array, mode=None):
    buffer = io.BytesIO()
    Image.fromarray(array, mode).save(buffer, "PNG")
    return buffer.getvalue()


def tar(path, files, mode="w"):
    with tarfile.open(path, mode) as archive:
        for name, content in files:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))


def zipped(path, files):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            archive.writestr(name, content)


def idx(array):
    return struct.pack(">BBBB", 0, 0, 8, array.ndim) + b"".join(
        struct.pack(">I", size) for size in array.shape) + array.astype(np.uint8).tobytes()


def safetensors(path, tensors):
    names = {"uint8": "U8", "int64": "I64", "float32": "F32"}
    header, data = {}, b""
    for key, value in tensors.items():
        content = value.tobytes()
        header[key] = {"dtype": names[str(value.dtype)], "shape": list(value.shape),
                       "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def make(out):
    out.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(0)
    x = random.integers(0, 256, (12, 32, 32, 3), dtype=np.uint8)
    y = np.array([index % 3 for index in range(12)])
    planar = np.ascontiguousarray(x.transpose(0, 3, 1, 2))
    (out / "x.bin").write_bytes(x.tobytes())
    (out / "grey.bin").write_bytes(x[..., 0].tobytes())
    # Arrays.
    np.savez(out / "stored.npz", x=x, y=y)
    np.savez_compressed(out / "deflated.npz", images=planar, labels=y.astype(np.uint8).reshape(-1, 1))
    np.savez(out / "split.npz", x_train=x, y_train=y, x_test=x[:3], y_test=y[:3])
    np.savez(out / "float.npz", x=(x / 255).astype(np.float32), y=y)
    np.savez(out / "wide.npz", x=x.astype(np.uint16) * 257, y=y.astype(np.int16))
    np.savez(out / "grey.npz", x=x[..., 0], y=y)
    safetensors(out / "set.safetensors", {"labels": y, "images": x})
    tar(out / "idx.tar", [("a/train-images-idx3-ubyte", idx(x[..., 0])), ("a/train-labels-idx1-ubyte", idx(y))])
    zipped(out / "idx.zip", [("t10k-labels-idx1-ubyte.gz", gzip.compress(idx(y[:2]))),
                             ("train-images-idx3-ubyte.gz", gzip.compress(idx(x[..., 0]))),
                             ("train-labels-idx1-ubyte.gz", gzip.compress(idx(y)))])
    # CIFAR, as its authors write it (Python 2's strings are bytes).
    rows = planar.reshape(12, -1)
    batches = [rows[:7], rows[7:]]
    labels = [y[:7].tolist(), y[7:].tolist()]
    files = [("cifar/batches.meta", pickle.dumps({b"label_names": [name.encode() for name in CLASSES]}, 2))]
    for number in (0, 1):
        files.append((f"cifar/data_batch_{number + 1}", pickle.dumps(
            {b"data": batches[number], b"labels": labels[number], b"batch_label": b"x"}, 2)))
    files.append(("cifar/test_batch", pickle.dumps({b"data": rows[:2], b"labels": y[:2].tolist()}, 2)))
    tar(out / "cifar-python.tar.gz", files, "w:gz")
    binary = [b"".join(bytes([label]) + row.tobytes() for row, label in zip(*batch))
              for batch in zip(batches, labels)]
    tar(out / "cifar-binary.tar", [
        ("cifar/batches.meta.txt", "\n".join(CLASSES).encode()),
        ("cifar/data_batch_1.bin", binary[0]), ("cifar/data_batch_2.bin", binary[1]),
        ("cifar/test_batch.bin", binary[0][:3073])])
    hundred = b"".join(bytes([9, label]) + row.tobytes() for row, label in zip(rows, y.tolist()))
    tar(out / "cifar100-binary.tar", [("cifar-100-binary/train.bin", hundred)])
    # Files.
    images = [png(image) for image in x]
    tar(out / "shard.tar", [
        item for index, content in enumerate(images)
        for item in ((f"{index:06d}.png", content), (f"{index:06d}.cls", str(y[index]).encode()))])
    tar(out / "shard-json.tar", [
        item for index, content in enumerate(images)
        for item in ((f"{index:06d}.json", json.dumps({"label": int(y[index])}).encode()),
                     (f"{index:06d}.png", content))])
    table = "file_name,label\n" + "".join(f"images/{i}.png,{CLASSES[y[i]]}\n" for i in range(12))
    zipped(out / "csv.zip", [("images/%d.png" % i, images[i]) for i in range(12)] + [("manifest.csv", table)])
    lines = "".join(json.dumps({"file_name": f"images/{i}.png", "label": int(y[i])}) + "\n" for i in range(12))
    tar(out / "jsonl.tar.gz", [("metadata.jsonl", lines.encode())] + [
        ("images/%d.png" % i, images[i]) for i in range(12)], "w:gz")
    tar(out / "folders.tar", [("classes.json", json.dumps({"a": "cat", "b": "dog", "c": "eel"}).encode())] + [
        (f"{'abc'[y[i]]}/{i:02d}.png", images[i]) for i in range(12)])
    parquet(out, x, y, images)
    # 16 bits and alpha, and images of many sizes.
    sixteen = (x[..., 0].astype(np.uint16) * 257)
    tar(out / "sixteen.tar", [(f"{'abc'[y[i]]}/{i:02d}.png", png(sixteen[i])) for i in range(12)])
    alpha = np.concatenate([x, np.full((12, 32, 32, 1), 7, np.uint8)], axis=3)
    tar(out / "alpha.tar", [(f"{'abc'[y[i]]}/{i:02d}.png", png(alpha[i])) for i in range(12)])
    sizes = [(40, 50), (50, 40), (33, 90), (128, 64), (21, 20), (32, 32)]
    mixed = [random.integers(0, 256, (*size, 3), dtype=np.uint8) for size in sizes]
    tar(out / "mixed.tar", [(f"{'ab'[i % 2]}/{i}.png", png(image)) for i, image in enumerate(mixed)])
    (out / "mixed-24-20.bin").write_bytes(b"".join(reference(image, 24, (20, 20)) for image in mixed))
    (out / "mixed-40x30.bin").write_bytes(b"".join(reference(image, (40, 30), None) for image in mixed))
    (out / "mixed-33-64.bin").write_bytes(b"".join(reference(image, 33, (64, 47)) for image in mixed))


def parquet(out, x, y, images):
    """As Hugging Face's datasets write it, and other forms that are met."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    def features(label, image={"_type": "Image"}):
        return {"huggingface": json.dumps({"info": {"features": {"image": image, "label": label}}})}

    image = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    cells = [{"bytes": content, "path": f"{index}.png"} for index, content in enumerate(images)]
    named = {"names": CLASSES, "_type": "ClassLabel"}
    schema = pa.schema([("image", image), ("label", pa.int64())], metadata=features(named))
    table = pa.table({"image": cells, "label": y}, schema=schema)
    pq.write_table(table, out / "hf.parquet", row_group_size=5)
    for codec in ("zstd", "gzip", "brotli", "lz4", "none"):
        pq.write_table(table, out / f"hf-{codec}.parquet", compression=codec, data_page_version="2.0")
    shards = []
    for number, part in enumerate((table.slice(0, 7), table.slice(7))):
        buffer = io.BytesIO()
        pq.write_table(part, buffer)
        shards.append((f"data/train-{number:05d}-of-00002.parquet", buffer.getvalue()))
    buffer = io.BytesIO()
    pq.write_table(table.slice(0, 3), buffer)
    others = [("README.md", b"# a set"), ("data/test-00000-of-00001.parquet", buffer.getvalue())]
    zipped(out / "shards.zip", others + shards)
    tar(out / "shards.tar.gz", others + shards, "w:gz")
    nested = pa.list_(pa.list_(pa.list_(pa.uint8())))
    names = pa.array([CLASSES[label] for label in y])
    pq.write_table(pa.table({"img": pa.array(x.tolist(), nested), "label": names.dictionary_encode()}),
                   out / "pixels.parquet")
    planar = pa.array(x.transpose(0, 3, 1, 2).tolist(), pa.list_(pa.list_(pa.list_(pa.int64()))))
    pq.write_table(pa.table({"image": planar, "label": names, "more": y}), out / "planar.parquet")
    binary = pa.array(images, pa.large_binary())
    pq.write_table(pa.table({"picture": binary, "fine_label": y, "coarse_label": y * 0}), out / "binary.parquet")
    grey = pa.array(x[..., 0].reshape(len(x), -1).tolist(), pa.list_(pa.uint8(), 1024))
    pq.write_table(pa.table({"pixels": grey, "y": y.astype(np.int8)}), out / "flat.parquet")
    array = {"shape": [32, 32, 3], "dtype": "uint8", "_type": "Array3D"}
    pq.write_table(
        pa.table({"image": pa.array(x.reshape(len(x), -1).tolist(), pa.list_(pa.uint8())), "label": y})
        .replace_schema_metadata(features(named, array)), out / "shaped.parquet")
    for kind in ("float32", "float64"):
        pq.write_table(pa.table({"image": cells, "label": y.astype(kind)}), out / f"{kind}.parquet")
    written = [f"{label}.0" for label in y]
    pq.write_table(pa.table({"image": cells, "label": written}), out / "written.parquet")
    # What cannot be used.
    pq.write_table(pa.table({"image": cells, "label": y + 0.5}), out / "bad-half.parquet")
    pq.write_table(pa.table({"text": names, "label": y}), out / "bad-text.parquet")
    pq.write_table(pa.table({"image": cells, "caption": names, "source": names}), out / "bad-labels.parquet")
    pq.write_table(pa.table({"image": cells, "label": y * 0 - 1}), out / "bad-unlabelled.parquet")
    pq.write_table(table.set_column(1, "label", pa.array(y + 1)).replace_schema_metadata(schema.metadata),
                   out / "bad-beyond.parquet")
    pq.write_table(table.set_column(0, "image", pa.array([{"bytes": None, "path": "a/b.png"}] * 12, image)),
                   out / "bad-external.parquet")
    pq.write_table(table.set_column(0, "image", pa.array([b"hello"] * 12)), out / "bad-image.parquet")
    ragged = [[[1, 2], [3]]] * 12
    pq.write_table(pa.table({"image": ragged, "label": y}), out / "bad-ragged.parquet")
    pq.write_table(pa.table({"image": [[[1, 300]]] * 12, "label": y}), out / "bad-values.parquet")
    other = {"names": ["a", "b", "c"], "_type": "ClassLabel"}
    buffer = io.BytesIO()
    pq.write_table(table.replace_schema_metadata(features(other)), buffer)
    zipped(out / "bad-shards.zip", [shards[0], ("data/train-00001-of-00002.parquet", buffer.getvalue())])
    zipped(out / "bad-shard.zip", [shards[0], (shards[1][0], shards[1][1][:-9] + b"?PAR1PAR1")])
    # Few bytes that ask for many: one value of 60 MiB, in every row.
    value = pa.array([b"\x89PNG\r\n\x1a\n" + bytes(60 << 20)])
    bomb = pa.DictionaryArray.from_arrays(pa.array([0] * 200), value)
    pq.write_table(pa.table({"image": bomb, "label": [0, 1] * 100}), out / "bad-bomb.parquet", compression="zstd",
                   store_schema=False)


def reference(array, size, crop):
    """torchvision's Resize and CenterCrop (transforms.functional), on Pillow images."""
    image = Image.fromarray(array)
    if isinstance(size, int):
        width, height = image.size
        short, long = sorted((width, height))
        long = int(size * long / short)
        size = (long, size) if width <= height else (size, long)
    image = image.resize((size[1], size[0]), Image.BILINEAR)
    if crop is None:
        return np.asarray(image).tobytes()
    array = np.asarray(image)
    height, width = array.shape[:2]
    if crop[0] > height or crop[1] > width:
        left = (crop[1] - width) // 2 if crop[1] > width else 0
        top = (crop[0] - height) // 2 if crop[0] > height else 0
        right = (crop[1] - width + 1) // 2 if crop[1] > width else 0
        bottom = (crop[0] - height + 1) // 2 if crop[0] > height else 0
        array = np.pad(array, ((top, bottom), (left, right), (0, 0)))
        height, width = array.shape[:2]
    top, left = int(round((height - crop[0]) / 2.0)), int(round((width - crop[1]) / 2.0))
    return np.ascontiguousarray(array[top:top + crop[0], left:left + crop[1]]).tobytes()


if __name__ == "__main__":
    make(pathlib.Path(sys.argv[2]))
