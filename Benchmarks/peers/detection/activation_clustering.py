"""Activation clustering. B. Chen et al.: Detecting Backdoor Attacks on Deep Neural Networks by Activation Clustering.
SafeAI at AAAI 2019.

The features of each class as labelled are reduced to ten independent components (section 4) and split in two by k-means.
The smaller cluster is poison where the silhouette of the split is above 0.1, the lower end of what the paper recommends. Its
rule by size, less than 35 % of the class, is left out: poison of 10 % of the data is half of its class, and would be missed.
"""
import warnings

import numpy as np
from sklearn.cluster import KMeans
from sklearn.decomposition import FastICA
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import silhouette_score

from peers.cases import Case
from peers.detection import Detected, verdict
from peers.network import Network

COMPONENTS, SILHOUETTE = 10, 0.1


def split(features: np.ndarray, seed: int) -> tuple[np.ndarray, float]:
    """Whether each row is of the smaller cluster, and the silhouette."""
    if features.shape[1] > COMPONENTS:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            features = FastICA(COMPONENTS, max_iter=1000, tol=0.005, random_state=seed).fit_transform(features)
    clusters = KMeans(2, n_init=10, random_state=seed).fit_predict(features)
    smaller = clusters == np.argmin(np.bincount(clusters, minlength=2))
    return smaller, float(silhouette_score(features, clusters))


def detect(network: Network, case: Case, seed: int) -> Detected:
    features = network.features(case.training.pixels)[0].numpy()
    flags, scores = np.zeros(len(features), bool), np.zeros(len(features))
    for label in range(case.classes):
        members = np.flatnonzero(case.training.labels == label)
        if len(members) <= COMPONENTS:
            continue
        smaller, silhouette = split(features[members], seed)
        flags[members] = smaller & (silhouette > SILHOUETTE)
        scores[members] = smaller * (1 + silhouette)
    return Detected(flags, scores, verdict(bool(flags.any())))
