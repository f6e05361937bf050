"""Convolutions over concatenated parts, as a sum of convolutions over the parts."""

from typing import Any

import numpy as np
import onnx
import pytest

from converters.optimize import concatenated_input as module
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
    weights_of,
)

GIVEN: dict[str, Shape] = {"x": ["N", 3, "H", "W"]}


def parts(build: Build, *sizes: int) -> list[str]:
    return [build.add("Relu", build.conv("x", 3, size)) for size in sizes]


def network(build: Build, sizes: list[int], given: int, kernel: int = 1, axis: int = 1, **also):
    together = build.add("Concat", *parts(build, *sizes), to="together", axis=axis)
    build.conv(together, sum(sizes), given, kernel, to="y", **also)
    return build.model(GIVEN, ["y"])


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize("sizes", [[4, 4], [2, 7], [3, 2, 4]])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("strides", [1, 2])
def test_convolution_over_parts_becomes_a_sum(opset, sizes, bias, strides):
    build = Build(opset)
    also = {"strides": [strides] * 2, "pads": [1, 1, 1, 1], "bias": bias}
    before = network(build, sizes, 2, 3, **also)
    after, nodes = rewritten(module, before)
    assert nodes == ["together"]
    number = len(sizes)
    assert operators(after) == {"Conv": 2 * number, "Relu": number, "Add": number - 1}
    require_same(before, after, pixels(2, 3, 7, 6))
    convolutions = [n for n in onnx.load_from_string(after).graph.node if n.op_type == "Conv"]
    made = [node for node in convolutions if node.output[0].startswith("y")]
    assert [weights_of(after, node).shape[1] for node in made] == sizes
    assert sum(len(node.input) == 3 for node in made) == bias


@pytest.mark.parametrize("axis", [1, -3])
def test_axis_may_be_counted_from_the_end(axis):
    after, nodes = rewritten(module, network(Build(), [4, 4], 2, axis=axis))
    assert nodes == ["together"] and "Concat" not in operators(after)


@pytest.mark.parametrize(
    ("given", "strides", "fewer"), [(4, 1, True), (5, 1, False), (16, 2, True), (17, 2, False)]
)
def test_convolution_is_rewritten_only_if_less_data_goes_through_memory(given, strides, fewer):
    """The sum may have at most half as many numbers as the two parts of four channels."""
    build = Build()
    graph = network(build, [4, 4], given, strides=[strides] * 2)
    if fewer:
        assert rewritten(module, graph)[1] == ["together"]
    else:
        require_untouched(module, graph)


@pytest.mark.parametrize(
    "case", ["Sigmoid", "MaxPool", "AveragePool", "Add", "Mul", "Resize", "DepthToSpace", "Slice"]
)
def test_number_of_channels_is_known_after_other_operators(case):
    build = Build()
    value = build.conv("x", 3, 4)
    cases: dict[str, tuple[list[str], dict[str, Any]]] = {
        "Sigmoid": ([value], {}),
        "MaxPool": ([value], {"kernel_shape": [1, 1]}),
        "AveragePool": ([value], {"kernel_shape": [1, 1]}),
        "Add": ([value, build.weights(1)], {}),
        "Mul": ([build.conv(build.add("GlobalAveragePool", value), 4, 1), value], {}),
        "Resize": ([value, "", build.constant([1, 1, 1, 1])], {}),
        "DepthToSpace": ([build.conv("x", 3, 16, strides=[2, 2])], {"blocksize": 2}),
        "Slice": (
            [value, *(build.constant([n], np.int64) for n in (0, 4, 2))],
            {},
        ),
    }
    inputs, attributes = cases[case]
    value = build.add(case, *inputs, **attributes)
    together = build.add("Concat", value, build.conv("x", 3, 4), to="together", axis=1)
    build.conv(together, 8, 2, to="y")
    before = build.model(GIVEN, ["y"])
    after, nodes = rewritten(module, before)
    assert nodes == ["together"]
    require_same(before, after, pixels(2, 3, 4, 6))


def test_single_channel_that_becomes_many_is_left_alone():
    build = Build()
    wide = build.add("Mul", build.conv("x", 3, 1), build.weights(3, 1, 1))
    build.conv(build.add("Concat", wide, build.conv("x", 3, 5), axis=1), 8, 2, to="y")
    require_untouched(module, build.model(GIVEN, ["y"]))


def test_slice_of_the_channels_has_an_unknown_number_of_channels():
    """Only the total of the channels looks right: four of eight, and five that look like one."""
    build = Build()
    numbers = [build.constant([n], np.int64) for n in (0, 4, 1)]
    half = build.add("Slice", build.conv("x", 3, 8), *numbers)
    masked = build.add("Mul", build.conv("x", 3, 1), build.add("Tanh", build.conv("x", 3, 5)))
    build.conv(build.add("Concat", half, masked, axis=1), 9, 2, to="y")
    require_untouched(module, build.model(GIVEN, ["y"]))


@pytest.mark.parametrize("axis", [0, 2, 3, -1])
def test_other_axes_are_left_alone(axis):
    build = Build()
    together = build.add("Concat", *parts(build, 4, 4), axis=axis)
    build.conv(together, 4, 2, to="y")
    require_untouched(module, build.model(GIVEN, ["y"]))


def test_grouped_convolution_is_left_alone():
    require_untouched(module, network(Build(), [4, 4], 2, group=2))


def test_single_part_is_left_alone():
    require_untouched(module, network(Build(), [8], 2))


def test_part_of_unknown_size_is_left_alone():
    build = Build()
    together = build.add("Concat", "x", *parts(build, 5), axis=1)
    build.conv(together, 8, 2, to="y")
    require_untouched(module, build.model(GIVEN, ["y"]))


@pytest.mark.parametrize("case", ["outside", "another", "no convolution"])
def test_concatenation_that_others_read_is_left_alone(case):
    build = Build()
    together = build.add("Concat", *parts(build, 4, 4), to="together", axis=1)
    if case == "no convolution":
        build.add("Relu", together, to="y")
    else:
        build.conv(together, 8, 2, to="y")
        build.add("Relu", together, to="z")
    outputs = {"outside": ["y", "together"], "another": ["y", "z"], "no convolution": ["y"]}
    require_untouched(module, build.model(GIVEN, outputs[case]))


def test_computed_weights_are_left_alone():
    build = Build()
    together = build.add("Concat", *parts(build, 4, 4), axis=1)
    build.add("Conv", together, build.add("Neg", build.weights(2, 8, 1, 1)), to="y")
    require_untouched(module, build.model(GIVEN, ["y"]))


def test_computed_bias_is_kept():
    build = Build()
    together = build.add("Concat", *parts(build, 4, 4), axis=1)
    bias = build.add("Neg", build.weights(2))
    build.add("Conv", together, build.weights(2, 8, 1, 1), bias, to="y")
    before = build.model(GIVEN, ["y"])
    after, nodes = rewritten(module, before)
    assert len(nodes) == 1 and node_of(after, "y").op_type == "Add"
    require_same(before, after, pixels(2, 3, 4, 5))
