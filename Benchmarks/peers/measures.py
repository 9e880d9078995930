"""What is measured: of detections against the truth, of models on test images. Words as in docs/results.md."""
from __future__ import annotations

import numpy as np

from peers.cases import Case
from peers.network import Network


def auroc(scores: np.ndarray, poisoned: np.ndarray) -> float | None:
    """Probability that a poisoned sample scores above a clean one, ties counting half (Mann and Whitney)."""
    positives, negatives = int(poisoned.sum()), int((~poisoned).sum())
    if not positives or not negatives:
        return None
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = np.cumsum(counts) - (counts - 1) / 2
    return float((ranks[inverse][poisoned].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def rates(flags: np.ndarray, poisoned: np.ndarray) -> dict[str, float | None]:
    """TPR and FPR; cover samples, whose labels are right, count as clean."""
    return {
        "tpr": float(flags[poisoned].mean()) if poisoned.any() else None,
        "fpr": float(flags[~poisoned].mean()) if (~poisoned).any() else None,
    }


def accuracy(network: Network, case: Case) -> dict[str, float | None]:
    """ACC, ASR and RA on the images that neither the model nor any defence has seen."""
    passes = network.passes
    measured: dict[str, float | None] = {
        "acc": float((network.predictions(case.test_images).numpy() == case.test_labels).mean()), "asr": None, "ra": None}
    if len(case.triggered_labels):
        predicted = network.predictions(case.triggered_images).numpy()
        measured["ra"] = float((predicted == case.triggered_labels).mean())
        wanted = case.wanted(case.triggered_labels)
        counted = wanted != case.triggered_labels
        measured["asr"] = float((predicted == wanted)[counted].mean())
    network.passes = passes  # measuring is no part of the defence
    return measured
