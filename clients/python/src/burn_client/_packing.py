"""Data sets as archives that the service reads. One image at a time is in memory, whatever the set's size."""

from __future__ import annotations

import io
import pathlib
import re
import tarfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ._errors import PackingError

#: What may be a class folder's name as it is.
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9 _.+-]{0,99}")
_IMAGES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif"})
#: Files of many images each: shards, Parquet, CIFAR, IDX.
_CONTAINERS = frozenset({".tar", ".gz", ".tgz", ".xz", ".zst", ".parquet", ".bin"})


@dataclass(frozen=True)
class PackedSet:
    """An archive, and which of the model's outputs its class folders stand for."""

    path: pathlib.Path
    #: Class folder to output; None for the sorted folder names.
    classes: dict[str, int] | None
    samples: int
    #: Channels, height, width of the first image.
    shape: tuple[int, int, int] | None


def pack_folder(folder: pathlib.Path, archive: pathlib.Path) -> PackedSet:
    """Packs a folder with one folder of images for each class.

    The same files make the same bytes, so that an interrupted upload can go on.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    images = [path for path in files if path.suffix.lower() in _IMAGES]
    if not images and not any(path.suffix.lower() in _CONTAINERS for path in files):
        raise PackingError(f"{folder} holds no images that are known.\n  One folder for each class is expected in it.")
    with tarfile.open(archive, "w", format=tarfile.PAX_FORMAT) as tar:
        for path in files:
            entry = tarfile.TarInfo(path.relative_to(folder).as_posix())
            entry.size = path.stat().st_size
            with open(path, "rb") as file:
                tar.addfile(entry, file)
    return PackedSet(archive, None, len(images), _shape(images[0].read_bytes()) if images else None)


def pack_dataset(
    dataset: Any, archive: pathlib.Path, *, classes: Sequence[str] | None = None,
    progress: Callable[[float], None] = lambda _: None,
) -> PackedSet:
    """Packs a data set object as PNG images.

    - torchvision's and PyTorch's: items are (image, label), names are in `classes` where it has that;
    - `datasets` of Hugging Face: items are rows, with an image column and a label column;
    - any iterable of (image, label).

    An image is a PIL image, a tensor (C, H, W) or (H, W), or an array (H, W, C) or (H, W): uint8, or float from 0 to 1.

    Raises PackingError for images or labels that are none, such as normalised ones.
    """
    rows = _Rows(dataset, classes)
    counts: dict[int, int] = {}
    shape: tuple[int, int, int] | None = None
    total = 0
    with tarfile.open(archive, "w") as tar:
        for index, (image, label) in enumerate(rows):
            try:
                encoded, found = _encoded(image)
            except PackingError as error:
                raise PackingError(f"Image {index} of the data set: {error}") from None
            if shape is not None and found != shape:
                raise PackingError(
                    f"Image {index} of the data set is {_text(found)}, the first one {_text(shape)}.\n"
                    "  All images of a set have one size: give it a transform that resizes.")
            shape = found
            entry = tarfile.TarInfo(f"{rows.folder(label)}/{index:08d}.png")
            entry.size = len(encoded)
            tar.addfile(entry, io.BytesIO(encoded))
            counts[label] = counts.get(label, 0) + 1
            total += 1
            if rows.length and index % 64 == 0:
                progress(index / rows.length)
    if not total:
        raise PackingError("The data set is empty.")
    progress(1)
    return PackedSet(archive, {rows.folder(label): label for label in sorted(counts)}, total, shape)


class _Rows:
    """(image, label) of any kind of data set, in order."""

    def __init__(self, dataset: Any, classes: Sequence[str] | None) -> None:
        self.dataset = dataset
        features = getattr(dataset, "features", None)
        self.columns = self._columns(features) if isinstance(features, dict) else None
        names = classes
        if names is None and self.columns is not None and isinstance(features, dict):
            names = getattr(features[self.columns[1]], "names", None)
        if names is None and self.columns is None:
            names = getattr(dataset, "classes", None)
        self.names = [str(name) for name in names] if names is not None else None
        self._use_names = self.names is not None and self._are_plain(self.names)
        try:
            self.length = len(dataset)
        except TypeError:
            self.length = 0

    @staticmethod
    def _columns(features: dict[str, Any]) -> tuple[str, str]:
        """The image and the label column, by their types, else by their usual names."""
        kinds = {name: type(feature).__name__ for name, feature in features.items()}
        images = [name for name, kind in kinds.items() if kind == "Image"] or [
            name for name in ("image", "img", "pixel_values") if name in features]
        labels = [name for name, kind in kinds.items() if kind == "ClassLabel"] or [
            name for name in ("label", "labels", "fine_label", "class") if name in features]
        if len(images) != 1 or len(labels) != 1:
            raise PackingError(
                f"The data set's columns are {', '.join(features)}: one image and one label column are expected.\n"
                "  select_columns(['image', 'label']) leaves the others out.")
        return images[0], labels[0]

    @staticmethod
    def _are_plain(names: Sequence[str]) -> bool:
        return len({name.lower() for name in names}) == len(names) and all(map(_PLAIN.fullmatch, names))

    def folder(self, label: int) -> str:
        """The class's own name, or its number where a name can't be a folder's."""
        if self._use_names and self.names is not None:
            return self.names[label]
        return f"{label:06d}"

    def __iter__(self) -> Iterator[tuple[Any, int]]:
        for index, row in enumerate(self._items()):
            if self.columns is not None:
                image, label = row[self.columns[0]], row[self.columns[1]]
            else:
                try:
                    image, label = row[0], row[1]
                except (TypeError, IndexError, KeyError):
                    raise PackingError(
                        f"Item {index} of the data set is a {type(row).__name__}; (image, label) is expected.") from None
            yield image, self._label(label, index)

    def _items(self) -> Iterator[Any]:
        # PyTorch's map-style sets may lack __iter__, and raise no IndexError past their end.
        if self.length and hasattr(self.dataset, "__getitem__") and not isinstance(self.dataset, (dict, str)):
            for index in range(self.length):
                yield self.dataset[index]
        else:
            yield from self.dataset

    def _label(self, label: Any, index: int) -> int:
        try:
            number = label.__index__() if hasattr(label, "__index__") else int(label)
            whole = number == label
        except (TypeError, ValueError):
            whole = False
        if not whole:
            raise PackingError(f"Item {index} of the data set has the label {label!r}; a class index is expected.")
        if not 0 <= number < (len(self.names) if self.names is not None else 1 << 31):
            known = f"of {len(self.names)} classes" if self.names is not None else "from 0"
            raise PackingError(f"Item {index} of the data set has the label {number}, which is no index {known}.")
        return int(number)


def _encoded(image: Any) -> tuple[bytes, tuple[int, int, int]]:
    """The image as PNG, and its channels, height and width."""
    try:
        from PIL import Image
    except ImportError as error:
        raise PackingError("Packing data set objects needs Pillow: pip install pillow") from error
    if not isinstance(image, Image.Image):
        image = Image.fromarray(_array(image))
    if image.mode not in ("L", "RGB", "RGBA"):
        image = image.convert("L" if image.mode in ("1", "I;16", "I") else "RGB")
    target = io.BytesIO()
    image.save(target, "PNG", compress_level=1)
    return target.getvalue(), (len(image.getbands()), image.height, image.width)


def _array(image: Any) -> Any:
    """A tensor or array as uint8 of (H, W) or (H, W, C)."""
    import numpy

    is_tensor = hasattr(image, "detach")
    array = numpy.asarray(image.detach().cpu() if is_tensor else image)
    if array.ndim == 3 and (is_tensor or (array.shape[0] in (1, 3, 4) and array.shape[2] not in (1, 3, 4))):
        array = array.transpose(1, 2, 0)
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (3, 4)):
        raise PackingError(f"it has shape {array.shape}, which is no image.")
    if array.dtype == numpy.uint8:
        return numpy.ascontiguousarray(array)
    if array.dtype.kind != "f":
        raise PackingError(f"its values are {array.dtype}; uint8, or float from 0 to 1, is expected.")
    low, high = float(array.min()), float(array.max())
    if not (-1e-6 <= low and high <= 1 + 1e-6):
        raise PackingError(
            f"its values go from {low:.3g} to {high:.3g}; 0 to 1 is expected.\n"
            "  Leave Normalize out of the data set's transform, and pass its mean= and std= instead.")
    return numpy.ascontiguousarray((array.clip(0, 1) * 255).round().astype(numpy.uint8))


def _shape(encoded: bytes) -> tuple[int, int, int] | None:
    try:
        from PIL import Image
    except ImportError:
        return None
    with Image.open(io.BytesIO(encoded)) as image:
        return len(image.getbands()), image.height, image.width


def _text(shape: tuple[int, int, int]) -> str:
    return f"{shape[2]} x {shape[1]} with {shape[0]} channels"
