"""Each detection against a library that computes it (ART), or closed forms."""
import types

import numpy as np
import pytest
import torch
from art.defences.detector.poison import SpectralSignatureDefense
from art.defences.detector.poison.activation_defence import cluster_activations
from art.estimators.poison_mitigation.strip import strip as art_strip
from sklearn.metrics import roc_curve, silhouette_score

from peers.detection import activation_clustering, beatrix, boundary_distance, ibd_psc, scale_up, scan, spectral_signatures
from peers.detection import strip


def test_spectral_signatures_are_arts():
    random = np.random.default_rng(0)
    features = random.normal(size=(200, 12)) * np.linspace(1, 3, 12)
    features[:20] += 6
    features -= features.mean(0)  # ART projects features that are not centred
    theirs = SpectralSignatureDefense.spectral_signature_scores(features)[:, 0]
    np.testing.assert_allclose(spectral_signatures.outlier_scores(features), theirs**2, rtol=1e-6)


@pytest.mark.parametrize("planted", [150, 450])
def test_activation_clustering_is_arts(planted):
    random = np.random.default_rng(2)
    features = random.normal(size=(1000, 20))
    features[:planted] += 8 * random.normal(size=20)
    smaller, silhouette = activation_clustering.split(features, 0)
    # ART starts k-means once, and we ten times: the best of its ten.
    theirs = []
    for seed in range(10):
        np.random.seed(seed)
        (clusters,), (reduced,) = cluster_activations([features])
        theirs.append((silhouette_score(reduced, clusters), clusters))
    best, clusters = max(theirs, key=lambda one: one[0])
    assert silhouette == pytest.approx(best, abs=0.01)
    np.testing.assert_array_equal(smaller, clusters == np.bincount(clusters).argmin())
    assert (smaller == (np.arange(1000) < planted)).mean() > 0.95


def test_strip_entropies_are_arts(network, monkeypatch):
    """ART halves the images that it mixes, and takes entropies down the columns of what the model predicts."""
    pixels = (torch.rand(3, 3, 8, 8, generator=torch.Generator().manual_seed(4)) * 110).to(torch.uint8)
    overlay = pixels[2:]
    with torch.no_grad():  # else it is hardly surer of one image than of another
        dict(network.inference.named_parameters())["classifier.weight"].mul_(30)
    found = []
    monkeypatch.setattr(art_strip, "norm", types.SimpleNamespace(fit=lambda x: (found.extend(x), 1), ppf=lambda *_, **__: 0))
    for image in pixels[:2]:
        # As both its own images and those laid over them are the validation data's, only this one overlay is left.
        monkeypatch.setattr(art_strip, "combine_images", lambda _, other, image=image: (
            image.float() / 255 + torch.from_numpy(other)).numpy())
        predict = lambda mixed: network.logits(torch.from_numpy(mixed)).softmax(1).numpy().T  # noqa: E731
        art_strip.STRIPMixin(predict, num_samples=strip.OVERLAYS).mitigate((overlay.float() / 255).numpy())
    ours = strip.mean_entropies(network, pixels[:2], overlay, torch.Generator().manual_seed(0))
    np.testing.assert_allclose(ours, found, rtol=1e-4)
    assert ours[0] != pytest.approx(ours[1], rel=1e-3)


def test_strip_entropies_in_closed_form():
    assert strip.entropy(torch.zeros(1, 8)).item() == pytest.approx(3)
    assert strip.entropy(torch.tensor([[100.0, 0, 0]])).item() == pytest.approx(0, abs=1e-6)
    assert strip.limit(np.array([1.0, 3.0])) == pytest.approx(2 - 2.3263, abs=1e-3)


def clusters(random, count, infected):
    """Features by SCAn's own model; the last class has a second identity where it is infected."""
    identities = random.normal(size=(8, 6)) * 4
    mixing = random.normal(size=(6, 6)) / 2
    labels = np.repeat(np.arange(8), count)
    features = identities[labels] + random.normal(size=(len(labels), 6)) @ mixing
    planted = np.zeros(len(labels), bool)
    if infected:
        planted[-count // 4:] = True
        features[planted] += random.normal(size=6) * 4
    return features, labels, planted, mixing


def test_scan_finds_the_models_parameters():
    features, labels, _, mixing = clusters(np.random.default_rng(5), 2000, False)
    between, within = scan.covariances(features - features.mean(0), labels)
    np.testing.assert_allclose(within, mixing.T @ mixing, atol=0.1)
    # The posterior mean of an identity, as Bayes' rule has it.
    own = (features - features.mean(0))[labels == 0]
    bayes = np.linalg.solve(
        np.linalg.inv(between) + len(own) * np.linalg.inv(within), np.linalg.inv(within) @ own.sum(0))
    formula = within @ np.linalg.pinv(len(own) * between + within) @ between @ np.linalg.pinv(within) @ own.sum(0)
    np.testing.assert_allclose(formula, bayes, rtol=1e-6)


@pytest.mark.parametrize("infected", [False, True])
def test_scan_tells_two_identities_from_one(infected):
    random = np.random.default_rng(6)
    features, labels, planted, _ = clusters(random, 300, infected)
    between, within = scan.covariances(features - features.mean(0), labels) if not infected else scan.covariances(
        features[~planted] - features.mean(0), labels[~planted])
    found = [scan.likelihood_ratio(features[labels == k] - features.mean(0), between, within, random) for k in range(8)]
    index = scan.anomaly(np.array([ratio for ratio, _ in found]))
    assert (index > scan.THRESHOLD).tolist() == [False] * 7 + [infected]
    if infected:
        second = found[-1][1]
        assert (second == planted[-300:]).mean() in (0, 1)


def test_beatrix_gram_matrices_and_deviations():
    maps = torch.rand(3, 2, 2, 2, generator=torch.Generator().manual_seed(7))
    flat = maps.flatten(2)
    for order in (1, 3):
        expected = torch.stack([(flat[:, a] ** order * flat[:, b] ** order).sum(1) for a, b in ((0, 0), (0, 1), (1, 1))], 1)
        torch.testing.assert_close(beatrix.gram(maps, order), expected ** (1 / order))
    clean = torch.rand(40, 4, 3, 3, generator=torch.Generator().manual_seed(8))
    deviations = beatrix.Deviations(clean)
    assert not deviations(clean).any()
    assert (deviations(clean * 20) > 0).all()
    assert beatrix.kernel_mmd(clean[:20].mean((2, 3)), clean[20:].mean((2, 3)) + 5) > 10 * abs(
        beatrix.kernel_mmd(clean[:20].mean((2, 3)), clean[20:].mean((2, 3))))


def test_scale_up_is_the_share_of_scales_that_agree():
    # Says 1 where the mean pixel is above 0.4: amplified, 0.1 gets there from five times on, 0.05 from nine times on.
    fake = types.SimpleNamespace(predictions=lambda x: (x.mean((1, 2, 3)) > 0.4).long())
    images = torch.stack([torch.full((3, 4, 4), value) for value in (0, 13, 26, 128)]).to(torch.uint8)
    assert scale_up.consistency(fake, images).tolist() == pytest.approx([1.0, 0.6, 0.2, 1.0])


def test_ibd_psc_scales_the_last_batch_norms(network):
    scaled = ibd_psc.amplified(network, 1)
    pairs = list(zip(network.batch_norms(), scaled.batch_norms()))
    for place, (own, other) in enumerate(pairs):
        for before, after in zip(own, other):
            torch.testing.assert_close(after, before * (1.5 if place == len(pairs) - 1 else 1))
    # Without labels to err on, all layers; with only wrong labels, the first.
    images = torch.rand(20, 3, 8, 8)
    predicted = network.predictions(images)
    assert ibd_psc.first_layers(network, images, (predicted + 1) % 4) == 1


class Linear(torch.nn.Module):
    def __init__(self, weight):
        super().__init__()
        self.weight = weight

    def forward(self, x):
        return types.SimpleNamespace(logits=x.flatten(1) @ self.weight)


def test_distances_to_a_linear_boundary_are_exact():
    weight = torch.randn(48, 3, generator=torch.Generator().manual_seed(9))
    model = Linear(weight)
    fake = types.SimpleNamespace(
        __call__=None, predictions=lambda x: model(x).logits.argmax(1), count=lambda **_: None)

    class Fake:
        predictions, count = staticmethod(fake.predictions), staticmethod(fake.count)

        def __call__(self, x):
            return model(x)

    images = (torch.rand(10, 3, 4, 4, generator=torch.Generator().manual_seed(10)) * 60 + 100).to(torch.uint8)
    logits = model(images.float() / 255).logits
    own = logits.argmax(1)
    expected = torch.stack([
        (logits.gather(1, own[:, None])[:, 0] - logits[:, k]) / (weight[:, own] - weight[:, [k]]).norm(dim=0).clamp_min(1e-9)
        for k in range(3)], 1).scatter(1, own[:, None], torch.inf)
    # DeepFool's step is towards the runner-up by logit, which with two classes besides is not always the nearest.
    runner_up = logits.scatter(1, own[:, None], -torch.inf).argmax(1)
    found = boundary_distance.distances(Fake(), images)
    exact = expected.gather(1, runner_up[:, None])[:, 0]
    same = runner_up == expected.argmin(1)
    assert same.sum() >= 5
    torch.testing.assert_close(found[same], exact[same], rtol=1e-3, atol=1e-5)


def test_the_best_threshold_is_youdens():
    random = np.random.default_rng(11)
    poisoned = random.random(400) < 0.3
    for sign in (1, -1):
        values = np.round(random.normal(sign * poisoned), 1)
        flags, scores = boundary_distance.best_threshold(values, poisoned)
        fpr, tpr, _ = roc_curve(poisoned, sign * values)
        assert flags[poisoned].mean() - flags[~poisoned].mean() == pytest.approx((tpr - fpr).max())
        np.testing.assert_array_equal(scores, sign * values)
