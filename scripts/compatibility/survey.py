#!/usr/bin/env python3
"""Which operators of networks that people use the list of allowed operators lacks.

    scripts/compatibility/survey.py [--burnd .build/debug/burnd] [--only NAME] [--out FILE.json]

One small member of every module of timm's models, every image classifier of Hugging Face's transformers, and the layers
of torch.nn in small networks, as PyTorch's tutorials build them; all with random weights. Each is exported with
torch.export in evaluation mode; what it calls is held against the lists in Sources/Graph/OperatorTable*.swift, and
what passes is given to `burnd check`. Needs timm and transformers beside PyTorch. docs/compatibility.md says what came of it.
"""
import argparse
import json
import multiprocessing
import pathlib
import re
import subprocess
import sys
import tempfile
import traceback
import warnings

import torch
from torch import nn
from torch.nn import functional as F

warnings.filterwarnings("ignore")
ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tests/Fixtures"))
CLASSES = 10
# Only members as small as they come.
SMALL = ["test_", "atto", "femto", "pico", "zepto", "xxtiny", "xxs", "nano", "tiny", "_xs", "small", "_s", "mini", "050", "035", "18", "_b0", "26"]


def allowed():
    names = set()
    for path in (ROOT / "Sources/Graph").glob("OperatorTable*.swift"):
        names |= set(re.findall(r"(aten::\w+(?:\.\w+)?)\(", path.read_text()))
    return names


def timm_members():
    import timm
    for module in sorted(timm.list_modules()):
        names = timm.list_models(module=module)
        if names:
            rank = lambda name: (min((i for i, part in enumerate(SMALL) if part in name), default=len(SMALL)), len(name), name)
            yield f"timm/{module}", min(names, key=rank)


def make_timm(name):
    import timm
    model = timm.create_model(name, num_classes=CLASSES)
    size = model.default_cfg.get("input_size", (3, 224, 224))
    return model, (size[0], max(size[1], 32), max(size[2], 32))


class Logits(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, images):
        return self.model(images).logits


def hugging_face_members():
    from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING_NAMES as names
    for kind in sorted(names):
        if kind not in ("timm_wrapper",):
            yield f"transformers/{kind}", kind


def make_hugging_face(kind):
    import transformers
    config = transformers.AutoConfig.for_model(kind, num_labels=CLASSES)
    inner = getattr(config, "vision_config", config)
    for name, value in (("num_hidden_layers", 2), ("encoder_layers", 2), ("num_labels", CLASSES)):
        if hasattr(inner, name) and isinstance(getattr(inner, name), int):
            setattr(inner, name, value)
    model = transformers.AutoModelForImageClassification.from_config(config)
    side = getattr(inner, "image_size", None) or 224
    side = side if isinstance(side, int) else side[0]
    return Logits(model), (getattr(inner, "num_channels", 3) or 3, side, side)


class Row(nn.Module):
    """An image as a sequence of its rows."""

    def __init__(self, cell):
        super().__init__()
        self.cell, self.head = cell(3 * 16, 12, batch_first=True), nn.Linear(12, CLASSES)

    def forward(self, x):
        return self.head(self.cell(x.transpose(1, 2).flatten(2))[0][:, -1])


class Made(nn.Module):
    """A convolution, something between, and a head of what is left."""

    def __init__(self, between, channels=8):
        super().__init__()
        self.stem, self.between = nn.Conv2d(3, channels, 3, padding=1), between
        with torch.no_grad():
            width = self.features(torch.zeros(2, 3, 16, 16)).shape[1]
        self.head = nn.Linear(width, CLASSES)

    def features(self, x):
        return self.between(self.stem(x)).flatten(1)

    def forward(self, x):
        return self.head(self.features(x))


class Call(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


def layers():
    def tokens(layer):
        return nn.Sequential(Call(lambda x: x.flatten(2).transpose(1, 2)), layer)

    class Attention(nn.Module):
        def __init__(self):
            super().__init__()
            self.attention = nn.MultiheadAttention(8, 2, batch_first=True)

        def forward(self, x):
            return self.attention(x, x, x, need_weights=False)[0]

    made = {name: getattr(nn, name)() for name in (
        "CELU ELU GELU Hardshrink Hardsigmoid Hardswish Hardtanh LeakyReLU LogSigmoid Mish PReLU RReLU ReLU ReLU6 SELU SiLU "
        "Sigmoid Softplus Softshrink Softsign Tanh Tanhshrink Identity Softmax2d Flatten").split()}
    made |= {
        "Threshold": nn.Threshold(0.1, 0), "GLU": nn.GLU(1), "Softmax": nn.Softmax(1), "LogSoftmax": nn.LogSoftmax(1),
        "Softmin": nn.Softmin(1), "AvgPool2d": nn.AvgPool2d(2), "MaxPool2d": nn.MaxPool2d(2), "LPPool2d": nn.LPPool2d(2, 2),
        "AdaptiveAvgPool2d": nn.AdaptiveAvgPool2d(3), "AdaptiveMaxPool2d": nn.AdaptiveMaxPool2d(3),
        "BatchNorm2d": nn.BatchNorm2d(8), "GroupNorm": nn.GroupNorm(2, 8), "InstanceNorm2d": nn.InstanceNorm2d(8, affine=True),
        "InstanceNorm2d tracked": nn.InstanceNorm2d(8, track_running_stats=True),
        "LocalResponseNorm": nn.LocalResponseNorm(3), "LayerNorm": nn.LayerNorm([8, 16, 16]), "RMSNorm": nn.RMSNorm([16]),
        "Conv2d grouped": nn.Conv2d(8, 8, 3, groups=4), "ConvTranspose2d": nn.ConvTranspose2d(8, 4, 2, stride=2),
        "Conv2d reflect": nn.Conv2d(8, 8, 3, padding=1, padding_mode="reflect"),
        "Conv2d circular": nn.Conv2d(8, 8, 3, padding=1, padding_mode="circular"),
        "Conv2d same": nn.Conv2d(8, 8, 4, padding="same"),
        "Conv1d": nn.Sequential(nn.Flatten(2), nn.Conv1d(8, 4, 5, stride=3)),
        "Conv3d": nn.Sequential(Call(lambda x: x.unsqueeze(1)), nn.Conv3d(1, 2, 3)),
        "AvgPool1d": nn.Sequential(nn.Flatten(2), nn.AvgPool1d(4)), "MaxPool1d": nn.Sequential(nn.Flatten(2), nn.MaxPool1d(4)),
        "AvgPool3d": nn.Sequential(Call(lambda x: x.unsqueeze(1)), nn.AvgPool3d(2)),
        "MaxPool3d": nn.Sequential(Call(lambda x: x.unsqueeze(1)), nn.MaxPool3d(2)),
        "AdaptiveAvgPool1d": nn.Sequential(nn.Flatten(2), nn.AdaptiveAvgPool1d(4)),
        "AdaptiveMaxPool1d": nn.Sequential(nn.Flatten(2), nn.AdaptiveMaxPool1d(4)),
        "BatchNorm1d": nn.Sequential(nn.Flatten(2), nn.BatchNorm1d(8)),
        "PixelShuffle": nn.PixelShuffle(2), "PixelUnshuffle": nn.PixelUnshuffle(2), "ChannelShuffle": nn.ChannelShuffle(4),
        "Unfold": nn.Unfold(3, stride=2), "Fold": nn.Sequential(nn.Unfold(4, stride=4), nn.Fold(16, 4, stride=4)),
        "ZeroPad2d": nn.ZeroPad2d(1), "ReflectionPad2d": nn.ReflectionPad2d(1), "ReplicationPad2d": nn.ReplicationPad2d(1),
        "CircularPad2d": nn.CircularPad2d(1), "ConstantPad2d": nn.ConstantPad2d(1, 0.5),
        "Upsample nearest": nn.Upsample(scale_factor=2), "Upsample bilinear": nn.Upsample(scale_factor=2, mode="bilinear"),
        "Upsample bicubic": nn.Upsample(scale_factor=2, mode="bicubic"),
        "Upsample nearest-exact": nn.Upsample(scale_factor=2, mode="nearest-exact"),
        "interpolate area": Call(lambda x: F.interpolate(x, 5, mode="area")),
        "interpolate antialias": Call(lambda x: F.interpolate(x, (9, 7), mode="bilinear", antialias=True)),
        "Dropout2d": nn.Dropout2d(), "AlphaDropout": nn.AlphaDropout(), "FeatureAlphaDropout": nn.FeatureAlphaDropout(),
        "CosineSimilarity": Call(lambda x: F.cosine_similarity(x[:, :4], x[:, 4:], 1)),
        "PairwiseDistance": Call(lambda x: F.pairwise_distance(x[:, :4], x[:, 4:])),
        "normalize": Call(lambda x: F.normalize(x, dim=1)), "cdist": Call(lambda x: torch.cdist(x.flatten(2), x.flatten(2))),
        "cdist of norm 1.5": Call(lambda x: torch.cdist(x.flatten(2)[:, :3], x.flatten(2)[:, 3:], 1.5)),
        "einsum": Call(lambda x: torch.einsum("nchw,ncvw->nhv", x, x)), "bmm": Call(lambda x: x.flatten(2) @ x.flatten(2).mT),
        "fft": Call(lambda x: torch.fft.rfft2(x, norm="ortho").abs()),
        "MultiheadAttention": tokens(Attention()),
        "TransformerEncoderLayer": tokens(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)),
        "TransformerEncoder": tokens(nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 2, enable_nested_tensor=False)),
        "weight_norm": nn.utils.parametrizations.weight_norm(nn.Conv2d(8, 4, 3)),
        "weight_norm (old)": nn.utils.weight_norm(nn.Conv2d(8, 4, 3)),
        "spectral_norm": nn.utils.parametrizations.spectral_norm(nn.Conv2d(8, 4, 3)),
        "orthogonal": nn.utils.parametrizations.orthogonal(nn.Linear(16, 16)),
        "topk": Call(lambda x: x.flatten(2).topk(4, -1)[0]), "sort": Call(lambda x: x.flatten(2).sort(-1)[0][..., :9]),
        "amax": Call(lambda x: x.amax((2, 3))), "logsumexp": Call(lambda x: x.logsumexp((2, 3))), "std": Call(lambda x: x.std((2, 3))),
        "var_mean": Call(lambda x: torch.var_mean(x, (2, 3))[0]), "norm": Call(lambda x: x.norm(dim=(2, 3))),
        "linalg norm": Call(lambda x: torch.linalg.vector_norm(x, dim=(2, 3))), "cumsum": Call(lambda x: x.cumsum(2)),
        "roll": Call(lambda x: x.roll((1, 2), (2, 3))), "flip": Call(lambda x: x.flip(3)), "rot90": Call(lambda x: x.rot90(1, (2, 3))),
        "where": Call(lambda x: torch.where(x > 0, x, x * 0.1)), "masked_fill": Call(lambda x: x.masked_fill(x < 0, 0.0)),
        "clamp": Call(lambda x: x.clamp(-1, 1)), "pow": Call(lambda x: x.pow(2)), "abs": Call(torch.abs), "sign": Call(torch.sign),
        "exp": Call(torch.exp), "log1p": Call(lambda x: x.abs().log1p()), "sqrt": Call(lambda x: (x.abs() + 1).sqrt()),
        "rsqrt": Call(lambda x: (x.abs() + 1).rsqrt()), "erf": Call(torch.erf), "sin": Call(torch.sin), "cos": Call(torch.cos),
        "atan2": Call(lambda x: torch.atan2(x[:, :4], x[:, 4:])), "maximum": Call(lambda x: torch.maximum(x[:, :4], x[:, 4:])),
        "lerp": Call(lambda x: torch.lerp(x[:, :4], x[:, 4:], 0.3)), "addcmul": Call(lambda x: torch.addcmul(x, x, x)),
        "chunk": Call(lambda x: torch.cat(x.chunk(2, 1)[::-1], 1)), "split": Call(lambda x: x.split([3, 5], 1)[1]),
        "unbind": Call(lambda x: torch.stack(x.unbind(1)[:3], 1)), "tensor_split": Call(lambda x: x.tensor_split(3, 1)[0]),
        "repeat": Call(lambda x: x.repeat(1, 2, 1, 1)), "repeat_interleave": Call(lambda x: x.repeat_interleave(2, 1)),
        "tile": Call(lambda x: x.tile(1, 2, 1, 1)), "expand": Call(lambda x: x[:, :1].expand(-1, 3, -1, -1)),
        "movedim": Call(lambda x: x.movedim(1, -1)), "unflatten": Call(lambda x: x.unflatten(1, (2, 4)).sum(1)),
        "index": Call(lambda x: x[:, [0, 2, 4]]), "gather": Call(lambda x: x.gather(1, (x > 0).long())),
        "index_select": Call(lambda x: x.index_select(1, torch.tensor([1, 3]))), "tril": Call(lambda x: x.tril()),
        "take_along_dim": Call(lambda x: x.take_along_dim(x.argsort(1), 1)), "median": Call(lambda x: x.flatten(2).median(-1)[0]),
        "pixel statistics": Call(lambda x: torch.cat([x.mean((2, 3)), x.std((2, 3)), x.amin((2, 3))], 1)),
        "second-order pooling": Call(lambda x: torch.linalg.multi_dot([x[0].flatten(1), x[0].flatten(1).T]).expand(x.shape[0], -1, -1)),
        "affine_grid": Call(lambda x: F.grid_sample(x, F.affine_grid(torch.eye(2, 3).expand(x.shape[0], 2, 3), x.shape, align_corners=False), align_corners=False)),
        "div mode": Call(lambda x: torch.div(x * 10, 3, rounding_mode="floor") + x), "scalar power": Call(lambda x: 2.0 ** x),
        "one_hot": Call(lambda x: F.one_hot(x.argmax(1), 8).float() * x.permute(0, 2, 3, 1)),
        "gumbel free max": Call(lambda x: x.max(1)[0]), "kthvalue": Call(lambda x: x.flatten(2).kthvalue(3, -1)[0]),
        "quantile": Call(lambda x: x.flatten(2).quantile(0.5, -1)), "std_mean": Call(lambda x: torch.std_mean(x, (2, 3))[1]),
        "nan_to_num": Call(torch.nan_to_num), "diff": Call(lambda x: x.diff(dim=2)), "cross": Call(lambda x: torch.cross(x[:, :3], x[:, 3:6], 1)),
        "reshape_as": Call(lambda x: x.flatten(2).reshape_as(x)), "unfold": Call(lambda x: x.unfold(2, 5, 3)),
        "bucketize": Call(lambda x: torch.bucketize(x, torch.tensor([-1.0, 0.0, 1.0])).float()),
    }
    for name, between in made.items():
        yield f"torch.nn/{name}", lambda between=between: Made(between)
    for cell in (nn.RNN, nn.LSTM, nn.GRU):
        yield f"torch.nn/{cell.__name__}", lambda cell=cell: Row(cell)


def examine(make, name, burnd, results):
    torch.manual_seed(0)
    try:
        made = make()
        model, shape = made if isinstance(made, tuple) else (made, (3, 16, 16))
        model = model.eval()
        program = torch.export.export(
            model, (torch.rand(2, *shape),), dynamic_shapes=({0: torch.export.Dim("n")},))
    except Exception as error:
        results.put((name, {"export": f"{type(error).__name__}: {error}".split("\n")[0][:200]}))
        return
    targets = {str(node.target) for node in program.graph.nodes if node.op == "call_function"}
    calls = {"aten::" + t.removeprefix("aten.").removesuffix(".default") for t in targets if t.startswith("aten.")}
    missing = sorted(calls - allowed() - {c for c in calls if c.startswith(("aten::sym_", "aten::_assert"))})
    result = {"missing": missing, "other": sorted(t for t in targets if not t.startswith(("aten.", "<built-in", "sym_")))}
    size = sum(p.numel() for p in model.parameters())
    if not missing and size < 60_000_000:
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "model.pt2")
            torch.export.save(program, path)
            answer = subprocess.run([burnd, "check", path], capture_output=True, text=True, timeout=300)
            text = answer.stdout + answer.stderr
            if "Nothing is wrong" not in text:
                result["refused"] = text[text.find("problem"):][:400] or text[:400]
    results.put((name, result))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--burnd", default=str(ROOT / ".build/debug/burnd"))
    parser.add_argument("--only", default="")
    parser.add_argument("--out", default="survey.json")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if not arguments.only.startswith("torch.nn/"):
        import zoo
        zoo.torchvision()
    members = list(layers())
    # The layers need no more than PyTorch.
    if not arguments.only.startswith("torch.nn/"):
        members += [(name, lambda kind=kind: make_hugging_face(kind)) for name, kind in hugging_face_members()]
        members += [(f"{name} ({member})", lambda member=member: make_timm(member)) for name, member in timm_members()]
    found = {}
    context = multiprocessing.get_context("fork")
    for name, make in members:
        if arguments.only not in name:
            continue
        results = context.SimpleQueue()
        child = context.Process(target=examine, args=(make, name, arguments.burnd, results))
        child.start()
        child.join(240)
        if child.is_alive():
            child.kill()
        found[name] = results.get()[1] if not results.empty() else {"export": "did not end"}
        trouble = {key: value for key, value in found[name].items() if value}
        print(name, trouble or "ok", flush=True)
        pathlib.Path(arguments.out).write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
