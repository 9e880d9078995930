"""ONNX files, alone and with their weights in an archive."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable
from typing import Any

import onnx
from onnx import TensorProto, helper

from . import Plain, accepted, refused
from .payloads import IMPORT, MAIN, SHELL, archive, programme

EXTERNAL, FUNCTIONS, UNSAFE = "onnx-external-data", "onnx-functions", "model-unsafe-to-load"


def changed(content: bytes, change: Callable[[Any], None]) -> bytes:
    model = onnx.ModelProto.FromString(content)
    change(model)
    return model.SerializeToString()


def members(content: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]


def tar(files: dict[str, bytes], *others: tarfile.TarInfo) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        for info in others:
            archive.addfile(info)
    return target.getvalue()


def at(location: str, data: str | None = None) -> Callable[[Plain], bytes]:
    """All weights in `location`, and the file of the weights under the name `data`, `location` if there is none."""
    def build(plain: Plain) -> bytes:
        files = members(plain.onnx_tar)

        def change(model: Any) -> None:
            for tensor in model.graph.initializer:
                for pair in tensor.external_data:
                    if pair.key == "location":
                        pair.value = location

        return tar({"model.onnx": changed(files["model.onnx"], change), data or location: files["model.onnx.data"]})

    return build


@refused("onnx_tar", EXTERNAL, "../outside")
def weights_outside(plain: Plain) -> bytes:
    """The weights are in a file outside of the model's folder."""
    return at("../outside", "outside")(plain)


@refused("onnx_tar", EXTERNAL, "/etc/passwd")
def weights_at_an_absolute_path(plain: Plain) -> bytes:
    """The weights are in a file of the system."""
    return at("/etc/passwd", "passwd")(plain)


@refused("onnx_tar", EXTERNAL, "_ORT_MEM_ADDR_")
def weights_in_memory(plain: Plain) -> bytes:
    """The weights are at an address in the memory of onnxruntime's process."""
    return at("*/_ORT_MEM_ADDR_/*")(plain)


@refused("onnx_tar", EXTERNAL, "prepacked_0")
def second_weights(plain: Plain) -> bytes:
    """A weight's data in a form of its own for onnxruntime's kernels, which need not be the weight."""
    files = members(plain.onnx_tar)

    def change(model: Any) -> None:
        model.graph.initializer[0].external_data.add(key="prepacked_0", value="0|432|")

    return tar({**files, "model.onnx": changed(files["model.onnx"], change)})


@refused("onnx", EXTERNAL, "elsewhere.bin")
def constant_in_a_file(plain: Plain) -> bytes:
    """A constant inside a node is in a file that is not there."""
    def change(model: Any) -> None:
        tensor = TensorProto(data_type=TensorProto.FLOAT, dims=[1], data_location=TensorProto.EXTERNAL)
        tensor.external_data.add(key="location", value="elsewhere.bin")
        model.graph.node.insert(0, helper.make_node("Constant", [], ["constant"], value=tensor))

    return changed(plain.onnx, change)


@refused("onnx", "onnx-operator", "evil.domain")
def operator_of_a_library(plain: Plain) -> bytes:
    """An operator of a domain that a library has to bring."""
    def change(model: Any) -> None:
        model.opset_import.add(domain="evil.domain", version=1)
        model.graph.node[1].domain = "evil.domain"

    return changed(plain.onnx, change)


@refused("onnx", FUNCTIONS, "byte ")
def function_of_its_own(plain: Plain) -> bytes:
    """A function with nodes that nobody looks at."""
    def change(model: Any) -> None:
        model.functions.append(helper.make_function(
            "local", "Relu", ["x"], ["y"], [helper.make_node("Relu", ["x"], ["y"])], [helper.make_opsetid("", 17)]))

    return changed(plain.onnx, change)


@refused("onnx", FUNCTIONS, "byte ")
def graph_inside_a_node(plain: Plain) -> bytes:
    """A graph inside a node, with nodes and files of its own."""
    def change(model: Any) -> None:
        inner = helper.make_graph([], "inner", [], [])
        model.graph.node[1].attribute.append(helper.make_attribute("body", inner))

    return changed(plain.onnx, change)


@refused("onnx", "onnx-damaged", "byte ")
def unknown_field(plain: Plain) -> bytes:
    """Bytes in a field that ONNX does not define."""
    return plain.onnx + b"\xfa\x07" + bytes([len(MAIN)]) + MAIN


@refused("onnx", "model-two-formats", "zip archive and something else", live="run")
def graph_and_program(plain: Plain) -> bytes:
    """An archive with a program behind the graph, which Python runs."""
    return programme(plain.onnx)


@refused("onnx", "model-two-formats", "zip archive and something else", live="run")
def program_in_a_doc_string(plain: Plain) -> bytes:
    """The same inside of a text, so that the file is sound ONNX to its last byte."""
    def change(model: Any) -> None:
        model.ClearField("metadata_props")

    text = programme(b"")
    # The model's doc_string, field 6, behind all other fields: its length, and the archive.
    return changed(plain.onnx, change) + b"\x32" + bytes([len(text) & 0x7F | 0x80, len(text) >> 7]) + text


@refused("onnx_tar", UNSAFE, "onnx.py", live="beside")
def module_beside_the_model(plain: Plain) -> bytes:
    """A file that Python imports in the place of onnx where the archive was unpacked."""
    return tar({**members(plain.onnx_tar), "onnx.py": MAIN})


@refused("onnx_tar", "tar-damaged", "../../fired", live="unpack")
def member_outside(plain: Plain) -> bytes:
    """A member that is unpacked into another folder."""
    return tar({**members(plain.onnx_tar), "../../fired": b""})


@refused("onnx_tar", "tar-damaged", "“link”")
def link_to_outside(plain: Plain) -> bytes:
    """A link to a folder outside."""
    link = tarfile.TarInfo("link")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc"
    return tar(members(plain.onnx_tar), link)


@accepted("onnx")
def code_in_the_texts(plain: Plain) -> bytes:
    """Doc strings, names and metadata, which nobody evaluates, that are Python."""
    def change(model: Any) -> None:
        model.doc_string = model.graph.doc_string = SHELL
        model.producer_name = IMPORT
        for node in model.graph.node:
            node.doc_string = SHELL
        helper.set_model_props(model, {"run": SHELL, "auto_map": IMPORT, "path": "../../etc/passwd"})

    return changed(plain.onnx, change)


@accepted("onnx_tar")
def weights_beside(plain: Plain) -> bytes:
    """The weights in a file beside the graph."""
    return plain.onnx_tar


@accepted("onnx_tar")
def weights_beside_in_a_zip(plain: Plain) -> bytes:
    """The same in a zip."""
    return archive(members(plain.onnx_tar))
