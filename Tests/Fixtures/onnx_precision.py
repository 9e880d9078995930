#!/usr/bin/env python3
"""ONNX classifiers of half precision and of whole numbers, and what onnx's own reference makes of one batch of images.

    onnx_precision.py DIR

Writes NAME.onnx and answers.json: by name, the logits of the images.
"""
import json
import pathlib
import sys

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper, save
from onnx.reference import ReferenceEvaluator

RANDOM = np.random.default_rng(7)
KERNEL = RANDOM.normal(0, 0.3, (6, 3, 3, 3)).astype(np.float32)
BIAS = RANDOM.normal(0, 0.1, 6).astype(np.float32)
MATRIX = RANDOM.normal(0, 0.5, (6, 5)).astype(np.float32)
SHIFT = RANDOM.normal(0, 0.1, 5).astype(np.float32)
IMAGES = (RANDOM.integers(0, 256, (4, 3, 8, 8)) / 255).astype(np.float32)


def model(nodes, tensors, type=TensorProto.FLOAT):
    graph = helper.make_graph(
        nodes, "g", [helper.make_tensor_value_info("x", type, ["n", 3, 8, 8])],
        [helper.make_tensor_value_info("logits", type, ["n", 5])],
        [numpy_helper.from_array(value, name) for name, value in tensors.items()])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)], ir_version=9)
    checker.check_model(made)
    return made


def network(image="x", kernel="kernel", bias="bias", matrix="matrix"):
    node = helper.make_node
    return [
        node("Conv", [image, kernel, bias], ["c"], pads=[1, 1, 1, 1]), node("Relu", ["c"], ["r"]),
        node("GlobalAveragePool", ["r"], ["p"]), node("Flatten", ["p"], ["f"]),
        node("Gemm", ["f", matrix, "shift"], ["logits"])]


def weights(type=np.float32):
    return {"kernel": KERNEL.astype(type), "bias": BIAS.astype(type), "matrix": MATRIX.astype(type), "shift": SHIFT.astype(type)}


def half():
    return model(network(), weights(np.float16), TensorProto.FLOAT16)


def half_inside():
    """As converters write it that keep the types of inputs and outputs."""
    nodes = network("h")
    nodes[-1].output[0] = "l"
    node = helper.make_node
    return model(
        [node("Cast", ["x"], ["h"], to=TensorProto.FLOAT16), *nodes, node("Cast", ["l"], ["logits"], to=TensorProto.FLOAT)],
        weights(np.float16))


def per_channel(values, axis, limit=127):
    others = tuple(i for i in range(values.ndim) if i != axis)
    scale = (np.abs(values).max(others) / limit).astype(np.float32)
    shape = [-1 if i == axis else 1 for i in range(values.ndim)]
    return np.round(values / scale.reshape(shape)).astype(np.int8), scale


def quantised(activations, other_scale=False):
    kernel, kernel_scale = per_channel(KERNEL, 0)
    matrix, matrix_scale = per_channel(MATRIX, 1)
    image_scale, feature_scale = np.float32(1 / 255), np.float32(0.02)
    tensors = {
        "kernel": kernel, "kernel_scale": kernel_scale, "kernel_zero": np.zeros(6, np.int8),
        "matrix": matrix, "matrix_scale": matrix_scale, "matrix_zero": np.zeros(5, np.int8), "shift": SHIFT,
        "bias": np.round(BIAS / (kernel_scale * image_scale)).astype(np.int32), "bias_scale": kernel_scale * image_scale,
        "bias_zero": np.zeros(6, np.int32), "image_scale": image_scale, "image_zero": np.uint8(0),
        "feature_scale": feature_scale, "feature_zero": np.uint8(3), "other_scale": np.float32(0.5)}
    node = helper.make_node
    nodes = [
        node("DequantizeLinear", ["kernel", "kernel_scale", "kernel_zero"], ["kernel_f"], axis=0),
        node("DequantizeLinear", ["bias", "bias_scale", "bias_zero"], ["bias_f"], axis=0),
        node("DequantizeLinear", ["matrix", "matrix_scale", "matrix_zero"], ["matrix_f"], axis=1)]
    body = network("x", "kernel_f", "bias_f", "matrix_f")
    if activations:
        scale = "other_scale" if other_scale else "image_scale"
        nodes += [node("QuantizeLinear", ["x", "image_scale", "image_zero"], ["xq"]), node("DequantizeLinear", ["xq", scale, "image_zero"], ["xf"])]
        body = network("xf", "kernel_f", "bias_f", "matrix_f")
        body[2].input[0] = "rf"
        body[2:2] = [
            node("QuantizeLinear", ["r", "feature_scale", "feature_zero"], ["rq"]),
            node("DequantizeLinear", ["rq", "feature_scale", "feature_zero"], ["rf"])]
    used = {name for n in nodes + body for name in n.input}
    return model(nodes + body, {name: np.asarray(value) for name, value in tensors.items() if name in used})


def aware():
    """As quantisation-aware training exports it: weights in single precision, each before a pair of its own."""
    scale = per_channel(KERNEL, 0)[1]
    node = helper.make_node
    return model(
        [node("QuantizeLinear", ["kernel", "kernel_scale", "kernel_zero"], ["kernel_q"], axis=0),
         node("DequantizeLinear", ["kernel_q", "kernel_scale", "kernel_zero"], ["kernel_f"], axis=0),
         *network("x", "kernel_f")],
        weights() | {"kernel_scale": scale, "kernel_zero": np.zeros(6, np.int8)})


def integers():
    node = helper.make_node
    kernel, scale = per_channel(KERNEL, 0)
    nodes = network()
    nodes[0] = node("ConvInteger", ["xq", "kernel", "zero", "kernel_zero"], ["ci"], pads=[1, 1, 1, 1])
    return model(
        [node("DynamicQuantizeLinear", ["x"], ["xq", "xs", "zero"]), nodes[0], node("Cast", ["ci"], ["c"], to=1), *nodes[1:]],
        {"kernel": kernel, "kernel_zero": np.int8(0), "matrix": MATRIX, "shift": SHIFT})


def main(out):
    answers = {"images": IMAGES.flatten().tolist()}
    for name, made in {
        "half": half(), "half-inside": half_inside(), "qdq-weights": quantised(False), "qdq": quantised(True),
        "qdq-aware": aware(), "qdq-other-scale": quantised(True, other_scale=True), "integers": integers(),
    }.items():
        save(made, out / f"{name}.onnx")
        images = IMAGES.astype(np.float16) if name == "half" else IMAGES
        answers[name] = ReferenceEvaluator(made).run(None, {"x": images})[0].astype(np.float32).flatten().tolist()
    (out / "answers.json").write_text(json.dumps(answers))


if __name__ == "__main__":
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    main(folder)
