"""PyTorch modules to files and back. PyTorch is imported only here, and only when it is needed."""

from __future__ import annotations

import copy
import pathlib
from collections.abc import Sequence
from typing import Any

from ._errors import PackingError
from ._safety import require_safe


def is_module(model: Any) -> bool:
    """Whether it is an nn.Module, without importing PyTorch for what is none."""
    return any(base.__module__.startswith("torch.nn") and base.__name__ == "Module" for base in type(model).__mro__)


def export(model: Any, shape: Sequence[int], path: pathlib.Path) -> None:
    """Writes a module as `.pt2`, for batches of any size. The module itself stays as it is.

    `shape`: channels, height, width of an image.
    """
    import torch

    if len(shape) != 3 or any(int(side) < 1 for side in shape):
        raise PackingError(f"The input shape is {tuple(shape)}; channels, height and width are expected.")
    module = copy.deepcopy(model).cpu().eval()
    batch = torch.export.Dim("batch", min=1)
    example = torch.zeros(2, *(int(side) for side in shape))
    try:
        with torch.no_grad():
            program = torch.export.export(module, (example,), dynamic_shapes=({0: batch},))
    except Exception as error:
        raise PackingError(
            f"torch.export can't export the model for images of shape {tuple(shape)}: {error}\n"
            "  Export it yourself and pass the .pt2 file's path.") from error
    torch.export.save(program, path)


def load(path: pathlib.Path) -> Any:
    """A `.pt2` file as a module."""
    return _program(path).module()


def state_dict(path: pathlib.Path) -> dict[str, Any]:
    """The weights in a `.pt2` file, by the names they had in the module that was exported."""
    return dict(_program(path).state_dict)


def _program(path: pathlib.Path) -> Any:
    with open(path, "rb") as file:
        magic = file.read(4)
    if magic[:2] != b"PK":
        raise PackingError(
            f"{path} is no .pt2 file: the model came back in the format it was uploaded in.\n"
            "  Load it with that format's own library, such as onnxruntime or safetensors.")
    try:
        import torch
    except ImportError as error:
        raise PackingError(f"Loading {path} needs PyTorch: pip install torch") from error
    require_safe(path)
    return torch.export.load(path)
