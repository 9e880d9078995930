"""IBD-PSC. L. Hou et al.: IBD-PSC: Input-level Backdoor Detection via Parameter-oriented Scaling Consistency. ICML 2024.

Weight and bias of the last k batch norms are multiplied by ω = 1.5. k begins where that makes the model err on more than
ξ = 60 % of clean images (algorithm 1), and grows by one for each of n = 5 models. The mean confidence of these models in the
image's predicted class is its score; above T = 0.9 it is flagged (equation 3). Where a network has fewer batch norms than that
asks for, the last models are the same one.
"""
import torch

from peers.cases import Case
from peers.detection import Detected
from peers.network import Network, NotApplicable

SCALE, ERROR, MODELS, THRESHOLD, CLEAN = 1.5, 0.6, 5, 0.9, 100


def amplified(network: Network, layers: int) -> Network:
    """With the last so many batch norms scaled."""
    result = network.copy()
    with torch.no_grad():
        for weight, bias in result.batch_norms()[-layers:]:
            weight *= SCALE
            bias *= SCALE
    return result


def first_layers(network: Network, images: torch.Tensor, labels: torch.Tensor) -> int:
    count = len(network.batch_norms())
    for layers in range(1, count + 1):
        scaled = amplified(network, layers)
        wrong = (scaled.predictions(images) != labels).float().mean()
        network.passes += scaled.passes
        if wrong > ERROR:
            return layers
    return count


def detect(network: Network, case: Case, seed: int) -> Detected:
    count = len(network.batch_norms())
    if count == 0:
        raise NotApplicable("the network has no batch norm")
    generator = torch.Generator().manual_seed(seed)
    chosen = torch.randperm(len(case.clean.labels), generator=generator)[:CLEAN]
    first = first_layers(network, case.clean.pixels[chosen], torch.from_numpy(case.clean.labels)[chosen])
    images = case.training.pixels
    predicted = network.predictions(images)
    scores = torch.zeros(len(images))
    for layers in range(first, first + MODELS):
        scaled = amplified(network, min(layers + 1, count))
        scores += scaled.logits(images).softmax(1).gather(1, predicted[:, None])[:, 0] / MODELS
        network.passes += scaled.passes
    return Detected((scores > THRESHOLD).numpy(), scores.numpy())
