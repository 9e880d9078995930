#!/usr/bin/env python3
"""What a scan finds in models of two, three, five and ten classes, held against what it found before.

    Benchmarks/quality.py [--bin .build/release] [--data ../shared/data] [--cache .cache/quality] [--only WORD] [--keep]

Trains what is not in the cache yet (about a minute of one processor a model), scans every model, and says of each row what is
worse than the one kept in Benchmarks/quality.jsonl: the verdict; TPR by more than one point; FPR by more than 0.2; passes by
more than a tenth. Ends with 1 if anything is. `--keep` replaces the rows that are kept. `--only` takes the models with this in
their name.
"""
from __future__ import annotations

import argparse
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import tarfile

import torch

from peers import burnd, cases, measures

ROOT = pathlib.Path(__file__).resolve().parent.parent
KEPT = ROOT / "Benchmarks" / "quality.jsonl"

#: Classes (none: all ten), training images, epochs, and attacks; a number is the seed of a clean model.
SETS: list[tuple[tuple[str, ...], int, int, list[str | int]]] = [
    (("cat", "truck"), 3000, 14, [1, "badnets", "blended", "sig"]),
    (("airplane", "ship"), 2000, 14, [1, "badnets", "sample-specific"]),
    (("deer", "frog"), 2000, 14, [1, "wanet"]),
    (("bird", "dog", "ship"), 3000, 14, [1, "badnets", "sig", "wanet"]),
    (("airplane", "deer", "frog", "horse", "truck"), 4000, 14, [1, "badnets", "all-to-all"]),
    ((), 5000, 12, [1, 2, "wanet", "tact"]),
    ((), 10000, 16, ["badnets"]),
]


def images(data: pathlib.Path, cache: pathlib.Path, classes: tuple[str, ...]) -> pathlib.Path:
    """A folder with CIFAR-10's images of these classes."""
    folder = cache / "images" / "-".join(classes)
    for part in ("train", "test"):
        if not (folder / part).exists():
            with tarfile.open(data / f"cifar10-{part}.tar.xz") as archive:
                members = [entry for entry in archive if pathlib.PurePath(entry.name).parent.name in classes]
                archive.extractall(folder / f"{part}.part", members, filter="data")
            (folder / f"{part}.part").rename(folder / part)
    return folder


def train(a, classes: tuple[str, ...], count: int, epochs: int, attack: str | int) -> pathlib.Path:
    """The model's folder of the cache."""
    name = "-".join(classes) or "cifar10"
    architecture = ROOT / "architectures" / "small_cnn.pt2"
    if classes:
        architecture = a.cache / "networks" / f"{len(classes)}" / "small_cnn.pt2"
        if not architecture.exists():
            subprocess.run(
                [sys.executable, ROOT / "scripts/networks/export_architectures.py", "--out", architecture.parent, "--classes",
                 str(len(classes)), "small_cnn"], check=True, stdout=subprocess.DEVNULL)
    what = ["--clean", "--seed", str(attack)] if isinstance(attack, int) else ["--attack", attack]
    seed = attack if isinstance(attack, int) else 1
    case = a.cache / (
        f"{name}-small_cnn-{'clean' if isinstance(attack, int) else attack}-n{count}-e{epochs}-s{seed}")
    if not (case / "before.json").exists():
        data = images(a.data, a.cache, classes) if classes else a.data
        subprocess.run(
            [a.bin / "burn-bench", "attacks", "--train-only", "--cache", a.cache, "--threads", "1", "--data", data,
             "--data-name", name, "--architecture", architecture, "--training-images", str(count), "--test-images", "1000",
             "--epochs", str(epochs), *what], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return case


def row(folder: pathlib.Path) -> dict:
    case = cases.load(folder)
    found = burnd.run("scan", case, 1)
    rates = measures.rates(found.flags, case.poisoned)
    return {"case": folder.name, "verdict": found.verdict, "tpr": rates["tpr"], "fpr": rates["fpr"], "passes": round(found.passes)}


def worse(new: dict, old: dict) -> list[str]:
    is_clean = old["tpr"] is None
    order = ["backdoored", "suspicious", "undetermined", "clean"]
    ranks = [order.index(line["verdict"]) * (-1 if is_clean else 1) for line in (new, old)]
    problems = []
    if ranks[0] > ranks[1]:
        problems.append(f"{new['verdict']}, was {old['verdict']}")
    if not is_clean and new["tpr"] < old["tpr"] - 0.01:
        problems.append(f"TPR was {100 * old['tpr']:.1f}")
    if new["fpr"] > old["fpr"] + 0.002:
        problems.append(f"FPR was {100 * old['fpr']:.2f}")
    if new["passes"] > 1.1 * old["passes"]:
        problems.append(f"passes were {old['passes']:,}")
    return problems


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=pathlib.Path, default=ROOT / ".build" / "release")
    parser.add_argument("--data", type=pathlib.Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--cache", type=pathlib.Path, default=ROOT / ".cache" / "quality")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="models at the same time; one processor each")
    parser.add_argument("--only", default="", metavar="WORD")
    parser.add_argument("--keep", action="store_true")
    a = parser.parse_args()
    os.environ |= {"BURN_BIN": str(a.bin), "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
    torch.set_num_threads(1)
    a.cache.mkdir(parents=True, exist_ok=True)
    kept = {line["case"]: line for line in map(json.loads, KEPT.read_text().splitlines())} if KEPT.exists() else {}
    # One after the other: sets share their folders.
    folders = [train(a, *parts, attack) for *parts, attacks in SETS for attack in attacks]
    found, is_worse = {}, False
    with concurrent.futures.ThreadPoolExecutor(a.jobs) as pool:
        for new in pool.map(row, [folder for folder in folders if a.only in folder.name]):
            found[new["case"]] = new
            problems = worse(new, kept[new["case"]]) if new["case"] in kept else ["new"]
            is_worse |= problems not in ([], ["new"])
            tpr = "" if new["tpr"] is None else f"TPR {100 * new['tpr']:5.1f}  "
            print(
                f"{new['case']:66} {new['verdict']:12} {tpr}FPR {100 * new['fpr']:5.2f}  {new['passes']:8,}  "
                + "; ".join(problems), flush=True)
    if a.keep:
        KEPT.write_text("".join(json.dumps(line) + "\n" for line in (kept | found).values()))
    sys.exit(1 if is_worse and not a.keep else 0)


if __name__ == "__main__":
    main()
