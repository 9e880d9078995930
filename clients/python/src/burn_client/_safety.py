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
import struct
import zipfile
from collections.abc import Iterator
from typing import Any, BinaryIO

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
    r"(?:'[su][0-9]{1,11}'|\b(?:[su][0-9]{1,11}|[0-9]{1,19}|Symbol|Integer|Rational|Add|Mul|Max|Min|Mod|PythonMod|FloorDiv"
    r"|CeilDiv|CleanDiv|IntTrueDiv|ModularIndexing|CeilToInt|FloorToInt|TruncToInt|ToFloat|Eq|Ne|Lt|Le|Gt|Ge"
    r"|And|Or|Not|positive|integer|nonnegative|nonzero|real|finite|True|False)\b|[-+*/%(),= ])*")
_GUARD = re.compile(
    r"(?:'[A-Za-z0-9_]*'|\b(?:L|args|kwargs|size|stride|storage_offset|dim|and|or|not|True|False|None|Max|Min|Mod|Eq|Ne"
    r"|[0-9]{1,19})\b|[\[\]().,=<>!+*/% -])*")
_CODE_NAMES = {
    "name", "as_name", "forward_arg_names", "tensor_values", "sym_int_values", "sym_float_values", "sym_bool_values"}
_REFUSED = {
    "as_graph", "as_custom_obj", "as_operator", "custom_obj", "custom_obj_values", "treespec_namedtuple_fields"}
_DESCRIBED = {("graph_module",), ("graph_module", "graph", "nodes", "[]")}
_NESTED = {"builtins.tuple", "builtins.list", "builtins.dict", "collections.OrderedDict"}


def require_safe(path: pathlib.Path) -> None:
    """Raises `UnsafeModelError` unless loading the `.pt2` file runs nothing from it."""
    try:
        with open(path, "rb") as file:
            _require_one_reading(file)
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


def _require_one_reading(file: BinaryIO) -> None:
    """Python looks for the directory from the end of the file and moves all offsets with it, PyTorch does not: they find the
    same where the directory ends where the end record begins, and the first entry begins the file."""
    size = file.seek(0, io.SEEK_END)
    file.seek(max(0, size - 22))
    end = file.read(22)
    file.seek(0)
    if len(end) < 22 or end[:4] != b"PK\5\6" or end[20:] != b"\0\0" or file.read(4) != b"PK\3\4":
        raise UnsafeModelError("The file is no plain zip archive.")
    count, length, start = struct.unpack("<HII", end[10:20])
    stop = size - 22
    file.seek(max(0, stop - 20))
    if file.read(4) == b"PK\6\7":
        large, far, stop = _zip64(file, size)
        if length not in (large, 0xFFFFFFFF) or start not in (far, 0xFFFFFFFF):
            raise UnsafeModelError("The archive has two places of its directory.")
        length, start = large, far
    elif count == 0xFFFF or 0xFFFFFFFF in (length, start):
        raise UnsafeModelError("The archive's zip64 end record is missing.")
    if start + length != stop:
        raise UnsafeModelError("The archive's directory is not where its end record is.")


def _zip64(file: BinaryIO, size: int) -> tuple[int, int, int]:
    """Length and start of the directory by the zip64 end record, and where that record begins."""
    place = size - 22 - 20 - 56
    file.seek(max(0, place))
    records = file.read(76)
    if place < 0 or records[:4] != b"PK\6\6" or records[56:60] != b"PK\6\7" \
            or struct.unpack("<Q", records[64:72])[0] != place:
        raise UnsafeModelError("The archive's zip64 end record is not where it should be.")
    length, start = struct.unpack("<QQ", records[40:56])
    return length, start, place


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
    _require_one_reading(io.BytesIO(content))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        pickle = archive.read(_entries(archive, _SAVED)["data.pkl"])
    for operation, argument, _ in pickletools.genops(pickle):
        # Names of inputs come into the code of guards.
        if operation.name not in _OPERATIONS or (
                operation.name.endswith("UNICODE") and not _PLAIN.fullmatch(str(argument))):
            raise UnsafeModelError(f"The pickled sample inputs use the operation {operation.name}.")
        if operation.name == "GLOBAL" and not _GLOBALS.fullmatch(str(argument)):
            raise UnsafeModelError(f"The pickled sample inputs need {argument!r}, which is no plain tensor.")


def _check_table(table: Any) -> None:
    types: dict[str, Any] = {}
    for name, row in table["config"].items():
        if row.get("use_pickle") or not re.fullmatch(r"(weight|tensor)_[0-9]{1,20}", row["path_name"]):
            raise UnsafeModelError(f"{name!r} is no plain tensor.")
        # PyTorch reads all of an entry as the type that its first row has.
        if types.setdefault(row["path_name"], row["tensor_meta"]["dtype"]) != row["tensor_meta"]["dtype"]:
            raise UnsafeModelError(f"{name!r} shares its bytes with a tensor of another type.")


def _json(content: bytes) -> Any:
    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({name for name, _ in pairs}) < len(pairs):
            raise UnsafeModelError("A member of the program's JSON is there twice.")
        return dict(pairs)

    return json.loads(content, object_pairs_hook=members)


def _check_program(program: Any) -> None:
    for key, text, is_member in _texts(program, ()):
        if key == "expr_str" or (is_member and key == "range_constraints"):
            # A tower of powers would keep whoever evaluates it busy for ever.
            is_good = len(text) <= 512 and "**" not in text and bool(_EXPRESSION.fullmatch(text))
        elif key == "guards_code":
            is_good = len(text) <= 1024 and "**" not in text and bool(_GUARD.fullmatch(text))
        elif key in ("in_spec", "out_spec"):
            is_good = _is_nested(text)
        elif key in ("as_string", "as_strings"):
            is_good = bool(re.fullmatch(r"[A-Za-z0-9_.:+\-/,> ]*", text))
        else:
            is_good = bool((_NAME if key in _CODE_NAMES else _PLAIN).fullmatch(text))
        if not is_good:
            raise UnsafeModelError(f"PyTorch would evaluate {text[:80]!r}, which is not what torch.export writes.")


def _texts(value: Any, path: tuple[str, ...]) -> Iterator[tuple[str, str, bool]]:
    """Every text that may be evaluated, with the member that it lies in, and whether it is a member's own name.

    Names that the file chooses stand in the path too, so that only a whole path says what a value is.
    """
    key = next((step for step in reversed(path) if step != "[]"), "")
    if isinstance(value, str):
        yield key, value, False
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item, (*path, "[]"))
    elif isinstance(value, dict):
        for name, member in value.items():
            if name in _REFUSED and member:
                raise UnsafeModelError(f"{name!r} holds what is no graph of plain operators.")
            yield key, name, True
            # Notes on the source code, which are shown and never run.
            if name == "metadata" and path in _DESCRIBED:
                if not all(isinstance(note, str) for note in (member or {}).values()):
                    raise UnsafeModelError("A note on the source code is no text.")
            else:
                yield from _texts(member, (*path, name))


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
