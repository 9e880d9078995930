"""Beatrix. W. Ma et al.: The "Beatrix" Resurrections: Robust Backdoor Detection via Gram Matrices. NDSS 2023.

Gram matrices of orders 1 to 8 of what the last stage of convolutions is given (equations 3 and 4). For each predicted class,
30 clean images give their elements' medians and absolute deviations; a sample's deviation is how far its elements are
outside of the median ± 10 deviations (equation 7). Its threshold is the 95 % point of deviations of clean images that were
left out in turn (five folds). Samples above it are flagged (the paper's online mode). A class is infected where the kernel
MMD between flagged and other samples stands out of the other classes' by more than e² absolute deviations (section IV-D):
the verdict.
"""
import math

import numpy as np
import torch
from torch import Tensor

from peers.cases import Case
from peers.detection import Detected, verdict
from peers.network import Network

ORDERS, CLEAN_A_CLASS, FOLDS, WIDTH = range(1, 9), 30, 5, 10
THRESHOLD = math.e**2


def gram(maps: Tensor, order: int) -> Tensor:
    """Upper triangles of ((F^p)(F^p)ᵀ)^(1/p), one row for each sample."""
    flat = maps.flatten(2) ** order
    products = flat @ flat.transpose(1, 2)
    above = torch.triu_indices(products.shape[1], products.shape[1])
    values = products[:, above[0], above[1]]
    return values.sign() * values.abs() ** (1 / order)


class Deviations:
    """From what clean samples of one class are like."""

    def __init__(self, clean: Tensor):
        self.bounds = []
        for order in ORDERS:
            rows = gram(clean, order)
            median = rows.median(0).values
            spread = (rows - median).abs().median(0).values
            self.bounds.append((median - WIDTH * spread, median + WIDTH * spread))

    def __call__(self, maps: Tensor) -> Tensor:
        total = torch.zeros(len(maps))
        for order, (low, high) in zip(ORDERS, self.bounds):
            rows = gram(maps, order)
            total += ((low - rows).relu() / (low + 1e-6).abs()).sum(1) + ((rows - high).relu() / (high + 1e-6).abs()).sum(1)
        return total / (maps.shape[1] ** 2 / 2) / len(ORDERS)


def threshold(clean: Tensor) -> float:
    """95 % of the deviations of clean images from the others."""
    fold = np.arange(len(clean)) * FOLDS // len(clean)
    left_out = torch.cat([
        Deviations(clean[torch.from_numpy(fold != part)])(clean[torch.from_numpy(fold == part)]) for part in range(FOLDS)])
    return float(left_out.sort().values[int(0.95 * len(left_out))])


def kernel_mmd(first: Tensor, second: Tensor) -> float:
    """With two Gaussian kernels about the median distance, times nm/(n + m)."""
    if len(first) == 0 or len(second) == 0:
        return 0.0
    squares = torch.cdist(both := torch.cat([first, second]), both) ** 2
    width = squares.median() / 2
    kernel = torch.exp(-squares / width) + torch.exp(-squares / (2 * width))
    n, m = len(first), len(second)
    return float((kernel[:n, :n].mean() + kernel[n:, n:].mean() - 2 * kernel[:n, n:].mean()) * n * m / (n + m))


def detect(network: Network, case: Case, seed: int) -> Detected:
    # Of the clean images, as many as hold 30 of each predicted class.
    clean, logits = network.last_stage(case.clean.pixels[:100 * case.classes])
    of_clean = logits.argmax(1)
    maps, logits = network.last_stage(case.training.pixels)
    predicted = logits.argmax(1)
    flags, scores, distances = np.zeros(len(maps), bool), np.zeros(len(maps)), np.zeros(case.classes)
    for label in range(case.classes):
        own = clean[of_clean == label][:CLEAN_A_CLASS]
        members = torch.nonzero(predicted == label).flatten()
        if len(own) < FOLDS or len(members) == 0:
            continue
        limit, deviations = threshold(own), Deviations(own)
        values = torch.cat([deviations(maps[part]) for part in members.split(500)])
        flagged = values > limit
        flags[members.numpy()] = flagged.numpy()
        scores[members.numpy()] = values.numpy() - limit
        means = maps[members].mean((2, 3))
        distances[label] = kernel_mmd(means[~flagged], means[flagged])
    spread = np.median(np.abs(distances - np.median(distances)))
    index = np.abs(distances - np.median(distances)) / 1.4826 / (spread + 1e-6)
    return Detected(flags, scores, verdict(bool((index > THRESHOLD).any())))
