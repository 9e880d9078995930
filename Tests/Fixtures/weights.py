#!/usr/bin/env python3
"""Files of weights alone, as people have them, and what PyTorch finds in those that are written back.

    weights.py make DIR          net.pt2 and its weights in every container; also hostile and foreign files
    weights.py show FILE ...     prints, as JSON, the sum of every tensor as PyTorch (or this script) reads it
    weights.py all FILE ...      the same of every tensor in the file, by the keys that lead to it
"""
import argparse
import collections
import datetime
import decimal
import json
import os
import pathlib
import struct
import sys
import uuid
import zipfile

import numpy as np
import torch
import torch.nn as nn

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "scripts" / "networks"))
import export_graphs


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU())
        self.fc = nn.Linear(4, 5)

    def forward(self, x):
        return self.fc(self.features(x).mean((2, 3)))


class Evil:
    def __reduce__(self):
        return (os.system, ("touch /tmp/burn-was-here",))


def save_safetensors(tensors, path, metadata=None):
    """The format's own library is not needed: a header's length, the header, the bytes."""
    names = {torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.int64: "I64"}
    header, data = {}, b""
    if metadata:
        header["__metadata__"] = metadata
    for key, value in tensors.items():
        content = value.contiguous().view(-1).view(torch.uint8).numpy().tobytes()
        header[key] = {
            "dtype": names[value.dtype], "shape": list(value.shape),
            "data_offsets": [len(data), len(data) + len(content)],
        }
        data += content
    text = json.dumps(header).encode()
    pathlib.Path(path).write_bytes(struct.pack("<Q", len(text)) + text + data)


def load_safetensors(path):
    types = {"F32": np.float32, "F16": np.float16, "I64": np.int64}
    content = pathlib.Path(path).read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8:8 + length])
    header.pop("__metadata__", None)
    return {
        key: torch.from_numpy(np.frombuffer(
            content[8 + length:][value["data_offsets"][0]:value["data_offsets"][1]], types[value["dtype"]]
        ).reshape(value["shape"]).copy())
        for key, value in header.items()
    }


def make(out):
    torch.manual_seed(0)
    net = Net().eval()
    for value in net.state_dict().values():
        if value.dtype.is_floating_point:
            value.copy_(torch.randn_like(value).abs() + 0.5)
    batch = {0: torch.export.Dim("batch")}
    program = torch.export.export(net, (torch.zeros(2, 3, 8, 8),), dynamic_shapes=(batch,))
    torch.export.save(program, out / "net.pt2")
    state = net.state_dict()
    torch.save(state, out / "plain.pth")
    torch.save({"epoch": 3, "best": 0.5, "state_dict": state, "args": None}, out / "nested.pth")
    torch.save(nn.DataParallel(net).state_dict(), out / "module.pth")
    torch.save({key: value.half() if value.dtype.is_floating_point else value for key, value in state.items()},
               out / "half.pth")
    torch.save({key: nn.Parameter(value) if value.dtype.is_floating_point else value
                for key, value in state.items()}, out / "parameters.pth")
    # Views of one storage, and a matrix that lies transposed.
    flat = torch.cat([value.flatten().float() for value in state.values()])
    views, start = collections.OrderedDict(), 0
    for key, value in state.items():
        views[key] = flat[start:start + value.numel()].view(value.shape)
        start += value.numel()
    views["fc.weight"] = state["fc.weight"].t().contiguous().t()
    torch.save(views, out / "views.pth")
    # The layout of BackdoorBench's attack_result.pt.
    torch.save({
        "model_name": "net", "num_classes": 5, "model": {key: value.cpu() for key, value in state.items()},
        "data_path": "../data/cifar10", "img_size": (8, 8, 3), "clean_data": "cifar10",
        "bd_train": {
            "bd_data_container": {"data_dict": {0: {"path": "bd/0.png", "other_info": (1, 2)}}},
            "original_index_array": np.arange(10), "poison_indicator": np.ones(10, dtype=np.int64),
        },
        "bd_test": None,
    }, out / "attack_result.pt")
    save_safetensors(state, out / "net.safetensors", {"format": "pt"})
    save_safetensors({key: value.to(torch.bfloat16) if value.dtype.is_floating_point else value
                      for key, value in state.items()}, out / "bfloat.safetensors")
    # Copies of the weights, as training scripts keep them.
    average = {key: value * 1.25 if value.dtype.is_floating_point else value for key, value in state.items()}
    trained = Net().eval()
    trained.load_state_dict(state)
    optimiser = torch.optim.Adam(trained.parameters())
    trained(torch.rand(4, 3, 8, 8)).square().sum().backward()
    optimiser.step()
    kept = {"epoch": 3, "best": torch.tensor([0.5, 0.25]), "optimizer": optimiser.state_dict()}
    torch.save(kept | {"state_dict": state, "state_dict_ema": average}, out / "average.pth")
    torch.save(kept | {"model": state, "ema": {"module": collections.OrderedDict(
        ("module." + key, value.clone()) for key, value in state.items())}}, out / "equal.pth")
    torch.save({"model": state, "momentum": nn.Module().state_dict(), "swa_backbone": {
        key: value + 1 for key, value in state.items() if key.startswith("features")}}, out / "part.pth")
    torch.save({"model": state, "backup": [torch.ones(4, 3, 3, 3)]}, out / "odd.pth")
    torch.save({"model": state, "backup": {"kernel": np.ones((4, 3, 3, 3), np.float32)}}, out / "array.pth")
    save_safetensors({prefix + key: value for prefix, copy in (("model.", state), ("ema.", average))
                      for key, value in copy.items()}, out / "average.safetensors")
    # The only weights, where no reader would look first.
    torch.save({"epoch": 3, "ema": state}, out / "ema.pth")
    torch.save(kept | {"student": {"ema_state_dict": average}, "args": None}, out / "deep.pth")
    torch.save({"ema": state, "swa": average}, out / "averages.pth")
    # What training scripts keep beside the weights: plain values, and keys that the network does not have.
    arguments = argparse.Namespace(
        lr=0.1, out=pathlib.PurePosixPath("/runs/1"), when=datetime.datetime(2024, 1, 2), nested=argparse.Namespace(a=1))
    torch.save({"state_dict": state, "args": arguments, "seen": {1, 2}, "counts": collections.Counter("aab"),
                "by": collections.defaultdict(list, {"a": [1]}), "big": 1 << 80, "last": collections.deque([1, 2], 3),
                "box": slice(1, 2), "loss": decimal.Decimal("0.5"), "run": uuid.UUID(int=7), "z": 1j}, out / "inert.pth")
    torch.save({"state_dict": {"model." + key: value for key, value in state.items()} | {
        "criterion.weight": torch.ones(5), "metrics.accuracy.total": torch.tensor(3)}}, out / "kept.pth")
    torch.save(state | {"features.3.weight": torch.ones(4, 4, 3, 3)}, out / "deeper.pth")
    # Attributes that Python would call, and names where plain values belong.
    names = {"setstate": b"cargparse\nNamespace\n)\x81}X\x0c\x00\x00\x00__setstate__cbuiltins\nlist\nsb.",
             "factory": b"ccollections\ndefaultdict\ncos\nsystem\n\x85R.",
             "attribute": b"cargparse\nNamespace\n)\x81}X\x01\x00\x00\x00acbuiltins\nlist\nsb.",
             "path": b"cpathlib\nPosixPath\ncbuiltins\nlist\n\x85R.", "call": b"cbuiltins\nlist\n]\x85R."}
    torch.save(state, out / "carrier.pth")
    for name, code in names.items():
        with zipfile.ZipFile(out / "carrier.pth") as source, zipfile.ZipFile(out / f"evil-{name}.pth", "w") as target:
            for entry in source.namelist():
                target.writestr(entry, b"\x80\x02" + code if entry.endswith("data.pkl") else source.read(entry))
    # What is refused.
    torch.save(net, out / "whole.pth")
    torch.save({"state_dict": state, "hook": Evil()}, out / "evil.pth")
    torch.save(state, out / "old.pth", _use_new_zipfile_serialization=False)
    torch.save({"scores": [1, 2, 3]}, out / "empty.pth")
    renamed = collections.OrderedDict(state)
    renamed["head.weight"] = renamed.pop("fc.weight")
    renamed["fc.bias"] = torch.zeros(7)
    torch.save(renamed, out / "renamed.pth")
    # Graphs that are built in, with PyTorch's answer.
    answers = {}
    image = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    for name in ("preactresnet18", "wrn-16-1"):
        torch.manual_seed(2)
        model = export_graphs.GRAPHS[name][0](7).eval()
        torch.save(nn.DataParallel(model).state_dict(), out / f"{name}.pth")
        answers[name] = model(image).flatten().tolist()
    (out / "answers.json").write_text(json.dumps({"image": image.flatten().tolist(), "answers": answers}))


def show(path):
    if path.endswith(".safetensors"):
        state = load_safetensors(path)
    else:
        state = torch.load(path, weights_only=not path.endswith("attack_result.pt"))
        state = state.get("state_dict", state.get("model", state))
    return {key: float(value.double().sum()) for key, value in state.items()}


def tensors(value, path=""):
    if isinstance(value, torch.Tensor):
        yield path, value
    elif isinstance(value, (dict, list, tuple)):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, member in items:
            yield from tensors(member, f"{path}.{key}" if path else str(key))


def everything(path):
    state = load_safetensors(path) if path.endswith(".safetensors") else torch.load(path, weights_only=True)
    return {key: float(value.double().sum()) for key, value in tensors(state)}


if __name__ == "__main__":
    if sys.argv[1] == "make":
        make(pathlib.Path(sys.argv[2]))
    elif sys.argv[1] == "all":
        print(json.dumps({path: everything(path) for path in sys.argv[2:]}))
    else:
        print(json.dumps({path: show(path) for path in sys.argv[2:]}))
