"""Data set objects of every kind become archives of the same images."""

import hashlib
import io
import pathlib
import sys
import tarfile
import tracemalloc

import numpy as np
import pytest
import torch
from PIL import Image

from burn_client import PackingError, pack_dataset, pack_folder

# Where torchvision's compiled part does not fit PyTorch's build, it lacks these operators, which no data set uses.
try:
    import torchvision
except RuntimeError:
    library = torch.library.Library("torchvision", "DEF")
    for operator in ("nms", "qnms"):
        library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    for name in [name for name in sys.modules if name.startswith("torchvision")]:
        del sys.modules[name]
    import torchvision

random = np.random.default_rng(0)
IMAGES = random.integers(0, 256, (12, 10, 8, 3), dtype=np.uint8)
LABELS = [index % 3 for index in range(12)]
NAMES = ["cat", "dog", "red panda"]


def images(archive: pathlib.Path) -> dict[str, np.ndarray]:
    with tarfile.open(archive) as tar:
        return {
            entry.name: np.asarray(Image.open(io.BytesIO(tar.extractfile(entry).read())))
            for entry in tar if entry.isfile()}


class Torch(torch.utils.data.Dataset):
    """As a torchvision data set: items by index, no iterator, names in `classes`."""

    classes = NAMES

    def __init__(self, convert):
        self.convert = convert

    def __len__(self):
        return len(IMAGES)

    def __getitem__(self, index):
        return self.convert(IMAGES[index]), LABELS[index]


@pytest.mark.parametrize("convert", [
    Image.fromarray,
    torchvision.transforms.functional.to_tensor,
    lambda image: torch.from_numpy(image).permute(2, 0, 1),
    lambda image: image,
    lambda image: image.astype(np.float32) / 255,
    lambda image: image.transpose(2, 0, 1),
], ids=["pil", "float tensor", "byte tensor", "array", "float array", "channels first"])
def test_every_kind_of_image_is_the_same(convert, tmp_path: pathlib.Path):
    packed = pack_dataset(Torch(convert), tmp_path / "set.tar")
    assert packed.samples == 12 and packed.shape == (3, 10, 8)
    assert packed.classes == {"cat": 0, "dog": 1, "red panda": 2}
    found = images(packed.path)
    for index in range(12):
        assert np.array_equal(found[f"{NAMES[LABELS[index]]}/{index:08d}.png"], IMAGES[index])


def test_torchvision_itself(tmp_path: pathlib.Path):
    for index in range(6):
        folder = tmp_path / "images" / NAMES[index % 3]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(IMAGES[index]).save(folder / f"{index}.png")
    dataset = torchvision.datasets.ImageFolder(tmp_path / "images", transform=torchvision.transforms.ToTensor())
    packed = pack_dataset(dataset, tmp_path / "set.tar")
    assert packed.classes == {"cat": 0, "dog": 1, "red panda": 2} and packed.samples == 6
    # The folder itself, packed as it is, twice: the same bytes.
    folders = [pack_folder(tmp_path / "images", tmp_path / name) for name in ("a.tar", "b.tar")]
    assert (tmp_path / "a.tar").read_bytes() == (tmp_path / "b.tar").read_bytes()
    assert folders[0].samples == 6 and folders[0].shape == (3, 10, 8) and folders[0].classes is None
    assert sorted(images(tmp_path / "a.tar")) == sorted(
        f"{NAMES[index % 3]}/{index}.png" for index in range(6))


def test_datasets_of_hugging_face(tmp_path: pathlib.Path):
    datasets = pytest.importorskip("datasets")
    features = datasets.Features({
        "id": datasets.Value("int32"), "img": datasets.Image(), "fine": datasets.ClassLabel(names=NAMES)})
    table = datasets.Dataset.from_dict(
        {"id": list(range(12)), "img": [Image.fromarray(image) for image in IMAGES], "fine": LABELS}, features=features)
    for dataset in (table, table.to_iterable_dataset()):
        packed = pack_dataset(dataset, tmp_path / "set.tar")
        assert packed.samples == 12 and packed.classes == {"cat": 0, "dog": 1, "red panda": 2}
        assert np.array_equal(images(packed.path)["dog/00000004.png"], IMAGES[4])
    with pytest.raises(PackingError, match="one image and one label column"):
        pack_dataset(table.remove_columns("fine"), tmp_path / "set.tar")


class Column:
    """Stands for a feature of `datasets` where that is not installed."""

    names = NAMES


def test_rows_with_named_columns(tmp_path: pathlib.Path):
    class Rows(list):
        features = {"image": object(), "label": Column(), "note": object()}

    rows = Rows({"image": image, "label": label, "note": ""} for image, label in zip(IMAGES, LABELS))
    assert pack_dataset(rows, tmp_path / "set.tar").classes == {"cat": 0, "dog": 1, "red panda": 2}
    rows.features = {"image": object(), "img": object(), "label": Column()}
    with pytest.raises(PackingError, match="one image and one label column"):
        pack_dataset(rows, tmp_path / "set.tar")


def test_generators_and_names_that_can_be_no_folders(tmp_path: pathlib.Path):
    pairs = list(zip(IMAGES, LABELS))
    packed = pack_dataset(iter(pairs), tmp_path / "set.tar")
    assert packed.classes == {"000000": 0, "000001": 1, "000002": 2}
    for names in (["../a", "b", "c"], ["a/b", "b", "c"], ["a", "A", "c"], ["", "b", "c"]):
        assert pack_dataset(pairs, tmp_path / "set.tar", classes=names).classes == {
            "000000": 0, "000001": 1, "000002": 2}
    # Only classes that have images are named, as the service wants it.
    assert pack_dataset(pairs[:2], tmp_path / "set.tar", classes=NAMES).classes == {"cat": 0, "dog": 1}


def test_grey_and_other_modes(tmp_path: pathlib.Path):
    grey = Image.fromarray(IMAGES[0]).convert("L")
    assert pack_dataset([(grey, 0), (np.asarray(grey), 0), (torch.tensor(np.asarray(grey))[None], 0)],
                        tmp_path / "set.tar").shape == (1, 10, 8)
    assert pack_dataset([(Image.fromarray(IMAGES[0]).convert("P"), 0)], tmp_path / "set.tar").shape == (3, 10, 8)


@pytest.mark.parametrize("dataset, message", [
    ([], "is empty"),
    ([(IMAGES[0], 0), (IMAGES[1][:5], 0)], "(?s)Image 1 .* have one size"),
    ([(IMAGES[0].astype(np.float32), 0)], "Leave Normalize out"),
    ([(np.zeros((5, 6, 7), np.uint8), 0)], "no image"),
    ([(np.zeros(4, np.uint8), 0)], "no image"),
    ([(np.zeros((4, 4, 3), np.int64), 0)], "uint8, or float"),
    ([(IMAGES[0], "cat")], "class index is expected"),
    ([(IMAGES[0], 0.5)], "class index is expected"),
    ([(IMAGES[0], -1)], "no index"),
    ([5], r"\(image, label\) is expected"),
    ([(np.full((4, 4, 3), np.nan, np.float32), 0)], "0 to 1"),
])
def test_what_is_no_data_set_says_why(dataset, message, tmp_path: pathlib.Path):
    with pytest.raises(PackingError, match=message):
        pack_dataset(dataset, tmp_path / "set.tar")


def test_a_folder_without_images(tmp_path: pathlib.Path):
    with pytest.raises(PackingError, match="no images that are known"):
        pack_folder(tmp_path, tmp_path / "set.tar")


def test_one_image_at_a_time_is_in_memory(tmp_path: pathlib.Path):
    def large(count):
        for index in range(count):
            yield np.full((512, 512, 3), index % 256, np.uint8), 0

    peaks = []
    for count in (4, 40):
        tracemalloc.start()
        pack_dataset(large(count), tmp_path / "set.tar")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + (1 << 20), peaks


def test_the_same_set_makes_the_same_bytes(tmp_path: pathlib.Path):
    digests = set()
    for name in ("a", "b"):
        path = pack_dataset(Torch(Image.fromarray), tmp_path / name).path
        digests.add(hashlib.sha256(path.read_bytes()).hexdigest())
    assert len(digests) == 1
