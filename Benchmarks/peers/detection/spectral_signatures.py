"""Spectral signatures. B. Tran, J. Li, A. Madry: Spectral Signatures in Backdoor Attacks. NeurIPS 2018.

Algorithm 1: in each class, the squared projection of the centred features on their first right singular vector; the highest
are taken out, 1.5 ε of a class. The defender is told the poisoned share of the whole set, and takes it as ε for each class, as
ART and BackdoorBench do (10 % where nothing is poisoned). It takes out of every class, whatever is there: no verdict.
"""
import numpy as np

from peers.cases import Case
from peers.detection import Detected
from peers.network import Network


def outlier_scores(features: np.ndarray) -> np.ndarray:
    centred = features - features.mean(0)
    _, _, directions = np.linalg.svd(centred, full_matrices=False)
    return (centred @ directions[0]) ** 2


def detect(network: Network, case: Case, seed: int) -> Detected:
    features = network.features(case.training.pixels)[0].numpy()
    share = 1.5 * (case.rate or 0.1)
    flags, scores = np.zeros(len(features), bool), np.zeros(len(features))
    for label in range(case.classes):
        members = np.flatnonzero(case.training.labels == label)
        if len(members) == 0:
            continue
        own = outlier_scores(features[members])
        flags[members[own >= np.quantile(own, 1 - share)]] = True
        scores[members] = own
    return Detected(flags, scores)
