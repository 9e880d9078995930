"""ABL, its unlearning. Y. Li et al.: Anti-Backdoor Learning. NeurIPS 2021.

A network with new weights is trained on the whole training set with local gradient ascent, sign(l - γ) l (equation 3), for
20 epochs; the 1 % of the samples with the least loss are isolated. The model is then trained to increase its loss on them
(equation 4). Settings of the paper and its code: γ = 0.5, batch 64, SGD with momentum 0.9, learning rate 0.1, weight decay
1e-4, crops and mirroring; unlearning with learning rate 5e-4 for five epochs, without augmentation. The paper trains its own
model on the other 99 % before; here that is the model that was given.
"""
import torch
from torch import Tensor
from torch.nn import functional as F

from peers.cases import Case, Images
from peers.network import Network
from peers.training import batches, constant, train

GAMMA, ISOLATED, EPOCHS, BATCH, RATE, DECAY = 0.5, 0.01, 20, 64, 0.1, 1e-4
UNLEARNING_EPOCHS, UNLEARNING_RATE = 5, 5e-4


def local_gradient_ascent(logits: Tensor, labels: Tensor) -> Tensor:
    loss = F.cross_entropy(logits, labels)
    return torch.sign(loss - GAMMA) * loss


def isolate(network: Network, case: Case, generator: torch.Generator) -> Images:
    isolation = network.copy()
    isolation.reinitialise(generator)
    train(
        isolation, case, case.training, generator, epochs=EPOCHS, batch=BATCH, rate=RATE, weight_decay=DECAY, schedule=constant,
        loss=local_gradient_ascent)
    losses = F.cross_entropy(
        isolation.logits(case.training.pixels), torch.from_numpy(case.training.labels), reduction="none")
    network.passes += isolation.passes
    return case.training[losses.argsort()[:int(ISOLATED * len(losses))].numpy()]


def purify(network: Network, case: Case, seed: int) -> Network:
    generator = torch.Generator().manual_seed(seed)
    result = network.copy()
    isolated = isolate(result, case, generator)
    optimiser = torch.optim.SGD(result.parameters, UNLEARNING_RATE, momentum=0.9, weight_decay=DECAY, nesterov=True)
    for _ in range(UNLEARNING_EPOCHS):
        for pixels, labels in batches(isolated, BATCH, generator):
            optimiser.zero_grad()
            (-F.cross_entropy(result(pixels, training=True).logits, labels)).backward()
            optimiser.step()
            result.count(training=len(labels))
    return result
