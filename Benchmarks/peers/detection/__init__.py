"""Detectors of poisoned samples: `detect(network, case, seed)` looks at the training images and the labels given."""
from dataclasses import dataclass

import numpy as np


@dataclass
class Detected:
    flags: np.ndarray
    #: Higher for what looks more like poison.
    scores: np.ndarray
    #: What the method says of the whole model, where it says anything.
    verdict: str | None = None


def verdict(backdoored: bool) -> str:
    return "backdoored" if backdoored else "clean"
