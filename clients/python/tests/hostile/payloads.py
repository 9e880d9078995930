"""What the payloads do: each makes the file in BURN_CANARY, by itself or by importing `burn_canary`."""

from __future__ import annotations

import io
import pickle
import zipfile
from collections.abc import Callable
from typing import Any

# Python that imports, opens a file, and starts a program.
IMPORT = "__import__('burn_canary')"
OPEN = "open(__import__('os').environ['BURN_CANARY'], 'w')"
SHELL = "__import__('os').system('touch \"$BURN_CANARY\"')"
MAIN = b"import burn_canary\n"


class Call:
    """Unpickled as the call of a function."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> Any:
        return self.call


class Name:
    """A global that is only named, by text: what has it need not be here."""

    def __init__(self, module: str, name: str) -> None:
        self.text = f"c{module}\n{name}\n".encode()


def program(*parts: bytes | Name) -> bytes:
    """A pickle of protocol 2, opcode by opcode."""
    return b"\x80\x02" + b"".join(part.text if isinstance(part, Name) else part for part in parts) + b"."


def text(value: str) -> bytes:
    return b"X" + len(value.encode()).to_bytes(4, "little") + value.encode()


def calling(function: str, *arguments: str) -> bytes:
    """A pickle that calls `module.function` with texts."""
    module, name = function.rsplit(".", 1)
    return program(Name(module, name), b"(", *map(text, arguments), b"tR")


def archive(entries: dict[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as new:
        for name, content in entries.items():
            new.writestr(zipfile.ZipInfo(name), content)
    return target.getvalue()


def entries(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as old:
        return {name: old.read(name) for name in old.namelist()}


def with_entries(content: bytes, change: Callable[[str, dict[str, bytes]], None]) -> bytes:
    """The archive with other entries: `change` gets the folder of all of them, with its slash."""
    found = entries(content)
    change(next(iter(found)).split("/")[0] + "/", found)
    return archive(found)


def script() -> bytes:
    """TorchScript that makes the file `fired` beside it as soon as it is loaded: its state maps one of that name."""
    import torch

    class Thing(torch.nn.Module):
        @torch.jit.export
        def __getstate__(self) -> tuple[str, bool]:
            return "fired", self.training

        @torch.jit.export
        def __setstate__(self, state: tuple[str, bool]) -> None:
            self.training = torch.from_file(state[0], True, 8).numel() > 0

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return images

    target = io.BytesIO()
    torch.jit.save(torch.jit.script(Thing()), target)
    return target.getvalue()


def programme(content: bytes) -> bytes:
    """Python runs a file that ends as a zip archive with such an entry does."""
    return content + archive({"__main__.py": MAIN})


def pickled(value: Any) -> bytes:
    return pickle.dumps(value, 2)
