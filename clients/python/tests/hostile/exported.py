"""`.pt2` archives of torch.export."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from . import Plain, accepted, refused
from .payloads import (
    IMPORT, MAIN, OPEN, SHELL, Call, archive, calling, entries, pickled, programme, with_entries)

UNSAFE, PROGRAM, SAMPLES = "model-unsafe-to-load", "models/model.json", "data/sample_inputs/model.pt"


def edited(plain: Plain, name: str, change: Callable[[bytes], bytes]) -> bytes:
    def edit(root: str, found: dict[str, bytes]) -> None:
        found[root + name] = change(found[root + name])

    return with_entries(plain.exported, edit)


def added(plain: Plain, **others: bytes) -> bytes:
    return with_entries(
        plain.exported, lambda root, found: found.update({root + name: value for name, value in others.items()}))


def of_program(plain: Plain, change: Callable[[Any], None]) -> bytes:
    def edit(content: bytes) -> bytes:
        program = json.loads(content)
        change(program)
        return json.dumps(program).encode()

    return edited(plain, PROGRAM, edit)


def of_text(plain: Plain, old: str, new: str) -> bytes:
    """The program with all texts that are `old` (in JSON) replaced."""
    def edit(content: bytes) -> bytes:
        text = json.dumps(json.loads(content))
        assert old in text, old
        return text.replace(old, new).encode()

    return edited(plain, PROGRAM, edit)


def saved(plain: Plain, pickle: bytes, **others: bytes) -> bytes:
    """The sample inputs with another pickle, and further entries."""
    def edit(content: bytes) -> bytes:
        return with_entries(content, lambda root, found: found.update(
            {root + "data.pkl": pickle, **{root + name: value for name, value in others.items()}}))

    return edited(plain, SAMPLES, edit)


@refused("exported", UNSAFE, SAMPLES, live="export")
def samples_bare_pickle(plain: Plain) -> bytes:
    """The sample inputs are a pickle that runs Python."""
    return edited(plain, SAMPLES, lambda _: pickled(Call(exec, OPEN)))


@refused("exported", UNSAFE, SAMPLES, live="export")
def samples_pickle_before_zip(plain: Plain) -> bytes:
    """A pickle stands before the archive of the sample inputs."""
    return edited(plain, SAMPLES, lambda old: pickled(Call(exec, OPEN)) + old)


@refused("exported", UNSAFE, SAMPLES, live="export")
def samples_pickle_in_zip(plain: Plain) -> bytes:
    """The pickle in the archive of the sample inputs starts a program."""
    return saved(plain, calling("posix.system", 'touch "$BURN_CANARY"'))


@refused("exported", UNSAFE, SAMPLES, live="export")
def samples_import(plain: Plain) -> bytes:
    """The sample inputs name a class of a module that has to be imported."""
    return saved(plain, b"\x80\x02cburn_canary\nThing\n.")


@refused("exported", UNSAFE, SAMPLES)
def samples_script(plain: Plain) -> bytes:
    """The archive of the sample inputs is TorchScript as well."""
    return edited(plain, SAMPLES, lambda old: with_entries(old, lambda root, found: found.update(
        {root + "constants.pkl": b"\x80\x02).", root + "code/m.py": MAIN})))


@refused("exported", UNSAFE, PROGRAM, live="export")
def guards(plain: Plain) -> bytes:
    """The guards, which PyTorch executes, open a file."""
    return of_program(plain, lambda program: program.update(guards_code=[OPEN]))


def sized(program: Any, name: str, code: str) -> None:
    values = program["graph_module"]["graph"]["tensor_values"]
    values[name]["sizes"][1] = {"as_expr": {"expr_str": code, "hint": {"as_int": 4}}}


@refused("exported", UNSAFE, PROGRAM, live="export")
def size(plain: Plain) -> bytes:
    """The size of a value, which PyTorch evaluates, is an import."""
    return of_program(plain, lambda program: sized(program, "conv2d", IMPORT))


@refused("exported", UNSAFE, PROGRAM, live="export")
def size_in_disguise(plain: Plain) -> bytes:
    """The same of a value that is called as the notes are, which nobody evaluates."""
    def change(program: Any) -> None:
        text = json.dumps(program).replace('"conv2d"', '"metadata"')
        program.clear()
        program.update(json.loads(text))
        sized(program, "metadata", OPEN)

    return of_program(plain, change)


@refused("exported", UNSAFE, PROGRAM)
def argument_name(plain: Plain) -> bytes:
    """The name of an operator's argument continues the call that the code which PyTorch makes has there."""
    return of_text(plain, '"start_dim"', json.dumps(f"start_dim=({IMPORT}, 1)[1], x"))


@refused("exported", UNSAFE, PROGRAM)
def default_of_an_input(plain: Plain) -> bytes:
    """A constant text among the inputs ends its own quotes."""
    spec = {"user_input": {"arg": {"as_string": f"x' #\n)\n{IMPORT}"}}}

    def change(program: Any) -> None:
        program["graph_module"]["signature"]["input_specs"].append(spec)

    return of_program(plain, change)


@refused("exported", UNSAFE, PROGRAM, live="export")
def structure(plain: Plain) -> bytes:
    """The structure of the outputs is a defaultdict whose factory is imported."""
    context = {"default_factory_module": "burn_canary", "default_factory_name": "Thing", "dict_context": []}
    spec = [1, {"type": "collections.defaultdict", "context": context, "children_spec": []}]

    def change(program: Any) -> None:
        program["graph_module"]["module_call_graph"][0]["signature"]["out_spec"] = json.dumps(spec)

    return of_program(plain, change)


@refused("exported", "model-archive", "models/", live="export")
def second_program(plain: Plain) -> bytes:
    """A second program beside the first, with the size of a value that is an import: PyTorch loads both."""
    hostile = entries(of_program(plain, lambda program: sized(program, "conv2d", IMPORT)))
    others = {
        re.sub(r"/model(?=[^/]*$)", "/other", name): value for name, value in hostile.items() if "/model" in name}
    return archive({**entries(plain.exported), **others})


def table(content: bytes, change: Callable[[Any], None]) -> bytes:
    document = json.loads(content)
    change(document["config"])
    return json.dumps(document).encode()


@refused("exported", "model-pickled-weights", "weights_config.json", live="export")
def pickled_weight(plain: Plain) -> bytes:
    """The table says that a weight is a pickle, which runs Python."""
    def change(root: str, found: dict[str, bytes]) -> None:
        name = root + "data/weights/model_weights_config.json"
        found[name] = table(found[name], lambda rows: next(iter(rows.values())).update(use_pickle=True))
        found[root + "data/weights/weight_0"] = pickled(Call(exec, OPEN))

    return with_entries(plain.exported, change)


@refused("exported", "model-pickled-weights", "data/weights/model.pt", live="export")
def old_weights(plain: Plain) -> bytes:
    """All weights are one pickle, as in an older layout, and it imports a module."""
    return added(plain, **{"data/weights/model.pt": b"\x80\x02cburn_canary\nThing\n."})


def constant(plain: Plain, name: str, content: bytes) -> bytes:
    """With one more constant in the table."""
    def change(root: str, found: dict[str, bytes]) -> None:
        place = root + "data/constants/model_constants_config.json"
        row = {"path_name": name, "is_param": False, "use_pickle": True, "tensor_meta": None}
        found[place] = table(found[place], lambda rows: rows.update(thing=row))
        found[root + "data/constants/" + name] = content

    return with_entries(plain.exported, change)


@refused("exported", UNSAFE, "data/constants/opaque_obj_0", live="export")
def opaque_object(plain: Plain) -> bytes:
    """A constant is a pickled object of a user's class."""
    return constant(plain, "opaque_obj_0", pickled(Call(exec, IMPORT)))


@refused("exported", "model-pickled-weights", "constants_config.json", live="export")
def pickled_constant(plain: Plain) -> bytes:
    """A constant is a pickled tensor, and no tensor."""
    return constant(plain, "tensor_0", pickled(Call(exec, SHELL)))


@refused("exported", "model-format-aotinductor", "machine code")
def compiled_library(plain: Plain) -> bytes:
    """A shared library stands where PyTorch loads compiled models from."""
    return added(plain, **{"data/aotinductor/model/model.so": b"\x7fELF" + bytes(60)})


@refused("exported", UNSAFE, "__main__.py")
def main_program(plain: Plain) -> bytes:
    """A Python program lies among the entries."""
    return added(plain, **{"__main__.py": MAIN})


@refused("exported", "zip-end-record", "directory", live="run")
def runs_as_a_program(plain: Plain) -> bytes:
    """A second archive stands behind the first, with a program that Python runs."""
    return programme(plain.exported)


@accepted("exported")
def samples_of_tensors(plain: Plain) -> bytes:
    """As PyTorch writes it: the sample inputs are a pickle of plain tensors."""
    return plain.exported


@accepted("exported")
def no_samples(plain: Plain) -> bytes:
    """The sample inputs are empty."""
    return edited(plain, SAMPLES, lambda _: b"")


@accepted("exported")
def texts_beside_the_model(plain: Plain) -> bytes:
    """Extra files, which PyTorch gives to its user as texts, are Python and a pickle's opcodes."""
    return added(plain, **{"extra/hubconf.py": MAIN, "extra/note.txt": b"cposix\nsystem\n(S'true'\ntR."})


@accepted("exported")
def code_in_the_notes(plain: Plain) -> bytes:
    """The notes on the source code, which are only shown, are Python."""
    def change(program: Any) -> None:
        for node in program["graph_module"]["graph"]["nodes"]:
            node["metadata"]["stack_trace"] = f"'''\n{SHELL}\n{IMPORT}"

    return of_program(plain, change)


@accepted("exported")
def guards_on_sizes(plain: Plain) -> bytes:
    """Guards of the form that torch.export writes, which PyTorch does execute."""
    return of_program(plain, lambda program: program.update(guards_code=["L['input'].size()[1] == 3"]))
