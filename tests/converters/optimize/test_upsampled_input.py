"""Convolutions over enlarged maps, computed at the smaller size."""

import itertools
from typing import Any

import numpy as np
import onnx
import pytest

from converters.optimize import upsampled_input as module
from tests.support.rewrite_graphs import (
    OPSETS,
    Build,
    Shape,
    operators,
    pixels,
    require_same,
    require_untouched,
    rewritten,
    run,
)

NEAREST: dict[str, Any] = {
    "mode": "nearest",
    "coordinate_transformation_mode": "asymmetric",
    "nearest_mode": "floor",
}
AROUND: dict[str, Any] = {"pads": [1, 1, 1, 1]}
CHANNELS = {1: 2, 2: 3, 4: 4, 8: 5}


def enlarged(build: Build, value: str, by: float, roi: str = "", **changes: Any) -> str:
    scales = build.constant([1, 1, by, by], np.float32)
    return build.add("Resize", value, roi, scales, **{**NEAREST, **changes})


def pyramid(build: Build, scales: list[int], size: int = 16, bias: bool = True) -> bytes:
    """Return a graph in which a convolution takes parts of these scales together, in this order."""
    parts: list[str] = []
    inputs: dict[str, Shape] = {}
    for i, by in enumerate(scales):
        inputs[f"x{i}"] = ["N", 3, f"H{i}", f"W{i}"]
        part = build.conv(f"x{i}", 3, CHANNELS[by])
        parts.append(part if by == 1 else enlarged(build, part, by))
    together = build.add("Concat", *parts, axis=1)
    build.conv(together, sum(CHANNELS[by] for by in scales), 6, 3, **AROUND, bias=bias, to="y")
    return build.model(inputs, ["y"])


def feeds(scales: list[int], high: int = 16, wide: int = 24) -> list[np.ndarray]:
    return [pixels(2, 3, high // by, wide // by, seed=i) for i, by in enumerate(scales)]


ORDERS = [list(order) for n in (2, 3) for order in itertools.permutations([1, 2, 4][:n])]


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize("scales", [*ORDERS, [8, 4, 2, 1], [1, 8], [2, 1, 4, 1, 8]], ids=str)
def test_parts_of_any_scale_and_order_are_rewritten(opset, scales):
    build = Build(opset)
    before = pyramid(build, scales)
    after, nodes = rewritten(module, before)
    assert nodes == ["y"]
    counts = operators(after)
    assert counts["DepthToSpace"] == counts["Slice"] == counts["Add"] == 1
    assert counts["Conv"] == len(scales) + 2
    # What was enlarged twice is not enlarged any more.
    assert counts.get("Resize", 0) == sum(by > 2 for by in scales)
    require_same(before, after, *feeds(scales))


@pytest.mark.parametrize("high", [2, 4, 6])
@pytest.mark.parametrize("wide", [2, 10])
def test_small_maps_keep_every_pixel(high, wide):
    """A map that is two pixels high consists of border only."""
    before = pyramid(Build(), [2, 1])
    after, _ = rewritten(module, before)
    require_same(before, after, *feeds([2, 1], high, wide))


@pytest.mark.parametrize("bias", [True, False])
def test_bias_is_added_once(bias):
    build = Build()
    before = pyramid(build, [4, 1, 2], bias=bias)
    after, _ = rewritten(module, before)
    require_same(before, after, *feeds([4, 1, 2]))
    last = [node for node in onnx.load_from_string(after).graph.node if node.op_type == "Conv"]
    with_bias = [node for node in last if node.output[0].startswith("y") and len(node.input) > 2]
    assert len(with_bias) == bias


def test_weights_at_the_smaller_size_are_sums_of_the_old_ones():
    weights = np.arange(9, dtype=np.float32).reshape(1, 1, 3, 3)
    made = module.sub_pixel_weights(weights)
    assert made.shape == (4, 1, 2, 2)
    first, second, third, fourth = made[:, 0].tolist()
    assert first == [[0 + 1 + 3 + 4, 2 + 5], [6 + 7, 8]]
    assert second == [[0 + 3, 1 + 2 + 4 + 5], [6, 7 + 8]]
    assert third == [[0 + 1, 2], [3 + 4 + 6 + 7, 5 + 8]]
    assert fourth == [[0, 1 + 2], [3 + 6, 4 + 5 + 7 + 8]]


def test_map_that_is_concatenated_twice_is_rewritten():
    build = Build()
    part = build.conv("x", 3, 2)
    wide = enlarged(build, part, 4)
    together = build.add("Concat", wide, build.conv("z", 3, 2), wide, axis=1)
    build.conv(together, 6, 4, 3, **AROUND, to="y")
    before = build.model({"x": ["N", 3, "h", "w"], "z": ["N", 3, "H", "W"]}, ["y"])
    after, nodes = rewritten(module, before)
    assert nodes == ["y"]
    require_same(before, after, pixels(2, 3, 2, 3), pixels(2, 3, 8, 12))


def test_consecutive_convolutions_are_both_rewritten():
    build = Build()
    value = build.conv(build.add("Relu", "z"), 3, 3)
    first = build.add("Concat", enlarged(build, build.conv("x", 3, 2), 2), value, axis=1)
    value = build.conv(first, 5, 4, 3, **AROUND, to="first")
    second = build.add("Concat", value, enlarged(build, build.conv("x", 3, 2), 2), axis=-3)
    build.conv(second, 6, 4, 3, **AROUND, to="second")
    before = build.model({"x": ["N", 3, "h", "w"], "z": ["N", 3, "H", "W"]}, ["second"])
    after, nodes = rewritten(module, before)
    assert nodes == ["first", "second"]
    require_same(before, after, pixels(2, 3, 3, 4), pixels(2, 3, 6, 8))


RESIZES = {
    "half pixels": {"coordinate_transformation_mode": "half_pixel"},
    "pixels of the corners": {"coordinate_transformation_mode": "align_corners"},
    "linear": {"mode": "linear"},
    "rounded": {"nearest_mode": "round_prefer_floor"},
    "rounded up": {"nearest_mode": "ceil"},
}


def around(build: Build, resized: str, **changes: Any) -> bytes:
    """A convolution over a map and another one that is as large."""
    together = build.add("Concat", resized, build.conv("z", 3, 3), axis=1)
    build.conv(together, 6, 4, 3, **{**AROUND, **changes}, to="y")
    return build.model({"x": ["N", 3, "h", "w"], "z": ["N", 3, "H", "W"]}, ["y"])


@pytest.mark.parametrize("case", RESIZES)
def test_other_ways_to_resize_are_left_alone(case):
    build = Build()
    resized = enlarged(build, build.conv("x", 3, 3), 2, **RESIZES[case])
    require_untouched(module, around(build, resized))


def test_resize_with_default_modes_is_left_alone():
    for missing in ("coordinate_transformation_mode", "nearest_mode"):
        build = Build()
        given = {name: value for name, value in NEAREST.items() if name != missing}
        scales = build.constant([1, 1, 2, 2])
        resized = build.add("Resize", build.conv("x", 3, 3), "", scales, **given)
        require_untouched(module, around(build, resized))


@pytest.mark.parametrize(
    "scales", [[1, 1, 3, 3], [1, 1, 1, 1], [1, 1, 2, 4], [1, 1, 2.5, 2.5], [1, 1, 0.5, 0.5]]
)
def test_other_scales_are_left_alone(scales):
    build = Build()
    inputs = [build.conv("x", 3, 3), "", build.constant(scales)]
    require_untouched(module, around(build, build.add("Resize", *inputs, **NEAREST)))


@pytest.mark.parametrize("scales", [[1, 2, 2, 2], [2, 1, 2, 2]])
def test_scales_of_channels_or_batch_are_left_alone(scales):
    build = Build()
    inputs = [build.conv("x", 3, 3), "", build.constant(scales)]
    require_untouched(module, around(build, build.add("Resize", *inputs, **NEAREST)))


def test_sizes_in_place_of_scales_are_left_alone():
    build = Build()
    inputs = [build.conv("x", 3, 3), "", "", build.constant([1, 3, 8, 8], np.int64)]
    require_untouched(module, around(build, build.add("Resize", *inputs, **NEAREST)))


CONVOLUTIONS: dict[str, dict[str, Any]] = {
    "strides": {"strides": [2, 2]},
    "no padding": {"pads": [0, 0, 0, 0]},
    "more padding": {"pads": [2, 2, 2, 2]},
    "dilations": {"dilations": [2, 2], "pads": [1, 1, 1, 1]},
    "groups": {"group": 2},
    "automatic padding": {"auto_pad": "VALID"},
}


@pytest.mark.parametrize("case", CONVOLUTIONS)
def test_other_convolutions_are_left_alone(case):
    build = Build()
    resized = enlarged(build, build.conv("x", 3, 3), 2)
    require_untouched(module, around(build, resized, **CONVOLUTIONS[case]))


def of_kernel(kernel: int) -> bytes:
    build = Build()
    parts = [enlarged(build, build.conv("x", 3, 3), 2), build.conv("x", 3, 3)]
    together = build.add("Concat", *parts, axis=1)
    build.conv(together, 6, 4, kernel, **AROUND, to="y")
    return build.model({"x": ["N", 3, "h", "w"]}, ["y"])


def test_other_kernels_are_left_alone():
    assert rewritten(module, of_kernel(3))[1] == ["y"]
    for kernel in (1, 2, 5):
        require_untouched(module, of_kernel(kernel))


@pytest.mark.parametrize("axis", [0, 2, -1])
def test_other_axes_are_left_alone(axis):
    build = Build()
    parts = [enlarged(build, build.conv("x", 3, 3), 2), build.conv("z", 3, 3)]
    build.conv(build.add("Concat", *parts, axis=axis), 3, 4, 3, **AROUND, to="y")
    given: dict[str, Shape] = {"x": ["N", 3, "h", "w"], "z": ["N", 3, "H", "W"]}
    require_untouched(module, build.model(given, ["y"]))


@pytest.mark.parametrize("read", ["resized", "together"])
def test_values_that_others_read_too_are_left_alone(read):
    build = Build()
    scales = build.constant([1, 1, 2, 2])
    build.add("Resize", build.conv("x", 3, 3), "", scales, to="resized", **NEAREST)
    build.add("Concat", "resized", build.conv("z", 3, 3), to="together", axis=1)
    build.conv("together", 6, 4, 3, **AROUND, to="y")
    given: dict[str, Shape] = {"x": ["N", 3, "h", "w"], "z": ["N", 3, "H", "W"]}
    require_untouched(module, build.model(given, ["y", read]))
    build.add("Relu", read, to="other")
    require_untouched(module, build.model(given, ["y", "other"]))


def test_maps_that_are_all_or_none_enlarged_are_left_alone():
    for scales in ([2, 4], [1, 1]):
        require_untouched(module, pyramid(Build(), scales))


def test_unknown_channels_are_left_alone():
    build = Build()
    together = build.add("Concat", enlarged(build, build.conv("x", 3, 3), 2), "z", axis=1)
    build.conv(together, 6, 4, 3, **AROUND, to="y")
    given: dict[str, Shape] = {"x": ["N", 3, "h", "w"], "z": ["N", 3, "H", "W"]}
    require_untouched(module, build.model(given, ["y"]))


def test_numbers_of_another_type_are_left_alone():
    require_untouched(module, pyramid(Build(dtype=np.float64), [2, 1]))


def test_computed_weights_are_left_alone():
    build = Build()
    parts = [enlarged(build, build.conv("x", 3, 3), 2), build.conv("z", 3, 3)]
    weights = build.add("Neg", build.weights(4, 6, 3, 3))
    build.add("Conv", build.add("Concat", *parts, axis=1), weights, to="y", **AROUND)
    given: dict[str, Shape] = {"x": ["N", 3, "h", "w"], "z": ["N", 3, "H", "W"]}
    require_untouched(module, build.model(given, ["y"]))


def test_computed_bias_is_kept():
    build = Build()
    parts = [enlarged(build, build.conv("x", 3, 3), 2), build.conv("z", 3, 3)]
    bias = build.add("Neg", build.weights(4))
    together = build.add("Concat", *parts, axis=1)
    build.add("Conv", together, build.weights(4, 6, 3, 3), bias, to="y", **AROUND)
    before = build.model({"x": ["N", 3, "h", "w"], "z": ["N", 3, "H", "W"]}, ["y"])
    after, nodes = rewritten(module, before)
    assert nodes == ["y"]
    require_same(before, after, pixels(1, 3, 2, 2), pixels(1, 3, 4, 4))
    assert run(after, pixels(1, 3, 2, 2), pixels(1, 3, 4, 4))[0].shape == (1, 4, 4, 4)
