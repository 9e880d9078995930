#!/usr/bin/env python3
"""Keras classifiers as TensorFlow exports them (channels last), and what TensorFlow computes.

    keras_models.py export FOLDER [NAME ...]   writes FOLDER/NAME.keras.onnx (Keras' own export), NAME.tf2onnx.onnx
                                               (tf2onnx, fixed batch of one where the name says so) and the reference
    keras_models.py check FOLDER [NAME ...]    compares FOLDER/NAME.FORMAT.onnx in onnxruntime with NAME.FORMAT.logits

Needs tensorflow-cpu, tf2onnx and onnxruntime (scripts/compat-tensorflow makes an environment of its own). A reference
is that of zoo.py without a training step: images and gradients are (N, channels, height, width), as the engine has
them.
"""
import argparse
import contextlib
import io
import json
import os
import pathlib

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
from keras import layers  # noqa: E402

CLASSES = 10
MODELS = {}


def model(size=32, channels=3):
    def register(make):
        MODELS[make.__name__] = ((size, size, channels), make)
        return make

    return register


@model()
def keras_cnn(x):
    """The beginner's network: the order of Flatten's values is that of channels last."""
    for width in (8, 16):
        x = layers.Conv2D(width, 3, activation="relu", padding="same")(x)
        x = layers.MaxPooling2D(2)(x)
    x = layers.Flatten()(x)
    x = layers.Dropout(0.5)(layers.Dense(24, activation="relu")(x))
    return layers.Dense(CLASSES)(x)


@model()
def keras_softmax(x):
    x = layers.Conv2D(8, 5, strides=2, use_bias=False)(layers.Rescaling(2.0, -1.0)(x))
    x = layers.ReLU()(layers.BatchNormalization()(x))
    x = layers.Conv2D(12, 3, strides=2, padding="same", activation="elu")(x)
    return layers.Dense(CLASSES, activation="softmax")(layers.GlobalAveragePooling2D()(x))


@model(28, 1)
def keras_mnist(x):
    x = layers.Conv2D(6, 5, activation="tanh", padding="same")(x)
    x = layers.AveragePooling2D(2)(x)
    x = layers.Conv2D(16, 5, activation="tanh")(x)
    x = layers.Flatten()(layers.AveragePooling2D(2)(x))
    return layers.Dense(CLASSES)(layers.Dense(32, activation="tanh")(x))


@model()
def keras_resnet(x):
    def block(x, width, stride):
        y = layers.ReLU()(layers.BatchNormalization()(x))
        short = x
        if stride > 1 or x.shape[-1] != width:
            short = layers.Conv2D(width, 1, strides=stride, use_bias=False)(y)
        y = layers.Conv2D(width, 3, strides=stride, padding="same", use_bias=False)(y)
        y = layers.ReLU()(layers.BatchNormalization()(y))
        return layers.Add()([layers.Conv2D(width, 3, padding="same", use_bias=False)(y), short])

    x = layers.Conv2D(8, 3, padding="same", use_bias=False)(x)
    for width, stride in ((8, 1), (16, 2), (24, 2)):
        x = block(x, width, stride)
    x = layers.ReLU()(layers.BatchNormalization()(x))
    return layers.Dense(CLASSES)(layers.GlobalAveragePooling2D()(x))


@model()
def keras_separable(x):
    """Depthwise convolutions, squeeze and excitation, concatenation, padding of one side."""
    x = layers.ZeroPadding2D(((0, 1), (0, 1)))(x)
    x = layers.Conv2D(12, 3, strides=2, activation="swish")(x)
    y = layers.DepthwiseConv2D(3, padding="same", use_bias=False)(x)
    y = layers.ReLU(6.0)(layers.BatchNormalization()(y))
    gate = layers.Reshape((1, 1, 12))(layers.GlobalAveragePooling2D()(y))
    gate = layers.Conv2D(12, 1, activation="sigmoid")(layers.Conv2D(3, 1, activation="relu")(gate))
    y = layers.Multiply()([y, gate])
    x = layers.Concatenate()([x, y, layers.SeparableConv2D(6, 3, padding="same")(x)])
    x = layers.LeakyReLU(negative_slope=0.1)(x)
    return layers.Dense(CLASSES)(layers.GlobalMaxPooling2D()(x))


@model(64)
def keras_mobilenet_v2(x):
    return keras.applications.MobileNetV2(
        input_tensor=x, weights=None, alpha=0.35, classes=CLASSES, classifier_activation=None).output


@model(64)
def keras_efficientnet_v2_b0(x):
    """Without its Normalization layer: both exporters leave that layer's constants as inputs without values."""
    return keras.applications.EfficientNetV2B0(
        input_tensor=x, weights=None, classes=CLASSES, classifier_activation=None, include_preprocessing=False).output


@model(64)
def keras_resnet50_v2(x):
    return keras.applications.ResNet50V2(
        input_tensor=x, weights=None, classes=CLASSES, classifier_activation=None).output


@model(75)
def keras_densenet121(x):
    return keras.applications.DenseNet121(
        input_tensor=x, weights=None, classes=CLASSES, classifier_activation=None).output


def build(name):
    shape, make = MODELS[name]
    keras.utils.set_random_seed(sum(map(ord, name)))
    x = keras.Input(shape, name="image")
    net = keras.Model(x, make(x))
    net(np.zeros((1, *shape), np.float32))
    random = np.random.default_rng(1)
    for layer in net._flatten_layers():
        if isinstance(layer, layers.BatchNormalization):
            layer.moving_mean.assign(random.normal(0, 0.1, layer.moving_mean.shape))
            layer.moving_variance.assign(random.uniform(0.5, 1.5, layer.moving_variance.shape))
        if getattr(layer, "bias", None) is not None:
            layer.bias.assign(random.normal(0, 0.1, layer.bias.shape))
    return net


def to_logits(net):
    """A softmax at the end is left off by the engine, which has the values before it."""
    last = net.layers[-1]
    if getattr(last, "activation", None) is keras.activations.softmax:
        plain = keras.Model(net.input, net.layers[-2].output)
        return lambda x: plain(x, training=False) @ last.kernel + last.bias
    return lambda x: net(x, training=False)


def record(folder, name, net):
    shape, _ = MODELS[name]
    images = np.random.default_rng(2).random((4, *shape), dtype=np.float32)
    function = to_logits(net)
    logits = function(tf.constant(images)).numpy()
    # In double precision, in which rounding decides at no kink.
    keras.config.set_dtype_policy("float64")
    try:
        wide = build(name)
        wide.set_weights([value.astype(np.float64) for value in net.get_weights()])
        x = tf.constant(images.astype(np.float64))
        with tf.GradientTape() as tape:
            tape.watch(x)
            total = tf.reduce_sum(tf.reduce_logsumexp(to_logits(wide)(x), axis=1))
        gradient = tape.gradient(total, x).numpy()
    finally:
        keras.config.set_dtype_policy("float32")
    index, offset = {}, 0
    with open(folder / f"{name}.bin", "wb") as file:
        for key, value in (("images", images.transpose(0, 3, 1, 2)), ("logits", logits),
                           ("input_gradient", gradient.transpose(0, 3, 1, 2))):
            data = np.ascontiguousarray(value, dtype="<f4").tobytes()
            index[key] = {"shape": list(value.shape), "offset": offset}
            file.write(data)
            offset += len(data)
    (folder / f"{name}.json").write_text(json.dumps(
        {"name": name, "library": "keras", "image": list(shape), "labels": [], "tensors": index}))


def export(folder, name):
    import tf2onnx

    net = build(name)
    written = []
    with contextlib.redirect_stdout(io.StringIO()):
        net.export(str(folder / f"{name}.keras.onnx"), format="onnx", verbose=False)
        written.append("keras")
        for form, batch in (("tf2onnx", None), ("one", 1)):
            signature = [tf.TensorSpec([batch, *MODELS[name][0]], tf.float32, name="image")]
            function = tf.function(lambda image: net(image, training=False), input_signature=signature)
            tf2onnx.convert.from_function(
                function, input_signature=signature, opset=17, output_path=str(folder / f"{name}.{form}.onnx"))
            written.append(form)
    record(folder, name, net)
    print(f"{name}: {', '.join(written)}", flush=True)


def check(folder, name):
    """Changed files in onnxruntime against the engine's logits for them."""
    import onnxruntime

    entry = json.loads((folder / f"{name}.json").read_text())["tensors"]["images"]
    count = int(np.prod(entry["shape"]))
    images = np.fromfile(folder / f"{name}.bin", "<f4", count, offset=entry["offset"]).reshape(entry["shape"])
    images = images.transpose(0, 2, 3, 1)
    for path in sorted(folder.glob(f"changed/{name}.*.onnx")):
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        node = session.get_inputs()[0]
        parts = [images[i:i + 1] for i in range(len(images))] if node.shape[0] == 1 else [images]
        theirs = np.concatenate([session.run(None, {node.name: part})[0] for part in parts])
        ours = np.fromfile(path.with_suffix(".logits"), "<f4").reshape(theirs.shape)
        if name == "keras_softmax":
            ours = np.exp(ours - ours.max(1, keepdims=True))
            ours /= ours.sum(1, keepdims=True)
        print(f"{path.stem}: {abs(ours - theirs).max() / abs(theirs).max():.1e}", flush=True)
        assert abs(ours - theirs).max() <= 1e-4 * abs(theirs).max(), path


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=["export", "check"])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    for name in arguments.names or MODELS:
        (export if arguments.action == "export" else check)(arguments.folder, name)


if __name__ == "__main__":
    main()
