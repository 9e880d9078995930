#!/usr/bin/env python3
"""Small classifiers around one layer each, and PyTorch's logits and input gradients of one batch of images.

    layers.py DIR NAME...

NAME is one of scripts/compatibility/survey.py's layers. Writes 0.pt2, 1.pt2, … and answers.json: by number, the logits, the
gradient of their summed log-sum-exp, and under `images` the batch.
"""
import json
import pathlib
import sys

import torch

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "scripts" / "compatibility"))
import survey  # noqa: E402


def main(out, names):
    torch.manual_seed(4)
    images = torch.rand(3, 3, 16, 16)
    answers = {"images": images.flatten().tolist()}
    made = dict(survey.layers())
    for number, name in enumerate(names):
        model = made["torch.nn/" + name]().eval()
        with torch.no_grad():
            program = torch.export.export(model, (torch.rand(2, 3, 16, 16),), dynamic_shapes=({0: torch.export.Dim("n")},))
        torch.export.save(program, out / f"{number}.pt2")
        fed = images.clone().requires_grad_()
        logits = model(fed)
        logits.logsumexp(1).sum().backward()
        answers[f"{number}"] = logits.flatten().tolist()
        answers[f"{number}-gradient"] = fed.grad.flatten().tolist()
    (out / "answers.json").write_text(json.dumps(answers))


if __name__ == "__main__":
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    main(folder, sys.argv[2:])
