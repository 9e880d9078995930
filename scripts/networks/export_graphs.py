#!/usr/bin/env python3
"""Writes the graphs of well-known classifiers, without weights, as `Sources/ModelFormats/BuiltIn/graphs/NAME.json.gz`.

    scripts/networks/export_graphs.py [--out Sources/ModelFormats/BuiltIn/graphs] [NAME ...]

A file of weights alone (safetensors, .pth) is read into one of these graphs. Each file holds the exported
program (torch.export, dynamic batch, metadata removed) and the shape of every weight; `null` stands for the
number of classes. Needs torchvision beside PyTorch; only whoever adds a graph runs this.
"""
import argparse
import functools
import gzip
import io
import json
import pathlib
import zipfile

import torch
import torch.nn as nn
import torch.nn.functional as F


class PreActivationBlock(nn.Module):
    """He et al., ECCV 2016; state dict names of BackdoorBench."""

    def __init__(self, channels, out, stride):
        super().__init__()
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv1 = nn.Conv2d(channels, out, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(out)
        self.conv2 = nn.Conv2d(out, out, 3, 1, 1, bias=False)
        self.shortcut = None
        if stride != 1 or channels != out:
            self.shortcut = nn.Sequential(nn.Conv2d(channels, out, 1, stride, bias=False))

    def forward(self, x):
        y = F.relu(self.bn1(x))
        shortcut = x if self.shortcut is None else self.shortcut(y)
        return self.conv2(F.relu(self.bn2(self.conv1(y)))) + shortcut


class BasicBlock(nn.Module):
    """He et al., CVPR 2016, with the shortcut's names of the usual CIFAR code."""

    def __init__(self, channels, out, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, out, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(out)
        self.conv2 = nn.Conv2d(out, out, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(out)
        self.shortcut = nn.Sequential()
        if stride != 1 or channels != out:
            self.shortcut = nn.Sequential(nn.Conv2d(channels, out, 1, stride, bias=False), nn.BatchNorm2d(out))

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(y)) + self.shortcut(x))


class SmallResNet18(nn.Module):
    """ResNet-18 for 32 x 32 images: a 3 x 3 stem and no pooling in front."""

    def __init__(self, block, classes, stem_norm):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 3, 1, 1, bias=False)
        if stem_norm:
            self.bn1 = nn.BatchNorm2d(64)
        self.stem_norm = stem_norm
        channels = 64
        for index, width in enumerate((64, 128, 256, 512)):
            stride = 1 if index == 0 else 2
            setattr(self, f"layer{index + 1}",
                    nn.Sequential(block(channels, width, stride), block(width, width, 1)))
            channels = width
        self.linear = nn.Linear(512, classes)

    def forward(self, x):
        x = self.conv1(x)
        if self.stem_norm:
            x = F.relu(self.bn1(x))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.linear(torch.flatten(F.adaptive_avg_pool2d(x, 1), 1))


class WideBlock(nn.Module):
    """Zagoruyko and Komodakis, BMVC 2016; names of the usual PyTorch code."""

    def __init__(self, channels, out, stride):
        super().__init__()
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv1 = nn.Conv2d(channels, out, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(out)
        self.conv2 = nn.Conv2d(out, out, 3, 1, 1, bias=False)
        self.convShortcut = None if channels == out else nn.Conv2d(channels, out, 1, stride, bias=False)

    def forward(self, x):
        y = F.relu(self.bn1(x))
        shortcut = x if self.convShortcut is None else self.convShortcut(y)
        return self.conv2(F.relu(self.bn2(self.conv1(y)))) + shortcut


class WideGroup(nn.Module):
    def __init__(self, count, channels, out, stride):
        super().__init__()
        self.layer = nn.Sequential(*[
            WideBlock(channels if index == 0 else out, out, stride if index == 0 else 1)
            for index in range(count)])

    def forward(self, x):
        return self.layer(x)


class WideResNet(nn.Module):
    def __init__(self, depth, factor, classes):
        super().__init__()
        count, width = (depth - 4) // 6, 16 * factor
        self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.block1 = WideGroup(count, 16, width, 1)
        self.block2 = WideGroup(count, width, 2 * width, 2)
        self.block3 = WideGroup(count, 2 * width, 4 * width, 2)
        self.bn1 = nn.BatchNorm2d(4 * width)
        self.fc = nn.Linear(4 * width, classes)

    def forward(self, x):
        x = self.block3(self.block2(self.block1(self.conv1(x))))
        x = F.adaptive_avg_pool2d(F.relu(self.bn1(x)), 1)
        return self.fc(torch.flatten(x, 1))


@functools.cache
def torchvision_models():
    """torchvision imports without its compiled detection operators, which no classifier uses."""
    library = torch.library.Library("torchvision", "DEF")
    for name in ("nms", "qnms"):
        library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    import torchvision.models as models

    models.library = library
    return models


def vision(name):
    return lambda classes: getattr(torchvision_models(), name)(weights=None, num_classes=classes)


def small_stem(classes):
    """torchvision's names, with the 3 x 3 stem that is usual on 32 x 32 images."""
    model = vision("resnet18")(classes)
    model.conv1 = nn.Conv2d(3, 64, 3, 1, 1, bias=False)
    model.maxpool = nn.Identity()
    return model


# Name: (maker, side of the usual image).
GRAPHS = {
    "convnext_tiny": (vision("convnext_tiny"), 224),
    "densenet161": (vision("densenet161"), 224),
    "efficientnet_b0": (vision("efficientnet_b0"), 224),
    "mobilenet_v2": (vision("mobilenet_v2"), 224),
    "preactresnet18": (lambda classes: SmallResNet18(PreActivationBlock, classes, False), 32),
    "resnet18": (vision("resnet18"), 224),
    "resnet18_cifar": (lambda classes: SmallResNet18(BasicBlock, classes, True), 32),
    "resnet18_small_stem": (small_stem, 32),
    "vgg16_bn": (vision("vgg16_bn"), 224),
    "vgg19_bn": (vision("vgg19_bn"), 224),
    "vit_b_16": (vision("vit_b_16"), 224),
    "wrn-16-1": (lambda classes: WideResNet(16, 1, classes), 32),
    "wrn-28-10": (lambda classes: WideResNet(28, 10, classes), 32),
}


def program_of(model, side):
    images = torch.zeros(2, 3, side, side)
    batch = {0: torch.export.Dim("batch")}
    program = torch.export.export(model.eval(), (images,), dynamic_shapes=(batch,))
    buffer = io.BytesIO()
    torch.export.save(program, buffer)
    with zipfile.ZipFile(buffer) as archive:
        name = next(n for n in archive.namelist() if n.endswith("models/model.json"))
        return json.loads(archive.read(name))


def trimmed(document):
    """What the reader of .pt2 programs looks at."""
    graph = document["graph_module"]["graph"]
    nodes = [
        {"target": node["target"], "inputs": node["inputs"], "outputs": node["outputs"]}
        for node in graph["nodes"]
    ]
    read = json.dumps(nodes)
    signature = document["graph_module"]["signature"]
    specs = []
    for spec in signature["input_specs"]:
        (kind, body), = spec.items()
        argument = body["arg"]
        name = argument.get("name") or argument.get("as_tensor", {}).get("name")
        # Counters of batches, which nothing reads.
        if kind == "buffer" and f'"{name}"' not in read:
            continue
        assert kind in ("parameter", "buffer", "user_input"), kind
        specs.append(spec)
        if kind == "user_input":
            values = {name: graph["tensor_values"][name]}
    return {
        "schema_version": document["schema_version"],
        "graph_module": {
            "graph": {"nodes": nodes, "tensor_values": values},
            "signature": {"input_specs": specs, "output_specs": signature["output_specs"]},
        },
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("Sources/ModelFormats/BuiltIn/graphs"))
    parser.add_argument("names", nargs="*", metavar="NAME")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for name in options.names or GRAPHS:
        make, side = GRAPHS[name]
        model, other = make(10), make(11).state_dict()
        program = trimmed(program_of(model, side))
        used = {
            body["parameter_name"] if kind == "parameter" else body["buffer_name"]
            for spec in program["graph_module"]["signature"]["input_specs"]
            for kind, body in spec.items() if kind != "user_input"
        }
        weights = {
            key: [size if size == second else None for size, second in zip(value.shape, other[key].shape)]
            for key, value in model.state_dict().items() if key in used
        }
        document = {"image": [3, side, side], "weights": weights, "program": program}
        data = gzip.compress(json.dumps(document, separators=(",", ":")).encode(), 9, mtime=0)
        (options.out / f"{name}.json.gz").write_bytes(data)
        print(f"{name}: {len(data)} bytes, {len(weights)} weights")


if __name__ == "__main__":
    main()
