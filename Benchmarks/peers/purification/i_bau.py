"""I-BAU. Y. Zeng et al.: Adversarial Unlearning of Backdoors via Implicit Hypergradient. ICLR 2022.

Minimax over weights and one universal perturbation (equation 1). The inner problem: gradient ascent on the clean images' loss
with ‖δ‖² as a penalty. The outer one: the hypergradient by K = 5 fixed-point iterations (equation 5, Grazzi et al. 2020).
Settings of the authors' code: clean images of 10 % of the training set's number, batch 100, five rounds, Adam with learning rate
0.001, inner steps of 10 (search) and 0.1 (fixed point), penalty 0.001, δ on 1 % of each batch in the outer loss. Batch norm has
its running statistics.
"""
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from peers.cases import Case, Images
from peers.network import Network
from peers.training import clean_images

CLEAN_SHARE, BATCH, ROUNDS, ITERATIONS, RATE = 0.1, 100, 5, 5, 0.001
SEARCH_STEP, INNER_STEP, PENALTY, PATCHED = 10.0, 0.1, 0.001, 0.01


def hypergradient(
    inner_step: Callable[[Tensor], Tensor], outer_loss: Callable[[Tensor], Tensor], point: Tensor, weights: list[Tensor],
    iterations: int = ITERATIONS,
) -> list[Tensor]:
    """d outer/d weights along the inner problem's fixed point, by so many fixed-point iterations."""
    point = point.detach().requires_grad_()
    outer = outer_loss(point)
    along, = torch.autograd.grad(outer, point, retain_graph=True)
    direct = torch.autograd.grad(outer, weights, allow_unused=True)
    mapped = inner_step(point)
    vector = torch.zeros_like(point)
    for _ in range(iterations):
        vector = torch.autograd.grad(mapped, point, vector, retain_graph=True)[0] + along
    implicit = torch.autograd.grad(mapped, weights, vector, allow_unused=True)
    zeros = [torch.zeros_like(weight) for weight in weights]
    return [
        (zero if a is None else a) + (zero if b is None else b) for a, b, zero in zip(direct, implicit, zeros)]


def universal(network: Network, parts: list[tuple[Tensor, Tensor]]) -> Tensor:
    """One step of ascent on each batch, from zero."""
    found = torch.zeros_like(parts[0][0][:1])
    for images, _ in parts:
        predicted = network.predictions(images)
        found.requires_grad_()
        loss = -F.cross_entropy(network(images + found).logits, predicted) + PENALTY * found.norm() ** 2
        gradient, = torch.autograd.grad(loss, found)
        network.count(gradients=len(images))
        found = (found - SEARCH_STEP * gradient).detach()
    return found


def unlearn(network: Network, clean: Images, generator: torch.Generator, rounds: int) -> None:
    pixels = clean.pixels.float() / 255
    parts = list(zip(pixels.split(BATCH), torch.from_numpy(clean.labels).split(BATCH)))
    weights = network.parameters
    optimiser = torch.optim.Adam(weights, RATE)
    first, first_labels = parts[0]

    def inner_step(point: Tensor) -> Tensor:
        # The norm has no derivative at zero; its square has.
        loss = -F.cross_entropy(network(first + point).logits, first_labels) + PENALTY * point.pow(2).sum()
        return point - INNER_STEP * torch.autograd.grad(loss, point, create_graph=True)[0]

    for _ in range(rounds):
        perturbation = universal(network, parts)
        for images, labels in parts:
            chosen = torch.randperm(len(images), generator=generator)[:int(PATCHED * len(images))]
            mask = torch.zeros(len(images), 1, 1, 1).index_fill_(0, chosen, 1)

            def outer_loss(point: Tensor, images: Tensor = images, labels: Tensor = labels, mask: Tensor = mask) -> Tensor:
                return F.cross_entropy(network(images + mask * point).logits, labels)

            gradients = hypergradient(inner_step, outer_loss, perturbation, weights)
            for weight, gradient in zip(weights, gradients):
                weight.grad = gradient
            optimiser.step()
            # Outer: forward and both gradients. Inner: the gradient, and ITERATIONS + 1 products through it.
            network.count(training=len(images), gradients=len(first) * (2 + ITERATIONS))


def purify(network: Network, case: Case, seed: int, rounds: int = ROUNDS) -> Network:
    generator = torch.Generator().manual_seed(seed)
    result = network.copy()
    unlearn(result, clean_images(case, generator, CLEAN_SHARE), generator, rounds)
    return result
