"""Safetensors files."""

from __future__ import annotations

import json

from . import Plain, accepted, refused
from .payloads import IMPORT, SHELL, Call, pickled, programme

DAMAGED = "safetensors-damaged"


def split(content: bytes) -> tuple[dict[str, object], bytes]:
    end = 8 + int.from_bytes(content[:8], "little")
    return json.loads(content[8:end]), content[end:]


def joined(header: object, data: bytes) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def with_tensor(plain: Plain, name: str, content: bytes) -> bytes:
    header, data = split(plain.safetensors)
    place = {"dtype": "U8", "shape": [len(content)], "data_offsets": [len(data), len(data) + len(content)]}
    return joined({**header, name: place}, data + content)


@refused("safetensors", "model-two-formats", "zip archive and something else", live="run")
def program_in_the_last_tensor(plain: Plain) -> bytes:
    """The last tensor is an archive with a program: the file is a zip as well, which Python runs."""
    return with_tensor(plain, "zip", programme(b""))


@refused("safetensors", "model-two-formats", "zip archive and something else", live="run")
def program_behind_the_tensors(plain: Plain) -> bytes:
    """The same archive behind the last tensor."""
    return programme(plain.safetensors)


@refused("safetensors", DAMAGED, "the file at")
def bytes_behind_the_tensors(plain: Plain) -> bytes:
    """A pickle behind the last tensor."""
    return plain.safetensors + pickled(Call(exec, SHELL))


@refused("safetensors", DAMAGED, "gap")
def bytes_between_the_tensors(plain: Plain) -> bytes:
    """A pickle in a gap that no tensor owns."""
    header, data = split(plain.safetensors)
    hidden = pickled(Call(exec, SHELL))
    for value in header.values():
        if isinstance(value, dict) and "data_offsets" in value:
            value["data_offsets"] = [offset + len(hidden) for offset in value["data_offsets"]]
    return joined(header, hidden + data)


@refused("safetensors", DAMAGED, "0.bias")
def a_tensor_twice(plain: Plain) -> bytes:
    """A name that two readers find at two places."""
    header, data = split(plain.safetensors)
    text = json.dumps(header).encode()
    row = json.dumps({"0.bias": header["0.bias"]}).encode()
    return joined(text[:-1] + b", " + row[1:], data)


@accepted("safetensors")
def tensor_that_is_a_pickle(plain: Plain) -> bytes:
    """A tensor of bytes that the model does not have, which is kept and named: a pickle for whoever looks for one."""
    return with_tensor(plain, "pickle", pickled(Call(exec, SHELL)))


@accepted("safetensors")
def code_in_the_metadata(plain: Plain) -> bytes:
    """Metadata, which nobody evaluates, that is Python, a path and a page."""
    header, data = split(plain.safetensors)
    texts = {"format": "pt", "run": SHELL, "auto_map": IMPORT, "path": "../../etc/passwd", "page": "<script>alert(1)</script>"}
    return joined({"__metadata__": texts, **header}, data)
