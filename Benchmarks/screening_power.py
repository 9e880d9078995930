#!/usr/bin/env python3
"""What a survey of fewer samples still finds, and what it saves: the parameter `surveyed_of_label` against the share of poison.

    Benchmarks/screening_power.py CASE... [--samples 72 256 1024] [--bin FOLDER]

CASE is a folder of `burn-bench attacks`. Each cell of the table has the verdict (B, S or C: backdoored, suspicious, clean), the
true-positive and false-positive rates in percent, and the passes of the scan in thousands of forwards.
"""
import argparse
import os
import pathlib

from peers import burnd, cases, measures


def scan(case: cases.Case, samples: int) -> str:
    found = burnd.run("scan", case, 1, "--parameter", f"surveyed_of_label={samples}")
    rates = measures.rates(found.flags, case.poisoned)
    tpr = "–" if rates["tpr"] is None else f"{100 * rates['tpr']:.1f}"
    return f"{found.verdict[0].upper()} {tpr} / {100 * rates['fpr']:.2f}, {found.passes / 1000:.0f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="+", type=pathlib.Path, metavar="CASE")
    parser.add_argument("--samples", nargs="+", type=int, default=[72, 128, 256, 512, 1024])
    parser.add_argument(
        "--bin", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parent.parent / ".build" / "release")
    options = parser.parse_args()
    os.environ["BURN_BIN"] = str(options.bin.resolve())
    print(f"| case | {' | '.join(map(str, options.samples))} |\n|{'---|' * (len(options.samples) + 1)}")
    for case in map(cases.load, options.cases):
        print(f"| {case.name} |", end="", flush=True)
        for samples in options.samples:
            print(f" {scan(case, samples)} |", end="", flush=True)
        print(flush=True)


if __name__ == "__main__":
    main()
