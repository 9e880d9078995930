"""SCALE-UP. J. Guo et al.: SCALE-UP: An Efficient Black-box Input-level Backdoor Detection via Analyzing Scaled Prediction
Consistency. ICLR 2023.

The share of the amplified images (times 3, 5, 7, 9 and 11, clipped) that keep the image's predicted class (equation 2).
Where it is 0.5 or more, the image is flagged: the data-free setting, with the thresholds of the authors' code.
"""
import torch

from peers.cases import Case
from peers.detection import Detected
from peers.network import Network

FACTORS, THRESHOLD = (3, 5, 7, 9, 11), 0.5


def consistency(network: Network, images: torch.Tensor) -> torch.Tensor:
    shares = []
    for part in images.split(500):
        pixels = part.float() / 255
        predicted = network.predictions(pixels)
        kept = [network.predictions((pixels * factor).clamp(0, 1)) == predicted for factor in FACTORS]
        shares.append(torch.stack(kept).float().mean(0))
    return torch.cat(shares)


def detect(network: Network, case: Case, seed: int) -> Detected:
    scores = consistency(network, case.training.pixels).numpy()
    return Detected(scores >= THRESHOLD, scores)
