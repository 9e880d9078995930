"""Checkpoints of torch.save: `.pth`, `.pt`, `.ckpt`."""

from __future__ import annotations

import functools
import io
import os
import pickle
import tarfile
from typing import Any

import numpy
import torch

from . import Plain, accepted, refused
from .payloads import (
    IMPORT, MAIN, OPEN, SHELL, Call, Name, archive, calling, entries, pickled, program, programme, script, text,
    with_entries)

CALLS = "pickle-global-not-allowed"


def saved(value: Any, **settings: Any) -> bytes:
    target = io.BytesIO()
    torch.save(value, target, **settings)
    return target.getvalue()


def state(plain: Plain) -> dict[str, Any]:
    return dict(torch.load(io.BytesIO(plain.checkpoint), weights_only=True))


def beside(plain: Plain, **others: Any) -> bytes:
    """The weights with other values beside them, as training scripts keep them."""
    return saved({"state_dict": state(plain), **others})


def instead(plain: Plain, pickle: bytes) -> bytes:
    return with_entries(plain.checkpoint, lambda root, found: found.update({root + "data.pkl": pickle}))


@refused("checkpoint", CALLS, "data.pkl", live="unpickled")
def runs_python(plain: Plain) -> bytes:
    """A value beside the weights runs Python."""
    return beside(plain, epoch=Call(exec, OPEN))


@refused("checkpoint", CALLS, "data.pkl", live="unpickled")
def starts_a_program(plain: Plain) -> bytes:
    """The pickle calls the system's shell, by the module's other name."""
    return beside(plain, epoch=Call(os.system, 'touch "$BURN_CANARY"'))


@refused("checkpoint", CALLS, "data.pkl", live="unpickled")
def names_a_module(plain: Plain) -> bytes:
    """The pickle only names a class, which imports its module."""
    return instead(plain, program(Name("burn_canary", "Thing")))


@refused("checkpoint", "pickle-opcode-not-allowed", "INST", live="unpickled")
def old_opcode(plain: Plain) -> bytes:
    """The call is made by an opcode of protocol 0."""
    return instead(plain, b"(S'touch \"$BURN_CANARY\"'\niposix\nsystem\n.")


@refused("checkpoint", CALLS, "data.pkl", live="unpickled")
def runs_by_a_name_of_torch(plain: Plain) -> bytes:
    """A function of PyTorch's own runs Python."""
    return instead(
        plain, program(Name("torch.jit.unsupported_tensor_ops", "execWrapper"), b"(", text(OPEN), b"}}tR"))


@refused("checkpoint", CALLS, "data.pkl", live="unpickled")
def runs_by_a_name_of_numpy(plain: Plain) -> bytes:
    """A function of NumPy's own runs Python."""
    return instead(plain, program(Name("numpy.testing._private.utils", "runstring"), b"(", text(IMPORT), b"}tR"))


@refused("checkpoint", CALLS, "data.pkl", live="unpickled")
def checkpoint_in_a_checkpoint(plain: Plain) -> bytes:
    """PyTorch's function for storages in bytes is given a second checkpoint, which runs Python."""
    inner = saved({"a": Call(exec, OPEN)})
    return instead(plain, pickle.dumps(Call(torch.storage._load_from_bytes, inner), 3))


@refused("checkpoint", CALLS, "data.pkl", live="unpickled")
def storage_of_a_module(plain: Plain) -> bytes:
    """The type of a storage is a class of a module that is imported."""
    return instead(
        plain, program(b"(", text("storage"), Name("burn_canary", "Thing"), text("0"), text("cpu"), b"K\x04tQ"))


@refused("checkpoint", CALLS, "data.pkl", live="unpickled")
def attribute_by_attribute(plain: Plain) -> bytes:
    """`eval` is looked up in a class that may be named."""
    lookup = program(
        Name("builtins", "getattr"), b"(", Name("builtins", "__import__"), b"(", text("burn_canary"), b"tR", text("Thing"),
        b"tR")
    return instead(plain, lookup)


@refused("checkpoint", CALLS, "data.pkl", live="unpickled")
def schedule_with_a_function(plain: Plain) -> bytes:
    """The optimiser's state holds a function with its arguments, which is called when the object's state is set."""
    return beside(plain, optimizer={"state": {}, "param_groups": [{"lr": Call(functools.partial(exec, SHELL))}]})


@refused("checkpoint", CALLS, "data.pkl", live="unpickled")
def state_of_a_tensor(plain: Plain) -> bytes:
    """A parameter is made with further state, one value of which is a call."""
    return beside(plain, extra=Call(torch._utils._rebuild_parameter, Call(exec, IMPORT), True, {}))


@refused("checkpoint", "model-two-formats", "zip archive and something else", live="unpickled")
def pickle_before_the_archive(plain: Plain) -> bytes:
    """A bare pickle stands before the archive: PyTorch reads the first, other readers the second."""
    return pickled(Call(exec, OPEN)) + plain.checkpoint


@refused("checkpoint", "model-format-pickledcheckpoint", "bare pickle", live="unpickled")
def bare_pickle(plain: Plain) -> bytes:
    """A checkpoint as before PyTorch 1.6, which runs Python."""
    return pickled(Call(exec, OPEN))


@refused("checkpoint", "model-format-pickledcheckpoint", "bare pickle", live="unpickled")
def pickled_module(plain: Plain) -> bytes:
    """A whole pickled module of a class that has to be imported, as before PyTorch 1.6."""
    return b"\x80\x02cburn_canary\nThing\n)\x81}b."


@refused("checkpoint", "model-format-otherarchive", "archive", live="unpickled")
def tar_of_pickles(plain: Plain) -> bytes:
    """A checkpoint in a tar archive, as PyTorch's first versions wrote it."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w") as tar:
        for name in ("storages", "tensors", "pickle"):
            info = tarfile.TarInfo(name)
            content = pickled(Call(exec, OPEN))
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return target.getvalue()


@refused("checkpoint", "model-format-torchscript", "TorchScript", live="script")
def torchscript(plain: Plain) -> bytes:
    """TorchScript whose state makes a file when it is set."""
    return script()


@refused("checkpoint", "model-format-torchscript", "TorchScript", live="unpickled")
def torchscript_beside(plain: Plain) -> bytes:
    """The same with the checkpoint's pickle in the place of its own, which PyTorch does not look at then."""
    def change(root: str, found: dict[str, bytes]) -> None:
        mine = entries(plain.checkpoint)
        found.update({root + name.split("/", 1)[1]: value for name, value in mine.items() if "/data/" in name})

    return with_entries(script(), change)


@refused("checkpoint", "model-unsafe-to-load", "evil.pkl")
def second_pickle(plain: Plain) -> bytes:
    """A second pickle lies beside the first."""
    return with_entries(
        plain.checkpoint,
        lambda root, found: found.update({root + "evil.pkl": calling("posix.system", 'touch "$BURN_CANARY"')}))


@refused("checkpoint", "model-unsafe-to-load", "__main__.py")
def program_beside_the_weights(plain: Plain) -> bytes:
    """A program at the archive's top, outside of its folder."""
    return archive({**entries(plain.checkpoint), "__main__.py": MAIN})


@refused("checkpoint", "zip-end-record", "directory", live="run")
def checkpoint_and_program(plain: Plain) -> bytes:
    """A second archive behind the checkpoint, with a program that Python runs."""
    return programme(plain.checkpoint)


@accepted("checkpoint")
def training_state(plain: Plain) -> bytes:
    """As a training script saves it: an optimiser's moments, numbers, and settings with texts that are Python."""
    moments = {index: {"step": torch.tensor(7.0), "exp_avg": torch.ones_like(value), "exp_avg_sq": torch.ones_like(value)}
               for index, value in enumerate(state(plain).values())}
    groups = [{"lr": 1e-3, "betas": (0.9, 0.999), "params": list(moments)}]
    return beside(
        plain, optimizer={"state": moments, "param_groups": groups}, epoch=3,
        hyper_parameters={"run": SHELL, "import": IMPORT, "nested": [None, True, 2.5, {"a": (1, 2)}]})


@accepted("checkpoint")
def arrays_of_numbers(plain: Plain) -> bytes:
    """Arrays of NumPy beside the weights."""
    return beside(plain, losses=numpy.arange(7.0), best=numpy.float64(0.5))


@accepted("checkpoint")
def moving_average(plain: Plain) -> bytes:
    """A second copy of the weights under another name, sharing their storages."""
    weights = state(plain)
    return saved({"state_dict": weights, "ema": dict(weights), "args": {"name": IMPORT}})
