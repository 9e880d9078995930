#!/usr/bin/env python3
"""Makes one small input of every kind that users bring, has `burnd check` read it, and writes docs/inputs.md from what it said.

    scripts/compatibility/inputs.py [--bin FOLDER] [--check]

    --bin FOLDER  with burnd and burn-worker; default: .build/release, or .build/debug
    --check       writes nothing, and fails where the table in docs/inputs.md says something else

Needs torch, numpy, pillow, onnx and pyarrow (.venv/bin/python). Each input has an expected outcome, and the script fails where
the program says another one.
"""
import argparse
import collections
import datetime
import io
import json
import os
import pathlib
import subprocess
import sys
import tarfile
import tempfile
import warnings
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
import torch.nn as nn
from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tests" / "Fixtures"))
import dynamic_sizes
import input_forms
import onnx_precision
import weights as weight_files

RANDOM = np.random.default_rng(0)


def picture(width=8, height=8):
    return Image.fromarray(RANDOM.integers(0, 256, (height, width, 3), dtype=np.uint8))


def encoded(image, form, **options):
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


PNG = encoded(picture(), "PNG")


def fill(folder, files):
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def tar(path, files):
    with tarfile.open(path, "w") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def zipped(path, files):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def two_classes(make, ending):
    return {f"{label}/{number}.{ending}": make() for label in ("cat", "dog") for number in range(2)}


class Spectrum(nn.Module):
    """A layer that the list of operators lacks, before a network."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, x):
        return self.net(torch.fft.rfft2(x).abs())


# Of each data set: what it is, how it is made in a folder, options, what is expected (None: read), and what checks it.
def datasets():
    def image(form, ending, mode="RGB", **options):
        return lambda d: [fill(d / "set", two_classes(lambda: encoded(
            picture().quantize(8) if mode == "P" else picture().convert(mode), form, **options), ending))]

    photo = encoded(picture(12, 9).resize((4032, 3024), Image.BICUBIC), "JPEG", quality=80)
    pillow, layout, hostile = "PillowTests", "LayoutTests", "HostileImportTests"
    yield "PNG", image("PNG", "png"), [], None, "ImageDecoderTests, PillowTests"
    yield "JPEG", image("JPEG", "jpg"), [], None, "ImageDecoderTests"
    yield ("JPEG of 4032 x 3024, `--resize 8x8`", lambda d: [fill(d / "set", two_classes(lambda: photo, "jpg"))],
           ["--resize", "8x8"], None, pillow)
    yield "JPEG in CMYK", image("JPEG", "jpg", "CMYK"), [], None, pillow
    yield "WebP", image("WEBP", "webp", lossless=True), [], None, pillow
    yield "BMP", image("BMP", "bmp"), [], None, pillow
    yield "TIFF", image("TIFF", "tiff"), [], None, pillow
    wide = lambda: encoded(Image.fromarray(RANDOM.integers(0, 65536, (8, 8)).astype(np.uint16)), "TIFF")
    yield "TIFF, grey of 16 bits", lambda d: [fill(d / "set", two_classes(wide, "tiff"))], [], None, pillow
    yield "GIF", image("GIF", "gif", "P"), [], None, pillow
    heic = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(64)
    yield "HEIC", lambda d: [fill(d / "set", two_classes(lambda: heic, "heic"))], [], "image-format-unsupported", hostile
    folders = {f"{label}/{number}.png": PNG for label in ("cat", "dog") for number in range(2)}
    yield "Class folders", lambda d: [fill(d / "set", folders)], [], None, layout
    yield ("Beside it, `--trusted` of four images", lambda d: [
        fill(d / "set", folders), "--trusted", fill(d / "few", folders)], [], "trusted-set-too-small", "CheckedJobTests")
    zebras = {name.replace("dog", "zebra"): content for name, content in folders.items()}
    yield ("Beside it, `--clean` of other classes", lambda d: [
        fill(d / "set", folders), "--clean", fill(d / "other", zebras)], [], "classes-mismatch", "CheckedJobTests")
    below = {"cat/0.png": PNG, "cat/old/1.png": PNG, "dog/2.png": PNG, "dog/new/3.png": PNG}
    yield "Folders below class folders", lambda d: [fill(d / "set", below)], [], None, layout
    either = {"animal/cat/0.png": PNG, "animal/dog/1.png": PNG, "vehicle/ship/2.png": PNG}
    yield ("Class folders in folders of kinds", lambda d: [fill(d / "set", either)], [], "layout-ambiguous", layout)
    yield "The same, `--layout leaf-folders`", lambda d: [fill(d / "set", either)], ["--layout", "leaf-folders"], None, layout
    parts = {f"{part}/{name}": content for part in ("train", "val") for name, content in folders.items()}
    yield "`train/` and `val/`", lambda d: [fill(d / "set", parts)], [], None, layout
    yield "The same, `--split val`", lambda d: [fill(d / "set", parts)], ["--split", "val"], None, layout

    def linked(d, target):
        folder = fill(d / "set", folders)
        (folder / "dog" / "link.png").symlink_to(target)
        return [folder]

    yield "A symbolic link within the folder", lambda d: linked(d, "../cat/0.png"), [], None, layout
    yield "A symbolic link out of it", lambda d: linked(d, "/etc/hostname"), [], "entry-not-a-file", layout

    def with_folders(d, *names):
        folder = fill(d / "set", folders)
        for name in names:
            (folder / name).mkdir()
        return [folder]

    yield "A class folder without images", lambda d: with_folders(d, "bee"), [], "empty-class", layout
    yield "The same, `--empty-classes`", lambda d: with_folders(d, "bee"), ["--empty-classes"], None, layout
    junk = folders | {"__pycache__/x.pyc": b"x", ".DS_Store": b"x", "Thumbs.db": b"x"}
    yield ("`System Volume Information`, `lost+found`, `__pycache__` and the like",
           lambda d: [fill(with_folders(d, "System Volume Information", "lost+found")[0], junk)], [], None, layout)
    damaged = folders | {"cat/2.png": PNG[:40], "dog/2.png": b""}
    yield "Two damaged images", lambda d: [fill(d / "set", damaged)], [], "images-damaged", layout
    yield "The same, `--skip-damaged`", lambda d: [fill(d / "set", damaged)], ["--skip-damaged"], None, layout
    halves = [{"cat/0.png": PNG, "dog/0.png": PNG}, {"cat/1.png": PNG, "dog/1.png": PNG}]
    yield ("Several archives, `burnd check MODEL a.tar b.zip`",
           lambda d: [tar(d / "a.tar", halves[0]), zipped(d / "b.zip", halves[1])], [], None, layout)
    yield ("An archive of archives", lambda d: [zipped(d / "all.zip", {
        "a.tar": tar(d / "a.tar", halves[0]).read_bytes(), "b.zip": zipped(d / "b.zip", halves[1]).read_bytes()})],
           [], None, layout)

    def table(numbers):
        return pa.table({"image": [{"bytes": PNG, "path": f"{n}.png"} for n in numbers], "label": [n % 2 for n in numbers]})

    def parquet(d, name, numbers):
        pq.write_table(table(numbers), d / name)
        return d / name

    yield "Parquet", lambda d: [parquet(d, "set.parquet", range(4))], [], None, "FormatTests"
    yield ("Several Parquet files", lambda d: [parquet(d, "0.parquet", range(4)), parquet(d, "1.parquet", range(4))],
           [], None, "FormatTests")
    shard = {f"{n}.{kind}": PNG if kind == "png" else str(n % 2).encode() for n in range(4) for kind in ("png", "cls")}
    yield ("WebDataset shards in a folder", lambda d: [fill(d / "set", {
        f"{n}.tar": tar(d / f"{n}.tar", shard).read_bytes() for n in range(2)})], [], None, layout)
    texts = {f"{n}.{kind}": PNG if kind == "png" else str(n % 2).encode() for n in range(4) for kind in ("png", "txt")}
    yield "WebDataset with labels in `.txt`", lambda d: [tar(d / "set.tar", texts)], [], None, layout
    csv = b"file_name,label\n" + b"".join(b"%d.png,%d\n" % (n, n % 2) for n in range(4))
    yield ("Images and a table of labels", lambda d: [fill(d / "set", {f"{n}.png": PNG for n in range(4)} | {"labels.csv": csv})],
           [], None, layout)
    yield ("npz", lambda d: [np.savez(d / "set.npz", x=np.zeros((4, 8, 8, 3), np.uint8), y=np.arange(4) % 2) or d / "set.npz"],
           [], None, "FormatTests")


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU())
        self.fc = nn.Linear(4, 5)

    def forward(self, x):
        return self.fc(self.features(x).mean((2, 3)))


# Of each model: what it is, how it is made, options, what is expected, and what checks it.
def models(folder):
    forms = folder / "forms"
    forms.mkdir()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        input_forms.main(forms)
    net = Net().eval()
    skeleton = folder / "net.pt2"
    torch.export.save(torch.export.export(
        net, (torch.zeros(2, 3, 8, 8),), dynamic_shapes=({0: torch.export.Dim("batch")},)), skeleton)
    state = net.state_dict()
    graph = ["--skeleton", str(skeleton)]

    def saved(name, value):
        torch.save(value, folder / name)
        return folder / name

    alone, forms_test = "WeightsAloneTests", "InputFormTests"
    yield "`.pt2`", skeleton, [], None, "ExportedModelTests"
    yield "State dict", saved("plain.pth", state), graph, None, alone
    plain = {"state_dict": state, "args": argparse.Namespace(lr=0.1, out=pathlib.PurePosixPath("/runs/1")),
             "when": datetime.datetime(2024, 1, 2), "seen": {1}, "counts": collections.Counter("ab")}
    yield ("Checkpoint with `argparse.Namespace`, `pathlib`, dates, sets", saved("inert.pth", plain), graph, None, alone)
    for key in ("model_ema", "module", "params", "net", "encoder"):
        yield f"Weights under `{key}`", saved(f"{key}.pth", {"epoch": 3, key: state}), graph, None, "WeightCopiesTests"
    prefixed = {"model." + key: value for key, value in state.items()}
    kept = prefixed | {"criterion.weight": torch.ones(5), "metrics.total": torch.tensor(1)}
    yield "Checkpoint with a loss's and a metric's tensors", saved("kept.pth", {"state_dict": kept}), graph, None, alone
    yield "A whole model, pickled", saved("whole.pth", net), graph, "pickle-global-not-allowed", alone
    broken = {key: value.clone() for key, value in state.items()}
    broken["fc.weight"][0, 0] = float("nan")
    yield "Weights with NaN", saved("nan.pth", broken), graph, "weights-not-finite", forms_test
    pretrained = folder / "pretrained"
    pretrained.mkdir()
    weight_files.save_safetensors(state, pretrained / "model.safetensors", {"format": "pt"})
    (pretrained / "config.json").write_text("{}")
    yield "Folder of `save_pretrained`", pretrained, graph, None, "scripts/compatibility/inputs.py"
    spectrum = folder / "spectrum.pt2"
    torch.export.save(torch.export.export(
        Spectrum(net), (torch.zeros(2, 3, 8, 8),), dynamic_shapes=({0: torch.export.Dim("batch")},)), spectrum)
    yield "`.pt2` with a Fourier transform", spectrum, [], "model-operator-not-allowed", "ExportedModelTests"
    import onnx
    torch.onnx.export(net, (torch.zeros(2, 3, 8, 8),), folder / "net.onnx", dynamo=False, input_names=["x"],
                      dynamic_axes={"x": {0: "n"}})
    external = folder / "external"
    external.mkdir()
    onnx.save(onnx.load(folder / "net.onnx"), external / "model.onnx", save_as_external_data=True,
              location="model.onnx.data", size_threshold=0)
    yield "Folder of an ONNX file and its `.data`", external, [], None, "scripts/compatibility/inputs.py"
    yield "ONNX", folder / "net.onnx", [], None, "ONNXModelTests"
    for name, words, expected in (
            ("bytes.pt2", "`.pt2` that takes uint8", None), ("bytes.onnx", "ONNX that takes uint8", None),
            ("last.pt2", "`.pt2` that takes (N, height, width, channels)", None),
            ("last.onnx", "ONNX that takes (N, height, width, channels)", None),
            ("half.pt2", "`.pt2` of half precision", None), ("argmax.pt2", "`.pt2` that ends in argmax", "model-output"),
            ("argmax.onnx", "ONNX that ends in argmax", "model-output"),
            ("named.pt2", "Several outputs, one called logits", None), ("two.pt2", "Two outputs", "model-output"),
            ("spatial.pt2", "`.pt2` with a spatial transformer", None),
            ("spatial.onnx", "ONNX with a spatial transformer", None)):
        yield words, forms / name, [], expected, forms_test
    sizes, precision = folder / "sizes", folder / "precision"
    sizes.mkdir()
    precision.mkdir()
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        dynamic_sizes.main(sizes)
    onnx_precision.main(precision)
    for name, words in (
            ("viewed-open.pt2", "`.pt2` with open height and width"), ("viewed-eights.pt2", "`.pt2` whose sides are multiples of 8"),
            ("viewed-old.onnx", "ONNX with open height and width")):
        yield words, sizes / name, [], None, "DynamicSizeTests"
    for name, words, expected in (
            ("half.onnx", "ONNX of half precision", None), ("half-inside.onnx", "ONNX of half precision that takes float32", None),
            ("qdq-weights.onnx", "ONNX whose weights are whole numbers (QDQ)", None),
            ("qdq.onnx", "ONNX with quantised weights and activations (QDQ)", None),
            ("integers.onnx", "ONNX that computes with whole numbers", "onnx-operator")):
        yield words, precision / name, [], expected, "ONNXPrecisionTests"
    yield "Two outputs, `--model-output 1`", forms / "two.pt2", ["--model-output", "1"], None, forms_test


def check(program, *arguments):
    run = subprocess.run([program, "check", "--json", *map(str, arguments)], capture_output=True, text=True, check=False)
    try:
        return json.loads(run.stdout)
    except ValueError:
        sys.exit(f"inputs: {' '.join(map(str, arguments))}: {run.stdout}{run.stderr}")


def cell(text):
    return " ".join(text.split()).replace("|", "\\|")


def read_as(found):
    reading = found["reading"]
    said = [f"{found['samples']} images of {found['width']} x {found['height']}, {len(found['classes'])} classes."]
    said += [reading["decision"], *reading["notes"]]
    said += [f"{item['count']} {item['from']}: {item['how']}." for item in reading["converted"]]
    if "damaged" in reading:
        said.append(f"Left out: {reading['damaged']['count']} damaged.")
    said += [f"Ignored: {item['count']} {item['kind']} ({item['reason']})." for item in reading["ignored"]]
    return cell(" ".join(said))


def refused(problem, folder):
    text = f"Refused, `{problem['code']}`: {problem['detail']}" + (f" {problem['fix']}" if problem.get("fix") else "")
    return cell(text.replace(str(folder) + "/", ""))[:420]


def model_as(found):
    shape = " x ".join(
        str(size or ("any" if axis else "N")) for axis, size in enumerate(found["input_shape"]))
    said = [f"{found['format']}, input {shape} {found['input_type']}, {found['classes']} outputs."]
    if "output" in found:
        said.append(f"Logits: output {found['output']}.")
    if "weight_copies" in found:
        said.append("Weights under " + ", ".join(f"`{copy['name']}`" for copy in found["weight_copies"]) + ".")
    if "conversion" in found:
        said.append(found["conversion"])
    if "kept_tensors" in found:
        said.append("Kept as they are: " + ", ".join(sorted(found["kept_tensors"])) + ".")
    return cell(" ".join(said))


def rows(program):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        plain = folder / "plain.pt2"
        torch.manual_seed(0)
        torch.export.save(torch.export.export(
            Net().eval(), (torch.zeros(2, 3, 8, 8),), dynamic_shapes=({0: torch.export.Dim("batch")},)), plain)
        for number, (words, make, options, expected, test) in enumerate(datasets()):
            here = folder / str(number)
            here.mkdir()
            found = check(program, *options, plain, *make(here))
            problems = [p for p in found["problems"] if "dataset" not in found or p["code"] == expected]
            code = problems[0]["code"] if problems else None
            if code != expected:
                sys.exit(f"inputs: {words}: {code} instead of {expected}: {found['problems']}")
            yield "set", words, refused(problems[0], here) if problems else read_as(found["dataset"]), test
        inner = folder / "models"
        inner.mkdir()
        for words, path, options, expected, test in models(inner):
            found = check(program, *options, path)
            code = found["problems"][0]["code"] if found["problems"] else None
            if code != expected:
                sys.exit(f"inputs: {words}: {code} instead of {expected}: {found['problems']}")
            yield "model", words, refused(found["problems"][0], inner) if code else model_as(found["model"]), test


def document(found):
    lines = [
        "# What goes in", "",
        "Written by `scripts/compatibility/inputs.py`: it makes one small input of every kind, and has `burnd check` read it.",
        "The last column names the tests that hold what is read against Pillow, PyTorch or onnxruntime, and hostile variants.",
        "What a set converts, leaves out or ignores is said in its summary, in `burnd check` and in the report.", "",
    ]
    for kind, title in (("set", "Data sets"), ("model", "Models")):
        lines += [f"## {title}", "", "| input | read as | checked by |", "|---|---|---|"]
        lines += [f"| {words} | {text} | {test} |" for of, words, text, test in found if of == kind]
        lines.append("")
    return "\n".join(lines[:-1]) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=pathlib.Path)
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    usual = [ROOT / ".build" / kind for kind in ("release", "debug")]
    folder = arguments.bin or next((path for path in usual if (path / "burnd").exists()), usual[0])
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    text = document(list(rows(str(folder / "burnd"))))
    path = ROOT / "docs" / "inputs.md"
    if not arguments.check:
        path.write_text(text)
    elif path.read_text() != text:
        sys.exit("inputs: docs/inputs.md differs from what burnd check says; write it anew: scripts/compatibility/inputs.py")


if __name__ == "__main__":
    main()
