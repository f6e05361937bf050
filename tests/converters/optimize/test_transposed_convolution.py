"""Transposed convolutions without overlap, as convolutions and a rearrangement."""

from typing import Any

import numpy as np
import onnx
import pytest

from converters.optimize import transposed_convolution as module
from tests.support.rewrite_graphs import (
    OPSETS,
    Build,
    Shape,
    node_of,
    operators,
    pixels,
    require_same,
    require_untouched,
    rewritten,
    run,
)

GIVEN: dict[str, Shape] = {"x": ["N", 3, "H", "W"]}
TWICE: dict[str, Any] = {"strides": [2, 2], "kernel_shape": [2, 2]}


def enlarging(build: Build, value: str, taken: int, given: int, *, bias: bool = True) -> str:
    inputs = [value, build.weights(taken, given, 2, 2)]
    return build.add("ConvTranspose", *inputs, *[build.weights(given)] * bias, **TWICE)


def head(build: Build, bias: bool = True, channels: tuple[int, int, int] = (3, 5, 1)) -> bytes:
    """Return a graph like the head of DB's network."""
    first, second, third = channels
    value = build.add("Relu", enlarging(build, "x", first, second, bias=bias))
    value = enlarging(build, value, second, third, bias=bias)
    build.add("Sigmoid", value, to="y")
    return build.model({"x": ["N", first, "H", "W"]}, ["y"])


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("channels", [1, 4])
def test_single_transposed_convolution_becomes_a_convolution(opset, bias, channels):
    build = Build(opset)
    value = build.add("Neg", "x")
    enlarging(build, value, 3, channels, bias=bias)
    before = build.model(GIVEN, ["v1"])
    after, nodes = rewritten(module, before)
    assert nodes == ["v1"]
    assert operators(after) == {"Neg": 1, "Conv": 1, "DepthToSpace": 1}
    require_same(before, after, pixels(2, 3, 5, 7))


def test_each_value_is_put_at_its_own_pixel():
    """The eight results of each pixel all differ."""
    build = Build()
    weights = build.constant(np.arange(1, 9).reshape(1, 2, 2, 2))
    build.add("ConvTranspose", "x", weights, to="y", **TWICE)
    before = build.model({"x": ["N", 1, "H", "W"]}, ["y"])
    after, _ = rewritten(module, before)
    given = np.array([[1, 10], [100, 1000]], np.float32).reshape(1, 1, 2, 2)
    first = [[1, 2, 10, 20], [3, 4, 30, 40], [100, 200, 1000, 2000], [300, 400, 3000, 4000]]
    (got,) = run(after, given)
    assert got[0, 0].tolist() == first
    assert got[0, 1, :2].tolist() == [[5, 6, 50, 60], [7, 8, 70, 80]]


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("channels", [(3, 5, 1), (2, 3, 4)])
def test_head_of_db_is_rewritten(opset, bias, channels):
    build = Build(opset)
    before = head(build, bias, channels)
    after, nodes = rewritten(module, before)
    assert nodes == ["v0", "v2"]
    assert operators(after) == {"Conv": 2, "Relu": 1, "Sigmoid": 1, "DepthToSpace": 1}
    last = node_of(after, "y")
    assert last.op_type == "DepthToSpace"
    found = {item.name: onnx.helper.get_attribute_value(item) for item in last.attribute}
    assert found == {"blocksize": 4, "mode": b"DCR"}
    require_same(before, after, pixels(2, channels[0], 3, 5))


def test_three_consecutive_transposed_convolutions_are_rewritten():
    build = Build()
    value = "x"
    for taken, given in ((3, 2), (2, 3), (3, 2)):
        value = build.add("Tanh", enlarging(build, value, taken, given))
    before = build.model(GIVEN, [value])
    after, nodes = rewritten(module, before)
    assert nodes == ["v0", "v2", "v4"]
    assert operators(after) == {"Conv": 3, "Tanh": 3, "DepthToSpace": 1}
    require_same(before, after, pixels(2, 3, 3, 2))


def test_second_one_that_would_become_too_large_is_rearranged_separately():
    """Both are replaced, each with its own rearrangement."""
    build = Build()
    channels = int((module.LARGEST / 64) ** 0.5) + 1
    before = head(build, channels=(3, channels, channels))
    after, nodes = rewritten(module, before)
    assert nodes == ["v0", "v2"]
    assert operators(after) == {"Conv": 2, "Relu": 1, "Sigmoid": 1, "DepthToSpace": 2}
    require_same(before, after, pixels(2, 3, 2, 3))
    fits, _ = rewritten(module, head(Build(), channels=(3, channels - 1, channels - 1)))
    assert operators(fits)["DepthToSpace"] == 1


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize(
    ("activation", "attributes"),
    [
        ("Relu", {}),
        ("Sigmoid", {}),
        ("Tanh", {}),
        ("HardSigmoid", {"alpha": 0.3, "beta": 0.4}),
        ("LeakyRelu", {"alpha": 0.3}),
        ("HardSwish", {}),
    ],
)
def test_steps_on_single_pixels_come_before_the_rearrangement(opset, activation, attributes):
    if activation == "HardSwish" and opset < 14:
        pytest.skip("came with opset 14")
    build = Build(opset)
    value = build.add(activation, enlarging(build, "x", 3, 2), **attributes)
    build.add("Softmax", value, axis=3, to="y")
    before = build.model(GIVEN, ["y"])
    after, _ = rewritten(module, before)
    order = [node.op_type for node in onnx.load_from_string(after).graph.node]
    assert order == ["Conv", activation, "DepthToSpace", "Softmax"]
    require_same(before, after, pixels(2, 3, 4, 5))


def test_values_that_others_read_are_rearranged_first():
    build = Build()
    value = build.add("Relu", enlarging(build, "x", 3, 4), to="z")
    value = enlarging(build, value, 4, 1)
    build.add("Sum", build.add("Sigmoid", value), value, to="y")
    before = build.model(GIVEN, ["y", "z"])
    after, nodes = rewritten(module, before)
    assert nodes == ["v0", "v2"]
    assert operators(after)["DepthToSpace"] == 2
    require_same(before, after, pixels(2, 3, 3, 3))


def test_two_branches_are_rewritten():
    build = Build()
    for name in ("y", "z"):
        build.add("Sigmoid", enlarging(build, "x", 3, 2), to=name)
    before = build.model(GIVEN, ["y", "z"])
    after, nodes = rewritten(module, before)
    assert nodes == ["v0", "v2"]
    assert operators(after)["DepthToSpace"] == 2
    require_same(before, after, pixels(2, 3, 3, 3))


@pytest.mark.parametrize(
    ("kernel", "attributes"),
    [
        (3, {"strides": [2, 2]}),
        (4, {"strides": [2, 2], "pads": [1, 1, 1, 1]}),
        (1, {"strides": [2, 2]}),
        (2, {}),
        (2, {"strides": [2, 1]}),
        (2, {"strides": [3, 3]}),
        (2, {"strides": [2, 2], "pads": [1, 0, 0, 0]}),
        (2, {"strides": [2, 2], "output_padding": [1, 1]}),
        (2, {"strides": [2, 2], "dilations": [2, 2]}),
        (2, {"strides": [2, 2], "auto_pad": "SAME_UPPER"}),
        (2, {"strides": [2, 2], "output_shape": [9, 9]}),
        (2, {"strides": [2, 2], "group": 3}),
    ],
)
def test_other_transposed_convolutions_are_left_alone(kernel, attributes):
    build = Build()
    weights = build.weights(3, 2, kernel, kernel)
    build.add("ConvTranspose", "x", weights, build.weights(2 * attributes.get("group", 1)),
              to="y", **attributes)  # fmt: skip
    require_untouched(module, build.model(GIVEN, ["y"]))


def test_automatic_padding_that_adds_nothing_is_rewritten():
    build = Build()
    build.add("ConvTranspose", "x", build.weights(3, 2, 2, 2), to="y", auto_pad="VALID", **TWICE)
    before = build.model(GIVEN, ["y"])
    after, nodes = rewritten(module, before)
    assert nodes == ["y"]
    require_same(before, after, pixels(2, 3, 4, 5))


@pytest.mark.parametrize("computed", ["weights", "bias"])
def test_computed_weights_are_left_alone(computed):
    build = Build()
    inputs = [build.weights(3, 2, 2, 2), build.weights(2)]
    position = ["weights", "bias"].index(computed)
    inputs[position] = build.add("Neg", inputs[position])
    build.add("ConvTranspose", "x", *inputs, to="y", **TWICE)
    require_untouched(module, build.model(GIVEN, ["y"]))


def test_numbers_of_another_type_are_left_alone():
    require_untouched(module, head(Build(dtype=np.float64)))
