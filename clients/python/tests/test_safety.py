"""A `.pt2` file that would run code is not loaded: each kind of payload, and that it would have run."""

from __future__ import annotations

import io
import json
import pathlib
import pickle
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
import torch
from burn_client import UnsafeModelError, _modules

Edit = Callable[[str, bytes], bytes]


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    module = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.Dropout(), torch.nn.Flatten(), torch.nn.Linear(144, 3))
    path = tmp_path_factory.mktemp("models") / "plain.pt2"
    _modules.export(module, (3, 8, 8), path)
    return path


def touch(called: pathlib.Path) -> str:
    return f"__import__('pathlib').Path({str(called)!r}).touch()"


class Payload:
    def __init__(self, called: pathlib.Path) -> None:
        self.code = touch(called)

    def __reduce__(self) -> Any:
        return exec, (self.code,)


def rewritten(source: pathlib.Path, target: pathlib.Path, edit: Edit, added: dict[str, bytes] | None = None) -> pathlib.Path:
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        root = old.namelist()[0].split("/")[0]
        for name in old.namelist():
            new.writestr(zipfile.ZipInfo(name), edit(name.removeprefix(root + "/"), old.read(name)))
        for name, content in (added or {}).items():
            new.writestr(zipfile.ZipInfo(f"{root}/{name}"), content)
    return target


def unchanged(name: str, content: bytes) -> bytes:
    return content


def of_program(change: Callable[[dict[str, Any]], None]) -> Edit:
    def edit(name: str, content: bytes) -> bytes:
        if not name.startswith("models/"):
            return content
        program = json.loads(content)
        change(program)
        return json.dumps(program).encode()

    return edit


def of_samples(change: Callable[[bytes], bytes]) -> Edit:
    return lambda name, content: change(content) if name.startswith("data/sample_inputs/") else content


def pickled_again(called: pathlib.Path) -> Edit:
    def change(content: bytes) -> bytes:
        target = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(target, "w") as new:
            for name in old.namelist():
                evil = pickle.dumps((Payload(called),), 2)
                new.writestr(zipfile.ZipInfo(name), evil if name.endswith("data.pkl") else old.read(name))
        return target.getvalue()

    return of_samples(change)


def size(called: pathlib.Path) -> Edit:
    def change(program: dict[str, Any]) -> None:
        values = program["graph_module"]["graph"]["tensor_values"]
        values["conv2d"]["sizes"][1] = {"as_expr": {"expr_str": touch(called), "hint": {"as_int": 4}}}

    return of_program(change)


def argument(called: pathlib.Path) -> Edit:
    def change(program: dict[str, Any]) -> None:
        text = json.dumps(program).replace('"input"', json.dumps(f"input=({touch(called)})"))
        program.clear()
        program.update(json.loads(text))

    return of_program(change)


def disguise(called: pathlib.Path) -> Edit:
    """A value that is called as the notes are, which nobody evaluates."""
    def change(program: dict[str, Any]) -> None:
        text = json.dumps(program).replace('"conv2d"', '"metadata"')
        program.clear()
        program.update(json.loads(text))
        values = program["graph_module"]["graph"]["tensor_values"]
        values["metadata"]["sizes"][1] = {"as_expr": {"expr_str": touch(called), "hint": {"as_int": 4}}}

    return of_program(change)


def structure(called: pathlib.Path) -> Edit:
    context = json.dumps({"default_factory_module": "this", "default_factory_name": "s", "dict_context": []})
    spec = [1, {"type": "collections.defaultdict", "context": context, "children_spec": []}]

    def change(program: dict[str, Any]) -> None:
        program["graph_module"]["module_call_graph"][0]["signature"]["out_spec"] = json.dumps(spec)

    return of_program(change)


KINDS: dict[str, tuple[Callable[[pathlib.Path], Edit], dict[str, bytes]]] = {
    "guards": (lambda called: of_program(lambda program: program.update(guards_code=[touch(called)])), {}),
    "size": (size, {}),
    "argument": (argument, {}),
    "structure": (structure, {}),
    "disguise": (disguise, {}),
    "bare pickle": (lambda called: of_samples(lambda _: pickle.dumps(Payload(called))), {}),
    "pickle before a zip": (lambda called: of_samples(lambda old: pickle.dumps(Payload(called), 2) + old), {}),
    "pickle": (pickled_again, {}),
    "compiled library": (lambda called: unchanged, {"data/aotinductor/model/x.so": b"\x7fELF"}),
    "old weights": (lambda called: unchanged, {"data/weights/model.pt": b"\x80\x02."}),
    "object": (lambda called: unchanged, {"data/constants/opaque_obj_0": b"\x80\x02."}),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_would_run_code_is_not_loaded(kind: str, plain: pathlib.Path, tmp_path: pathlib.Path) -> None:
    called = tmp_path / "called"
    make, added = KINDS[kind]
    path = rewritten(plain, tmp_path / "model.pt2", make(called), added)
    with pytest.raises(UnsafeModelError):
        _modules.load(path)
    assert not called.exists()


@pytest.mark.parametrize("kind", ["guards", "size", "disguise", "bare pickle", "pickle"])
def test_the_payloads_do_run_where_nobody_looks(kind: str, plain: pathlib.Path, tmp_path: pathlib.Path) -> None:
    called = tmp_path / "called"
    path = rewritten(plain, tmp_path / "model.pt2", KINDS[kind][0](called))
    try:
        torch.export.load(path).module()(torch.zeros(2, 3, 8, 8))
    except Exception:
        pass
    assert called.exists()


def test_an_archive_with_two_directories_is_not_loaded(plain: pathlib.Path, tmp_path: pathlib.Path) -> None:
    path = tmp_path / "model.pt2"
    path.write_bytes(b"PK\3\4" + bytes(60) + plain.read_bytes())
    with pytest.raises(UnsafeModelError):
        _modules.load(path)


def test_a_plain_file_is_loaded_with_its_sample_inputs_and_without(plain: pathlib.Path, tmp_path: pathlib.Path) -> None:
    images = torch.rand(5, 3, 8, 8)
    bare = rewritten(plain, tmp_path / "bare.pt2", of_samples(lambda _: b""))
    assert torch.equal(_modules.load(plain)(images), _modules.load(bare)(images))
