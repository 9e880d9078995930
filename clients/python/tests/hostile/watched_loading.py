"""Loads model files as the documentation says, each in a process of its own, and tells what that did.

    watched_loading.py FOLDER < JOBS > REPORTS

JOBS is a JSON list of {"name", "path", "how", "plain"}. `plain`, where there is one, is a file of the same kind that nobody
tampered with: what loading it does may happen, and everything else that Python's audit hooks see is told (calls, files,
imports, programs, names that a pickle asks for). Each job has a folder FOLDER/NAME; a payload makes the file `fired` in it,
whose path is in BURN_CANARY, or imports `burn_canary`, which makes it.
"""

from __future__ import annotations

import functools
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tarfile
import types
import zipfile
from collections.abc import Callable
from typing import Any

CANARY = "import os, pathlib\npathlib.Path(os.environ['BURN_CANARY']).touch()\n\n\nclass Thing:\n    pass\n"
# They say that Python works, and nothing of the file.
QUIET = re.compile(r"object\.|gc\.|sys\._getframe|sys\._current|compile|builtins\.id|array\.|code\.__new__|ctypes\.(?!dlopen|dlsym)")
# What plain checkpoints ask for beside what PyTorch's own do: arrays of numbers.
ARRAYS = re.compile(r"numpy(\.\w+)* (_reconstruct|ndarray|dtype|_frombuffer|scalar)|_codecs encode")


def export(path: str) -> None:
    import torch

    torch.export.load(path).module()(torch.zeros(2, 3, 8, 8))


def client(path: str) -> None:
    import torch
    from burn_client import _modules

    _modules.load(pathlib.Path(path))(torch.zeros(2, 3, 8, 8))
    _modules.state_dict(pathlib.Path(path))


def unpickled(path: str) -> None:
    import torch

    torch.load(path, weights_only=False)


def script(path: str) -> None:
    import torch

    torch.jit.load(path)


def tensors(path: str) -> None:
    import safetensors.torch

    safetensors.torch.load_file(path)


def onnx(path: str) -> None:
    import numpy
    import onnx
    import onnxruntime

    onnx.load(path)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    session.run(None, {session.get_inputs()[0].name: numpy.zeros((2, 3, 8, 8), numpy.float32)})


def unpack(path: str) -> pathlib.Path:
    folder = pathlib.Path("unpacked/in").absolute()
    if zipfile.is_zipfile(path):
        zipfile.ZipFile(path).extractall(folder)
    else:
        tarfile.open(path).extractall(folder, filter="fully_trusted")
    return folder


def run(path: str) -> None:
    subprocess.run([sys.executable, path], check=False, capture_output=True)


def beside(path: str) -> None:
    """In the folder where the model was unpacked, as its user would."""
    subprocess.run([sys.executable, "-c", "import onnx"], cwd=unpack(path), check=False, capture_output=True)


LOADERS: dict[str, Callable[[str], Any]] = {
    loader.__name__: loader for loader in (export, client, unpickled, script, tensors, onnx, unpack, run, beside)}


def told(event: str, arguments: tuple[Any, ...], path: str) -> str | None:
    """What happened, without what differs from one file to the next; None for what is no matter."""
    if QUIET.match(event):
        return None
    parts = []
    for argument in arguments:
        if isinstance(argument, types.CodeType):
            parts.append(f"{argument.co_filename} {sorted(argument.co_names)}")
        elif isinstance(argument, (str, int, type(None))):
            parts.append(str(argument)[:200])
        else:
            parts.append(type(argument).__name__)
    text = " ".join([event, *parts]).replace(path, "MODEL")
    if ARRAYS.fullmatch(text.removeprefix("pickle.find_class ")):
        return None
    return re.sub(r"0x[0-9a-f]+|\d+", "N", text)


def load(how: str, path: str, watched: bool) -> dict[str, Any]:
    """In a process of its own."""
    events: dict[str, None] = {}
    error = None
    is_over = False

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if not is_over and (text := told(event, arguments, path)) is not None:
            events[text] = None

    if how == "packed":
        # By whoever loads it, beforehand.
        how, path = "onnx", str(next(unpack(path).rglob("*.onnx")))
    if watched:
        sys.addaudithook(hook)
    try:
        LOADERS[how](path)
    except BaseException as failure:  # a payload may raise what it likes
        error = f"{type(failure).__name__}: {failure}"
    is_over = True
    return {"events": list(events), "error": error}


def apart(folder: pathlib.Path, name: str, how: str, path: str, watched: bool) -> dict[str, Any]:
    place = folder / name
    place.mkdir()
    child = os.fork()
    if child == 0:
        os.environ["BURN_CANARY"] = str(place / "fired")
        os.chdir(place)
        signal.alarm(60)
        devnull = os.open(os.devnull, os.O_WRONLY)
        os.dup2(devnull, 1)
        report = load(how, path, watched)
        (place / "report.json").write_text(json.dumps(report))
        os._exit(0)
    _, status = os.waitpid(child, 0)
    written = place / "report.json"
    report = json.loads(written.read_text()) if written.exists() else {"events": [], "error": f"ended by {status}"}
    # What was made without Python's knowledge is seen here.
    made = [f"made {path.name}" for path in place.iterdir() if path not in (written, place / "unpacked")]
    return {**report, "events": report["events"] + made, "fired": (place / "fired").exists()}


def main() -> None:
    folder = pathlib.Path(sys.argv[1])
    modules = folder / "modules"
    modules.mkdir()
    (modules / "burn_canary.py").write_text(CANARY)
    sys.path.insert(0, str(modules))
    os.environ["PYTHONPATH"] = str(modules)
    os.chdir(folder)
    # Codecs of names in archives and of texts in pickles, and what keeps the sizes of arrays.
    import encodings.cp437
    import encodings.latin_1

    import numpy._core.multiarray
    import torch

    torch.set_num_threads(1)

    @functools.cache
    def usual(how: str, path: str) -> set[str]:
        # What is imported only once is imported here.
        load(how, path, False)
        report = apart(folder, f"plain-{how}-{pathlib.Path(path).name}", how, path, True)
        assert report["error"] is None, (how, path, report["error"])
        return set(report["events"])

    reports = {}
    for job in json.load(sys.stdin):
        plain = usual(job["how"], job["plain"]) if job.get("plain") else None
        report = apart(folder, job["name"], job["how"], job["path"], plain is not None)
        report["events"] = [event for event in report["events"] if event not in (plain or ())]
        reports[job["name"]] = report
    json.dump(reports, sys.stdout)


if __name__ == "__main__":
    main()
