#!/usr/bin/env python3
"""Compares the engine with PyTorch and onnxruntime on many classifiers, and writes docs/compatibility.md.

    scripts/compatibility/compat.py FOLDER [--bench .build/release/burn-bench] [--out docs/compatibility.md]

FOLDER is one that `Tests/Fixtures/zoo.py export FOLDER --formats pt2,decomposed,onnx,legacy,external` made, and
`Tests/Fixtures/zoo.py built-in FOLDER` for the graphs that are built in; that needs
torchvision, timm, transformers, onnx and onnxscript beside PyTorch, and this script onnxruntime. Every file's
weights are changed by the engine; the changed file then runs in PyTorch or onnxruntime, and its logits are compared
with the engine's for it ("runs elsewhere").
"""
import argparse
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

import numpy
import torch

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts" / "networks"))
sys.path.insert(0, str(ROOT / "Tests" / "Fixtures"))

FORMATS = {
    "pt2": "`.pt2`", "decomposed": "`.pt2`, decomposed", "onnx": "ONNX (dynamo)", "legacy": "ONNX (TorchScript-based)",
    "external": "ONNX, weights beside it in a tar", "stored": "ONNX, weights beside it in a zip",
    "alone": "safetensors",
}
HEAD = """# Compatibility

Written by `scripts/compatibility/compat.py` on {date} with PyTorch {torch}, torchvision {torchvision}, timm {timm},
transformers {transformers}, onnx {onnx} and onnxruntime {onnxruntime}. The models are those of
`Tests/Fixtures/zoo.py`: every family of torchvision.models' classifiers, and a choice of timm's and Hugging
Face's, with fewer and narrower layers and random weights, so that one run checks every operator they use.

- *Forward*: single precision, inference; largest deviation of the logits from PyTorch's over the largest logit.
  Demanded: 1e-5, for ONNX 1e-4.
- *Input gradient*: of the summed log-sum-exp of the logits, in double precision, likewise. Demanded: 1e-4. In
  single precision (the next column) both programs round differently, and where a value lies on a ReLU's kink or
  two pixels of a maximum are all but equal, the gradient jumps: that is PyTorch's rounding against ours.
- *Training step*: batch statistics, cross entropy, no dropout, double precision: the worst of the loss, of each
  parameter's gradient and of each changed running statistic. Demanded: 1e-4. "folded" where the exporter merged
  batch norm into the convolutions: such a model trains without it.
- *Round trip*: all trained weights changed, written, read again: difference of our logits. Demanded: 0.
- *Runs elsewhere*: that file's logits in PyTorch or onnxruntime against ours.

"""
TAIL = """
Random depth (stochastic depth, drop path) is not in a graph that was exported in evaluation mode: purification
trains without it. Dropout is switched on while training where the graph holds it (not after
`run_decompositions()`). A model exported in training mode that draws random numbers by itself is refused.

Where the logits come from: a model that returns several tensors is read where exactly one has the form
(N, classes). A softmax or sigmoid at the end is left off (the analysis needs logits, and training applies the
softmax itself). A binary classifier with one logit z is read as the two logits (0, z); class 1 is z > 0.

## ONNX

Operator sets 11 to 28. Weights are the initializers; which of them are trained follows from their use (see
`Sources/ModelFormats/ONNX/WeightRoles.swift`). What exporters compute of shapes (Shape, Gather, Unsqueeze, Concat, Range,
ScatterND, ...) is computed while reading. A model with one fixed batch is opened up where each image's result
stays what it was. Inputs (N, height, width, channels), as TensorFlow exports them, are fed from (N, C, H, W). A
written file is the read one with other bytes in its initializers. Weights in files beside
the model's own (external data) are read, and written, inside an uncompressed tar or zip of all of them; paths and
offsets that leave the archive are refused. Functions of the file's own are refused with the line that expands them.

Keras models exported by TensorFlow (channels last) are compared by `scripts/compat-tensorflow`: nine networks by Keras'
own export and by tf2onnx, with an open batch and with a batch of one. All 27 files: forward within 2e-6, input gradient
within 7e-7 in double precision, round trip 0; the changed files' logits in onnxruntime within 2e-6 of ours (2026-11-26,
TensorFlow 2.21). Both exporters leave the constants of a `Normalization` layer as inputs without values (EfficientNetB0
has one): such a file is refused, here as in onnxruntime; normalise before the model.

## Survey of operators

`scripts/compatibility/survey.py` exports networks that people use, with random weights, and holds what they call against
the list below; `burnd check` then reads what passes. On 2026-11-29, with PyTorch 2.13.0, timm 1.0.31 and transformers 5.23.0:

| what | looked at | all operators on the list | not |
|---|---|---|---|
| timm | one small member of each of its 98 modules | 96 | `efficientvit_mit` and `gemma4_vit`: their export keeps a block under `torch.autocast` or `torch.no_grad` as a function of its own (`wrap_with_autocast`, `wrap_with_set_grad_enabled`) |
| Hugging Face | the 41 kinds of image classifiers with a configuration of their own | 31 | none; 10 could not be built or exported with the usual configuration and one image (`dinat` needs a library, `imagegpt` and `perceiver` take other inputs, `convnext`, `convnextv2`, `deit` and `levit` need another one: the table above has three of them) |
| torch.nn, torch | 149 layers and functions, each in a small network, as PyTorch's tutorials use them | 133, and 6 more since | `RReLU`, `tensor_split`, `bucketize`, `quantile`, `linalg.multi_dot`, `eye`; layers over volumes (`Conv3d`, `AvgPool3d` and `MaxPool3d` beyond what `LocalResponseNorm` needs); `orthogonal` (take the parametrization off: `torch.nn.utils.parametrize.remove_parametrizations`); `torch.fft` |

`LayerTests` holds the layers that were added then against PyTorch's logits and input gradients, among them transposed
convolutions, `LocalResponseNorm`, `Fold`, weight and spectral normalisation, `topk`, `sort`, and recurrent networks over the rows
of an image. `cdist`, `PairwiseDistance`, `cross`, `diff`, `kthvalue`, `rot90` and `InstanceNorm2d` with statistics of the training
came later the same day. Transposed convolutions of decomposed programs (`aten::convolution` with `transposed`) are refused.

## Operators

Every operator that may run, what is demanded of its arguments (the shapes must fit as well), and the argument
that switches it to training.

"""


def number(value):
    return "" if value is None else "0" if value == 0 else f"{value:.0e}"


def elsewhere(path, images):
    """The logits of a changed file in the library that it came from."""
    if path.suffix in (".tar", ".zip"):
        with tempfile.TemporaryDirectory() as folder:
            shutil.unpack_archive(path, folder)
            return elsewhere(next(pathlib.Path(folder).rglob("*.onnx")), images)
    if path.suffix == ".safetensors":
        import export_graphs
        import weights

        model = export_graphs.GRAPHS[path.name.split(".")[0]][0](10)
        model.load_state_dict(weights.load_safetensors(path))
        with torch.no_grad():
            return model.eval()(torch.from_numpy(images)).numpy()
    if path.suffix == ".onnx":
        import onnxruntime

        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        return session.run(None, {session.get_inputs()[0].name: images})[0]
    if path.name.startswith("hf_"):  # PyTorch has to know the type of the model's output.
        import zoo

        zoo.ZOO[path.name.split(".")[0]][2]()
    with torch.no_grad():
        output = torch.export.load(path).module()(torch.from_numpy(images))
    return (output if isinstance(output, torch.Tensor) else output[next(iter(output))]).numpy()


def tensor(folder, name, key):
    entry = json.loads((folder / f"{name}.json").read_text())["tensors"][key]
    count = int(numpy.prod(entry["shape"]))
    return numpy.fromfile(folder / f"{name}.bin", "<f4", count, offset=entry["offset"]).reshape(entry["shape"])


def version(name):
    import importlib.metadata

    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "(none)"


def main():
    import datetime

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--bench", default=".build/release/burn-bench")
    parser.add_argument("--work", help="keep the engine's answers here, and take them from here where they are there")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("docs/compatibility.md"))
    arguments = parser.parse_args()
    folder, rows = arguments.folder, []
    with tempfile.TemporaryDirectory() as temporary:
        kept = pathlib.Path(arguments.work or temporary)
        if not (kept / "rows.jsonl").exists():
            command = [arguments.bench, "compat", str(folder), "--changed", str(kept)]
            lines = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
            (kept / "rows.jsonl").write_text(lines)
        for row in map(json.loads, (kept / "rows.jsonl").read_text().splitlines()):
            name = f"{row['architecture']}.{row['format']}"
            if row["format"] == "decomposed":  # The same container as `pt2`, which PyTorch takes seconds to load.
                rows.append(row)
                continue
            for path in kept.glob(name + ".*"):
                if path.suffix not in (".pt2", ".onnx", ".tar", ".zip", ".safetensors"):
                    continue
                images = tensor(folder, row["architecture"], "images")
                ours = numpy.fromfile(path.with_suffix(".logits"), "<f4")
                theirs = elsewhere(path, images).reshape(-1)
                row["elsewhere"] = float(abs(ours - theirs).max() / abs(theirs).max())
            rows.append(row)
    rows.sort(key=lambda row: (row["library"] != "torchvision", row["library"], row["architecture"],
                               list(FORMATS).index(row["format"])))
    names = ("torch", "torchvision", "timm", "transformers", "onnx", "onnxruntime")
    text = HEAD.format(date=datetime.date.today(), **{name: version(name) for name in names})
    text += ("| architecture | from | format | forward | input gradient | in single precision | training step | "
             "round trip | runs elsewhere |\n|---|---|---|---|---|---|---|---|---|\n")
    for row in rows:
        cells = [row["architecture"], row["library"], FORMATS[row["format"]]]
        if row.get("problem"):
            cells += ["refused: " + row["problem"].replace("|", ",")[:160]] + [""] * 5
        else:
            step = number(row.get("trainingStep")) or "folded"
            cells += [number(row.get("forward")), number(row.get("inputGradient")), number(row.get("inputGradient32")),
                      step, number(row.get("roundTrip")), number(row.get("elsewhere"))]
        text += "| " + " | ".join(cells) + " |\n"
    operators = subprocess.run([arguments.bench, "operators"], check=True, stdout=subprocess.PIPE, text=True)
    arguments.out.parent.mkdir(exist_ok=True)
    arguments.out.write_text(text + TAIL + operators.stdout)


if __name__ == "__main__":
    main()
