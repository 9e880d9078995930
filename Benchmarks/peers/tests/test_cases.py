"""Cases are read as burn-bench writes them, and measured as it measures."""
import csv
import json

import numpy as np
import pytest
import torch
from conftest import Small, export
from sklearn.metrics import roc_auc_score

from peers import cases, measures

CLASSES = ["a", "b", "c", "d"]


def write_set(folder, labels, names, pixels):
    """A packed set; classes that it has no sample of are not in its list."""
    folder.mkdir(parents=True)
    own = sorted(set(labels))
    text = [f"{CLASSES[label]}/{name}.png".encode() for label, name in zip(labels, names)]
    pixels.tofile(folder / "images.u8")
    np.array([own.index(label) for label in labels], "<i4").tofile(folder / "labels.i32")
    (folder / "names.u8").write_bytes(b"".join(text))
    np.concatenate([[0], np.cumsum([len(name) for name in text])]).astype("<u8").tofile(folder / "offsets.u64")
    (folder / "manifest.json").write_text(json.dumps({"summary": {
        "height": 8, "width": 8, "channels": 3,
        "classes": [{"name": CLASSES[label], "samples": list(labels).count(label)} for label in own]}}))


@pytest.fixture
def folder(tmp_path):
    random = np.random.default_rng(0)
    case = tmp_path / "case"
    labels = np.repeat(np.arange(4), 3)
    write_set(case / "train", labels, [f"train-{i}" for i in range(12)], random.integers(0, 256, (12, 8, 8, 3), np.uint8))
    test = random.integers(0, 256, (12, 8, 8, 3), np.uint8)
    write_set(case / "test-clean", labels, [f"test-{i}" for i in range(12)], test)
    kept = labels != 0
    write_set(case / "test-triggered", labels[kept], [f"test-{i}" for i in np.flatnonzero(kept)], test[kept])
    (case / "classes.json").write_text(json.dumps({name: i for i, name in enumerate(CLASSES)}))
    (case / "case.json").write_text(json.dumps({"attack": "badnets", "target": 0}))
    with open(case / "truth.csv", "w") as file:
        writer = csv.writer(file)
        writer.writerow(["name", "given_label", "true_label", "role"])
        writer.writerows([f"train-{i}", labels[i], labels[i], "poisoned" if i < 4 else "cover"] for i in range(12))
    export(Small(), case / "model.pt2")
    return case


def test_labels_are_the_models_outputs_in_every_set(folder):
    case = cases.load(folder)
    assert case.training.labels.tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3]
    # The set has no image of the target, so that its own numbers are 0, 1 and 2.
    assert set(case.triggered_labels) == {1, 2, 3}
    assert case.poisoned.sum() == 4 and case.rate == pytest.approx(1 / 3)


def test_clean_data_is_no_image_that_is_measured_on(folder):
    case = cases.load(folder)
    assert not set(case.clean.names) & set(case.test.names)
    assert not set(case.clean.names) & set(case.triggered.names)
    assert len(case.clean.names) == len(case.test.names) == 6


def test_clean_data_is_of_the_source_where_it_is_there(folder):
    test = cases.read_packed(folder / "test-clean", {name: i for i, name in enumerate(CLASSES)})
    pixels = np.concatenate([test.pixels.permute(0, 2, 3, 1).numpy(), np.zeros((3, 8, 8, 3), np.uint8)])
    write_set(folder.parent / "data" / "test-1", np.arange(15) % 4, [str(i) for i in range(15)], pixels)
    case = cases.load(folder)
    assert len(case.test.names) == 12 and len(case.clean.names) == 3
    assert not case.clean.pixels.any()


def test_rates_of_a_model(folder):
    case = cases.load(folder)
    network = case.network()
    measured = measures.accuracy(network, case)
    predicted = network.predictions(case.triggered_images).numpy()
    assert measured["asr"] == pytest.approx((predicted == 0).mean())
    assert measured["ra"] == pytest.approx((predicted == case.triggered_labels).mean())
    case.attack = "all-to-all"
    assert case.wanted(np.array([0, 3])).tolist() == [1, 0]


def test_area_under_the_curve_is_scikit_learns():
    random = np.random.default_rng(1)
    poisoned = random.random(300) < 0.2
    for scores in (random.normal(poisoned * 1.0), np.round(random.normal(poisoned * 1.0)), np.zeros(300)):
        assert measures.auroc(scores, poisoned) == pytest.approx(roc_auc_score(poisoned, scores))
    assert measures.auroc(np.zeros(3), np.zeros(3, bool)) is None


def test_flags_against_the_truth():
    flags, poisoned = np.array([True, True, False, False, True]), np.array([True, False, False, False, True])
    assert measures.rates(flags, poisoned) == {"tpr": 1.0, "fpr": pytest.approx(1 / 3)}
    assert measures.rates(flags, np.zeros(5, bool))["tpr"] is None


def test_softmax_at_the_end_is_taken_off(tmp_path):
    inner = Small().eval()
    network = export(torch.nn.Sequential(inner, torch.nn.Softmax(1)), tmp_path / "softmax.pt2")
    images = torch.rand(4, 3, 8, 8)
    torch.testing.assert_close(network(images).logits, inner(images))
