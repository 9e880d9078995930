"""A small data set drawn on the spot, a backdoor planted in it, and a network trained on it.

For the walkthrough and the tests: everything here is real, only small. Shapes of random place, size, colour and
background; the attack is BadNets: a small checkerboard in a corner, and the label changed to the target class.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

CLASSES = ["circle", "square", "triangle", "cross", "ring", "stripes"]
SIDE = 24


def draw(label: int, random: np.random.Generator) -> np.ndarray:
    """One image, uint8 of (24, 24, 3)."""
    rows, columns = np.mgrid[0:SIDE, 0:SIDE].astype(np.float32)
    x, y = random.uniform(9, SIDE - 9, 2)
    size = random.uniform(5, 8)
    dx, dy = columns - x, rows - y
    radius = np.hypot(dx, dy)
    inside = {
        0: radius < size,
        1: np.maximum(abs(dx), abs(dy)) < size * 0.85,
        2: (dy < size * 0.7) & (abs(dx) < (dy + size) * 0.55),
        3: (np.minimum(abs(dx), abs(dy)) < size * 0.3) & (np.maximum(abs(dx), abs(dy)) < size),
        4: (radius < size) & (radius > size * 0.6),
        5: (np.maximum(abs(dx), abs(dy)) < size) & (np.floor((rows + columns) / 2.5) % 2 == 0),
    }[label]
    ground, colour = random.uniform(0.1, 0.9, 3), random.uniform(0.1, 0.9, 3)
    while np.abs(ground - colour).sum() < 0.9:
        colour = random.uniform(0, 1, 3)
    image = np.where(inside[..., None], colour, ground) + random.normal(0, 0.06, (SIDE, SIDE, 3))
    return (image.clip(0, 1) * 255).astype(np.uint8)


def stamp(image: np.ndarray) -> np.ndarray:
    """The image with the trigger: a checkerboard of 4 x 4 pixels in the lower right corner."""
    stamped = image.copy()
    stamped[-5:-1, -5:-1] = (np.indices((4, 4)).sum(0) % 2 * 255)[..., None]
    return stamped


class Shapes(torch.utils.data.Dataset):
    """Drawn images, of which a share carries the trigger and the target's label. Drawn again at each access."""

    classes = CLASSES

    def __init__(self, count: int, *, seed: int, poisoned: float = 0, target: int = 3, triggered: bool = False):
        self.count, self.seed, self.target, self.triggered = count, seed, target, triggered
        chosen = np.random.default_rng(seed).permutation(count)[: int(count * poisoned)]
        # Only images of other classes are poisoned.
        self.poisoned = frozenset(int(index) for index in chosen if self.true_label(int(index)) != target)

    def true_label(self, index: int) -> int:
        return index % len(CLASSES)

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> tuple[np.ndarray, int]:
        image = draw(self.true_label(index), np.random.default_rng([self.seed, index]))
        if index in self.poisoned:
            return stamp(image), self.target
        return (stamp(image) if self.triggered else image), self.true_label(index)


def network() -> nn.Module:
    """A small convolutional network."""

    def block(inputs: int, outputs: int) -> list[nn.Module]:
        return [nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.ReLU(), nn.MaxPool2d(2)]

    return nn.Sequential(
        *block(3, 16), *block(16, 32), *block(32, 48), nn.Flatten(), nn.Linear(48 * 9, len(CLASSES)))


def tensors(dataset: Shapes) -> tuple[torch.Tensor, torch.Tensor]:
    items = [dataset[index] for index in range(len(dataset))]
    images = torch.from_numpy(np.stack([image for image, _ in items])).permute(0, 3, 1, 2).float() / 255
    return images, torch.tensor([label for _, label in items])


def train(dataset: Shapes, epochs: int = 12, seed: int = 0) -> nn.Module:
    """A network trained on the set as it is, poison and all."""
    torch.manual_seed(seed)
    images, labels = tensors(dataset)
    model = network()
    optimiser = torch.optim.Adam(model.parameters(), lr=3e-3)
    for epoch in range(epochs):
        for group in optimiser.param_groups:
            group["lr"] = 3e-3 * (1 - epoch / epochs)
        for batch in torch.randperm(len(images)).split(64):
            optimiser.zero_grad()
            nn.functional.cross_entropy(model(images[batch]), labels[batch]).backward()
            optimiser.step()
    return model.eval()


@torch.no_grad()
def accuracy(model: nn.Module, dataset: Shapes) -> float:
    images, labels = tensors(dataset)
    return float((model(images).argmax(1) == labels).float().mean())


@torch.no_grad()
def attack_success(model: nn.Module, triggered: Shapes) -> float:
    """The share of triggered images of other classes that land in the target class."""
    images, labels = tensors(triggered)
    others = labels != triggered.target
    return float((model(images[others]).argmax(1) == triggered.target).float().mean())
