#!/usr/bin/env python3
"""How much an ASR is worth: how often models that were never poisoned send ordinary images of other classes into a class.

    Benchmarks/natural_rate.py CASE...

CASE is a folder of `burn-bench attacks --clean` (model.pt2, test-clean/). For each model: its accuracy on the clean test
images, and of the images of the other classes the share that it takes for the benchmark's target, class 0, and for any
class on average.
"""
import argparse
import pathlib

import numpy as np
import torch

from packed import packed_set


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="+", type=pathlib.Path, metavar="CASE")
    print("| model | ACC | of other classes into class 0 | into a class on average |\n|---|---|---|---|")
    for case in parser.parse_args().cases:
        pixels, labels = packed_set(case / "test-clean")
        images = torch.from_numpy(np.array(pixels)).permute(0, 3, 1, 2).float() / 255
        model = torch.export.load(case / "model.pt2").module()
        with torch.no_grad():
            predicted = torch.cat([model(batch).argmax(1) for batch in images.split(250)]).numpy()
        rates = [100 * (predicted[labels != label] == label).mean() for label in np.unique(labels)]
        accuracy = 100 * (predicted == labels).mean()
        print(f"| {case.name} | {accuracy:.1f} | {rates[0]:.1f} | {np.mean(rates):.1f} |")


if __name__ == "__main__":
    main()
