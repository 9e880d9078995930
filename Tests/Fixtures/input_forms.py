#!/usr/bin/env python3
"""Classifiers whose inputs and outputs have other forms than usual, and what PyTorch makes of one batch of images.

    input_forms.py DIR

Writes NAME.pt2 and NAME.onnx, and answers.json: by name, the logits of the images below, which are given from 0 to 1.
"""
import json
import pathlib
import sys
import warnings

import torch
import torch.nn as nn
import torch.nn.functional as F


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)
        self.fc = nn.Linear(4, 5)

    def forward(self, x):
        return self.fc(torch.relu(self.conv(x)).mean((2, 3)))


class Form(nn.Module):
    """The network behind a function of it."""

    def __init__(self, function):
        super().__init__()
        self.net, self.locate, self.function = Net(), nn.Linear(3 * 8 * 8, 6), function

    def forward(self, x):
        return self.function(self, x)


def spatial(module, x):
    theta = module.locate(x.flatten(1)).view(-1, 2, 3)
    grid = F.affine_grid(theta, x.size(), align_corners=False)
    return module.net(F.grid_sample(x, grid, padding_mode="border", align_corners=False))


FORMS = {
    "bytes": (lambda m, x: m.net(x.float() / 255), "uint8"),
    "divided": (lambda m, x: m.net(x / 255), "uint8"),
    "last": (lambda m, x: m.net(x.permute(0, 3, 1, 2)), "last"),
    "bytes-last": (lambda m, x: m.net((x.permute(0, 3, 1, 2).to(torch.float32) / 255 - 0.5) / 0.25), "uint8 last"),
    "half-input": (lambda m, x: m.net(x.float()), "half"),
    "named": (lambda m, x: {"features": m.net.conv(x).flatten(1)[:, :7], "logits": m.net(x)}, ""),
    "two": (lambda m, x: (m.net(x), m.net(x) * 2), ""),
    "spatial": (spatial, ""),
    "argmax": (lambda m, x: m.net(x).argmax(1), ""),
    "argmax-float": (lambda m, x: m.net(x).softmax(1).argmax(1, keepdim=True).float(), ""),
    "integers": (lambda m, x: m.net((x // 2).float() / 127), "uint8"),
}


def converted(images, kind):
    if "uint8" in kind:
        images = (images * 255).round().to(torch.uint8)
    if "last" in kind:
        images = images.permute(0, 2, 3, 1).contiguous()
    return images.half() if "half" in kind else images


def main(out):
    torch.manual_seed(3)
    images = torch.randint(0, 256, (4, 3, 8, 8)).float() / 255
    answers = {"images": images.flatten().tolist()}
    batch = ({0: torch.export.Dim("batch", min=1, max=64)},)
    for name, (function, kind) in FORMS.items():
        module = Form(function).eval()
        nn.init.normal_(module.locate.weight, std=0.05)
        example = converted(images, kind)
        torch.export.save(torch.export.export(module, (example,), dynamic_shapes=batch), out / f"{name}.pt2")
        if "half" not in kind:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                torch.onnx.export(
                    module, (example,), out / f"{name}.onnx", dynamo=name == "spatial", input_names=["images"],
                    external_data=False, dynamic_shapes=batch if name == "spatial" else None,
                    dynamic_axes=None if name == "spatial" else {"images": {0: "n"}})
        result = module(example)
        result = result["logits"] if isinstance(result, dict) else result[1] if isinstance(result, tuple) else result
        answers[name] = result.detach().float().flatten().tolist()
    whole = Net().eval().half()
    torch.export.save(
        torch.export.export(whole, (images.half(),), dynamic_shapes=batch), out / "half.pt2")
    answers["half"] = whole.float()(images).detach().flatten().tolist()
    broken = Net().eval()
    broken.conv.weight.data[1, 2, 0, 0] = float("nan")
    broken.fc.bias.data[3] = float("inf")
    torch.export.save(torch.export.export(broken, (images,), dynamic_shapes=batch), out / "broken.pt2")
    (out / "answers.json").write_text(json.dumps(answers))


if __name__ == "__main__":
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    main(folder)
