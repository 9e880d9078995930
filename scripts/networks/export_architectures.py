#!/usr/bin/env python3
"""Writes untrained classifiers for 32 x 32 RGB images as `.pt2` files (torch.export, dynamic batch).

    scripts/networks/export_architectures.py --out DIR [--classes 10] [--seed 0] [NAME ...]

Input: float32 (N, 3, 32, 32); output: logits (N, classes). Weights have PyTorch's initial values. The
same definitions are the eager reference of the benchmark. `architectures/small_cnn.pt2`, which the
demonstration trains, was written by

    scripts/networks/export_architectures.py --out architectures small_cnn
"""
import argparse
import pathlib

import torch
import torch.nn as nn
import torch.nn.functional as F


def convolutions(width: int, activation: type[nn.Module], dropout: tuple[float, ...]) -> nn.Sequential:
    """Three stages of two 3 x 3 convolutions, each stage halving the image and doubling the width."""
    layers: list[nn.Module] = []
    channels = 3
    for stage, rate in enumerate(dropout):
        for _ in range(2):
            out = width << stage
            layers += [nn.Conv2d(channels, out, 3, padding=1), nn.BatchNorm2d(out), activation(inplace=True)]
            channels = out
        layers += [nn.MaxPool2d(2)] + ([nn.Dropout(rate)] if rate > 0 else [])
    return nn.Sequential(*layers)


class ConvNet(nn.Module):
    def __init__(self, width, classes, activation, dropout):
        super().__init__()
        self.features = convolutions(width, activation, dropout)
        self.classifier = nn.Linear(width * 4 * 16, classes)

    def forward(self, x):
        x = self.features(x)
        return self.classifier(torch.flatten(x, 1))


class BasicBlock(nn.Module):
    """He et al., CVPR 2016: two 3 x 3 convolutions and a shortcut."""

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


class ResNet18(nn.Module):
    """ResNet-18 with the 3 x 3 stem that is usual on 32 x 32 images; `width` channels in its first stage."""

    def __init__(self, classes, width=64):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        blocks, channels = [], width
        for stage in range(4):
            for block in range(2):
                out, stride = width << stage, 2 if stage > 0 and block == 0 else 1
                blocks.append(BasicBlock(channels, out, stride))
                channels = out
        self.blocks = nn.Sequential(*blocks)
        self.linear = nn.Linear(8 * width, classes)

    def forward(self, x):
        x = self.blocks(F.relu(self.bn1(self.conv1(x))))
        x = F.avg_pool2d(x, 4)
        return self.linear(x.view(x.shape[0], -1))


class PreActivationBlock(nn.Module):
    """He et al., ECCV 2016: batch norm and ReLU before each convolution."""

    def __init__(self, channels, out, stride):
        super().__init__()
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv1 = nn.Conv2d(channels, out, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(out)
        self.conv2 = nn.Conv2d(out, out, 3, 1, 1, bias=False)
        self.shortcut = None
        if stride != 1 or channels != out:
            self.shortcut = nn.Conv2d(channels, out, 1, stride, bias=False)

    def forward(self, x):
        y = F.relu(self.bn1(x))
        shortcut = x if self.shortcut is None else self.shortcut(y)
        y = self.conv1(y)
        return self.conv2(F.relu(self.bn2(y))) + shortcut


class WideResNet(nn.Module):
    """WRN-16-k (Zagoruyko and Komodakis, BMVC 2016): three stages of two blocks, widths 16k, 32k, 64k."""

    def __init__(self, factor, classes):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        blocks, channels = [], 16
        for out, stride in [(16, 1), (16, 1), (32, 2), (32, 1), (64, 2), (64, 1)]:
            blocks.append(PreActivationBlock(channels, out * factor, stride))
            channels = out * factor
        self.blocks = nn.Sequential(*blocks)
        self.bn = nn.BatchNorm2d(channels)
        self.linear = nn.Linear(channels, classes)

    def forward(self, x):
        x = F.relu(self.bn(self.blocks(self.conv1(x))))
        x = F.adaptive_avg_pool2d(x, 1)
        return self.linear(torch.flatten(x, 1))


class PreActResNet18(nn.Module):
    """ResNet-18 of pre-activation blocks, as in the backdoor literature's benchmarks on 32 x 32 images."""

    def __init__(self, classes):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 3, 1, 1, bias=False)
        blocks, channels = [], 64
        for out, stride in [(64, 1), (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1)]:
            blocks.append(PreActivationBlock(channels, out, stride))
            channels = out
        self.blocks = nn.Sequential(*blocks)
        self.linear = nn.Linear(512, classes)

    def forward(self, x):
        x = F.avg_pool2d(self.blocks(self.conv1(x)), 4)
        return self.linear(torch.flatten(x, 1))


class InvertedResidual(nn.Module):
    """Sandler et al., CVPR 2018: expand, filter each channel by itself, project without activation."""

    def __init__(self, channels, out, stride, expansion):
        super().__init__()
        wide = channels * expansion
        layers = [
            nn.Conv2d(channels, wide, 1, bias=False), nn.BatchNorm2d(wide), nn.ReLU6(),
            nn.Conv2d(wide, wide, 3, stride, 1, groups=wide, bias=False), nn.BatchNorm2d(wide), nn.ReLU6(),
            nn.Conv2d(wide, out, 1, bias=False), nn.BatchNorm2d(out),
        ]
        self.layers = nn.Sequential(*layers)
        self.adds = stride == 1 and channels == out

    def forward(self, x):
        y = self.layers(x)
        return x + y if self.adds else y


class MobileNetV2(nn.Module):
    """MobileNetV2 with strides for 32 x 32 images: the first two halvings are left out."""

    def __init__(self, classes):
        super().__init__()
        stages = [  # expansion, channels, blocks, stride of the first
            (1, 16, 1, 1), (6, 24, 2, 1), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2),
            (6, 320, 1, 1),
        ]
        layers, channels = [nn.Conv2d(3, 32, 3, 1, 1, bias=False), nn.BatchNorm2d(32), nn.ReLU6()], 32
        for expansion, out, blocks, stride in stages:
            for block in range(blocks):
                layers.append(InvertedResidual(channels, out, stride if block == 0 else 1, expansion))
                channels = out
        layers += [nn.Conv2d(channels, 1280, 1, bias=False), nn.BatchNorm2d(1280), nn.ReLU6()]
        self.features = nn.Sequential(*layers)
        self.linear = nn.Linear(1280, classes)

    def forward(self, x):
        x = F.adaptive_avg_pool2d(self.features(x), 1)
        return self.linear(torch.flatten(x, 1))


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x):
        n, tokens, width = x.shape
        shape = (n, tokens, self.heads, width // self.heads)
        q, k, v = (part.reshape(shape).transpose(1, 2) for part in self.qkv(x).chunk(3, -1))
        y = F.scaled_dot_product_attention(q, k, v)
        return self.out(y.transpose(1, 2).reshape(n, tokens, width))


class EncoderBlock(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.norm1 = nn.LayerNorm(width)
        self.attention = Attention(width, heads)
        self.norm2 = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class VisionTransformer(nn.Module):
    """Dosovitskiy et al., ICLR 2021, small: 4 x 4 patches, 6 blocks of width 128, mean of the tokens."""

    def __init__(self, classes, width=128, depth=6, heads=4):
        super().__init__()
        self.patches = nn.Conv2d(3, width, 4, 4)
        self.position = nn.Parameter(torch.randn(1, 64, width) * 0.02)
        self.blocks = nn.Sequential(*(EncoderBlock(width, heads) for _ in range(depth)))
        self.norm = nn.LayerNorm(width)
        self.linear = nn.Linear(width, classes)

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose(1, 2) + self.position
        return self.linear(self.norm(self.blocks(x)).mean(1))


ARCHITECTURES = {
    # 83,000 parameters: trained by the demonstration in well under two minutes.
    "small_cnn": lambda classes: ConvNet(16, classes, nn.ReLU, (0, 0, 0)),
    "vgg6": lambda classes: ConvNet(32, classes, nn.ELU, (0.2, 0.3, 0.4)),
    "resnet18": ResNet18,
    # Learns a backdoor as firmly as the full network does, at about a sixteenth of its work.
    "narrow_resnet18": lambda classes: ResNet18(classes, width=16),
    "preact_resnet18": PreActResNet18,
    "mobilenet_v2": MobileNetV2,
    "vit_small": VisionTransformer,
    "wrn_16_1": lambda classes: WideResNet(1, classes),
}


def build(name: str, classes: int = 10, seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return ARCHITECTURES[name](classes)


def export(model: nn.Module, path: pathlib.Path) -> None:
    batch = torch.export.Dim("batch", min=1)
    program = torch.export.export(model.eval(), (torch.zeros(2, 3, 32, 32),), dynamic_shapes=({0: batch},))
    for node in program.graph.nodes:  # keeps this script's own path out of the file
        node.meta.pop("stack_trace", None)
    torch.export.save(program, path)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(ARCHITECTURES)} (default: all)")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--classes", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    a = parser.parse_args()
    for name in a.names:
        if name not in ARCHITECTURES:
            parser.error(f"no architecture {name!r}; there are {', '.join(ARCHITECTURES)}")
    a.out.mkdir(parents=True, exist_ok=True)
    for name in a.names or ARCHITECTURES:
        export(build(name, a.classes, a.seed), a.out / f"{name}.pt2")
        print(a.out / f"{name}.pt2")


if __name__ == "__main__":
    main()
