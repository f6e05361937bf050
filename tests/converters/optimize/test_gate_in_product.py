"""Gates before a depthwise and a 1x1 convolution."""

from typing import Any

import numpy as np
import pytest

from converters.optimize import gate_in_product as module
from tests.support.gated_graphs import depthwise, gate, gate_plus_one
from tests.support.rewrite_graphs import (
    OPSETS,
    Build,
    Shape,
    operators,
    pixels,
    require_same,
    require_untouched,
    rewritten,
)

GIVEN: dict[str, Shape] = {"x": ["N", 4, "H", "W"]}


def graph(opset: int = 17, *, biases: tuple[bool, bool] = (True, True), **attributes: Any) -> bytes:
    build = Build(opset)
    product = build.add("Mul", "x", gate_plus_one(build, "x", 4))
    filtered = depthwise(build, product, 4, bias=biases[0], **attributes)
    build.conv(filtered, 4, 2, bias=biases[1], to="y")
    return build.model(GIVEN, ["y"])


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("second", [True, False])
def test_gate_becomes_a_factor_of_the_weights(opset, first, second):
    before = graph(opset, biases=(first, second))
    after, nodes = rewritten(module, before)
    assert nodes == ["y"]
    counts = operators(after)
    assert counts["MatMul"] == 1
    assert counts["Conv"] == operators(before)["Conv"] - 1
    assert counts["Add"] == 1 + (first or second)
    require_same(before, after, pixels(3, 4, 6, 5))


def test_strides_and_padding_are_kept():
    before = graph(strides=[2, 1], pads=[2, 0, 1, 3])
    after, nodes = rewritten(module, before)
    assert nodes == ["y"]
    require_same(before, after, pixels(2, 4, 9, 7))


def test_gated_map_that_others_read_stays_for_them():
    build = Build()
    product = build.add("Mul", "x", gate_plus_one(build, "x", 4))
    build.conv(depthwise(build, product, 4), 4, 2, to="y")
    build.add("Relu", product, to="z")
    before = build.model(GIVEN, ["y", "z"])
    after, nodes = rewritten(module, before)
    assert nodes == ["y"]
    require_same(before, after, pixels(2, 4, 5, 5))


def varied(case: str) -> bytes:
    dtype = np.float64 if case == "another type" else np.float32
    build = Build(dtype=dtype)
    plain = case == "a gate alone"
    factor = gate(build, "x", 4) if plain else gate_plus_one(build, "x", 4)
    product = build.add("Mul", "x", factor)
    if case == "not depthwise":
        filtered = build.conv(product, 4, 4, 5, pads=[2, 2, 2, 2])
    else:
        filtered = depthwise(build, product, 4)
    if case == "activation between":
        filtered = build.add("Relu", filtered)
    if case == "3x3":
        build.conv(filtered, 4, 2, 3, to="y")
    elif case == "computed weights":
        build.add("Conv", filtered, build.add("Neg", build.weights(2, 4, 1, 1)), to="y")
    else:
        build.conv(filtered, 4, 4 if case == "as many channels" else 2, to="y")
    outputs = ["y", filtered] if case == "read by others" else ["y"]
    return build.model(GIVEN, outputs)


@pytest.mark.parametrize(
    "case",
    [
        "another type",
        "a gate alone",
        "not depthwise",
        "activation between",
        "3x3",
        "computed weights",
        "as many channels",
        "read by others",
    ],
)
def test_other_graphs_are_left_alone(case):
    require_untouched(module, varied(case))
