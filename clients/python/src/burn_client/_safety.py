"""What a `.pt2` file must be before PyTorch may load it.

`torch.export.load` unpickles the sample inputs, evaluates the expressions of sizes, and runs Python code that is made of
guards and names in the file. The service refuses uploads that use this; here the same is looked at again, since a file
may come from elsewhere. Nothing in the file is evaluated by the check.
"""

from __future__ import annotations

import io
import json
import pathlib
import pickletools
import re
import zipfile
from collections.abc import Iterator
from typing import Any

from ._errors import UnsafeModelError

_SAVED = r"data\.pkl|byteorder|version|\.format_version|\.storage_alignment|\.data/serialization_id|data/[0-9]{1,20}"
_EXPORTED = (
    r"archive_format|archive_version|byteorder|version|\.format_version|\.storage_alignment"
    r"|\.data/(version|serialization_id)|models/(?P<model>[^/]+)\.json|data/weights/(weight_[0-9]{1,20}|[^/]+_weights_config\.json)"
    r"|data/constants/(tensor_[0-9]{1,20}|[^/]+_constants_config\.json)|data/sample_inputs/[^/]+\.pt|extra/.+")
# What a pickle of plain tensors calls, and the operations that write it.
_GLOBALS = re.compile(
    r"torch\._utils (_rebuild_tensor|_rebuild_tensor_v2|_rebuild_parameter)|collections OrderedDict"
    r"|torch (Float|Double|Half|BFloat16|Long|Int|Short|Char|Byte|Bool)Storage|torch (Size|device)")
_OPERATIONS = set(
    "PROTO STOP MARK POP POP_MARK DUP NONE NEWTRUE NEWFALSE BININT BININT1 BININT2 LONG1 BINFLOAT BINUNICODE "
    "SHORT_BINUNICODE EMPTY_LIST APPEND APPENDS EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3 EMPTY_DICT SETITEM SETITEMS BINPUT "
    "LONG_BINPUT BINGET LONG_BINGET MEMOIZE FRAME GLOBAL REDUCE BUILD BINPERSID".split())
_NAME = re.compile(r"(?:[A-Za-z_][A-Za-z0-9_]*)?")
_PLAIN = re.compile(r"[A-Za-z0-9_.:+\-/]*")
_EXPRESSION = re.compile(
    r"(?:'[su][0-9]{1,11}'|\b(?:[su][0-9]{1,11}|[0-9]{1,19}|Symbol|Integer|Rational|Add|Mul|Pow|Max|Min|Mod|PythonMod|FloorDiv"
    r"|CeilDiv|CleanDiv|IntTrueDiv|ModularIndexing|CeilToInt|FloorToInt|TruncToInt|PowByNatural|ToFloat|Eq|Ne|Lt|Le|Gt|Ge"
    r"|And|Or|Not|positive|integer|nonnegative|nonzero|real|finite|True|False)\b|[-+*/%(),= ])*")
_GUARD = re.compile(
    r"(?:'[A-Za-z0-9_]*'|\b(?:L|args|kwargs|size|stride|storage_offset|dim|and|or|not|True|False|None|Max|Min|Mod|Eq|Ne"
    r"|[0-9]{1,19})\b|[\[\]().,=<>!+*/% -])*")
_CODE_NAMES = {
    "name", "as_name", "forward_arg_names", "tensor_values", "sym_int_values", "sym_float_values", "sym_bool_values"}
_REFUSED = {
    "as_graph", "as_custom_obj", "as_operator", "custom_obj", "custom_obj_values", "treespec_namedtuple_fields"}
_NESTED = {"builtins.tuple", "builtins.list", "builtins.dict", "collections.OrderedDict"}


def require_safe(path: pathlib.Path) -> None:
    """Raises `UnsafeModelError` unless loading the `.pt2` file runs nothing from it."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = _entries(archive, _EXPORTED)
            programs = [name for name in entries if name.startswith("models/")]
            if len(programs) != 1:
                raise UnsafeModelError(f"{path} holds {len(programs)} programs, and not exactly one.")
            _check_program(_json(archive.read(entries[programs[0]])))
            for name, entry in entries.items():
                if name.startswith("data/sample_inputs/") and entry.file_size > 0:
                    _check_saved(archive.read(entry))
                if name.endswith("_config.json"):
                    _check_table(_json(archive.read(entry)))
    except UnsafeModelError:
        raise
    except (zipfile.BadZipFile, ValueError, KeyError, RecursionError, NotImplementedError) as error:
        raise UnsafeModelError(f"{path} is not laid out as torch.export.save writes it: {error}") from error


def _entries(archive: zipfile.ZipFile, allowed: str) -> dict[str, zipfile.ZipInfo]:
    """The entries by their names below the one folder that all lie in."""
    infos = archive.infolist()
    root = infos[0].filename.split("/")[0] + "/" if infos else "/"
    found: dict[str, zipfile.ZipInfo] = {}
    for info in infos:
        name = info.filename.removeprefix(root)
        if not info.filename.startswith(root) or not re.fullmatch(allowed, name) or name in found:
            raise UnsafeModelError(f"The entry {info.filename!r} has no place in the file.")
        if info.compress_type != zipfile.ZIP_STORED:
            raise UnsafeModelError(f"The entry {info.filename!r} is compressed.")
        found[name] = info
    return found


def _check_saved(content: bytes) -> None:
    if content[:4] != b"PK\3\4":
        raise UnsafeModelError("The sample inputs are no archive of torch.save.")
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        pickle = archive.read(_entries(archive, _SAVED)["data.pkl"])
    for operation, argument, _ in pickletools.genops(pickle):
        if operation.name not in _OPERATIONS:
            raise UnsafeModelError(f"The pickled sample inputs use the operation {operation.name}.")
        if operation.name == "GLOBAL" and not _GLOBALS.fullmatch(str(argument)):
            raise UnsafeModelError(f"The pickled sample inputs need {argument!r}, which is no plain tensor.")


def _check_table(table: Any) -> None:
    for name, row in table["config"].items():
        if row.get("use_pickle") or not re.fullmatch(r"(weight|tensor)_[0-9]{1,20}", row["path_name"]):
            raise UnsafeModelError(f"{name!r} is no plain tensor.")


def _json(content: bytes) -> Any:
    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({name for name, _ in pairs}) < len(pairs):
            raise UnsafeModelError("A member of the program's JSON is there twice.")
        return dict(pairs)

    return json.loads(content, object_pairs_hook=members)


def _check_program(program: Any) -> None:
    for key, text, is_member in _texts(program, ""):
        if key == "expr_str" or (is_member and key == "range_constraints"):
            is_good = len(text) <= 512 and bool(_EXPRESSION.fullmatch(text))
        elif key == "guards_code":
            is_good = len(text) <= 1024 and bool(_GUARD.fullmatch(text))
        elif key in ("in_spec", "out_spec"):
            is_good = _is_nested(text)
        elif key in ("as_string", "as_strings"):
            is_good = True
        else:
            is_good = bool((_NAME if key in _CODE_NAMES else _PLAIN).fullmatch(text))
        if not is_good:
            raise UnsafeModelError(f"PyTorch would evaluate {text[:80]!r}, which is not what torch.export writes.")


def _texts(value: Any, key: str) -> Iterator[tuple[str, str, bool]]:
    """Every text that may be evaluated, with the member that it lies in, and whether it is a member's own name."""
    if isinstance(value, str):
        yield key, value, False
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item, key)
    elif isinstance(value, dict):
        for name, member in value.items():
            if name in _REFUSED and member:
                raise UnsafeModelError(f"{name!r} holds what is no graph of plain operators.")
            yield key, name, True
            # Notes on the source code, which are shown and never run.
            if name != "metadata":
                yield from _texts(member, name)


def _is_nested(text: str) -> bool:
    def is_plain(spec: Any) -> bool:
        if set(spec) != {"type", "context", "children_spec"}:
            return False
        if spec["type"] is None:
            return spec["context"] is None and not spec["children_spec"]
        context = json.loads(spec["context"]) if spec["context"] is not None else None
        names = context if isinstance(context, list) else []
        return (
            spec["type"] in _NESTED and (context is None or isinstance(context, list))
            and all(isinstance(name, str) and _NAME.fullmatch(name) for name in names)
            and all(is_plain(child) for child in spec["children_spec"]))

    version, spec = _json(text.encode())
    return version == 1 and is_plain(spec)
