"""Model files that hold more than a model: a table of small functions, each of which makes one of them from plain ones.

`refused` ones must not be taken, and the refusal has to name the place; `live` says with which of the loaders in
`watched_loading` the payload runs where nobody looks. `accepted` ones look odd and are harmless.
"""

from __future__ import annotations

import dataclasses
import pathlib
from collections.abc import Callable


@dataclasses.dataclass(frozen=True)
class Plain:
    """The same small model in every container, untouched."""

    exported: bytes
    checkpoint: bytes
    safetensors: bytes
    onnx: bytes
    onnx_tar: bytes

    SUFFIXES = {"exported": ".pt2", "checkpoint": ".pth", "safetensors": ".safetensors", "onnx": ".onnx", "onnx_tar": ".tar"}
    # How the documentation says that each is loaded, and who else may.
    LOADERS = {
        "exported": ["export", "client"], "checkpoint": ["unpickled"], "safetensors": ["tensors"], "onnx": ["onnx"],
        "onnx_tar": ["packed"]}

    def write(self, folder: pathlib.Path) -> dict[str, pathlib.Path]:
        paths = {name: folder / f"plain{suffix}" for name, suffix in self.SUFFIXES.items()}
        for name, path in paths.items():
            path.write_bytes(getattr(self, name))
        return paths


@dataclasses.dataclass(frozen=True)
class Case:
    name: str
    container: str
    description: str
    build: Callable[[Plain], bytes]
    # Of the refusal; None for what is accepted.
    code: str | None = None
    # What the refusal has to name.
    place: str = ""
    # The loader with which the payload runs.
    live: str | None = None

    @property
    def file(self) -> str:
        return self.name + Plain.SUFFIXES[self.container]


CORPUS: list[Case] = []
Build = Callable[[Plain], bytes]


def refused(container: str, code: str, place: str, live: str | None = None) -> Callable[[Build], Build]:
    def note(build: Build) -> Build:
        CORPUS.append(Case(build.__name__, container, build.__doc__ or "", build, code, place, live))
        return build

    return note


def accepted(container: str) -> Callable[[Build], Build]:
    def note(build: Build) -> Build:
        CORPUS.append(Case(build.__name__, container, build.__doc__ or "", build))
        return build

    return note


from . import checkpoints, exported, graphs, tables  # noqa: E402, F401  (they fill the table)
