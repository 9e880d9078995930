#!/usr/bin/env python3
"""Runs the Python of docs/recipes.md as it stands there, with the real libraries and random weights (scripts/test-recipes).

    scripts/compatibility/recipes.py [NAME ...]      torchvision timm hugging-face backdoorbench keras

Each: make the library's model, export it as the page says, have `burnd check` find nothing wrong, change the weights as a
purification does (`burn-bench rewrite`), and take the file back into the library. There the logits must be those of the
same model with the changed weights.
"""
import argparse
import contextlib
import io
import os
import pathlib
import re
import subprocess
import sys
import tempfile

os.environ.setdefault("KERAS_BACKEND", "torch")
ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = pathlib.Path(os.environ.get("BURN_BIN", ROOT / ".build" / "release"))
sys.path.insert(0, str(ROOT / "scripts" / "networks"))
sys.path.insert(0, str(ROOT / "Tests" / "Fixtures"))

import torch  # noqa: E402

FACTOR = 1.01


def block(name):
    text = (ROOT / "docs" / "recipes.md").read_text()
    return re.search(rf"<!-- (?:tested|recipe): {name} -->\n```python\n(.*?)```", text, re.S).group(1)


def run(name, namespace, size=32):
    code = block(name).replace("32, 32", f"{size}, {size}")
    with contextlib.redirect_stdout(io.StringIO()):
        exec(compile(code, f"docs/recipes.md: {name}", "exec"), namespace)
    return namespace


def program(name, *arguments):
    result = subprocess.run([PROGRAMS / name, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            text=True)
    if result.returncode:
        raise SystemExit(f"{name} {' '.join(map(str, arguments))}: {result.stdout}")
    return result.stdout


def rewrite(source, target, *graph):
    assert "Nothing is wrong" in program("burnd", "check", source, *graph)
    program("burn-bench", "rewrite", source, target, "--factor", FACTOR, *graph)


def scaled(model):
    """The same model, its trained weights multiplied."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(FACTOR)
    return model.eval()


def same(found, expected, before):
    found, expected, before = (value.detach().double() for value in (found, expected, before))
    largest = expected.abs().max()
    assert (before - expected).abs().max() > 1e-4 * largest, "the weights were not changed"
    assert (found - expected).abs().max() <= 1e-5 * largest, f"{(found - expected).abs().max() / largest}"


def pytorch(model, size):
    """Export and go back, as a whole file and as weights alone."""
    namespace = run("export", {"model": model}, size)
    rewrite("model.pt2", "purified.pt2")
    rewrite("model.pth", "purified.pth", "--skeleton", "model.pt2")
    x = torch.rand(2, 3, size, size)
    with torch.no_grad():
        before = model(x)
        run("back", namespace, size)
        loaded, module = model.eval()(x), namespace["purified"](x)
        state = torch.load("model.pth", weights_only=True)
        model.load_state_dict(state)
        expected = scaled(model)(x)
    same(loaded, expected, before)
    same(module, expected, before)


def torchvision_recipe():
    import export_graphs

    export_graphs.torchvision_models()
    pytorch(run("torchvision", {})["model"].eval(), 64)
    torch.save(export_graphs.GRAPHS["resnet18"][0](10).state_dict(), "resnet.pth")
    rewrite("resnet.pth", "resnet-purified.pth", "--architecture", "resnet18")


def timm_recipe():
    pytorch(run("timm", {})["model"].eval(), 32)


def hugging_face_recipe():
    import export_graphs

    export_graphs.torchvision_models()  # which transformers imports where it is installed
    import transformers

    config = transformers.ViTConfig(
        hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64, image_size=32, patch_size=8,
        num_labels=10)
    transformers.ViTForImageClassification(config).save_pretrained("my-model")
    model = run("hugging-face", {})["model"].eval()
    pytorch(model, 32)
    model = run("hugging-face", {})["model"].eval()
    x = torch.rand(2, 3, 32, 32)
    before = model(x)
    run("hugging-face-weights", {"model": model})
    rewrite("weights.safetensors", "purified.safetensors", "--skeleton", "model.pt2")
    expected = scaled(model)(x)
    run("hugging-face-back", {"model": run("hugging-face", {})["model"]})
    os.rename("my-model", "my-model-before")
    os.rename("my-model-purified", "my-model")
    same(run("hugging-face", {})["model"].eval()(x), expected, before)


def backdoorbench_recipe():
    import export_graphs
    import numpy

    model = export_graphs.GRAPHS["preactresnet18"][0](10).eval()
    x = torch.rand(2, 3, 32, 32)
    before = model(x)
    torch.save({
        "model_name": "preactresnet18", "num_classes": 10, "model": model.state_dict(), "data_path": "../data/cifar10",
        "img_size": (32, 32, 3), "clean_data": "cifar10", "bd_test": None,
        "bd_train": {"original_index_array": numpy.arange(10), "poison_indicator": numpy.ones(10, dtype=numpy.int64)},
    }, "attack_result.pt")
    rewrite("attack_result.pt", "purified.pt", "--architecture", "preactresnet18")
    fresh = export_graphs.GRAPHS["preactresnet18"][0](10).eval()
    namespace = run("backdoorbench", {"model": fresh})
    assert namespace["result"]["img_size"] == (32, 32, 3)
    assert (namespace["result"]["bd_train"]["poison_indicator"] == 1).all()
    same(fresh.eval()(x), scaled(model)(x), before)


def keras_recipe():
    import keras
    import numpy

    layers = keras.layers
    model = keras.Sequential([
        keras.Input((32, 32, 3)), layers.Conv2D(8, 3, activation="relu", padding="same"), layers.MaxPooling2D(2),
        layers.Conv2D(16, 3, strides=2, activation="relu"), layers.Flatten(), layers.Dense(10)])
    run("keras", {"model": model})
    rewrite("model.onnx", "purified.onnx")
    images = numpy.random.default_rng(0).random((2, 32, 32, 3), dtype=numpy.float32)
    before = torch.tensor(keras.ops.convert_to_numpy(model(images, training=False)))
    found = run("keras-back", {"images": images})["logits"]
    for variable in model.trainable_variables:
        variable.assign(variable * FACTOR)
    expected = torch.tensor(keras.ops.convert_to_numpy(model(images, training=False)))
    same(torch.from_numpy(found), expected, before)


RECIPES = {
    "torchvision": torchvision_recipe, "timm": timm_recipe, "hugging-face": hugging_face_recipe,
    "backdoorbench": backdoorbench_recipe, "keras": keras_recipe,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", choices=[[], *RECIPES])
    failed = 0
    for name in parser.parse_args().names or RECIPES:
        torch.manual_seed(0)
        with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
            try:
                RECIPES[name]()
                print(f"{name}: passed", flush=True)
            except (Exception, SystemExit) as error:
                failed += 1
                print(f"{name}: FAILED: {type(error).__name__}: {str(error)[:1500]}", flush=True)
    print(f"{len(parser.parse_args().names or RECIPES) - failed} passed, {failed} failed")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
