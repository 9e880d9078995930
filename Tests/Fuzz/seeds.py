#!/usr/bin/env python3
"""Writes the first inputs of each fuzzing target into Tests/Fuzz/Corpus. Needs torch, numpy and pillow (.venv).

The corpus holds these and what fuzzing found beyond them (scripts/fuzz merge).
"""

import gzip
import io
import json
import lzma
import pathlib
import pickle
import struct
import tarfile
import zipfile

import numpy as np
import torch
from PIL import Image

CORPUS = pathlib.Path(__file__).resolve().parent / "Corpus"


def seed(target, name, content):
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"seed-{name}").write_bytes(content)


class Net(torch.nn.Module):
    """The weights of TinyModel, in graphs that use different operators."""

    def __init__(self, variant):
        super().__init__()
        self.variant = variant
        self.conv = torch.nn.Conv2d(3, 2, 3, padding=1, bias=False)
        self.fc = torch.nn.Linear(32, 10)

    def forward(self, x):
        x = self.conv(x)
        if self.variant == "pool":
            x = torch.cat([torch.nn.functional.max_pool2d(x, 2), torch.nn.functional.avg_pool2d(x.relu(), 2)], 1)
            x = torch.nn.functional.interpolate(x, scale_factor=2)[:, :2]
        elif self.variant == "attention":
            x = (x + x.sigmoid() * x.mean([2, 3], keepdim=True)).permute(0, 2, 3, 1).contiguous()
            x = torch.nn.functional.softmax(x, -1).permute(0, 3, 1, 2)
        else:
            x = x.relu()
        x = x.reshape(x.shape[0], -1) if self.variant == "view" else x.flatten(1)
        return self.fc(torch.nn.functional.dropout(x, 0.1, False))


def models():
    for variant in ("plain", "pool", "attention", "view"):
        batch = torch.export.Dim("batch", min=1, max=64)
        program = torch.export.export(Net(variant), (torch.zeros(2, 3, 4, 4),), dynamic_shapes=({0: batch},))
        file = io.BytesIO()
        torch.export.save(program, file)
        entries = {}
        with zipfile.ZipFile(file) as archive:
            for name in archive.namelist():
                entries[name.split("/", 1)[1]] = archive.read(name)
        graph = json.loads(entries["models/model.json"])
        for node in graph["graph_module"]["graph"]["nodes"]:
            node["metadata"] = {}
        graph["graph_module"]["module_call_graph"] = []
        graph["guards_code"] = []
        documents = [
            json.dumps(graph, separators=(",", ":")).encode(),
            entries["data/weights/model_weights_config.json"], entries["data/constants/model_constants_config.json"],
        ]
        seed("pt2", variant, b"\1" + b"\0".join(documents))
        if variant == "plain":
            small = io.BytesIO()
            with zipfile.ZipFile(small, "w") as archive:
                for name, content in entries.items():
                    if "sample_inputs" not in name:
                        archive.writestr("m/" + name, documents[0] if name == "models/model.json" else content)
            seed("pt2", "zip", b"\0" + small.getvalue())


def varint(number):
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def field(number, value):
    """A protocol buffer's field: a number or bytes."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def onnx_value(name, shape):
    sizes = b"".join(
        field(1, field(1, size) if isinstance(size, int) else field(2, size)) for size in shape)
    return field(1, name) + field(2, field(1, field(1, 1) + field(2, sizes)))


def onnx_node(kind, inputs, output, **attributes):
    node = b"".join(field(1, name) for name in inputs) + field(2, output) + field(4, kind)
    for name, value in attributes.items():
        if isinstance(value, int):
            node += field(5, field(1, name) + field(3, value) + field(20, 2))
        else:
            node += field(5, field(1, name) + b"".join(field(8, item) for item in value) + field(20, 7))
    return node


def onnx_tensor(name, array):
    kind = {"float32": 1, "int64": 7}[array.dtype.name]
    return b"".join(field(1, size) for size in array.shape) + field(2, kind) + field(8, name) + field(9, array.tobytes())


def onnx():
    weights = {
        "w": np.ones((2, 3, 3, 3), np.float32), "v": np.ones((32, 10), np.float32), "b": np.ones(10, np.float32),
        "one": np.ones(2, np.float32), "shape": np.array([0, -1], np.int64),
    }
    bodies = {
        "plain": [
            onnx_node("Conv", ["x", "w"], "1", kernel_shape=[3, 3], pads=[1, 1, 1, 1]), onnx_node("Relu", ["1"], "2"),
            onnx_node("Flatten", ["2"], "3", axis=1), onnx_node("Gemm", ["3", "v", "b"], "y")],
        "norm": [
            onnx_node("Conv", ["x", "w"], "1", kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
            onnx_node("BatchNormalization", ["1", "one", "one", "one", "one"], "2"),
            onnx_node("MaxPool", ["2"], "p", kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
            onnx_node("Sigmoid", ["p"], "q"), onnx_node("Mul", ["p", "q"], "r"),
            onnx_node("Reshape", ["r", "shape"], "3"), onnx_node("MatMul", ["3", "v"], "4"),
            onnx_node("Add", ["4", "b"], "y")],
        "shape": [
            onnx_node("Conv", ["x", "w"], "1", kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
            onnx_node("Transpose", ["1"], "t", perm=[0, 2, 3, 1]), onnx_node("Softmax", ["t"], "s", axis=3),
            onnx_node("Shape", ["s"], "n"), onnx_node("Slice", ["n", "zero", "onei"], "m"),
            onnx_node("Concat", ["m", "minus"], "c", axis=0), onnx_node("Reshape", ["s", "c"], "3"),
            onnx_node("Gemm", ["3", "v", "b"], "y")],
    }
    weights |= {"zero": np.array([0], np.int64), "onei": np.array([1], np.int64), "minus": np.array([-1], np.int64)}
    for name, nodes in bodies.items():
        graph = b"".join(field(1, node) for node in nodes) + field(2, "g")
        used = [key for key in weights if any(field(1, key) in node for node in nodes)]
        graph += b"".join(field(5, onnx_tensor(key, weights[key])) for key in used)
        graph += field(11, onnx_value("x", ["n", 3, 4, 4])) + field(12, onnx_value("y", ["n", 10]))
        seed("onnx", name, field(1, 8) + field(2, "t") + field(7, graph) + field(8, field(1, "") + field(2, 17)))


def safetensors(tensors):
    header, data = {}, b""
    for name, array in tensors.items():
        code = {"float32": "F32", "float16": "F16", "uint8": "U8", "int64": "I64"}[array.dtype.name]
        header[name] = {"dtype": code, "shape": array.shape, "data_offsets": [len(data), len(data) + array.nbytes]}
        data += array.tobytes()
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def pickled(value):
    file = io.BytesIO()
    torch.save(value, file)
    with zipfile.ZipFile(file) as archive:
        return next(archive.read(name) for name in archive.namelist() if name.endswith("data.pkl"))


def weights():
    state = Net("plain").state_dict()
    arrays = {name: value.numpy() for name, value in state.items()}
    seed("weights", "safetensors", b"\0" + safetensors(arrays))
    seed("weights", "safetensors-half", b"\0" + safetensors({k: v.astype(np.float16) for k, v in arrays.items()}))
    seed("weights", "plain", b"\1" + pickled(state))
    seed("weights", "nested", b"\1" + pickled({"state_dict": dict(state), "epoch": 3, "lr": 0.1, "best": None}))
    seed("weights", "module", b"\1" + pickled({"module." + name: value for name, value in state.items()}))
    seed("weights", "parameters", b"\1" + pickled({k: torch.nn.Parameter(v) for k, v in state.items()}))
    seed("weights", "views", b"\1" + pickled({k: v.T if v.dim() == 2 else v for k, v in state.items()}))
    for protocol in (0, 2, 4, 5):
        value = {b"data": np.arange(12, dtype=np.uint8).reshape(2, 6), b"labels": [3, 4], "x": (1, -5, 2.5, "é", {1: []})}
        seed("weights", f"arrays-{protocol}", b"\2" + pickle.dumps(value, protocol))


def image(kind="RGB", side=8, form="PNG", **options):
    pixels = (np.arange(side * side * 4) * 37 % 251).astype(np.uint8).reshape(side, side, 4)
    array = {"L": pixels[..., 0], "RGB": pixels[..., :3], "RGBA": pixels, "CMYK": pixels, "LA": pixels[..., :2]}.get(kind)
    if kind == "I;16":
        picture = Image.fromarray(pixels[..., 0].astype(np.uint16) * 257)
    elif kind == "P":
        picture = Image.fromarray(pixels[..., :3]).quantize(16)
    elif kind == "1":
        picture = Image.fromarray(pixels[..., 0]).convert("1")
    else:
        picture = Image.fromarray(np.ascontiguousarray(array), kind)
    file = io.BytesIO()
    picture.save(file, form, **options)
    return file.getvalue()


def more_images():
    """The formats beside PNG and JPEG, each also at its first choice of decoding."""
    for kind in ("L", "RGB", "RGBA", "P", "1"):
        seed("image", "bmp-" + kind, b"\1" + image(kind, form="BMP"))
        seed("image", "tiff-" + kind, b"\3" + image(kind, form="TIFF"))
    for name in ("tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg"):
        seed("image", "tiff-" + name, b"\1" + image(form="TIFF", compression=name, side=16))
    for name in ("tiff_ccitt", "group3", "group4"):
        seed("image", "tiff-" + name, b"\1" + image("1", form="TIFF", compression=name))
    seed("image", "tiff-cmyk", b"\1" + image("CMYK", form="TIFF"))
    seed("image", "tiff-16", b"\1" + image("I;16", form="TIFF"))
    seed("image", "tiff-tiled-big", b"\1" + image(form="TIFF", big_tiff=True))
    for name, kind, options in (
            ("lossless", "RGB", {"lossless": True}), ("lossy", "RGB", {"quality": 50}), ("alpha", "RGBA", {"lossless": True}),
            ("lossy-alpha", "RGBA", {"quality": 50})):
        seed("image", "webp-" + name, b"\3" + image(kind, form="WEBP", **options))
    frames = [Image.open(io.BytesIO(image(side=8))), Image.open(io.BytesIO(image(side=8))).rotate(90)]
    for form in ("WEBP", "GIF", "TIFF"):
        file = io.BytesIO()
        frames[0].save(file, form, save_all=True, append_images=frames[1:])
        seed("image", form.lower() + "-frames", b"\1" + file.getvalue())
    for name, kind, options in (
            ("palette", "P", {}), ("grey", "L", {}), ("plain", "P", {"interlace": False}), ("clear", "P", {"transparency": 1})):
        seed("image", "gif-" + name, b"\3" + image(kind, form="GIF", **options))
    exif = Image.Exif()
    exif[0x0112] = 6
    seed("image", "webp-exif", b"\1" + image(form="WEBP", exif=exif.tobytes()))
    seed("image", "tiff-exif", b"\1" + image(form="TIFF", tiffinfo={274: 6}))
    seed("image", "jpeg-eighth", b"\15" + image(form="JPEG", side=32))
    seed("image", "jpeg-half", b"\5" + image(form="JPEG", side=15, progressive=True))


def images():
    more_images()
    for kind in ("L", "LA", "RGB", "RGBA", "P", "1", "I;16"):
        seed("image", "png-" + kind.replace(";", ""), b"\1" + image(kind))
        seed("image", "png-drop-" + kind.replace(";", ""), b"\2" + image(kind))
    for kind in ("L", "RGB", "CMYK"):
        seed("image", "jpeg-" + kind, b"\0" + image(kind, form="JPEG"))
    seed("image", "jpeg-progressive", b"\1" + image(form="JPEG", side=24, progressive=True))
    seed("image", "jpeg-plain", b"\1" + image(form="JPEG", side=17, subsampling=0, optimize=True))
    seed("image", "jpeg-restart", b"\1" + image(form="JPEG", side=32, restart_marker_blocks=1))


def tar(files):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    # Python fills up to 10 KiB; two zero blocks are the end mark.
    content = file.getvalue().rstrip(b"\0")
    return content + bytes(-len(content) % 512 + 1024)


def zipped(files, method=zipfile.ZIP_STORED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file.getvalue()


def npy(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def archives():
    small = {"a/1.png": image("L"), "b/2.png": image("L")}
    seed("archive", "zip", b"\0" + zipped(small))
    seed("archive", "zip-deflated", b"\0" + zipped(small, zipfile.ZIP_DEFLATED))
    seed("archive", "tar", b"\0" + tar(small))
    seed("archive", "tar-gz", b"\3" + gzip.compress(tar(small), mtime=0))
    seed("archive", "tar-xz", b"\0" + lzma.compress(tar(small)))
    seed("archive", "npz", b"\0" + zipped({"x.npy": npy(np.zeros((2, 4, 4), np.uint8)), "y.npy": npy(np.arange(2))}))
    seed("archive", "safetensors", b"\0" + safetensors({"images": np.zeros((2, 4, 4, 3), np.uint8), "labels": np.arange(2)}))
    long = {"a/" + "x" * 120 + ".png": image("L"), "b/é.png": image("L")}
    seed("archive", "tar-long", b"\4" + tar(long))


# As in Datasets.swift.
NAMES = [
    "x.npy", "y.npy", "x_train.npy", "y_train.npy", "images.npy", "labels.npy",
    "train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx4-ubyte", "t10k-labels-idx1-ubyte",
    "data_batch_1.bin", "test_batch.bin", "data_batch_1", "test_batch", "train", "batches.meta", "meta",
    "train.bin", "manifest.csv", "metadata.jsonl", "labels.csv", "a/1.png", "a/2.jpg", "b/1.png", "b/2.jpg",
    "1.png", "1.cls", "1.json", "2.jpg", "2.cls", "2.json", "classes.txt", "class_names.json",
    "train-images-idx3-ubyte.gz", "é/3.png", "a/4.webp", "b/5.gif", "a/c/6.bmp", "b/7.tiff", "part1.zip",
    "part2.tar", "train.tar",
]


def layout(name, files, options=0):
    content = bytes([options])
    for file, data in files.items():
        content += bytes([NAMES.index(file)]) + struct.pack("<H", len(data)) + data
    seed("layout", name, content)


def layouts():
    png, jpg = image(), image(form="JPEG")
    layout("folder", {"a/1.png": png, "b/2.jpg": jpg, "classes.txt": b"cat\ndog\n"}, 2)
    layout("formats", {"a/4.webp": image(form="WEBP"), "b/5.gif": image("P", form="GIF"), "a/c/6.bmp": image(form="BMP"),
                       "b/7.tiff": image(form="TIFF", compression="tiff_lzw")}, 7)
    layout("parts", {"part1.zip": zipped({"a/1.png": png}), "part2.tar": tar({"b/2.png": png})}, 0)
    layout("manifest", {"manifest.csv": b"file_name,label\na/1.png,x\nb/1.png,\"y, z\"\n", "a/1.png": png, "b/1.png": png})
    layout("jsonl", {"metadata.jsonl": b'{"file_name":"1.png","label":0}\n{"file_name":"2.jpg","label":"b"}\n',
                     "1.png": png, "2.jpg": jpg})
    layout("webdataset", {"1.png": png, "1.cls": b"0", "2.jpg": jpg, "2.json": b'{"label": 1}'}, 3)
    layout("npz", {"x.npy": npy(np.zeros((2, 3, 4, 4), np.uint8)), "y.npy": npy(np.arange(2, dtype=np.int64))}, 5)
    layout("npz-float", {"x_train.npy": npy(np.zeros((2, 4, 4, 3), np.float32)), "y_train.npy": npy(np.arange(2, dtype=np.uint8))})
    layout("idx", {"train-images-idx3-ubyte": struct.pack(">IIII", 0x803, 2, 4, 4) + bytes(32),
                   "train-labels-idx1-ubyte": struct.pack(">II", 0x801, 2) + b"\0\1"})
    layout("cifar", {"data_batch_1.bin": b"\1" + bytes(3072) + b"\2" + bytes(3072)})
    layout("cifar-python", {
        "data_batch_1": pickle.dumps({b"data": np.zeros((2, 3072), np.uint8), b"labels": [0, 1]}, 2),
        "batches.meta": pickle.dumps({"label_names": ["a", "b"]}, 2)})


def requests():
    job = {"type": "purify", "model": "mdl_1", "dataset": "dst_1", "priority": 1, "options": {
        "seed": 1, "input": {"range": [0, 1], "mean": [0.5], "std": [0.5]}, "classes": {"a": 0}, "rounds": 2,
        "distance": "newton", "force": True, "threads": 1}, "evaluation": {"clean": "dst_2", "target_class": 0}}
    messages = [
        {"heartbeat": {}}, {"progress": {"_0": {"phase": "detection", "round": 0, "fraction": 0.5}}},
        {"phaseFinished": {"_0": "detection", "round": 0, "seconds": 1.5}}, {"log": {"_0": "text"}}, {"finished": {}},
        {"artifact": {"_0": {"role": "purified_model", "file": "model.pt2"}}},
        {"failed": {"_0": {"category": "malformed", "code": "c", "title": "t", "detail": "d"}}},
    ]
    inputs = [
        ("target", 0, b"/v1/jobs?limit=10&state=running&cursor=a%20b+c"), ("target-uri", 0, b"http://t/v1/%C3%A9?a&b=&=c"),
        ("range", 1, b"\4bytes=0-99\0\"abc\"\0W/\"abc\", *\0*"), ("range-suffix", 1, b"\3bytes=-5"),
        ("digest", 2, b"sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:, sha-512=:AA==:"),
        ("accept", 2, b"text/csv;q=0.5, application/*;q=0.1, */*;q=0, wait=30"),
        ("metadata", 3, b"kind ZGF0YXNldA==,name dA==,flag"), ("checksum", 3, b"sha1 2jmj7l5rSw0yVb/vlWAYkK/YBwk="),
        ("length", 3, b"123456789"), ("job", 4, json.dumps(job).encode()),
        ("preset", 4, b'{"type":"scan","model":"a","dataset":"b","options":{"input":{"preset":"imagenet"}}}'),
        ("json", 5, b'[{"a":[1,-2.5e3,"\\u00e9\\ud83d\\ude00",true,null,18446744073709551615]},{}]'),
        ("frames", 7, b"".join(struct.pack(">I", len(m)) + m for m in (json.dumps(m).encode() for m in messages[:3]))),
        ("cursor", 8, b"MHwxfGpvYnM"), ("size", 9, b"224x200"),
    ]
    inputs += [(f"message-{i}", 6, json.dumps(message).encode()) for i, message in enumerate(messages)]
    for name, reader, content in inputs:
        seed("request", name, bytes([reader]) + content)


def connections():
    get = "GET /v1/jobs?a=b HTTP/1.1\r\nHost: t\r\n"
    post = "POST /v1/items HTTP/1.1\r\nHost: t\r\n"
    for name, text in {
        "get": get + "Accept: */*\r\nX-Request-Id: abcdefgh\r\n\r\n", "pipelined": (get + "\r\n") * 3,
        "post": post + "Content-Length: 3\r\n\r\nabc" + get + "\r\n", "old": "GET / HTTP/1.0\r\n\r\n",
        "expect": post + "Expect: 100-continue\r\nContent-Length: 3\r\n\r\nabc", "close": get + "Connection: close\r\n\r\n",
        "both": post + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "chunked": post + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        "lengths": post + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", "folded": get + "X: a\r\n b\r\n\r\n",
        "bare": get.replace("\r\n", "\n") + "\n", "zero": get + "X: a\0b\r\n\r\n", "space": post + "Content-Length : 3\r\n\r\nabc",
        "refuse": "POST /refuse HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\n\r\nabc" + get + "\r\n",
        "absolute": "GET http://t/x HTTP/1.1\r\nHost: t\r\n\r\n", "head": "HEAD / HTTP/1.1\r\nHost: t\r\n\r\n",
        "star": "OPTIONS * HTTP/1.1\r\nHost: t\r\n\r\n", "empty": "\r\n" + get + "\r\n", "cookie": get + "Cookie: a=b; c=\"d\"\r\n\r\n",
    }.items():
        seed("http", name, text.encode("latin-1"))


def answers():
    for name, text in {
        "ok": "HTTP/1.1 200 OK\r\nServer: a\r\n\r\nbody", "early": "HTTP/1.1 103 Early\r\nLink: a\r\n\r\nHTTP/1.1 204\r\n\r\n",
        "bare": "HTTP/1.0 503 no\n\n", "redirect": "HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n", "none": "SSH-2.0-x\r\n",
        "address": "https://[::1]:8443/a?b=c", "plain": "http://h.example:80/%41",
    }.items():
        seed("webhook", name, b"\x05" + text.encode())


if __name__ == "__main__":
    for write in (models, onnx, weights, images, archives, layouts, requests, connections, answers):
        write()
