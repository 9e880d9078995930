"""Runs burnd on a case, and reads what it says of each sample."""
from __future__ import annotations

import csv
import json
import os
import pathlib
import subprocess
import tempfile
from dataclasses import dataclass

import numpy as np

from cost import in_forwards
from peers.cases import Case, stem

ROOT = pathlib.Path(__file__).resolve().parents[2]


@dataclass
class Result:
    flags: np.ndarray
    scores: np.ndarray
    verdict: str
    #: In forward passes of one image.
    passes: float


def program() -> pathlib.Path:
    return pathlib.Path(os.environ.get("BURN_BIN") or ROOT / ".build" / "release") / "burnd"


def run(command: str, case: Case, seed: int, *options: str) -> Result:
    with tempfile.TemporaryDirectory() as scratch:
        samples = pathlib.Path(scratch) / "samples.csv"
        done = subprocess.run(
            [program(), command, case.model, case.dataset, *case.burn_options, *options, "--seed", str(seed), "--threads",
             os.environ.get("OMP_NUM_THREADS", "1"), "--json", "--samples", samples],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if done.returncode not in (0, 3, 4, 5):
            raise RuntimeError(f"burnd {command} failed on {case.name}:\n{done.stderr[-2000:]}")
        with open(samples) as file:
            rows = {stem(row["name"]): row for row in csv.DictReader(file)}
    found = [rows[name] for name in case.training.names]
    answer = json.loads(done.stdout)
    return Result(
        np.array([row["flagged"] == "true" for row in found]), np.array([float(row["score"] or 0) for row in found]),
        answer["verdict"]["result"], sum(map(in_forwards, answer["costs"])))
