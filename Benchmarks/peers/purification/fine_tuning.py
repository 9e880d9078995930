"""Fine-tuning on clean images, with the settings of BackdoorBench (B. Wu et al., NeurIPS 2022): clean data of 5 % of the training
set's number, 100 epochs, batch 256, SGD with momentum 0.9, learning rate 0.01 (cosine), weight decay 5e-4, crops, mirroring.
"""
import torch

from peers.cases import Case
from peers.network import Network
from peers.training import clean_images, train


def purify(network: Network, case: Case, seed: int) -> Network:
    generator = torch.Generator().manual_seed(seed)
    result = network.copy()
    train(result, case, clean_images(case, generator), generator, epochs=100, batch=256, rate=0.01, weight_decay=5e-4)
    return result
