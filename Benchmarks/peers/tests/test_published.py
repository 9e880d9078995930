"""Each method against what published code of it computes on the same inputs (published/NAME.json, by publish.py)."""
import json
import pathlib
import types

import numpy as np
import pytest
import seeded
import torch
from conftest import export

from peers.cases import Images
from peers.detection import beatrix, ibd_psc, scale_up, scan
from peers.purification import abl, ft_sam, i_bau, nad


def published(name: str) -> types.SimpleNamespace:
    path = pathlib.Path(__file__).parent / "published" / f"{name}.json"
    return types.SimpleNamespace(**json.loads(path.read_text())["values"])


@pytest.fixture
def tiny(tmp_path):
    def network(seed: int, double: bool = False):
        """In double precision where steps would make float32's rounding large."""
        made = export(seeded.Tiny(seed), tmp_path / f"{seed}.pt2")
        if double:
            made.mean, made.std = made.mean.double(), made.std.double()
            made.inference.double()
        return made.copy()

    return network


def case(count: int, pixels: int, labels: int) -> Images:
    return Images(seeded.images(count, pixels), seeded.labels(count, labels), [str(place) for place in range(count)])


def close(found, expected, tolerance: float) -> None:
    expected = torch.as_tensor(expected, dtype=torch.float64)
    torch.testing.assert_close(torch.as_tensor(found).detach().double(), expected, rtol=tolerance, atol=tolerance)


def same_network(network, theirs, pixels: torch.Tensor, tolerance: float) -> None:
    parameters, buffers = (dict(named()) for named in (network.inference.named_parameters, network.inference.named_buffers))
    close(parameters["layers.0.0.weight"], theirs.first, tolerance)
    close(parameters["classifier.weight"], theirs.last, tolerance)
    close(buffers["layers.7.1.running_var"], theirs.variance, tolerance)
    close(network.logits(pixels), theirs.logits, tolerance)


def test_scan(monkeypatch):
    theirs = published("scan")
    clean, of_clean, features, given = seeded.identities(1)
    between, within = scan.covariances(clean - clean.mean(0), of_clean)
    # Theirs stops the estimation at a change of 0.01, ours at 1e-5.
    close(between, theirs.between, 2e-3)
    close(within, theirs.within, 2e-3)
    between, within = np.array(theirs.between), np.array(theirs.within)
    features = features - features.mean(0)
    ours = [scan.likelihood_ratio(features[given == k], between, within, np.random.default_rng(0)) for k in range(8)]
    # From ten starts, ours finds what theirs finds from one, or better.
    assert all(ratio > other - 1e-6 for (ratio, _), other in zip(ours, theirs.ratios))
    # On the same groups, the same ratio.
    planted = np.array([list(map(int, groups)) for groups in theirs.groups], bool)
    assert (ours[7][1] == planted[7]).mean() in (0, 1)
    close(ours[7][0], theirs.ratios[7], 1e-6)
    precision = np.linalg.pinv(within)
    for k in range(8):
        parts = [features[given == k][planted[k] == side] for side in (False, True)]
        inner = sum(scan.mahalanobis(part - part.mean(0), precision).sum() for part in parts)
        monkeypatch.setattr(scan, "two_groups", lambda *_, inner=inner: (None, inner))
        close(scan.likelihood_ratio(features[given == k], between, within, None)[0], theirs.ratios[k], 1e-6)
    # Theirs counts classes that stand below the others, too.
    close(np.abs(scan.anomaly(np.array(theirs.ratios))), theirs.index, 1e-6)


def test_beatrix():
    theirs = published("beatrix")
    clean, other = seeded.maps(30, 1), torch.cat([seeded.maps(40, 2), seeded.maps(10, 3, 4)])
    above = torch.triu_indices(5, 5)
    close(beatrix.gram(other[:3], 3), np.array(theirs.gram).reshape(3, 5, 5)[:, above[0], above[1]], 1e-6)
    limit, deviations = beatrix.threshold(clean), beatrix.Deviations(clean)(other)
    close(limit, theirs.threshold, 1e-6)
    close(deviations, theirs.deviations, 1e-6)
    flagged = deviations > limit
    assert 0 < flagged.sum() < 50
    close(beatrix.kernel_mmd(other.mean((2, 3))[~flagged], other.mean((2, 3))[flagged]), theirs.distance, 1e-5)


def test_ibd_psc(tiny):
    theirs = published("ibd_psc")
    network, pixels = tiny(2), seeded.images(100, 3)
    assert ibd_psc.first_layers(network, pixels, torch.tensor(theirs.labels)) == theirs.first > 1
    clean = Images(pixels, np.array(theirs.labels), [""] * 100)
    found = ibd_psc.detect(network, types.SimpleNamespace(clean=clean, training=clean), 0)
    close(found.scores, theirs.scores, 1e-4)
    # Theirs flags a score of exactly 0.9, too.
    np.testing.assert_array_equal(found.flags, np.array(theirs.scores) >= 0.9)


def test_scale_up(tiny):
    theirs = published("scale_up")
    found = scale_up.detect(tiny(2), types.SimpleNamespace(training=Images(seeded.images(100, 3), None, [])), 0)
    close(found.scores, theirs.scores, 1e-6)
    np.testing.assert_array_equal(found.flags, np.array(theirs.flags, bool))


def test_i_bau(tiny, monkeypatch):
    theirs = published("i_bau")
    network, images, found = tiny(21), case(310, 18, 19)[np.arange(300)], []
    universal = i_bau.universal
    monkeypatch.setattr(i_bau, "universal", lambda *arguments: found.append(universal(*arguments)) or found[-1])
    i_bau.unlearn(network, images, torch.Generator().manual_seed(20), 2)
    close(found[-1][0], theirs.perturbation, 1e-4)
    same_network(network, theirs, seeded.images(310, 18)[:10], 1e-4)


def test_ft_sam(tiny, monkeypatch):
    theirs = published("ft_sam")
    # Theirs gives each wrong class 0.1 / (n - 1), PyTorch 0.1 / n.
    monkeypatch.setattr(ft_sam, "SMOOTHING", ft_sam.SMOOTHING * seeded.CLASSES / (seeded.CLASSES - 1))
    network, pixels = tiny(5, double=True), seeded.images(64, 6)
    optimiser = torch.optim.SGD(network.parameters, ft_sam.RATE, momentum=0.9, weight_decay=ft_sam.DECAY)
    for _ in range(3):
        ft_sam.step(network, optimiser, pixels, torch.from_numpy(seeded.labels(64, 7)), ft_sam.RHO)
    same_network(network, theirs, pixels[:10], 1e-6)


def test_nad(tiny, monkeypatch):
    theirs = published("nad")
    one, other = seeded.maps(4, 12), seeded.maps(4, 13)
    close(nad.attention(one), theirs.attention, 1e-6)
    close(nad.distance(one, other), theirs.distance, 1e-6)
    student, images = tiny(8, double=True), case(64, 10, 11)

    def teach(network, *_, **__):
        with torch.no_grad():
            for own, wanted in zip(network.inference.state_dict().values(), tiny(9).inference.state_dict().values()):
                own.copy_(wanted)

    # Three epochs of one batch as it is, with a teacher that is given.
    for name, value in {
            "train": teach, "clean_images": lambda *_: images, "shifted_and_mirrored": lambda pixels, *_: pixels,
            "cutout": lambda pixels, *_: pixels, "EPOCHS": 3}.items():
        monkeypatch.setattr(nad, name, value)
    purified = nad.purify(student, types.SimpleNamespace(name=""), 0)
    same_network(purified, theirs, images.pixels[:10], 1e-6)


def test_abl(tiny, monkeypatch):
    theirs = published("abl")
    images = case(400, 14, 15)
    pixels, labels = images.pixels.float() / 255, torch.from_numpy(images.labels)
    learnt = tiny(17)
    with torch.no_grad():
        for name in ("classifier.weight", "classifier.bias"):
            dict(learnt.inference.named_parameters())[name].mul_(8)
        start = dict(learnt.inference.named_parameters())["classifier.weight"].clone()
    optimiser, signs = torch.optim.SGD(learnt.parameters, 0.001, momentum=0.9, weight_decay=abl.DECAY), []
    for part, wanted in ((pixels[:64], torch.tensor(theirs.known)), (pixels[64:128], labels[64:128])):
        optimiser.zero_grad()
        loss = abl.local_gradient_ascent(learnt(part, training=True).logits, wanted)
        loss.backward()
        optimiser.step()
        signs.append(bool(loss > 0))
    assert signs == [False, True]
    # Steps are small beside the weights: what they changed is compared, within a float's rounding of these.
    moved = dict(learnt.inference.named_parameters())["classifier.weight"].detach() - start
    wanted = torch.tensor(theirs.ascended).reshape(start.shape) - start
    np.testing.assert_allclose(moved, wanted, rtol=0, atol=2e-6)
    assert wanted.abs().max() > 1e-4

    network, whole = tiny(16), types.SimpleNamespace(training=images)
    monkeypatch.setattr(abl, "train", lambda *_, **__: None)
    monkeypatch.setattr(type(network), "reinitialise", lambda *_: None)
    assert abl.isolate(network, whole, torch.Generator()).names == [str(place) for place in theirs.least]
    monkeypatch.setattr(abl, "isolate", lambda *_: images[np.arange(64)])
    same_network(abl.purify(network, whole, 0), theirs, images.pixels[:10], 1e-4)
