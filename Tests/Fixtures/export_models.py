"""Exports the model families that users have with torch.export, for the tests.

    export_models.py export FOLDER        writes NAME.pt2 and other formats
    export_models.py compare OLD NEW …    exits 0 when, of each pair, every float weight of NEW is twice that
                                          of OLD, every other one the same, and the rest loads alike
"""

import sys
import warnings
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

warnings.filterwarnings("ignore")


def conv(inputs, outputs, kernel=3, stride=1):
    return nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)


class BasicBlock(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1, self.bn1 = conv(inputs, outputs, 3, stride), nn.BatchNorm2d(outputs)
        self.conv2, self.bn2 = conv(outputs, outputs), nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU(inplace=True)
        self.shortcut = nn.Sequential()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(conv(inputs, outputs, 1, stride), nn.BatchNorm2d(outputs))

    def forward(self, x):
        out = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        out += self.shortcut(x)
        return self.relu(out)


class PreActBlock(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.bn1, self.conv1 = nn.BatchNorm2d(inputs), conv(inputs, outputs, 3, stride)
        self.bn2, self.conv2 = nn.BatchNorm2d(outputs), conv(outputs, outputs)
        if stride != 1 or inputs != outputs:
            self.shortcut = conv(inputs, outputs, 1, stride)

    def forward(self, x):
        out = F.relu(self.bn1(x))
        shortcut = self.shortcut(out) if hasattr(self, "shortcut") else x
        return self.conv2(F.relu(self.bn2(self.conv1(out)))) + shortcut


class ResNet18(nn.Module):
    def __init__(self, block=BasicBlock, imagenet=False, width=16, classes=10):
        super().__init__()
        if imagenet:
            self.stem = nn.Sequential(
                nn.Conv2d(3, width, 7, 2, 3, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True),
                nn.MaxPool2d(3, 2, 1))
        else:
            self.stem = nn.Sequential(conv(3, width), nn.BatchNorm2d(width), nn.ReLU(inplace=True))
        layers, inputs = [], width
        for stage in range(4):
            for index in range(2):
                outputs = width << stage
                layers.append(block(inputs, outputs, 2 if stage > 0 and index == 0 else 1))
                inputs = outputs
        self.layers = nn.Sequential(*layers)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(inputs, classes)

    def forward(self, x):
        return self.fc(torch.flatten(self.pool(self.layers(self.stem(x))), 1))


class WideResNet(nn.Module):
    """WRN-16-1 (Zagoruyko and Komodakis), as written in most backdoor code bases."""

    def __init__(self, depth=16, factor=1, dropout=0.3, classes=10):
        super().__init__()
        self.conv1 = conv(3, 16)
        blocks, inputs = [], 16
        for stage in range(3):
            for index in range((depth - 4) // 6):
                outputs = 16 * factor << stage
                blocks.append(PreActBlock(inputs, outputs, 2 if stage > 0 and index == 0 else 1))
                inputs = outputs
        self.blocks = nn.Sequential(*blocks)
        self.bn, self.dropout, self.fc = nn.BatchNorm2d(inputs), nn.Dropout(dropout), nn.Linear(inputs, classes)

    def forward(self, x):
        out = F.relu(self.bn(self.blocks(self.conv1(x))), inplace=True)
        out = F.avg_pool2d(out, 8)
        return self.fc(self.dropout(out.view(x.size(0), -1)))


class VGG(nn.Module):
    def __init__(self, view=True):
        super().__init__()
        layers, inputs = [], 3
        for index, outputs in enumerate([16, 16, 32, 32]):
            layers += [conv(inputs, outputs), nn.BatchNorm2d(outputs), nn.ELU(inplace=True)]
            if index % 2 == 1:
                layers += [nn.MaxPool2d(2), nn.Dropout(0.3)]
            inputs = outputs
        self.features, self.classifier, self.view = nn.Sequential(*layers), nn.Linear(32 * 8 * 8, 10), view

    def forward(self, x):
        x = self.features(x)
        return self.classifier(x.view(x.size(0), -1) if self.view else x.reshape(-1, 32 * 8 * 8))


class Extras(nn.Module):
    """Operators around the edges: lifted constants, buffers that are not saved, chunks, tied weights."""

    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.tensor([0.4, 0.5, 0.6]).view(3, 1, 1), persistent=False)
        self.register_buffer("noise", torch.arange(12.0).view(3, 4).t())
        self.conv, self.norm, self.prelu = conv(3, 8), nn.GroupNorm(2, 8), nn.PReLU(8)
        self.first, self.second = nn.Linear(8, 8, bias=False), nn.Linear(8, 8, bias=False)
        self.second.weight = self.first.weight
        self.layer_norm, self.head = nn.LayerNorm(8), nn.Linear(8, 10)

    def forward(self, x):
        x = (x - self.mean) / torch.tensor([0.2, 0.2, 0.2]).view(3, 1, 1)
        x = F.hardswish(self.prelu(self.norm(self.conv(F.pad(x, (1, 1, 1, 1))))))
        a, b = torch.chunk(F.relu6(x), 2, dim=1)
        x = torch.cat([F.silu(a), torch.sigmoid(b) * 2 - 1], 1)[:, :, 1:-1, ::2]
        x = F.gelu(x.mean((2, 3))) + self.noise.sum() * 0.01
        x = self.layer_norm(self.second(F.leaky_relu(self.first(x), 0.1)))
        return F.log_softmax(self.head(x).squeeze(), dim=-1)


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.patch, self.qkv, self.head = nn.Conv2d(3, 16, 8, 8), nn.Linear(16, 48), nn.Linear(16, 10)

    def forward(self, x):
        x = self.patch(x).flatten(2).transpose(1, 2)
        n, length, width = x.shape
        q, k, v = self.qkv(x).reshape(n, length, 3, 2, 8).permute(2, 0, 3, 1, 4).unbind(0)
        x = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(n, length, width)
        return self.head(x.mean(1))


class Normalising(nn.Module):
    """Changes its input in place."""

    def __init__(self):
        super().__init__()
        self.conv, self.fc = conv(3, 4), nn.Linear(4, 10)

    def forward(self, x):
        x.sub_(0.5).div_(0.25)
        return self.fc(self.conv(x).amax((2, 3)))


class TwoInputs(nn.Module):
    def forward(self, x, y):
        return (x + y).flatten(1)[:, :10]


class TwoOutputs(nn.Module):
    def forward(self, x):
        x = x.flatten(1)
        return x[:, :10], x[:, 10:20]


class Sequence(nn.Module):
    def forward(self, x):
        return x.flatten(1)[:, :10]


class MixingBatch(nn.Module):
    """Has no meaning for another batch size than the one it is exported with."""

    def forward(self, x):
        return x.permute(1, 0, 2, 3).reshape(2, -1)[:, :10]


class Quantile(nn.Module):
    def forward(self, x):
        return x.flatten(2).quantile(0.5, -1)


def export(model, name, folder, fixed=0, decompose=False, size=32, train=False, inputs=None, shapes=True):
    model.train(train)
    if inputs is None:
        inputs = (torch.zeros(fixed or 2, 3, size, size),)
    dynamic = None if fixed or not shapes else tuple({0: torch.export.Dim("batch")} for _ in inputs)
    program = torch.export.export(model, inputs, dynamic_shapes=dynamic)
    if decompose:
        program = program.run_decompositions()
    torch.export.save(program, folder / f"{name}.pt2")


def export_all(folder):
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    export(ResNet18(), "resnet18", folder)
    export(ResNet18(), "resnet18-decomposed", folder, decompose=True)
    export(ResNet18(), "resnet18-train", folder, train=True)
    export(ResNet18(), "resnet18-train-decomposed", folder, train=True, decompose=True)
    export(ResNet18(imagenet=True), "resnet18-imagenet", folder, size=64)
    export(ResNet18(), "resnet18-fixed", folder, fixed=2)
    export(ResNet18(block=PreActBlock), "preactresnet18", folder)
    export(WideResNet(), "wrn-16-1", folder)
    export(WideResNet(), "wrn-16-1-decomposed", folder, decompose=True)
    export(WideResNet(), "wrn-16-1-fixed", folder, fixed=4)
    export(VGG(), "vgg", folder)
    export(VGG(), "vgg-fixed", folder, fixed=1)
    export(VGG(view=False), "vgg-fixed-reshape", folder, fixed=8)
    export(VGG(), "vgg-fixed-decomposed", folder, fixed=2, decompose=True)
    export(VGG(view=False).to(memory_format=torch.channels_last), "vgg-channels-last", folder)
    export(Extras(), "extras", folder)
    export(Extras(), "extras-decomposed", folder, decompose=True)
    export(Attention(), "attention", folder)
    export(Attention(), "attention-decomposed", folder, decompose=True)
    export(Normalising(), "normalising", folder)
    refused = folder / "refused"
    refused.mkdir(exist_ok=True)
    image = torch.zeros(2, 3, 8, 8)
    export(TwoInputs(), "two-inputs", refused, inputs=(image, image))
    export(TwoOutputs(), "two-outputs", refused, inputs=(image,))
    export(Sequence(), "rank-3", refused, inputs=(torch.zeros(2, 3, 8),))
    export(Sequence(), "float64", refused, inputs=(image.double(),))
    export(MixingBatch(), "mixing-batch", refused, inputs=(image,), shapes=False)
    export(Quantile(), "quantile", refused, inputs=(image,))
    torch.jit.trace(VGG().eval(), torch.zeros(1, 3, 32, 32)).save(refused / "torchscript.pt")
    torch.save(VGG().state_dict(), refused / "checkpoint.pth")
    torch.save(VGG().state_dict(), refused / "legacy.pth", _use_new_zipfile_serialization=False)


def compare(old, new):
    old, new = torch.export.load(old), torch.export.load(new)
    assert set(old.state_dict) == set(new.state_dict), "other weights"
    for name, before in old.state_dict.items():
        after = new.state_dict[name]
        expected = before * 2 if before.is_floating_point() else before
        assert torch.equal(after, expected), name
        assert after.stride() == before.stride(), name
    new.module()(torch.rand(2, 3, 32, 32))


if __name__ == "__main__":
    if sys.argv[1] == "export":
        export_all(Path(sys.argv[2]))
    else:
        for old, new in zip(sys.argv[2::2], sys.argv[3::2], strict=True):
            compare(old, new)
