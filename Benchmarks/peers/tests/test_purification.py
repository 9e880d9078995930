"""Each purification against closed forms of what it minimises."""
import types

import numpy as np
import pytest
import torch

from peers import training
from peers.cases import Images
from peers.purification import abl, fine_tuning, ft_sam, i_bau, known_labels, nad


def test_the_hypergradient_of_a_quadratic_problem_is_exact():
    """min over θ of ½‖δ*(θ) - t‖² + ½‖θ‖² with δ*(θ) = argmin ½ δᵀA δ - θᵀB δ = A⁻¹Bᵀθ: the gradient is B A⁻¹(δ* - t) + θ."""
    generator = torch.Generator().manual_seed(0)
    root = torch.randn(4, 4, generator=generator, dtype=torch.float64)
    a = root @ root.T / 4 + torch.eye(4, dtype=torch.float64)
    b = torch.randn(3, 4, generator=generator, dtype=torch.float64)
    target = torch.randn(4, generator=generator, dtype=torch.float64)
    theta = torch.randn(3, generator=generator, dtype=torch.float64).requires_grad_()
    best = torch.linalg.solve(a, b.T @ theta.detach())

    def inner_step(point):
        return point - 0.1 * (a @ point - b.T @ theta)

    def outer_loss(point):
        return (point - target).pow(2).sum() / 2 + theta.pow(2).sum() / 2

    found, = i_bau.hypergradient(inner_step, outer_loss, best, [theta], iterations=600)
    exact = b @ torch.linalg.solve(a, best - target) + theta.detach()
    torch.testing.assert_close(found, exact, rtol=1e-6, atol=1e-8)


def test_the_universal_perturbation_raises_the_loss(network, images):
    labels = network.predictions(images)
    found = i_bau.universal(network, [(images, labels)] * 3)
    loss = torch.nn.functional.cross_entropy
    assert found.shape == (1, 3, 8, 8)
    assert loss(network(images + found).logits, labels) > loss(network(images).logits, labels)


def test_sharpness_aware_perturbations_have_length_rho():
    weights = [torch.tensor([1.0, -2.0]), torch.tensor([[0.5]])]
    gradients = [torch.tensor([3.0, 1.0]), torch.tensor([[-4.0]])]
    moves = ft_sam.perturbations(weights, gradients, 2.0)
    # In units of the weights, along the scaled gradient.
    scaled = torch.cat([(move / weight.abs()).flatten() for move, weight in zip(moves, weights)])
    along = torch.cat([(weight.abs() * gradient).flatten() for weight, gradient in zip(weights, gradients)])
    assert scaled.norm().item() == pytest.approx(2.0, rel=1e-5)
    torch.testing.assert_close(scaled, 2.0 * along / along.norm())


def test_a_step_without_perturbation_is_one_of_fine_tuning(network, images):
    """With ρ = 0, and else a different one at the same weights."""
    labels = torch.arange(16) % 4
    results = {}
    for node in network.training.graph.nodes:
        if node.target == torch.ops.aten.dropout.default:
            node.args = (node.args[0], 0.0, True)
    for rho in (0.0, 0.5, None):
        other = network.copy()
        for node in other.training.graph.nodes:
            if node.target == torch.ops.aten.dropout.default:
                node.args = (node.args[0], 0.0, True)
        other.training.recompile()
        optimiser = torch.optim.SGD(other.parameters, 0.1)
        if rho is None:
            loss = torch.nn.functional.cross_entropy(other(images, training=True).logits, labels, label_smoothing=0.1)
            loss.backward()
            optimiser.step()
        else:
            ft_sam.step(other, optimiser, images, labels, rho)
        results[rho] = torch.cat([parameter.detach().flatten() for parameter in other.parameters])
    torch.testing.assert_close(results[0.0], results[None])
    assert not torch.allclose(results[0.5], results[None])


def test_attention_maps():
    maps = torch.randn(2, 3, 4, 4, generator=torch.Generator().manual_seed(2))
    found = nad.attention(maps)
    expected = (maps**2).sum(1)
    expected = expected / expected.flatten(1).norm(dim=1)[:, None, None]
    torch.testing.assert_close(found[:, 0], expected, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(nad.attention(3 * maps), found, rtol=1e-4, atol=1e-6)
    assert nad.distance(maps, maps) == 0 and nad.distance(maps, maps.flip(-1)) > 0


def test_local_gradient_ascent_turns_round_below_gamma():
    labels = torch.tensor([0])
    for logit, sign in ((3.0, -1), (-1.0, 1)):
        logits = torch.tensor([[logit, 0.0]])
        loss = torch.nn.functional.cross_entropy(logits, labels)
        assert abl.local_gradient_ascent(logits, labels).item() == pytest.approx(sign * loss.item())


def test_crops_are_shifts_by_at_most_four():
    images = torch.arange(1, 65.0).view(1, 1, 8, 8).repeat(30, 1, 1, 1)
    crops = training.shifted_and_mirrored(images, torch.Generator().manual_seed(3), mirror=False)
    padded = torch.nn.functional.pad(images[0], (4, 4, 4, 4))
    allowed = {padded[:, y:y + 8, x:x + 8].numpy().tobytes() for y in range(9) for x in range(9)}
    found = {crop.contiguous().numpy().tobytes() for crop in crops}
    assert found <= allowed and len(found) > 10
    mirrored = training.shifted_and_mirrored(images, torch.Generator().manual_seed(3))
    turned = (mirrored != crops).flatten(1).any(1)
    assert 5 < turned.sum() < 25
    torch.testing.assert_close(mirrored[turned], crops[turned].flip(-1))


def test_cutout_is_one_square():
    cut = training.cutout(torch.ones(20, 2, 8, 8), torch.Generator().manual_seed(4), 3)
    sizes = [(image[0] == 0).sum().item() for image in cut]
    assert max(sizes) == 9 and min(sizes) >= 4


def test_true_labels_reach_the_training(network, monkeypatch):
    """Relabelled, and without poison whose label is true already."""
    given, true = np.array([0, 0, 1, 2]), np.array([0, 3, 1, 2])
    case = types.SimpleNamespace(
        name="x", poisoned=np.array([False, True, True, False]), true_labels=true,
        training=Images(torch.zeros(4, 3, 8, 8, dtype=torch.uint8), given, list("abcd")))
    seen = {}
    monkeypatch.setattr(known_labels, "train", lambda network, case, images, generator, **_: seen.update(images=images))
    known_labels.purify(network, case, 0)
    assert seen["images"].names == ["a", "b", "d"] and seen["images"].labels.tolist() == [0, 3, 2]


@pytest.fixture
def small_case():
    generator = torch.Generator().manual_seed(5)

    def images(count):
        pixels = torch.randint(0, 256, (count, 3, 8, 8), generator=generator, dtype=torch.uint8)
        return Images(pixels, np.arange(count) % 4, [str(i) for i in range(count)])

    training_images = images(200)
    return types.SimpleNamespace(
        name="x", training=training_images, clean=images(60), true_labels=training_images.labels,
        poisoned=np.zeros(200, bool))


@pytest.mark.parametrize("method", [fine_tuning, ft_sam, nad, i_bau, abl, known_labels], ids=lambda module: module.__name__)
def test_each_changes_a_network_of_its_own(network, images, small_case, method):
    before = network(images).logits.detach()
    torch.manual_seed(0)
    purified = method.purify(network, small_case, 1)
    torch.testing.assert_close(network(images).logits.detach(), before)
    after = purified(images).logits.detach()
    assert after.isfinite().all() and not torch.allclose(after, before)
    assert purified.passes + network.passes > len(small_case.clean.labels)


def test_isolated_samples_have_the_least_loss(network, small_case):
    """Where one part of the data is learnt at once, it is isolated."""
    small_case.training.pixels[:20] = 255
    small_case.training.labels[:20] = 0
    isolated = abl.isolate(network, small_case, torch.Generator().manual_seed(1))
    assert len(isolated.labels) == 2 and set(map(int, isolated.names)) <= set(range(20))
