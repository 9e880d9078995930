"""A case: a model, the data it was trained on, the truth about it, and images that nothing was trained on.

Two kinds of folders are read: those of `burn-bench attacks` (packed sets), and those of image folders or archives with
model.pt2, train, clean and triggered images and truth.csv.
"""
from __future__ import annotations

import csv
import io
import json
import pathlib
import tarfile
from dataclasses import dataclass, field

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from packed import packed_set
from peers.network import Network


@dataclass
class Images:
    pixels: Tensor  # bytes, (N, C, H, W)
    labels: np.ndarray
    names: list[str]

    def __getitem__(self, chosen: np.ndarray) -> Images:
        places = np.flatnonzero(chosen) if chosen.dtype == bool else chosen
        return Images(self.pixels[torch.from_numpy(places)], self.labels[places], [self.names[i] for i in places])


@dataclass
class Case:
    name: str
    folder: pathlib.Path
    model: pathlib.Path
    dataset: pathlib.Path
    attack: str | None
    target: int
    classes: int
    training: Images  # with the labels given
    true_labels: np.ndarray
    poisoned: np.ndarray
    test: Images
    triggered: Images  # with their true labels
    #: Clean images that are neither of the training nor of the test: what peers that ask for clean data get.
    clean: Images
    clean_source: str
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    #: What burnd has to be told about the inputs.
    burn_options: list[str] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return float(self.poisoned.mean())

    @property
    def test_images(self) -> Tensor:
        return self.test.pixels

    @property
    def test_labels(self) -> np.ndarray:
        return self.test.labels

    @property
    def triggered_images(self) -> Tensor:
        return self.triggered.pixels

    @property
    def triggered_labels(self) -> np.ndarray:
        return self.triggered.labels

    def wanted(self, labels: np.ndarray) -> np.ndarray:
        """What the attacker wants triggered images of these classes to be taken for."""
        return (labels + 1) % self.classes if self.attack == "all-to-all" else np.full_like(labels, self.target)

    def network(self, model: pathlib.Path | None = None) -> Network:
        return Network(model or self.model, self.mean, self.std)


def stem(name: str) -> str:
    """A sample's name without its folder and its ending."""
    return name.rsplit("/", 1)[-1].split(".", 1)[0]


def load(folder: pathlib.Path) -> Case:
    return packed_case(folder) if (folder / "train" / "manifest.json").exists() else unpacked_case(folder)


# Folders of burn-bench attacks.


def read_packed(folder: pathlib.Path, outputs: dict[str, int]) -> Images:
    pixels, labels = packed_set(folder)
    # A set's labels count the classes that it has itself.
    own = json.loads((folder / "manifest.json").read_text())["summary"]["classes"]
    labels = np.array([outputs[entry["name"]] for entry in own])[labels]
    text, ends = (folder / "names.u8").read_bytes(), np.fromfile(folder / "offsets.u64", "<u8").astype(int)
    names = [stem(text[a:b].decode()) for a, b in zip(ends, ends[1:])]
    return Images(torch.from_numpy(np.array(pixels)).permute(0, 3, 1, 2).contiguous(), labels, names)


def packed_case(folder: pathlib.Path) -> Case:
    about = json.loads((folder / "case.json").read_text())
    outputs = json.loads((folder / "classes.json").read_text())
    training, test = read_packed(folder / "train", outputs), read_packed(folder / "test-clean", outputs)
    with open(folder / "truth.csv") as file:
        truth = {row["name"]: row for row in csv.DictReader(file)}
    rows = [truth[name] for name in training.names]
    attack = about.get("attack")
    triggered = read_packed(folder / "test-triggered", outputs) if attack else test[np.zeros(len(test.labels), bool)]
    source_set = test_images_of_source(folder.parent / "data", outputs)
    if source_set is not None:
        clean, source = without(source_set, test), "test images that are not of the test"
    else:
        test, triggered, clean = halves(test, triggered)
        source = "half of the test images, on which nothing is measured"
    return Case(
        folder.name, folder, folder / "model.pt2", folder / "train", attack, about.get("target", 0),
        len(outputs), training,
        np.array([int(row["true_label"]) for row in rows]), np.array([row["role"] == "poisoned" for row in rows]),
        test, triggered, clean, source, burn_options=["--classes", str(folder / "classes.json")])


def test_images_of_source(folder: pathlib.Path, outputs: dict[str, int]) -> Images | None:
    """All test images of the data set that the case was made of, where the cache has them."""
    for path in sorted(folder.glob("*test*/manifest.json")):
        if {entry["name"] for entry in json.loads(path.read_text())["summary"]["classes"]} == set(outputs):
            return read_packed(path.parent, outputs)
    return None


def without(images: Images, others: Images) -> Images:
    """Those whose pixels are none of the others'."""
    known = {pixels.tobytes() for pixels in others.pixels.numpy()}
    return images[np.array([pixels.tobytes() not in known for pixels in images.pixels.numpy()])]


def halves(test: Images, triggered: Images) -> tuple[Images, Images, Images]:
    """Every second test image for the measurements, with the triggered ones made of them; the others are clean data."""
    measured = np.arange(len(test.labels)) % 2 == 0
    kept = {name for name, used in zip(test.names, measured) if used}
    return test[measured], triggered[np.array([name in kept for name in triggered.names], bool)], test[~measured]


# Image folders and archives.


def read_images(path: pathlib.Path, classes: list[str]) -> Images:
    """Class folders, or a tar of them."""
    if path.is_dir():
        files = [(f"{file.parent.name}/{file.name}", file.read_bytes()) for file in sorted(path.glob("*/*"))]
    else:
        with tarfile.open(path) as archive:
            files = [(item.name, archive.extractfile(item).read()) for item in archive if item.isfile()]
    arrays = [np.asarray(Image.open(io.BytesIO(content))) for _, content in files]
    stacked = np.stack([array if array.ndim == 3 else array[:, :, None] for array in arrays])
    labels = np.array([classes.index(name.split("/")[-2]) for name, _ in files])
    return Images(torch.from_numpy(stacked).permute(0, 3, 1, 2).contiguous(), labels, [stem(name) for name, _ in files])


def unpacked_case(folder: pathlib.Path) -> Case:
    about = json.loads((folder / "case.json").read_text())
    classes = about["classes"]

    def images(*names: str) -> pathlib.Path:
        return next(path for name in names if (path := folder / name).exists())

    train = images("train", "train.tar")
    training = read_images(train, classes)
    test = read_images(images("test/clean", "clean.tar"), classes)
    with open(folder / "truth.csv") as file:
        truth = {row["id"]: row for row in csv.DictReader(file)}
    rows = [truth[name] for name in training.names]
    triggered = read_images(images("test/triggered", "triggered.tar"), classes)
    poisoned = np.array([row["poisoned"] == "1" for row in rows])
    if not poisoned.any():
        triggered = triggered[np.zeros(len(triggered.labels), bool)]
    test, triggered, clean = halves(test, triggered)
    scaling = about.get("input") or {}
    mean, std = tuple(scaling.get("mean", (0.0,))), tuple(scaling.get("std", (1.0,)))
    options = ["--mean", ",".join(map(str, mean)), "--std", ",".join(map(str, std))] if scaling else []
    return Case(
        folder.name, folder, folder / "model.pt2", train,
        about["attack"].replace("all2all", "all-to-all") if poisoned.any() else None, about["target"], len(classes), training, np.array([int(row["true"]) for row in rows]), poisoned, test, triggered,
        clean, "half of the test images, on which nothing is measured", mean, std, options)
