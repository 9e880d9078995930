"""What several purifications share: batches, augmentation, and stochastic gradient descent."""
from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import torch
from torch import Tensor
from torch.nn import functional as F

from peers.cases import Case, Images
from peers.network import Network

#: Of the training set's size: what fine-tuning, NAD and FT-SAM get as clean data, as in BackdoorBench.
CLEAN_SHARE = 0.05


def clean_images(case: Case, generator: torch.Generator, share: float = CLEAN_SHARE) -> Images:
    """Of the clean data, at random, so many as are this share of the training set's number."""
    count = int(share * len(case.training.labels))
    return case.clean[torch.randperm(len(case.clean.labels), generator=generator)[:count].numpy()]


def shifted_and_mirrored(images: Tensor, generator: torch.Generator, mirror: bool = True) -> Tensor:
    """Random crops after padding by 4, and mirroring: the augmentation that all these papers have on 32 x 32 images."""
    side = images.shape[-2:]
    padded = F.pad(images, (4, 4, 4, 4))
    rows = torch.randint(9, (len(images),), generator=generator)
    columns = torch.randint(9, (len(images),), generator=generator)
    crops = torch.stack([
        image[:, row:row + side[0], column:column + side[1]]
        for image, row, column in zip(padded, rows.tolist(), columns.tolist())])
    if mirror:
        turned = torch.rand(len(images), generator=generator) < 0.5
        crops[turned] = crops[turned].flip(-1)
    return crops


def cutout(images: Tensor, generator: torch.Generator, side: int) -> Tensor:
    """One square of zeros at a random place (DeVries and Taylor, 2017)."""
    images = images.clone()
    height, width = images.shape[-2:]
    for image in images:
        y, x = (int(torch.randint(limit, (), generator=generator)) for limit in (height, width))
        image[:, max(0, y - side // 2):y + (side + 1) // 2, max(0, x - side // 2):x + (side + 1) // 2] = 0
    return images


def mirrors(case: Case) -> bool:
    """Digits and traffic signs are not the same mirrored."""
    return "mnist" not in case.name and "gtsrb" not in case.name


def batches(images: Images, size: int, generator: torch.Generator) -> Iterator[tuple[Tensor, Tensor]]:
    """Pixels from 0 to 1 and labels, shuffled; a last batch of one image, which batch norm can't take, is left out."""
    labels = torch.from_numpy(images.labels)
    for part in torch.randperm(len(labels), generator=generator).split(size):
        if len(part) > 1:
            yield images.pixels[part].float() / 255, labels[part]


Loss = Callable[[Tensor, Tensor], Tensor]
#: The learning rate's factor in each epoch: epoch and number of epochs.
Schedule = Callable[[int, int], float]


def cosine(epoch: int, epochs: int) -> float:
    return (1 + math.cos(math.pi * epoch / epochs)) / 2


def constant(epoch: int, epochs: int) -> float:
    return 1


def train(
    network: Network, case: Case, images: Images, generator: torch.Generator, *, epochs: int, batch: int, rate: float,
    weight_decay: float, schedule: Schedule = cosine, loss: Loss = F.cross_entropy,
) -> None:
    """SGD with momentum 0.9, with augmentation, batch norm and dropout as in training."""
    optimiser = torch.optim.SGD(network.parameters, rate, momentum=0.9, weight_decay=weight_decay)
    for epoch in range(epochs):
        optimiser.param_groups[0]["lr"] = rate * schedule(epoch, epochs)
        for pixels, labels in batches(images, batch, generator):
            pixels = shifted_and_mirrored(pixels, generator, mirrors(case))
            optimiser.zero_grad()
            loss(network(pixels, training=True).logits, labels).backward()
            optimiser.step()
            network.count(training=len(labels))
