"""Neural attention distillation. Y. Li et al.: Neural Attention Distillation. ICLR 2021.

A teacher is the model after ten epochs of fine-tuning on 5 % clean data. The model is then trained on that data with the cross
entropy and β times the squared difference between its attention map and the teacher's (equations 2 to 4, A² summed over
channels, of unit length) of the last convolutions. Settings of the authors' code: 20 epochs, batch 64, SGD with Nesterov's
momentum 0.9, weight decay 1e-4, learning rate 0.1 for two epochs and 0.01 then, β = 5000, p = 2; crops, mirroring, cutout.
"""
import torch
from torch import Tensor
from torch.nn import functional as F

from peers.cases import Case
from peers.network import Network
from peers.training import batches, clean_images, cutout, mirrors, shifted_and_mirrored, train

TEACHER_EPOCHS, EPOCHS, BATCH, RATES, DECAY, BETA = 10, 20, 64, (0.1, 0.01), 1e-4, 5000


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
        teacher, case, clean, generator, epochs=TEACHER_EPOCHS, batch=BATCH, rate=RATES[0], weight_decay=DECAY)
    optimiser = torch.optim.SGD(result.parameters, RATES[0], momentum=0.9, weight_decay=DECAY, nesterov=True)
    for epoch in range(EPOCHS):
        optimiser.param_groups[0]["lr"] = RATES[0 if epoch < 2 else 1]
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
