import pathlib
import sys

import pytest
import torch
from torch import nn

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))

from peers.network import Network  # noqa: E402


class Small(nn.Module):
    """Two stages of convolutions, batch norm, dropout; 4 classes of 8 x 8 images."""

    def __init__(self):
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(3, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU(inplace=True), nn.MaxPool2d(2))
        self.second = nn.Sequential(nn.Conv2d(6, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(inplace=True))
        self.pool = nn.Sequential(nn.MaxPool2d(2), nn.Dropout(0.5))
        self.classifier = nn.Linear(32, 4)

    def forward(self, x):
        return self.classifier(self.pool(self.second(self.first(x))).flatten(1))


def export(module: nn.Module, path: pathlib.Path, side: int = 8) -> Network:
    program = torch.export.export(
        module.eval(), (torch.zeros(2, 3, side, side),), dynamic_shapes=({0: torch.export.Dim("batch", min=1)},))
    torch.export.save(program, path)
    return Network(path)


@pytest.fixture
def eager() -> Small:
    torch.manual_seed(0)
    module = Small()
    with torch.no_grad():
        for norm in (module.first[1], module.second[1]):
            norm.running_mean.normal_(0, 0.2)
            norm.running_var.uniform_(0.5, 1.5)
    return module


@pytest.fixture
def network(eager, tmp_path) -> Network:
    return export(eager, tmp_path / "model.pt2")


@pytest.fixture
def images() -> torch.Tensor:
    return torch.rand(16, 3, 8, 8, generator=torch.Generator().manual_seed(1))
