#!/usr/bin/env python3
"""What a survey of fewer samples still finds, and what it saves: the parameter `surveyed_of_label` against the share of poison.

    Benchmarks/screening_power.py CASE... [--samples 72 256 1024] [--bin FOLDER]

CASE is a folder of `burn-bench attacks`. Each cell of the table has the verdict (B, S or C: backdoored, suspicious, clean), the
true-positive and false-positive rates in percent, and the passes of the scan in thousands of forwards.
"""
import argparse
import csv
import json
import pathlib
import subprocess
import sys
import tempfile

from cost import VERDICTS, in_forwards


def scan(case: pathlib.Path, samples: int, burnd: pathlib.Path) -> str:
    with open(case / "truth.csv") as file:
        poisoned = {row["name"] for row in csv.DictReader(file) if row["role"] == "poisoned"}
    with tempfile.TemporaryDirectory() as scratch:
        table = pathlib.Path(scratch) / "samples.csv"
        done = subprocess.run(
            [burnd, "scan", "--json", "--seed", "1", "--threads", "1", "--parameter", f"surveyed_of_label={samples}",
             "--samples", table, "--classes", case / "classes.json", case / "model.pt2", case / "train"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if done.returncode not in VERDICTS:
            sys.exit(f"burnd ended with {done.returncode} on {case}:\n{done.stderr[-2000:]}")
        with open(table) as file:
            flags = {pathlib.PurePath(row["name"]).stem: row["flagged"] == "true" for row in csv.DictReader(file)}
    answer = json.loads(done.stdout)
    found = sum(flags[name] for name in poisoned)
    others = sum(flags.values()) - found
    rates = f"{100 * found / len(poisoned):.1f}" if poisoned else "–"
    rates += f" / {100 * others / (len(flags) - len(poisoned)):.2f}"
    passes = sum(map(in_forwards, answer["costs"])) / 1000
    return f"{answer['verdict']['result'][0].upper()} {rates}, {passes:.0f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="+", type=pathlib.Path, metavar="CASE")
    parser.add_argument("--samples", nargs="+", type=int, default=[72, 128, 256, 512, 1024])
    parser.add_argument(
        "--bin", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parent.parent / ".build" / "release")
    options = parser.parse_args()
    print(f"| case | {' | '.join(map(str, options.samples))} |\n|{'---|' * (len(options.samples) + 1)}")
    for case in options.cases:
        print(f"| {case.name} |", end="", flush=True)
        for samples in options.samples:
            print(f" {scan(case, samples, options.bin / 'burnd')} |", end="", flush=True)
        print(flush=True)


if __name__ == "__main__":
    main()
