"""Measures every method on every case: one JSON line each, in RESULTS/CASE.jsonl. What is there already is kept, unless --again
is given: then what is measured replaces it.

    cd Benchmarks && python -m peers [--results DIR] [--detection | --purification] [--only METHOD] [--again] CASE...

CASE is a folder of `burn-bench attacks`, or one of image sets with model.pt2 and truth.csv (peers/cases.py). burnd is
looked for in BURN_BIN, or .build/release. Seconds are those of the processor, of this process and of burnd's.
"""
from __future__ import annotations

import argparse
import datetime
import functools
import json
import pathlib
import resource
import subprocess
import sys

import torch

from peers import cases, measures
from peers.burnd import ROOT
from peers.cases import Case
from peers.methods import DETECTION, PURIFICATION, Method
from peers.network import NotApplicable


def processor_seconds() -> float:
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


@functools.cache  # at the start: the code that was loaded
def commit() -> str:
    """With -dirty where more than results was changed."""
    def git(*words: str) -> str:
        return subprocess.run(["git", "-C", ROOT, *words], capture_output=True, text=True).stdout.strip()
    changed = git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!Benchmarks/peers/results", ":!docs/peers.md")
    return (git("describe", "--always") or "unknown") + ("-dirty" if changed else "")


def detection(method: Method, case: Case, seed: int) -> dict:
    network = case.network()
    start = processor_seconds()
    found = method.run(network, case, seed)
    seconds = processor_seconds() - start
    return {
        **measures.rates(found.flags, case.poisoned), "auroc": measures.auroc(found.scores, case.poisoned),
        "verdict": found.verdict, "flagged": int(found.flags.sum()), "seconds": seconds, "passes": network.passes or None}


def purification(method: Method, case: Case, seed: int) -> dict:
    network = case.network()
    before = measures.accuracy(network, case)
    start = processor_seconds()
    purified = method.run(network, case, seed)
    seconds = processor_seconds() - start
    return {
        "before": before, "after": measures.accuracy(purified, case), "verdict": purified.verdict, "seconds": seconds,
        "passes": network.passes + purified.passes or None}


def row(kind: str, method: Method, case: Case, seed: int) -> dict:
    torch.manual_seed(seed)
    try:
        measured = {"detection": detection, "purification": purification}[kind](method, case, seed)
    except NotApplicable as problem:
        measured = {"not_applicable": str(problem)}
    return {
        "case": case.name, "attack": case.attack, "rate": case.rate, "samples": len(case.training.labels), "kind": kind,
        "method": method.name, "seed": seed, "clean_data": case.clean_source, **measured,
        "threads": torch.get_num_threads(), "date": datetime.date.today().isoformat(), "commit": commit(),
        "torch": torch.__version__}


def measured(path: pathlib.Path) -> dict[tuple[str, str], dict]:
    """By kind and method."""
    lines = path.read_text().splitlines() if path.exists() else []
    return {(line["kind"], line["method"]): line for line in map(json.loads, lines)}


def keep(line: dict, path: pathlib.Path) -> None:
    """In the place of what was measured of the same method before, if anything was."""
    lines = measured(path) | {(line["kind"], line["method"]): line}
    text = "".join(json.dumps(lines[key]) + "\n" for key in sorted(lines))
    part = path.with_suffix(".part")
    part.write_text(text)
    part.replace(path)


def summary(line: dict) -> str:
    if "not_applicable" in line:
        return line["not_applicable"]
    shown = {key: line[key] for key in ("tpr", "fpr", "auroc", "verdict") if key in line} | {
        f"{key} {side}": value for side in ("before", "after") for key, value in line.get(side, {}).items()}
    return ", ".join(f"{key} {value:.3f}" if isinstance(value, float) else f"{key} {value}" for key, value in shown.items())


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m peers", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="+", type=pathlib.Path, metavar="CASE")
    parser.add_argument("--results", type=pathlib.Path, default=ROOT / "Benchmarks" / "peers" / "results")
    parser.add_argument("--detection", action="store_true", help="no purification")
    parser.add_argument("--purification", action="store_true", help="no detection")
    parser.add_argument("--only", action="append", metavar="METHOD", help="this method; may be repeated")
    parser.add_argument("--again", action="store_true", help="measures what was measured before, too")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    known = {method.name for method in DETECTION + PURIFICATION}
    if unknown := set(arguments.only or []) - known:
        parser.error(f"no method {', '.join(sorted(unknown))}; there are {', '.join(sorted(known))}")
    chosen = [("detection", method) for method in DETECTION if not arguments.purification or arguments.detection]
    chosen += [("purification", method) for method in PURIFICATION if not arguments.detection or arguments.purification]
    arguments.results.mkdir(parents=True, exist_ok=True)
    commit()
    # One method on all cases, then the next: those that cost least are first.
    loaded: dict[pathlib.Path, Case] = {}
    failed = False
    for kind, method in chosen:
        if arguments.only and method.name not in arguments.only:
            continue
        for folder in arguments.cases:
            path = arguments.results / f"{folder.name}.jsonl"
            if not arguments.again and (kind, method.name) in measured(path):
                continue
            if folder not in loaded:
                loaded[folder] = cases.load(folder)
            try:
                line = row(kind, method, loaded[folder], arguments.seed)
            except RuntimeError as problem:
                print(f"{folder.name}: {method.name}: {problem}", file=sys.stderr, flush=True)
                failed = True
                continue
            keep(line, path)
            print(f"{folder.name}: {method.name}: {summary(line)}, {line.get('seconds', 0):.0f} s", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
