"""Neural attention distillation. Y. Li et al.: Neural Attention Distillation. ICLR 2021.

A teacher is the model after ten epochs of fine-tuning on clean data. The model is then trained on that data for as many, with
the cross entropy and β times the squared difference between its attention map and the teacher's (equations 2 to 4: A² summed over
channels, of unit length), of the last convolutions. Settings of BackdoorBench as its code runs, which is not what its
configuration says (100 epochs, cosine, weight decay 1e-4): clean data of 5 % of the training set's number, ten epochs, batch 256,
SGD with momentum 0.9, learning rate 0.01 throughout (for the teacher, the first tenth of a cosine), weight decay 5e-4, β = 1000,
p = 2; crops, mirroring and the authors' cutout. With the settings of the authors' code, a learning rate of 0.1 for two epochs
and β = 5000, these small networks lose more than half of their accuracy.
"""
import torch
from torch import Tensor
from torch.nn import functional as F

from peers.cases import Case
from peers.network import Network
from peers.training import batches, clean_images, cosine, cutout, mirrors, shifted_and_mirrored, train

EPOCHS, BATCH, RATE, DECAY, BETA = 10, 256, 0.01, 5e-4, 1000


def attention(maps: Tensor) -> Tensor:
    summed = maps.abs().pow(2).sum(1, keepdim=True)
    return summed / (summed.flatten(1).norm(dim=1).view(-1, 1, 1, 1) + 1e-6)


def distance(student: Tensor, teacher: Tensor) -> Tensor:
    return F.mse_loss(attention(student), attention(teacher))


def purify(network: Network, case: Case, seed: int) -> Network:
    generator = torch.Generator().manual_seed(seed)
    clean = clean_images(case, generator)
    teacher, result = network.copy(), network.copy()
    train(
        teacher, case, clean, generator, epochs=EPOCHS, batch=BATCH, rate=RATE, weight_decay=DECAY,
        schedule=lambda epoch, _: cosine(epoch, 100))
    optimiser = torch.optim.SGD(result.parameters, RATE, momentum=0.9, weight_decay=DECAY)
    for _ in range(EPOCHS):
        for pixels, labels in batches(clean, BATCH, generator):
            pixels = cutout(shifted_and_mirrored(pixels, generator, mirrors(case)), generator, 3)
            with torch.no_grad():
                wanted = teacher(pixels).last_map
            own = result(pixels, training=True)
            optimiser.zero_grad()
            (F.cross_entropy(own.logits, labels) + BETA * distance(own.last_map, wanted)).backward()
            optimiser.step()
            result.count(training=len(labels), forwards=len(labels))
    result.passes += teacher.passes
    return result
