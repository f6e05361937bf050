"""Affine steps after convolutions become part of their weights."""

import numpy as np
import pytest

from converters.optimize import affine_after_convolution as module
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


def normalized(build: Build, value: str, channels: int, to: str = "") -> str:
    numbers = [build.weights(channels) for _ in range(3)]
    variance = build.constant(build.random.uniform(0.5, 2, channels))
    return build.add("BatchNormalization", value, *numbers, variance, to=to, epsilon=1e-3)


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("group", [1, 2, 4])
def test_batch_normalization_becomes_part_of_the_weights(opset, bias, group):
    build = Build(opset)
    value = build.conv("x", 4, 8, 3, group=group, pads=[1, 1, 1, 1], strides=[2, 2], bias=bias)
    normalized(build, value, 8, "y")
    before = build.model(GIVEN, ["y"])
    after, nodes = rewritten(module, before)
    assert nodes == ["y"]
    assert operators(after) == {"Conv": 1}
    require_same(before, after, pixels(2, 4, 7, 9))


@pytest.mark.parametrize("opset", OPSETS)
@pytest.mark.parametrize("shape", [(), (1,), (1, 1, 1), (8, 1, 1), (1, 8, 1, 1)])
@pytest.mark.parametrize("operator", ["Mul", "Add", "Sub", "Div"])
def test_every_affine_operator_and_shape_becomes_part_of_the_weights(opset, shape, operator):
    build = Build(opset)
    value = build.conv("x", 4, 8, 3, pads=[1, 1, 1, 1])
    build.add(operator, value, build.weights(*shape), to="y")
    before = build.model(GIVEN, ["y"])
    after, nodes = rewritten(module, before)
    assert nodes == ["y"]
    assert operators(after) == {"Conv": 1}
    require_same(before, after, pixels(2, 4, 5, 3))


def test_chain_ends_at_the_first_step_that_is_not_affine():
    build = Build()
    value = normalized(build, build.conv("x", 4, 6), 6)
    value = build.add("Mul", build.weights(1), value)  # the constant may come first
    value = build.add("Add", value, build.weights(6, 1, 1), to="last")
    build.add("Mul", build.add("Relu", value), build.weights(1), to="y")
    before = build.model(GIVEN, ["y"])
    after, nodes = rewritten(module, before)
    assert nodes == ["v1", "v2", "last"]
    assert operators(after) == {"Conv": 1, "Relu": 1, "Mul": 1}
    require_same(before, after, pixels(2, 4, 5, 3))


@pytest.mark.parametrize("opset", OPSETS)
def test_transposed_convolution_takes_the_steps_into_its_weights(opset):
    build = Build(opset)
    inputs = ["x", build.weights(4, 6, 3, 3), build.weights(6)]
    value = build.add("ConvTranspose", *inputs, strides=[2, 2], output_padding=[1, 1])
    value = build.add("Mul", value, build.weights(1, 6, 1, 1))
    build.add("Add", value, build.weights(6, 1, 1), to="y")
    before = build.model(GIVEN, ["y"])
    after, nodes = rewritten(module, before)
    assert nodes == ["v1", "y"]
    assert operators(after) == {"ConvTranspose": 1}
    require_same(before, after, pixels(2, 4, 5, 3))


def test_shared_weights_are_changed_for_one_convolution_only():
    build = Build()
    weights, bias = build.weights(4, 4, 1, 1), build.weights(4)
    first = build.add("Conv", "x", weights, bias)
    first = build.add("Mul", first, build.weights(4, 1, 1), to="scaled")
    build.add("Conv", first, weights, bias, to="y")
    before = build.model(GIVEN, ["y"])
    after, nodes = rewritten(module, before)
    assert nodes == ["scaled"]
    require_same(before, after, pixels(1, 4, 3, 3))


UNTOUCHED = {
    "a constant along the width": lambda b, v: b.add("Add", v, b.weights(5), to="y"),
    "a constant along the height": lambda b, v: b.add("Mul", v, b.weights(1, 1, 5, 1), to="y"),
    "a constant of every pixel": lambda b, v: b.add("Mul", v, b.weights(1, 8, 5, 5), to="y"),
    "a constant along the batch": lambda b, v: b.add("Mul", v, b.weights(2, 1, 1, 1), to="y"),
    "a constant of more axes": lambda b, v: b.add("Mul", v, b.weights(1, 1, 1, 1, 1), to="y"),
    "a number minus it": lambda b, v: b.add("Sub", b.weights(1), v, to="y"),
    "a number divided by it": lambda b, v: b.add("Div", b.weights(1), v, to="y"),
    "its square": lambda b, v: b.add("Mul", v, v, to="y"),
    "what is computed": lambda b, v: b.add(
        "Mul", v, b.add("GlobalAveragePool", b.conv("x", 4, 8)), to="y"
    ),
    "two consumers": lambda b, v: b.add(
        "Sum", b.add("Mul", v, b.weights(1)), b.add("Relu", v), to="y"
    ),
}


@pytest.mark.parametrize("case", UNTOUCHED)
def test_other_steps_are_left_alone(case):
    build = Build()
    UNTOUCHED[case](build, build.conv("x", 4, 8))
    require_untouched(module, build.model({"x": [2, 4, 5, 5]}, ["y"]))


def test_convolution_whose_result_is_an_output_is_left_alone():
    build = Build()
    value = build.conv("x", 4, 8, to="z")
    build.add("Mul", value, build.weights(8, 1, 1), to="y")
    require_untouched(module, build.model(GIVEN, ["y", "z"]))


def test_numbers_of_another_type_are_left_alone():
    build = Build(dtype=np.float64)
    value = normalized(build, build.conv("x", 4, 8), 8)
    build.add("Mul", value, build.weights(1), to="y")
    require_untouched(module, build.model(GIVEN, ["y"]))


def test_batch_normalization_in_training_or_with_computed_factors_is_left_alone():
    build = Build()
    value = build.conv("x", 4, 8)
    numbers = [build.weights(8) for _ in range(3)]
    computed = build.add("Neg", numbers[0])
    variance = build.constant(np.ones(8))
    value = build.add("BatchNormalization", value, computed, *numbers[1:], variance)
    value = build.conv(value, 8, 8)
    build.add("BatchNormalization", value, *numbers, variance, to="y", training_mode=1)
    require_untouched(module, build.model(GIVEN, ["y"]))


def test_grouped_transposed_convolution_is_left_alone():
    build = Build()
    for name, shape in (("y", (6, 1, 1)), ("z", (1,))):
        value = build.add("ConvTranspose", "x", build.weights(4, 3, 2, 2), group=2)
        build.add("Add", value, build.weights(*shape), to=name)
    require_untouched(module, build.model(GIVEN, ["y", "z"]))


def test_computed_weights_and_biases_are_left_alone():
    build = Build()
    weights = build.add("Neg", build.weights(8, 4, 1, 1))
    value = build.add("Mul", build.add("Conv", "x", weights), build.weights(1))
    bias = build.add("Neg", build.weights(8))
    value = build.add("Conv", value, build.weights(8, 8, 1, 1), bias)
    build.add("Mul", value, build.weights(1), to="y")
    require_untouched(module, build.model(GIVEN, ["y"]))


def test_single_channel_that_becomes_many_is_left_alone():
    build = Build()
    build.add("Mul", build.conv("x", 4, 1), build.weights(3, 1, 1), to="y")
    require_untouched(module, build.model(GIVEN, ["y"]))


def test_signals_without_a_height_are_left_alone():
    build = Build()
    value = build.add("Conv", "x", build.weights(8, 4, 3))
    build.add("Mul", value, build.weights(1), to="y")
    require_untouched(module, build.model({"x": ["N", 4, "W"]}, ["y"], axes=3))
