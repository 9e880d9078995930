"""FT-SAM. M. Zhu et al.: Enhancing Fine-Tuning Based Backdoor Defense with Sharpness-Aware Minimization. ICCV 2023.

Fine-tuning in which each step takes the gradient at w + ε, with ε = ρ T²g/‖T g‖ and T = |w| (equation 4, the adaptive
perturbation). Settings of the paper's code for CIFAR-10: clean data of 5 % of the training set's number, 100 epochs, batch 256,
learning rate 0.01 (cosine), momentum 0.9, weight decay 5e-4, ρ = 2, label smoothing 0.1. Batch norm's statistics are those of
the first of the two passes.
"""
import torch
from torch import Tensor
from torch.nn import functional as F

from peers.cases import Case
from peers.network import Network
from peers.training import CLEAN_SHARE, batches, clean_images, mirrors, shifted_and_mirrored

EPOCHS, BATCH, RATE, DECAY, RHO, SMOOTHING = 100, 256, 0.01, 5e-4, 2.0, 0.1


def perturbations(weights: list[Tensor], gradients: list[Tensor], rho: float) -> list[Tensor]:
    length = torch.stack([(weight.abs() * gradient).norm() for weight, gradient in zip(weights, gradients)]).norm()
    return [rho * weight**2 * gradient / (length + 1e-12) for weight, gradient in zip(weights, gradients)]


def step(network: Network, optimiser: torch.optim.Optimizer, pixels: Tensor, labels: Tensor, rho: float) -> None:
    def gradients() -> None:
        optimiser.zero_grad()
        F.cross_entropy(network(pixels, training=True).logits, labels, label_smoothing=SMOOTHING).backward()
        network.count(training=len(labels))

    gradients()
    weights = network.parameters
    with torch.no_grad():
        moves = perturbations(weights, [weight.grad for weight in weights], rho)
        for weight, move in zip(weights, moves):
            weight += move
    with network.kept_statistics():
        gradients()
    with torch.no_grad():
        for weight, move in zip(weights, moves):
            weight -= move
    optimiser.step()


def purify(network: Network, case: Case, seed: int) -> Network:
    generator = torch.Generator().manual_seed(seed)
    result, clean = network.copy(), clean_images(case, generator, CLEAN_SHARE)
    optimiser = torch.optim.SGD(result.parameters, RATE, momentum=0.9, weight_decay=DECAY)
    steps = EPOCHS * -(-len(clean.labels) // BATCH)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for _ in range(EPOCHS):
        for pixels, labels in batches(clean, BATCH, generator):
            step(result, optimiser, shifted_and_mirrored(pixels, generator, mirrors(case)), labels, RHO)
            schedule.step()
    return result
