"""Inputs that are the same on every machine: publish.py runs published code on them, test_published.py ours."""
import numpy as np
import torch
from torch import nn

#: Published code asks for the five best classes, so that there must be five.
CLASSES, CHANNELS, CONVOLUTIONS = 5, 6, 8


class Tiny(nn.Module):
    """Eight convolutions with batch norm and a linear layer on 8 x 8 images. Its weights are NumPy's numbers; batch norm's
    statistics are those of some images, so that its predictions differ."""

    def __init__(self, seed: int):
        super().__init__()
        layers, channels = [], 3
        for place in range(CONVOLUTIONS):
            layers.append(nn.Sequential(
                nn.Conv2d(channels, CHANNELS, 3, padding=1), nn.BatchNorm2d(CHANNELS), nn.ReLU(),
                nn.AvgPool2d(2) if place == 2 else nn.Identity()))
            channels = CHANNELS
        self.layers = nn.Sequential(*layers)
        self.pool = nn.AvgPool2d(2)
        self.classifier = nn.Linear(4 * CHANNELS, CLASSES)
        random = np.random.default_rng(seed)
        state = {name: values(random, name, tensor) for name, tensor in self.state_dict().items()}
        self.load_state_dict(state)
        self.calibrate(images(64, seed).float() / 255)

    @torch.no_grad()
    def calibrate(self, pixels: torch.Tensor) -> None:
        """In double precision, so that no processor's rounding is in what float32 keeps of it."""
        norms = [layer[1] for layer in self.layers]
        for norm in norms:
            norm.momentum = 1.0
        self.double().train()(pixels.double())
        for norm in norms:
            norm.momentum = 0.1
        self.classifier.bias -= self.eval()(pixels.double()).mean(0)
        self.float()

    def forward(self, x):
        return self.classifier(self.pool(self.layers(x)).flatten(1))


def values(random: np.random.Generator, name: str, tensor: torch.Tensor) -> torch.Tensor:
    """About what trained networks have, so that activations neither die nor explode."""
    shape = tuple(tensor.shape)
    if not tensor.is_floating_point():
        return tensor
    if name.endswith("running_var") or (name.endswith("weight") and tensor.dim() == 1):
        made = random.uniform(0.5, 1.5, shape)
    elif tensor.dim() > 1:
        made = random.normal(size=shape) * (2 / np.prod(shape[1:])) ** 0.5
    else:
        made = random.normal(size=shape) * 0.1
    return torch.from_numpy(np.asarray(made, np.float32))


def images(count: int, seed: int) -> torch.Tensor:
    """Bytes; of one colour each, with a slope and noise, so that a network tells them apart."""
    random = np.random.default_rng(seed)
    colour = random.integers(0, 160, (count, 3, 1, 1))
    slopes = random.integers(-6, 7, (2, count, 3, 1, 1))
    plane = slopes[0] * np.arange(8)[:, None] + slopes[1] * np.arange(8)
    return torch.from_numpy((colour + plane + random.integers(0, 40, (count, 3, 8, 8))).clip(0, 255).astype(np.uint8))


def labels(count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, CLASSES, count)


def identities(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Features of clean images with their labels, and of training images with theirs; a quarter of the last class is planted."""
    random = np.random.default_rng(seed)
    centres, mixing = random.normal(size=(8, 5)) * 3, random.normal(size=(5, 5)) / 2 + np.eye(5) / 2

    def drawn(each: int) -> tuple[np.ndarray, np.ndarray]:
        given = np.repeat(np.arange(8), each)
        return centres[given] + random.normal(size=(len(given), 5)) @ mixing, given

    clean, given_clean = drawn(40)
    features, given = drawn(80)
    features[-20:] += random.normal(size=5) * 5
    return clean, given_clean, features, given


def maps(count: int, seed: int, raised: float = 0) -> torch.Tensor:
    """Non-negative activations of five channels; some samples stand out of ten absolute deviations by nature."""
    random = np.random.default_rng(seed)
    spread = np.exp(0.5 * random.standard_t(2, (count, 1, 1, 1)).clip(-2, 2))
    return torch.from_numpy(np.abs(random.normal(size=(count, 5, 4, 4)) * spread + np.arange(1, 6)[:, None, None] + raised))
