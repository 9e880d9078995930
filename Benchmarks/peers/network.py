"""A `.pt2` classifier as the methods need it: its logits and inner activations, trainable, with its passes counted."""
from __future__ import annotations

import copy
import pathlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from cost import GRADIENT, TRAINING

ATEN = torch.ops.aten
SOFTMAX = {ATEN.softmax.int, ATEN._softmax.default, ATEN.log_softmax.int}


class NotApplicable(Exception):
    """The method can't be run on this model, and why."""


@dataclass
class Outputs:
    logits: Tensor
    #: What the last linear layer is given.
    features: Tensor
    #: What the last convolutions leave, before it is pooled.
    last_map: Tensor
    #: What the convolutions of the last resolution are given.
    last_stage: Tensor


class Network:
    """Takes images from 0 to 1 (or bytes), scales them as the model wants them.

    An exported graph is one for inference: batch norm has its running statistics and dropout does nothing, whatever
    `.train()` says. For training, the same graph is taken with these operators in training mode, on the same weights.
    """

    def __init__(self, path: pathlib.Path, mean: tuple[float, ...] = (0.0,), std: tuple[float, ...] = (1.0,)):
        # The order of values in memory with which PyTorch is fastest on a processor.
        module = torch.export.load(path).module().to(memory_format=torch.channels_last)
        graph = module.graph
        graph.set_codegen(torch.fx.CodeGen())
        show_activations(graph)
        self.inference = torch.fx.GraphModule(module, graph)
        self.training = torch.fx.GraphModule(self.inference, training_graph(graph))
        self.mean = torch.tensor(mean).view(1, -1, 1, 1)
        self.std = torch.tensor(std).view(1, -1, 1, 1)
        #: Passes so far, in forward passes of one image.
        self.passes = 0.0
        #: What the job that purified it said, where one did.
        self.verdict: str | None = None

    def __call__(self, images: Tensor, training: bool = False) -> Outputs:
        """Differentiable; what it costs is for the caller to `count`."""
        if images.dtype == torch.uint8:
            images = images.float() / 255
        module = self.training if training else self.inference
        return Outputs(*module(((images - self.mean) / self.std).contiguous(memory_format=torch.channels_last)))

    def count(self, forwards: float = 0, gradients: float = 0, training: float = 0) -> None:
        self.passes += forwards + GRADIENT * gradients + TRAINING * training

    def _each(self, images: Tensor, batch: int = 100) -> Iterator[Outputs]:
        with torch.no_grad():
            for part in images.split(batch):
                self.count(forwards=len(part))
                yield self(part)

    def logits(self, images: Tensor) -> Tensor:
        return torch.cat([part.logits for part in self._each(images)])

    def predictions(self, images: Tensor) -> Tensor:
        return self.logits(images).argmax(1)

    def features(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Of the penultimate layer; and the logits."""
        parts = list(self._each(images))
        return torch.cat([part.features for part in parts]), torch.cat([part.logits for part in parts])

    def last_stage(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """What the last stage of convolutions is given; and the logits."""
        parts = list(self._each(images))
        return torch.cat([part.last_stage for part in parts]), torch.cat([part.logits for part in parts])

    @property
    def parameters(self) -> list[nn.Parameter]:
        return list(self.inference.parameters())

    def batch_norms(self) -> list[tuple[nn.Parameter, nn.Parameter]]:
        """Weight and bias of each batch norm, first to last."""
        nodes = [node for node in self.inference.graph.nodes if node.target == ATEN.batch_norm.default]
        named = dict(self.inference.named_parameters())
        return [(named[node.args[1].target], named[node.args[2].target]) for node in nodes]

    @contextmanager
    def kept_statistics(self) -> Iterator[None]:
        """Batch norm's running statistics are put back afterwards."""
        kept = {name: buffer.clone() for name, buffer in self.inference.named_buffers()}
        try:
            yield
        finally:
            for name, buffer in self.inference.named_buffers():
                buffer.copy_(kept[name])

    def copy(self) -> Network:
        """With weights of its own; its passes count for the original too."""
        result = copy.copy(self)
        result.inference = copy.deepcopy(self.inference)
        result.training = torch.fx.GraphModule(result.inference, training_graph(result.inference.graph))
        result.passes = 0.0
        return result

    def reinitialise(self, generator: torch.Generator) -> None:
        """PyTorch's initial weights of convolutions, linear layers and batch norms."""
        norms = {id(part): value for weight, bias in self.batch_norms() for part, value in ((weight, 1.0), (bias, 0.0))}
        fan = 1
        with torch.no_grad():
            for parameter in self.parameters:
                if id(parameter) in norms:
                    parameter.fill_(norms[id(parameter)])
                    continue
                if parameter.dim() > 1:  # a bias follows its weight
                    fan = parameter[0].numel()
                parameter.uniform_(-(fan**-0.5), fan**-0.5, generator=generator)
            for name, buffer in self.inference.named_buffers():
                if name.endswith("running_var"):
                    buffer.fill_(1)
                elif buffer.is_floating_point():
                    buffer.zero_()


def shape(node: torch.fx.Node) -> tuple[int, ...]:
    """Height and width of a node's value, nothing where it is none of an image."""
    value = node.meta.get("val")
    return tuple(int(side) for side in value.shape[2:]) if isinstance(value, Tensor) and value.dim() == 4 else ()


def show_activations(graph: torch.fx.Graph) -> None:
    """Makes the graph answer with the fields of `Outputs`, logits before a softmax."""
    nodes = list(graph.nodes)
    output = nodes[-1]
    logits = output.args[0][0]
    if logits.target in SOFTMAX:
        logits = logits.args[0]
    linears = [node for node in nodes if node.target == ATEN.linear.default]
    convolutions = [node for node in nodes if node.target == ATEN.conv2d.default]
    if not linears or not convolutions:
        raise NotApplicable("The network has no convolution or no linear layer.")
    last = shape(convolutions[-1])
    start = len(convolutions) - 1
    while start > 0 and shape(convolutions[start - 1]) == last:
        start -= 1
    maps = [node for node in nodes[nodes.index(convolutions[-1]):] if shape(node) == last]
    output.args = ((logits, linears[-1].args[0], maps[-1], convolutions[start].args[0]),)
    graph.eliminate_dead_code()
    graph.lint()


def training_graph(graph: torch.fx.Graph) -> torch.fx.Graph:
    """The same with batch norm and dropout as they are in training."""
    result = torch.fx.Graph()
    result.output(result.graph_copy(graph, {}))
    for node in result.nodes:
        place = {ATEN.batch_norm.default: 5, ATEN.dropout.default: 2}.get(node.target)
        if place is not None:
            node.args = (*node.args[:place], True, *node.args[place + 1:])
    return result
