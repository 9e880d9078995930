"""STRIP. Y. Gao et al.: STRIP: A Defence Against Trojan Attacks on Deep Neural Networks. ACSAC 2019.

Each image is superimposed with 100 clean images in turn (added, clipped; section 5). The mean entropy of the predictions
(equation 4, in bits) is low where a trigger outlives that. The threshold is the 1 % point of the normal distribution fitted
to the entropies of 2,000 clean images (section 4.3).
"""
import numpy as np
import torch
from scipy.stats import norm
from torch import Tensor

from peers.cases import Case
from peers.detection import Detected
from peers.network import Network

OVERLAYS, CLEAN, FALSE_REJECTIONS = 100, 2000, 0.01


def entropy(logits: Tensor) -> Tensor:
    """In bits."""
    logs = logits.log_softmax(1)
    return -(logs.exp() * logs).sum(1) / np.log(2)


def mean_entropies(network: Network, images: Tensor, clean: Tensor, generator: torch.Generator) -> np.ndarray:
    result = torch.zeros(len(images))
    places = torch.arange(len(images))
    for _ in range(OVERLAYS):
        other = clean[torch.randint(len(clean), (len(images),), generator=generator)]
        for part in places.split(500):
            mixed = (images[part].float() / 255 + other[part].float() / 255).clamp(0, 1)
            result[part] += entropy(network.logits(mixed)) / OVERLAYS
    return result.numpy()


def limit(entropies: np.ndarray) -> float:
    mean, spread = norm.fit(entropies)
    return float(mean + spread * norm.ppf(FALSE_REJECTIONS))


def detect(network: Network, case: Case, seed: int) -> Detected:
    generator = torch.Generator().manual_seed(seed)
    clean = case.clean.pixels[torch.randperm(len(case.clean.labels), generator=generator)[:CLEAN]]
    lowest = limit(mean_entropies(network, clean, clean, generator))
    values = mean_entropies(network, case.training.pixels, clean, generator)
    return Detected(values < lowest, -values)
