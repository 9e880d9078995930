#!/usr/bin/env python3
"""Classifiers that leave height and width of their images open, and what PyTorch makes of images of several sizes.

    dynamic_sizes.py DIR

Writes NAME-KIND.pt2 and .onnx, and answers.json: by name and size (HxW), the logits of the images of that size.
"""
import json
import pathlib
import sys
import warnings

import torch
import torch.nn as nn
import torch.nn.functional as F

SIZES = [(24, 40), (33, 17), (32, 32)]


class Pooled(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.norm, self.fc = nn.Conv2d(3, 6, 3, stride=2, padding=1), nn.BatchNorm2d(6), nn.Linear(6, 5)

    def features(self, x):
        return F.relu(self.norm(self.conv(x)))

    def forward(self, x):
        return self.fc(F.adaptive_avg_pool2d(self.features(x), 1).flatten(1))


class Viewed(Pooled):
    """Sizes that the graph computes with."""

    def forward(self, x):
        y = self.features(x)
        n, c, h, w = y.shape
        return self.fc(y.view(n, c, h * w).mean(-1))


class Scaled(Pooled):
    """Scales to the size of its input."""

    def forward(self, x):
        y = F.interpolate(self.features(x), size=x.shape[2:], mode="bilinear", align_corners=False)
        return self.fc((y * x.mean(1, keepdim=True)).mean((2, 3)))


class Attending(Pooled):
    def forward(self, x):
        tokens = self.features(x).flatten(2).transpose(1, 2)
        return self.fc(F.scaled_dot_product_attention(tokens, tokens, tokens).mean(1))


class Last(Pooled):
    def forward(self, x):
        return super().forward(x.permute(0, 3, 1, 2))


class Bounded(nn.Module):
    """Its window does not fit into small images."""

    def __init__(self):
        super().__init__()
        self.conv, self.fc = nn.Conv2d(3, 4, 28), nn.Linear(4, 5)

    def forward(self, x):
        return self.fc(self.conv(x).mean((2, 3)))


def main(out):
    Dim = torch.export.Dim
    warnings.simplefilter("ignore")
    torch.manual_seed(5)
    answers = {f"images-{h}x{w}": torch.rand(2, 3, h, w).flatten().tolist() for h, w in SIZES}
    kinds = {
        "open": {0: Dim("n"), 2: Dim("h", min=8, max=512), 3: Dim("w", min=8, max=512)},
        "auto": {0: Dim.AUTO, 2: Dim.AUTO, 3: Dim.AUTO},
        "eights": {0: Dim("n"), 2: 8 * Dim("h8", min=1, max=64), 3: 8 * Dim("w8", min=1, max=64)},
    }
    for make in (Pooled, Viewed, Scaled, Attending, Last, Bounded):
        module, name = make().eval(), make.__name__.lower()
        example = torch.zeros(2, 3, 48, 56)
        if make is Last:
            example = example.permute(0, 2, 3, 1).contiguous()
        for kind, dims in kinds.items():
            if make in (Last, Bounded) and kind != "open":
                continue
            if make is Last:
                dims = {0: dims[0], 1: dims[2], 2: dims[3]}
            if make is Bounded:
                dims = {0: dims[0], 2: Dim("h", min=29, max=512), 3: Dim("w", min=29, max=512)}
            program = torch.export.export(module, (example,), dynamic_shapes=(dims,))
            torch.export.save(program, out / f"{name}-{kind}.pt2")
        if make in (Pooled, Viewed, Scaled):
            torch.onnx.export(
                module, (example,), out / f"{name}-new.onnx", dynamo=True, external_data=False, verbose=False,
                dynamic_shapes=(kinds["open"],))
            torch.onnx.export(
                module, (example,), out / f"{name}-old.onnx", dynamo=False, input_names=["x"],
                dynamic_axes={"x": {0: "n", 2: "h", 3: "w"}})
        for h, w in SIZES:
            images = torch.tensor(answers[f"images-{h}x{w}"]).view(2, 3, h, w)
            try:
                given = images.permute(0, 2, 3, 1) if make is Last else images
                answers[f"{name}-{h}x{w}"] = module(given).flatten().tolist()
            except RuntimeError:
                pass
    (out / "answers.json").write_text(json.dumps(answers))


if __name__ == "__main__":
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    with torch.no_grad():
        main(folder)
