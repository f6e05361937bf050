"""Heads of detectors whose pixels are put side by side once, at the end."""

from typing import Any

import pytest

from converters.optimize import children_apart as module
from converters.optimize import optimize, transposed_convolution, upsampled_input
from tests.support.gated_graphs import enlarged
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

GIVEN: dict[str, Shape] = {"x": ["N", 3, "h", "w"], "z": ["N", 3, "H", "W"]}
EARLIER = (transposed_convolution, upsampled_input)
DOUBLE: dict[str, Any] = {"strides": [2, 2], "kernel_shape": [2, 2]}


def head(opset: int = 17, *, maps: int = 1, case: str = "") -> bytes:
    """Return a detector's head after the rewrites that come before this one."""
    build = Build(opset)
    parts = [enlarged(build, build.conv("x", 3, 2)), build.conv("z", 3, 3)]
    together = build.add("Concat", *parts, axis=1)
    total = build.conv(together, 5, 4, 3, pads=[1, 1, 1, 1], bias=case != "no bias", to="sum")
    value = build.add("Relu", total)
    if case == "3x3":
        value = build.conv(value, 4, 4, 3, pads=[1, 1, 1, 1])
    if case == "1x1":
        value = build.conv(value, 4, 4)
    if case == "group":
        value = build.conv(value, 4, 4, group=2)
    value = build.add("ConvTranspose", value, build.weights(4, 3, 2, 2), **DOUBLE)
    value = build.add("Relu", value)
    value = build.add("ConvTranspose", value, build.weights(3, maps, 2, 2), **DOUBLE)
    build.add("Sigmoid", value, to="y")
    after, _ = optimize(build.model(GIVEN, ["y", "sum"] if case == "output" else ["y"]), EARLIER)
    return after


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize("maps", [1, 2])
@pytest.mark.parametrize("case", ["", "no bias", "1x1"])
def test_children_are_computed_apart(opset, maps, case):
    before = head(opset, maps=maps, case=case)
    after, nodes = rewritten(module, before)
    assert nodes == ["sum"]
    counts = operators(after)
    assert counts["DepthToSpace"] == counts["Concat"] == counts["Gather"] == 1
    assert "Slice" not in counts and counts["Add"] == 4
    for high, wide in ((4, 3), (1, 1), (2, 5)):
        x, z = pixels(2, 3, high, wide), pixels(2, 3, 2 * high, 2 * wide, seed=2)
        require_same(before, after, x, z)


@pytest.mark.parametrize("case", ["3x3", "group", "output"])
def test_other_heads_are_left_alone(case):
    require_untouched(module, head(case=case))


def test_sum_that_no_rearrangement_follows_is_left_alone():
    build = Build()
    parts = [enlarged(build, build.conv("x", 3, 2)), build.conv("z", 3, 3)]
    total = build.conv(build.add("Concat", *parts, axis=1), 5, 4, 3, pads=[1, 1, 1, 1])
    build.add("Relu", total, to="y")
    before, _ = optimize(build.model(GIVEN, ["y"]), EARLIER)
    assert operators(before)["DepthToSpace"] == 1
    require_untouched(module, before)
