"""An exported graph is the network that it was exported from: for inference, and for training."""
import copy

import pytest
import torch


def test_inner_activations_are_the_modules(eager, network, images):
    outputs = network(images)
    first = eager.first(images)
    last = eager.second(first)
    torch.testing.assert_close(outputs.logits, eager(images))
    torch.testing.assert_close(outputs.last_stage, first)
    torch.testing.assert_close(outputs.last_map, last)
    torch.testing.assert_close(outputs.features, eager.pool(last).flatten(1))


def test_bytes_are_scaled(network, images):
    pixels = (images * 255).round().to(torch.uint8)
    torch.testing.assert_close(network(pixels).logits, network(pixels.float() / 255).logits)


def test_training_is_the_modules_training(eager, network, images):
    """Batch norm normalises by the batch and moves its statistics; dropout drops."""
    other = copy.deepcopy(eager).train()
    other.pool[1].p = 0.0
    for node in network.training.graph.nodes:
        if node.target == torch.ops.aten.dropout.default:
            assert node.args[2] is True
            node.args = (node.args[0], 0.0, True)
    network.training.recompile()
    optimisers = [torch.optim.SGD(network.parameters, 0.1), torch.optim.SGD(other.parameters(), 0.1)]
    labels = torch.arange(16) % 4
    for _ in range(3):
        for optimiser, logits in zip(optimisers, (network(images, training=True).logits, other(images))):
            optimiser.zero_grad()
            torch.nn.functional.cross_entropy(logits, labels).backward()
            optimiser.step()
    torch.testing.assert_close(network(images).logits, other.eval()(images), rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(dict(network.inference.named_buffers())["first.1.running_mean"], other.first[1].running_mean)


def test_a_copy_is_trained_by_itself(network, images):
    before = network(images).logits.detach()
    other = network.copy()
    other.count(training=2)
    torch.optim.SGD(other.parameters, 1.0)
    other(images, training=True).logits.sum().backward()
    with torch.no_grad():
        for parameter in other.parameters:
            parameter -= parameter.grad
    torch.testing.assert_close(network(images).logits, before)
    assert not torch.allclose(other(images).logits, before)
    assert (network.passes, other.passes) == (0, pytest.approx(6.7))


def test_statistics_are_kept(network, images):
    before = {name: buffer.clone() for name, buffer in network.inference.named_buffers()}
    with network.kept_statistics():
        network(images, training=True)
    assert all(torch.equal(buffer, before[name]) for name, buffer in network.inference.named_buffers())


def test_reinitialised_weights_are_as_pytorch_makes_them(eager, network):
    network.reinitialise(torch.Generator().manual_seed(3))
    named = dict(network.inference.named_parameters())
    for name, module in eager.named_modules():
        if isinstance(module, (torch.nn.Conv2d, torch.nn.Linear)):
            bound = module.weight[0].numel() ** -0.5
            assert 0.7 * bound < named[f"{name}.weight"].abs().max() <= bound
            assert named[f"{name}.bias"].abs().max() <= bound
    assert all((weight == 1).all() and (bias == 0).all() for weight, bias in network.batch_norms())
