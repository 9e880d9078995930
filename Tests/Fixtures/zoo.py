"""The classifiers that people use, small and with random weights: exports each, and records what PyTorch computes.

    zoo.py list                                        the names, one a line
    zoo.py export FOLDER [--formats F,F] [NAME ...]    writes FOLDER/NAME.FORMAT.pt2 or .onnx, and the reference
    zoo.py built-in FOLDER [NAME ...]                  weights alone for the built-in graphs, NAME.alone.safetensors

Formats: `pt2` (torch.export), `decomposed` (after run_decompositions()), `onnx` (torch.onnx.export), `legacy`
(torch.onnx.export with dynamo=False), `external` (torch.onnx.export with the weights in a file beside it, packed as
FOLDER/NAME.external.tar and FOLDER/NAME.stored.zip). A reference is FOLDER/NAME.json, the index of FOLDER/NAME.bin: images,
logits, and computed in double precision the gradient of the summed log-sum-exp of the logits with respect to the
images, and of one training step (batch statistics, cross entropy, no dropout) the loss, every parameter's gradient
and the changed statistics.

Architectures whose library (torchvision, timm, transformers) is not installed are left out, and said on stderr.
"""

import argparse
import contextlib
import io
import json
import pathlib
import sys
import tarfile
import tempfile
import time
import warnings
import zipfile

import torch
from torch import nn

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "scripts" / "networks"))
import export_graphs  # noqa: E402
import weights  # noqa: E402

warnings.filterwarnings("ignore")

CLASSES = 10
ZOO = {}


def architecture(library, size=64, channels=3):
    """Registers a function that makes a model; its name is the architecture's."""

    def register(make):
        ZOO[make.__name__] = (library, (channels, size, size), make)
        return make

    return register


def torchvision():
    """torchvision imports without its compiled detection operators, which no classifier uses."""
    global library
    try:
        import torchvision.models as models
    except RuntimeError:
        for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
            del sys.modules[name]
        library = torch.library.Library("torchvision", "DEF")
        library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        import torchvision.models as models
    return models


# torchvision


@architecture("torchvision")
def alexnet():
    model = torchvision().AlexNet(num_classes=CLASSES)
    model.classifier[1], model.classifier[4] = nn.Linear(9216, 32), nn.Linear(32, 32)
    model.classifier[6] = nn.Linear(32, CLASSES)
    return model


def small_vgg(batch_norm):
    vgg = torchvision().vgg
    layers = vgg.make_layers([8, "M", 16, "M", 16, 16, "M", 32, 32, "M", 32, 32, "M"], batch_norm=batch_norm)
    model = vgg.VGG(layers, num_classes=CLASSES)
    model.classifier[0], model.classifier[3] = nn.Linear(32 * 49, 32), nn.Linear(32, 32)
    model.classifier[6] = nn.Linear(32, CLASSES)
    return model


@architecture("torchvision")
def vgg():
    return small_vgg(False)


@architecture("torchvision")
def vgg_bn():
    return small_vgg(True)


@architecture("torchvision")
def resnet():
    resnet = torchvision().resnet
    return resnet.ResNet(resnet.BasicBlock, [1, 1, 1, 1], num_classes=CLASSES)


@architecture("torchvision")
def resnet_bottleneck():
    resnet = torchvision().resnet
    return resnet.ResNet(resnet.Bottleneck, [1, 1, 1, 1], num_classes=CLASSES, width_per_group=16)


@architecture("torchvision")
def resnext():
    resnet = torchvision().resnet
    return resnet.ResNet(resnet.Bottleneck, [1, 1, 1, 1], num_classes=CLASSES, groups=8, width_per_group=4)


@architecture("torchvision")
def wide_resnet():
    resnet = torchvision().resnet
    return resnet.ResNet(resnet.Bottleneck, [1, 1, 1, 1], num_classes=CLASSES, width_per_group=128)


@architecture("torchvision")
def densenet():
    return torchvision().DenseNet(8, (2, 2, 2, 2), 16, drop_rate=0.1, num_classes=CLASSES)


@architecture("torchvision", size=96)
def googlenet():
    return torchvision().GoogLeNet(CLASSES, aux_logits=True, transform_input=True, init_weights=False)


@architecture("torchvision", size=107)
def inception_v3():
    return torchvision().Inception3(CLASSES, aux_logits=True, transform_input=True, init_weights=False)


@architecture("torchvision")
def mobilenet_v2():
    return torchvision().mobilenet_v2(num_classes=CLASSES, width_mult=0.25)


@architecture("torchvision")
def mobilenet_v3_small():
    return torchvision().mobilenet_v3_small(num_classes=CLASSES, width_mult=0.25)


@architecture("torchvision")
def mobilenet_v3_large():
    return torchvision().mobilenet_v3_large(num_classes=CLASSES, width_mult=0.25)


@architecture("torchvision")
def shufflenet_v2():
    return torchvision().ShuffleNetV2([1, 2, 1], [24, 24, 48, 96, 64], num_classes=CLASSES)


@architecture("torchvision")
def squeezenet1_0():
    return torchvision().squeezenet1_0(num_classes=CLASSES)


@architecture("torchvision")
def squeezenet1_1():
    return torchvision().squeezenet1_1(num_classes=CLASSES)


@architecture("torchvision")
def mnasnet():
    return torchvision().MNASNet(0.25, num_classes=CLASSES)


@architecture("torchvision")
def efficientnet():
    efficientnet = torchvision().efficientnet
    settings, _ = efficientnet._efficientnet_conf("efficientnet_b0", width_mult=0.25, depth_mult=0.3)
    return efficientnet.EfficientNet(settings, 0.2, num_classes=CLASSES, last_channel=64)


@architecture("torchvision")
def efficientnet_v2():
    efficientnet = torchvision().efficientnet
    fused, plain = efficientnet.FusedMBConvConfig, efficientnet.MBConvConfig
    settings = [fused(1, 3, 1, 8, 8, 1), fused(4, 3, 2, 8, 16, 1), plain(4, 3, 2, 16, 24, 2), plain(6, 3, 2, 24, 32, 1)]
    return efficientnet.EfficientNet(
        settings, 0.2, num_classes=CLASSES, norm_layer=lambda width: nn.BatchNorm2d(width, eps=1e-3), last_channel=64)


def small_regnet(ratio):
    regnet = torchvision().regnet
    parameters = regnet.BlockParams.from_init_params(
        depth=6, w_0=16, w_a=16.0, w_m=2.0, group_width=8, se_ratio=ratio)
    return regnet.RegNet(parameters, num_classes=CLASSES)


@architecture("torchvision")
def regnet_x():
    return small_regnet(None)


@architecture("torchvision")
def regnet_y():
    return small_regnet(0.25)


@architecture("torchvision")
def convnext():
    convnext = torchvision().convnext
    config = convnext.CNBlockConfig
    settings = [config(16, 32, 1), config(32, 48, 1), config(48, None, 1)]
    return convnext.ConvNeXt(settings, stochastic_depth_prob=0.1, layer_scale=0.5, num_classes=CLASSES)


@architecture("torchvision")
def vit():
    return torchvision().VisionTransformer(64, 16, 2, 4, 32, 64, dropout=0.1, num_classes=CLASSES)


@architecture("torchvision")
def swin():
    return torchvision().SwinTransformer(
        [4, 4], 16, [2, 2], [2, 4], [4, 4], stochastic_depth_prob=0.1, num_classes=CLASSES)


@architecture("torchvision")
def swin_v2():
    swin = torchvision().swin_transformer
    return swin.SwinTransformer(
        [4, 4], 16, [2, 2], [2, 4], [4, 4], stochastic_depth_prob=0.1, num_classes=CLASSES,
        block=swin.SwinTransformerBlockV2, downsample_layer=swin.PatchMergingV2)


@architecture("torchvision")
def maxvit():
    return torchvision().MaxVit((64, 64), 16, 4, [16, 32], [1, 1], 8, 0.1, num_classes=CLASSES)


# timm


def timm_model(name, **options):
    torchvision()
    import timm

    return timm.create_model(name, pretrained=False, num_classes=CLASSES, **options)


@architecture("timm")
def timm_vit():
    return timm_model("vit_tiny_patch16_224", img_size=64, depth=2, embed_dim=32, num_heads=4)


@architecture("timm")
def timm_deit_distilled():
    return timm_model("deit_tiny_distilled_patch16_224", img_size=64, depth=2, embed_dim=32, num_heads=4)


@architecture("timm")
def timm_beit():
    return timm_model("beit_base_patch16_224", img_size=64, depth=2, embed_dim=32, num_heads=4)


@architecture("timm")
def timm_convnextv2():
    return timm_model("convnextv2_atto", depths=(1, 1, 2, 1), dims=(8, 16, 24, 32))


@architecture("timm")
def timm_mobilevit():
    return timm_model("mobilevit_xxs", img_size=64)


@architecture("timm")
def timm_mobilevitv2():
    return timm_model("mobilevitv2_050")


@architecture("timm")
def timm_resnetv2():
    return timm_model("resnetv2_50", layers=(1, 1, 1, 1), channels=(32, 32, 64, 64), stem_chs=16)


@architecture("timm")
def timm_mobilenetv3():
    return timm_model("mobilenetv3_small_050")


@architecture("timm")
def timm_mixer():
    return timm_model("mixer_s32_224", img_size=64)


# Hugging Face


class Logits(nn.Module):
    """A Hugging Face classifier as it is: its forward gives a dictionary with `logits`."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x):
        return self.model(pixel_values=x)


def hugging_face(kind, **options):
    torchvision()
    import transformers

    config = getattr(transformers, kind + "Config")(num_labels=CLASSES, **options)
    return Logits(getattr(transformers, kind + "ForImageClassification")(config))


TRANSFORMER = dict(
    image_size=64, patch_size=16, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64)


@architecture("transformers")
def hf_vit():
    return hugging_face("ViT", **TRANSFORMER)


@architecture("transformers")
def hf_deit():
    return hugging_face("DeiT", **TRANSFORMER)


@architecture("transformers")
def hf_beit():
    return hugging_face("Beit", use_relative_position_bias=True, **TRANSFORMER)


@architecture("transformers")
def hf_convnextv2():
    return hugging_face("ConvNextV2", hidden_sizes=[8, 16, 24, 32], depths=[1, 1, 2, 1], image_size=64)


@architecture("transformers")
def hf_mobilevit():
    return hugging_face(
        "MobileViT", image_size=64, hidden_sizes=[16, 24, 32], neck_hidden_sizes=[8, 8, 16, 16, 24, 32, 64],
        num_attention_heads=4)


@architecture("transformers")
def hf_swin():
    return hugging_face("Swin", image_size=64, patch_size=4, embed_dim=16, depths=[2, 2], num_heads=[2, 4], window_size=4)


@architecture("transformers")
def hf_resnet():
    return hugging_face("ResNet", embedding_size=16, hidden_sizes=[16, 32], depths=[1, 1], layer_type="basic")


# The reference


def logits(output):
    if isinstance(output, torch.Tensor):
        return output
    if hasattr(output, "logits"):
        return output.logits
    return output[0]


def randomise(model):
    """Weights that matter: fresh layers often hold zeros and ones."""
    for parameter in model.parameters():
        if parameter.dim() <= 1 or parameter.std() < 1e-6:
            parameter.data += torch.randn_like(parameter) * 0.1
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm) and module.running_mean is not None:
            nn.init.normal_(module.running_mean, std=0.1)
            nn.init.uniform_(module.running_var, 0.5, 1.5)


def without_noise(model):
    """Nothing random in training mode, and no auxiliary heads."""
    for module in model.modules():
        kind = type(module).__name__
        if isinstance(module, nn.modules.dropout._DropoutNd):
            module.p = 0.0
        if kind in ("StochasticDepth", "DropPath") or "DropPath" in kind:
            module.eval()
            module.train = lambda mode=True, module=module: module
        for name in ("drop_rate", "dropout_prob", "attn_dropout", "dropout_rate"):
            if isinstance(getattr(module, name, None), float):
                setattr(module, name, 0.0)
        for name in ("aux1", "aux2", "AuxLogits"):
            if getattr(module, name, None) is not None:
                setattr(module, name, None)
        if hasattr(module, "aux_logits"):
            module.aux_logits = False
        if isinstance(module, nn.MultiheadAttention):
            module.dropout = 0.0


class Reference:
    def __init__(self, folder, name):
        self.index, self.path, self.offset = {}, folder / f"{name}.json", 0
        self.file = open(folder / f"{name}.bin", "wb")

    def add(self, name, tensor):
        data = tensor.detach().float().contiguous().numpy().tobytes()
        self.index[name] = {"shape": list(tensor.shape), "offset": self.offset}
        self.file.write(data)
        self.offset += len(data)

    def close(self, **fields):
        self.file.close()
        self.path.write_text(json.dumps({**fields, "tensors": self.index}))


def record(folder, name, library, image, model, **fields):
    reference = Reference(folder, name)
    images, labels = torch.rand(4, *image), torch.arange(4) % CLASSES
    reference.add("images", images)
    model.eval()
    with torch.no_grad():
        reference.add("logits", logits(model(images)))
    # Gradients in double precision, in which rounding decides at no kink.
    model.double()
    images = images.double()
    x = images.clone().requires_grad_()
    torch.logsumexp(logits(model(x)), 1).sum().backward()
    reference.add("input_gradient", x.grad)
    state = {key: value.clone() for key, value in model.state_dict().items()}
    without_noise(model)
    model.train()
    if hasattr(model, "distilled_training"):
        model.set_distilled_training(False)
        head = model.forward_head
        model.forward_head = lambda x: torch.stack(head(x)).mean(0) if isinstance(head(x), tuple) else head(x)
    model.zero_grad()
    loss = nn.functional.cross_entropy(logits(model(images)), labels)
    loss.backward()
    for key, parameter in model.named_parameters():
        if parameter.grad is not None:
            reference.add("gradient/" + key, parameter.grad)
    for key, buffer in model.named_buffers():
        if buffer.is_floating_point() and key in state and not torch.equal(buffer, state[key]):
            reference.add("statistics/" + key, buffer)
    reference.close(name=name, library=library, image=list(image), labels=labels.tolist(), loss=loss.item(),
                    **fields)


def external(folder, name, model, example, dynamic):
    """ONNX with its weights in a file beside it, in a tar and in a zip whose entries are stored."""
    with tempfile.TemporaryDirectory() as scratch, contextlib.redirect_stdout(io.StringIO()):
        torch.onnx.export(model, example, f"{scratch}/model.onnx", external_data=True, dynamo=True,
                          dynamic_shapes=dynamic, verbose=False)
        files = sorted(pathlib.Path(scratch).iterdir())
        assert len(files) == 2, files
        with tarfile.open(folder / f"{name}.external.tar", "w") as archive:
            for file in files:
                archive.add(file, file.name)
        with zipfile.ZipFile(folder / f"{name}.stored.zip", "w") as archive:
            for file in files:
                archive.write(file, f"export/{file.name}")


def built_in(folder, name, graph, side):
    """Weights alone for a graph that is built in."""
    torch.manual_seed(sum(map(ord, name)))
    model = graph(CLASSES)
    randomise(model)
    weights.save_safetensors(model.state_dict(), folder / f"{name}.alone.safetensors")
    record(folder, name, "built in", (3, side, side), model, architecture=name, side=side)
    print(f"{name}: weights alone", file=sys.stderr, flush=True)


def export(folder, name, formats):
    library, image, make = ZOO[name]
    started = time.time()
    torch.manual_seed(sum(map(ord, name)))
    model = make()
    randomise(model)
    model.eval()
    example = (torch.rand(2, *image),)
    dynamic = ({0: torch.export.Dim("batch")},)
    written = []
    if "pt2" in formats or "decomposed" in formats:
        program = torch.export.export(model, example, dynamic_shapes=dynamic)
        if "pt2" in formats:
            torch.export.save(program, folder / f"{name}.pt2.pt2")
            written.append("pt2")
        if "decomposed" in formats:
            torch.export.save(program.run_decompositions(), folder / f"{name}.decomposed.pt2")
            written.append("decomposed")
    for form in ("onnx", "legacy"):
        if form not in formats:
            continue
        options = dict(dynamo=True, dynamic_shapes=dynamic, verbose=False)
        if form == "legacy":
            options = dict(
                dynamo=False, input_names=["input"], output_names=["output"],
                dynamic_axes={"input": {0: "batch"}, "output": {0: "batch"}}, opset_version=17,
                training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False)
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                torch.onnx.export(
                    model, example, str(folder / f"{name}.{form}.onnx"), external_data=False, **options)
            written.append(form)
        except Exception as error:  # The exporter does not know every model.
            reason = str(error).strip().splitlines()[0][:200]
            print(f"{name}.{form}: not exported: {reason}", file=sys.stderr)
    if "external" in formats:
        external(folder, name, model, example, dynamic)
        written.append("external")
    record(folder, name, library, image, model)
    print(f"{name}: {', '.join(written)} in {time.time() - started:.1f} s", file=sys.stderr, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=["list", "export", "built-in"])
    parser.add_argument("folder", nargs="?", type=pathlib.Path)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--formats", default="pt2,decomposed", help="none: only the references")
    arguments = parser.parse_intermixed_args()
    if arguments.action == "list":
        print("\n".join(ZOO))
        return
    arguments.folder.mkdir(parents=True, exist_ok=True)
    failed = 0
    if arguments.action == "built-in":
        for name, (graph, side) in export_graphs.GRAPHS.items():
            if not arguments.names or name in arguments.names:
                # A smaller image where positions are not part of the weights.
                built_in(arguments.folder, name, graph, side if side < 64 or name.startswith("vit") else 64)
        return
    for name in arguments.names or ZOO:
        try:
            export(arguments.folder, name, arguments.formats.split(","))
        except ImportError as error:
            print(f"{name}: left out: {error}", file=sys.stderr)
        except Exception as error:
            failed += 1
            print(f"{name}: FAILED: {type(error).__name__}: {str(error)[:600]}", file=sys.stderr, flush=True)
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
