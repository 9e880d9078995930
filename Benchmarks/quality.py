#!/usr/bin/env python3
"""What a scan finds in models of two, three, five and ten classes, held against what it found before.

    .venv/bin/python Benchmarks/quality.py [--bin .build/release] [--data ../shared/data] [--cache .cache/quality] [--only WORD] [--keep]

Trains what is not in the cache yet (about a minute of one processor a model), scans every model, and says of each row what is
worse than the one kept in Benchmarks/quality.jsonl: the verdict; TPR by more than one point; FPR by more than 0.2; passes by
more than a tenth. Ends with 1 if anything is, or failed. `--keep` replaces the rows that are kept. `--only` takes the models with this in
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


class Model:
    def __init__(self, classes: tuple[str, ...], images: int, epochs: int, attack: str | int):
        self.classes, self.images, self.epochs, self.attack = classes, images, epochs, attack
        self.data_name = "-".join(classes) or "cifar10"
        kind, seed = ("clean", attack) if isinstance(attack, int) else (attack, 1)
        #: As `burn-bench attacks` names its folder.
        self.name = f"{self.data_name}-small_cnn-{kind}-n{images}-e{epochs}-s{seed}"

    def train(self, programs: pathlib.Path, data: pathlib.Path, cache: pathlib.Path) -> pathlib.Path:
        """The model's folder of the cache."""
        folder = cache / self.name
        if not (folder / "before.json").exists():
            what = ["--clean", "--seed", str(self.attack)] if isinstance(self.attack, int) else ["--attack", self.attack]
            source = images(data, cache, self.classes) if self.classes else data
            checked(
                programs / "burn-bench", "attacks", "--train-only", "--cache", cache, "--threads", "1", "--data", source,
                "--data-name", self.data_name, "--architecture", network(cache, len(self.classes)), "--training-images",
                self.images, "--test-images", 1000, "--epochs", self.epochs, *what)
        return folder


def network(cache: pathlib.Path, classes: int) -> pathlib.Path:
    """The untrained small_cnn with so many outputs; 0 for the usual ten."""
    if not classes:
        return ROOT / "architectures" / "small_cnn.pt2"
    folder = cache / "networks" / str(classes)
    if not folder.exists():
        part = cache / "networks" / f"{classes}.part"
        checked(sys.executable, ROOT / "scripts/networks/export_architectures.py", "--out", part, "--classes", classes, "small_cnn")
        part.rename(folder)
    return folder / "small_cnn.pt2"


def checked(*words: object) -> None:
    done = subprocess.run(list(map(str, words)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{words[0]} ended with {done.returncode}:\n{done.stdout[-2000:]}")


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
    arguments = parser.parse_args()
    models = [Model(*parts, attack) for *parts, attacks in SETS for attack in attacks]
    chosen = [model for model in models if arguments.only in model.name]
    if not chosen:
        parser.error(f"no model has {arguments.only} in its name; there are {', '.join(model.name for model in models)}")
    os.environ |= {"BURN_BIN": str(arguments.bin), "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
    torch.set_num_threads(1)
    arguments.cache.mkdir(parents=True, exist_ok=True)
    kept = {line["case"]: line for line in map(json.loads, KEPT.read_text().splitlines())} if KEPT.exists() else {}
    # One after the other: sets share their folders.
    folders = [model.train(arguments.bin, arguments.data, arguments.cache) for model in chosen]

    def compared(folder: pathlib.Path) -> tuple[dict | None, str, list[str]]:
        try:
            new = row(folder)
        except RuntimeError as problem:
            return None, f"{folder.name:66} failed", [str(problem)]
        tpr = "" if new["tpr"] is None else f"TPR {100 * new['tpr']:5.1f}  "
        text = f"{new['case']:66} {new['verdict']:12} {tpr}FPR {100 * new['fpr']:5.2f}  {new['passes']:8,}"
        return new, text, worse(new, kept[new["case"]]) if new["case"] in kept else ["no row is kept to compare with"]

    found, is_worse = {}, False
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        for new, text, problems in pool.map(compared, folders):
            if new:
                found[new["case"]] = new
            is_worse |= bool(problems)
            print(text, *problems, sep="  ", flush=True)
    if arguments.keep:
        names = [model.name for model in models]
        lines = kept | found
        KEPT.write_text("".join(json.dumps(lines[name]) + "\n" for name in names if name in lines))
    sys.exit(1 if is_worse and not arguments.keep else 0)


if __name__ == "__main__":
    main()
