"""All rewrites together, on a small network that has something for each of them."""

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from converters.optimize import REWRITES, Rewrite, bias_in_product, optimize
from tests.support.rewrite_graphs import OPSETS, Build, operators, pixels, require_same

NAMES = [module.__name__.rpartition(".")[2] for module in REWRITES]
NEAREST: dict[str, Any] = {
    "mode": "nearest",
    "coordinate_transformation_mode": "asymmetric",
    "nearest_mode": "floor",
}
AROUND: dict[str, Any] = {"pads": [1, 1, 1, 1]}


def stem(build: Build) -> str:
    """Add a normalization, a convolution, and steps before the next convolution."""
    build.node("Cast", ["x"], ["pixels"], **{"to": TensorProto.FLOAT})
    factor = build.add("Constant", value_float=1 / 255)
    value = build.add("Mul", "pixels", factor)
    value = build.add("Sub", value, build.weights(1, 3, 1, 1))
    value = build.conv(build.add("Identity", value), 3, 4, 3, **AROUND)
    value = build.add("Mul", value, build.weights(1))
    value = build.add("Relu", build.add("Add", value, build.weights(1)))
    value = build.add("Mul", value, build.weights(1))
    value = build.add("Add", value, build.weights(1))
    return build.conv(value, 4, 4, 3, **AROUND)


def block(build: Build, value: str) -> str:
    """Add a gated map and the sum of it and a branch of it."""
    map_ = build.conv(value, 4, 4)
    pooled = build.add("ReduceMean", map_, axes=[2, 3])
    gated = build.add("Mul", map_, build.add("Sigmoid", build.conv(pooled, 4, 4)))
    inside = build.add("Relu", build.conv(gated, 4, 8))
    return build.add("Add", gated, build.conv(inside, 8, 4))


def level(build: Build, value: str, smaller: str = "") -> str:
    """Add a level of a feature pyramid, to which an enlarged smaller level is added."""
    map_ = build.conv(value, 4, 4)
    pooled = build.add("GlobalAveragePool", map_)
    gate = build.add("Sigmoid", build.conv(pooled, 4, 4))
    map_ = build.add("Add", map_, build.add("Mul", map_, gate))
    if not smaller:
        return map_
    wide = build.add("Resize", smaller, "", build.constant([1, 1, 2, 2]), **NEAREST)
    return build.add("Add", map_, wide)


def pyramid(build: Build, value: str) -> str:
    """Add two levels, each of which ends in a depthwise and a 1x1 convolution, and sum them up."""
    half = build.conv(value, 4, 4, 2, strides=[2, 2])
    small = level(build, half)
    large = level(build, value, small)
    ends = [
        build.conv(build.conv(each, 4, 4, 5, group=4, pads=[2, 2, 2, 2]), 4, 2)
        for each in (small, large)
    ]
    wide = build.add("Resize", ends[0], "", build.constant([1, 1, 2, 2]), **NEAREST)
    together = build.add("Concat", wide, ends[1], axis=1)
    return build.conv(together, 4, 2, 3, **AROUND)


def neck(build: Build, value: str) -> str:
    """Add a gate, a pyramid of two maps, and a concatenation."""
    gate = build.add("Sigmoid", build.conv(build.add("GlobalAveragePool", value), 4, 4))
    value = build.add("Add", value, build.add("Mul", value, gate))
    half = build.conv(value, 4, 3, 2, strides=[2, 2])
    wide = build.add("Resize", half, "", build.constant([1, 1, 2, 2]), **NEAREST)
    value = build.conv(
        build.add("Concat", wide, build.conv(value, 4, 3), axis=1), 6, 4, 3, **AROUND
    )
    parts = [build.add("Relu", value), build.add("MaxPool", value, kernel_shape=[1, 1])]
    return build.conv(build.add("Concat", *parts, axis=1), 8, 2)


def network(opset: int = 17) -> bytes:
    """Return a graph with two outputs: DB's head, and the choice of a class for every column."""
    build = Build(opset)
    value = neck(build, block(build, stem(build)))
    twice: dict[str, Any] = {"strides": [2, 2], "kernel_shape": [2, 2]}
    map_ = build.add("Relu", pyramid(build, build.conv(value, 2, 4)))
    map_ = build.add("ConvTranspose", map_, build.weights(2, 3, 2, 2), **twice)
    map_ = build.add("ConvTranspose", build.add("Relu", map_), build.weights(3, 1, 2, 2), **twice)
    build.add("Sigmoid", map_, to="map")
    line = build.add("ReduceMean", value, axes=[2], keepdims=0)
    columns = build.add("Transpose", line, perm=[0, 2, 1])
    many = bias_in_product.SMALLEST
    product = build.add("MatMul", columns, build.weights(2, many))
    shares = build.add("Softmax", build.add("Add", product, build.weights(many)), axis=2)
    one = build.constant([1], np.int64)
    build.node("TopK", [shares, one], ["scores", "index"], axis=2)
    build.node("Cast", ["index"], ["number"], **{"to": TensorProto.FLOAT})
    choice = build.add("Add", "scores", "number")
    build.add("Unsqueeze", choice, build.constant([1], np.int64), to="classes")
    graph = build.model({"x": ["N", 3, "H", "W"]}, ["map", "classes"])
    model = onnx.load_from_string(graph)
    # Values that rewrites take away or give another size.
    for node in model.graph.node:
        item = helper.make_tensor_value_info(node.output[0], TensorProto.FLOAT, None)
        if item.name not in ("map", "classes"):
            model.graph.value_info.append(item)
    return model.SerializeToString()


@pytest.mark.parametrize("opset", OPSETS)
def test_every_rewrite_applies_and_keeps_the_outputs(opset):
    before = network(opset)
    after, made = optimize(before)
    assert [rewrite.name for rewrite in made] == NAMES
    assert all(rewrite.nodes for rewrite in made)
    require_same(before, after, np.abs(pixels(2, 3, 8, 12) * 50).round())


def test_every_rewrite_gives_its_reason():
    _, made = optimize(network())
    for rewrite, module in zip(made, REWRITES, strict=True):
        assert rewrite == Rewrite(rewrite.name, module.WHY, rewrite.nodes)
        assert "\n" not in rewrite.why and rewrite.why[0].islower() and rewrite.why[-1] != "."


def test_optimized_graph_has_the_expected_operators():
    after, _ = optimize(network())
    assert operators(after) == {
        "Conv": 41,
        "Add": 17,
        "Relu": 11,
        "Sigmoid": 8,
        "Mul": 6,
        "Reshape": 6,
        "MaxPool": 4,
        "GlobalAveragePool": 3,
        "Slice": 3,
        "Concat": 3,
        "MatMul": 3,
        "Cast": 2,
        "ReduceMean": 2,
        "DepthToSpace": 2,
        "Shape": 2,
        "TopK": 2,
        "Gather": 2,
        "Div": 1,
        "Resize": 1,
        "Transpose": 1,
        "Pad": 1,
        "Softmax": 1,
        "GatherElements": 1,
        "Unsqueeze": 1,
    }


def test_optimizing_again_changes_nothing():
    once, _ = optimize(network())
    twice, made = optimize(once)
    assert made == []
    assert twice == once


def test_optimizing_twice_gives_the_same_bytes():
    assert optimize(network()) == optimize(network())


def test_interface_stays_the_same():
    before, after = (onnx.load_from_string(g) for g in (network(), optimize(network())[0]))
    assert list(before.graph.input) == list(after.graph.input)
    assert list(before.graph.output) == list(after.graph.output)
    assert before.opset_import == after.opset_import and before.ir_version == after.ir_version


def test_optimized_model_is_sorted_and_holds_nothing_unused():
    after = onnx.load_from_string(optimize(network())[0])
    onnx.checker.check_model(after, full_check=True)
    made = {name for node in after.graph.node for name in node.output}
    assert {item.name for item in after.graph.value_info} <= made
    known = {item.name for item in (*after.graph.input, *after.graph.initializer)}
    for node in after.graph.node:
        assert {name for name in node.input if name} <= known
        known |= set(node.output)
    read = {name for node in after.graph.node for name in node.input}
    read |= {item.name for item in after.graph.output}
    assert {item.name for item in after.graph.initializer} <= read
    assert all(read & set(node.output) for node in after.graph.node)


def test_only_the_given_rewrites_are_applied():
    graph = network()
    module = REWRITES[NAMES.index("residual_gate")]
    _, made = optimize(graph, (module,))
    assert [rewrite.name for rewrite in made] == ["residual_gate"]
    assert optimize(graph, ())[1] == []
