"""Distance to the decision boundary, with the best threshold that anybody could choose.

S. Moosavi-Dezfooli, A. Fawzi, P. Frossard: DeepFool. CVPR 2016. Steps of equation 6 towards the runner-up, 2 % beyond, at most
16; the crossing is where the margin of the last step, taken as linear, is zero. The threshold is the one with the largest
difference of TPR and FPR, and so is the sign: near or far. Nobody can choose it without the truth: what no rule on distances
alone can exceed. One threshold for all classes.
"""
import numpy as np
import torch
from torch import Tensor

from peers.cases import Case
from peers.detection import Detected
from peers.network import Network

STEPS, OVERSHOOT = 16, 0.02


def margins(logits: Tensor, predicted: Tensor) -> Tensor:
    """Of the predicted class over the best of the others."""
    own = logits.gather(1, predicted[:, None])[:, 0]
    return own - logits.scatter(1, predicted[:, None], -torch.inf).max(1).values


def distances(network: Network, images: Tensor) -> Tensor:
    """In units of pixels from 0 to 1."""
    images = images.float() / 255
    predicted = network.predictions(images)
    points, margin = images.clone(), torch.full((len(images),), torch.inf)
    found = torch.full((len(images),), torch.nan)
    active = torch.arange(len(images))
    before = torch.zeros(len(images))
    for step in range(STEPS + 1):
        x = points[active].requires_grad_()
        value = margins(network(x).logits, predicted[active])
        gradient, = torch.autograd.grad(value.sum(), x)
        network.count(gradients=len(active))
        value, far = value.detach(), (points[active] - images[active]).flatten(1).norm(dim=1)
        crossed = value <= 0
        if step:
            share = margin[active] / (margin[active] - value).clamp_min(1e-12)
            reached = before[active] + (far - before[active]) * share.clamp(0, 1)
            found[active[crossed]] = reached[crossed]
        else:
            found[active[crossed]] = 0
        if step == STEPS:
            found[active[~crossed]] = far[~crossed]
            break
        margin[active], before[active] = value, far
        length = gradient.flatten(1).norm(dim=1).clamp_min(1e-12)
        move = ((1 + OVERSHOOT) * value / length + 1e-5) / length
        moved = (points[active] - move.view(-1, 1, 1, 1) * gradient).clamp(0, 1)
        points[active[~crossed]] = moved[~crossed]
        active = active[~crossed]
        if len(active) == 0:
            break
    return found


def best_threshold(values: np.ndarray, poisoned: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Flags, and scores that are high for poison."""
    best, flags, scores = -1.0, np.zeros(len(values), bool), values
    for sign in (1, -1):
        order = np.argsort(-sign * values, kind="stable")
        gain = np.cumsum(poisoned[order]) / max(poisoned.sum(), 1) - np.cumsum(~poisoned[order]) / max((~poisoned).sum(), 1)
        # Not between equal values.
        gain[:-1][values[order][:-1] == values[order][1:]] = -1
        if gain.max() > best:
            best, scores = gain.max(), sign * values
            flags = scores >= scores[order[gain.argmax()]]
    return flags, scores


def detect(network: Network, case: Case, seed: int) -> Detected:
    values = torch.cat([distances(network, part) for part in case.training.pixels.split(500)]).numpy()
    if not case.poisoned.any():
        return Detected(np.zeros(len(values), bool), values)
    return Detected(*best_threshold(values, case.poisoned))
