"""Means over maps before and after 1x1 convolutions."""

from typing import Any

import pytest

from converters.optimize import pooled_product as module
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
)

GIVEN: dict[str, Shape] = {"x": ["N", 4, "H", "W"]}


def graph(taken: int = 4, given: int = 6, opset: int = 17, **attributes: Any) -> bytes:
    build = Build(opset)
    map_ = build.conv("x", taken, given, **attributes)
    build.add("GlobalAveragePool", map_, to="y")
    build.add("Relu", map_, to="z")
    return build.model({"x": ["N", taken, "H", "W"]}, ["y", "z"])


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize("bias", [True, False])
def test_mean_is_taken_before_the_convolution(opset, bias):
    before = graph(opset=opset, bias=bias)
    after, nodes = rewritten(module, before)
    assert nodes == ["y"]
    assert node_of(after, "y").op_type == "Conv"
    pooling = node_of(after, node_of(after, "y").input[0])
    assert pooling.op_type == "GlobalAveragePool" and pooling.input[0] == "x"
    require_same(before, after, pixels(2, 4, 5, 3))


@pytest.mark.parametrize(
    "attributes",
    [{"strides": [2, 2]}, {"pads": [1, 1, 1, 1]}, {"group": 2}, {"kernel": 3}],
    ids=str,
)
def test_other_convolutions_are_left_alone(attributes):
    require_untouched(module, graph(**attributes))


def test_mean_moves_before_several_convolutions():
    build = Build()
    build.add("GlobalAveragePool", build.conv(build.conv("x", 4, 4), 4, 6), to="y")
    before = build.model(GIVEN, ["y"])
    after, nodes = rewritten(module, before)
    assert nodes == ["y"]
    assert operators(after) == {"Conv": 2, "GlobalAveragePool": 1}
    require_same(before, after, pixels(2, 4, 5, 3))
    assert rewritten(module, after) == (after, [])


def test_convolutions_that_remove_channels_are_left_alone():
    require_untouched(module, graph(taken=6, given=4))
    assert rewritten(module, graph(taken=4, given=4))[1] == ["y"]


def test_computed_weights_are_left_alone():
    build = Build()
    map_ = build.add("Conv", "x", build.add("Neg", build.weights(6, 4, 1, 1)))
    build.add("GlobalAveragePool", map_, to="y")
    require_untouched(module, build.model(GIVEN, ["y"]))
