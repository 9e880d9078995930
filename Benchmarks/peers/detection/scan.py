"""SCAn. D. Tang, X. Wang, H. Tang, K. Zhang: Demon in the Variant. USENIX Security 2021.

A feature is an identity, one for each class, plus a variation whose covariance is the same for all classes (equation 2).
Both covariances are estimated by EM on clean images (section 4.2). Each class of the training set is then split in two with
the variation's covariance, and a likelihood ratio says whether two identities explain it better than one (section 4.3). A
class is infected where the ratio stands out of the other classes' by more than e² absolute deviations (section 4.4). Of its
two parts, the one with fewer of the clean images is poison.

100 clean images a class. Features of more than 128 values are projected on their 128 first principal components, so that
so few images determine their covariance.
"""
import math

import numpy as np

from peers.cases import Case
from peers.detection import Detected, verdict
from peers.network import Network

CLEAN_A_CLASS, DIMENSIONS, STARTS = 100, 128, 10
THRESHOLD = math.e**2


def covariances(features: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of identities and of variations; features are centred."""
    classes, inverse, counts = np.unique(labels, return_inverse=True, return_counts=True)
    sums = np.stack([features[inverse == k].sum(0) for k in range(len(classes))])
    identities = sums / counts[:, None]
    between, within = np.cov(identities[inverse].T), np.cov((features - identities[inverse]).T)
    for _ in range(100):
        gain = between @ np.linalg.pinv(within)
        identities = np.stack([
            within @ np.linalg.pinv(count * between + within) @ gain @ total for count, total in zip(counts, sums)])
        last = between, within
        between, within = np.cov(identities[inverse].T), np.cov((features - identities[inverse]).T)
        if np.linalg.norm(between - last[0]) + np.linalg.norm(within - last[1]) < 1e-5:
            break
    return between, within


def two_groups(features: np.ndarray, precision: np.ndarray, random: np.random.Generator) -> tuple[np.ndarray, float]:
    """Whether each row is of the second group, and the two groups' sum of squared distances to their means."""
    best, least = np.zeros(len(features), bool), math.inf
    for _ in range(STARTS):
        second = random.random(len(features)) < 0.5
        for _ in range(100):
            if second.all() or not second.any():
                break
            means = np.stack([features[~second].mean(0), features[second].mean(0)])
            far = np.stack([mahalanobis(features - mean, precision) for mean in means])
            last, second = second, far[1] < far[0]
            if (second == last).all():
                break
        if second.any() and not second.all():
            inner = sum(mahalanobis(part - part.mean(0), precision).sum() for part in (features[second], features[~second]))
            if inner < least:
                best, least = second, inner
    return best, least


def mahalanobis(rows: np.ndarray, precision: np.ndarray) -> np.ndarray:
    return ((rows @ precision) * rows).sum(1)


def likelihood_ratio(
    features: np.ndarray, between: np.ndarray, within: np.ndarray, random: np.random.Generator
) -> tuple[float, np.ndarray]:
    """Equation 8, for each sample; and the second group."""
    precision = np.linalg.pinv(within)
    count = len(features)
    one = within @ np.linalg.pinv(count * between + within) @ between @ precision @ features.sum(0)
    second, inner = two_groups(features, precision, random)
    return float((mahalanobis(features - one, precision).sum() - inner) / count), second


def anomaly(values: np.ndarray) -> np.ndarray:
    """How many absolute deviations each stands above the median."""
    spread = 1.4826 * np.median(np.abs(values - np.median(values)))
    return (values - np.median(values)) / max(spread, 1e-12)


def detect(network: Network, case: Case, seed: int) -> Detected:
    random = np.random.default_rng(seed)
    chosen = np.concatenate([
        np.flatnonzero(case.clean.labels == label)[:CLEAN_A_CLASS] for label in range(case.classes)])
    clean = case.clean[chosen]
    of_clean = network.features(clean.pixels)[0].double().numpy()
    rows = network.features(case.training.pixels)[0].double().numpy()
    centre = of_clean.mean(0)
    of_clean, rows = of_clean - centre, rows - centre
    if rows.shape[1] > DIMENSIONS:
        _, _, directions = np.linalg.svd(of_clean, full_matrices=False)
        of_clean, rows = of_clean @ directions[:DIMENSIONS].T, rows @ directions[:DIMENSIONS].T
    between, within = covariances(of_clean, clean.labels)

    ratios, poison = np.zeros(case.classes), []
    for label in range(case.classes):
        members, known = case.training.labels == label, clean.labels == label
        ratios[label], second = likelihood_ratio(np.concatenate([rows[members], of_clean[known]]), between, within, random)
        own, of_known = second[:members.sum()], second[members.sum():]
        poison.append(own if of_known.mean() < 0.5 else ~own)
    index = anomaly(ratios)
    flags, scores = np.zeros(len(rows), bool), np.zeros(len(rows))
    for label in range(case.classes):
        members = case.training.labels == label
        flags[members] = poison[label] & (index[label] > THRESHOLD)
        scores[members] = poison[label] * (index[label] - index.min() + 1)
    return Detected(flags, scores, verdict(bool((index > THRESHOLD).any())))
