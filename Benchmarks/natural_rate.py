#!/usr/bin/env python3
"""How much an ASR is worth: how often models that were never poisoned send ordinary images of other classes into a class.

    Benchmarks/natural_rate.py CASE...

CASE is a folder of `burnd bench attacks --clean` (model.pt2, test-clean/). For each model: its accuracy on the clean test
images, and of the images of the other classes the share that it takes for the benchmark's target, class 0, and for any
class on average.
"""
import argparse
import json
import pathlib

import numpy as np
import torch


def test_set(case):
    """Images (n, C, H, W) from 0 to 1, and labels."""
    summary = json.loads((case / "test-clean/manifest.json").read_text())["summary"]
    labels = np.fromfile(case / "test-clean/labels.i32", "<i4")
    shape = (len(labels), summary["height"], summary["width"], summary["channels"])
    images = np.fromfile(case / "test-clean/images.u8", np.uint8).reshape(shape)
    return torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255, labels


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="+", type=pathlib.Path, metavar="CASE")
    print("| model | ACC | of other classes into class 0 | into a class on average |\n|---|---|---|---|")
    for case in parser.parse_args().cases:
        images, labels = test_set(case)
        model = torch.export.load(case / "model.pt2").module()
        with torch.no_grad():
            predicted = torch.cat([model(batch).argmax(1) for batch in images.split(250)]).numpy()
        rates = [100 * (predicted[labels != label] == label).mean() for label in np.unique(labels)]
        accuracy = 100 * (predicted == labels).mean()
        print(f"| {case.name} | {accuracy:.1f} | {rates[0]:.1f} | {np.mean(rates):.1f} |")


if __name__ == "__main__":
    main()
