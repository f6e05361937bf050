"""Nodes that change nothing."""

import onnx
import pytest

from converters.optimize import identities as module
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

GIVEN: dict[str, Shape] = {"x": ["N", 3, "H", "W"]}


@pytest.mark.parametrize("opset", OPSETS)
def test_identity_between_two_nodes_is_removed(opset):
    build = Build(opset)
    value = build.add("Identity", build.add("Neg", "x"), to="same")
    build.add("Add", value, value, to="y")
    before = build.model(GIVEN, ["y"])
    after, nodes = rewritten(module, before)
    assert nodes == ["same"]
    assert operators(after) == {"Neg": 1, "Add": 1}
    require_same(before, after, pixels(2, 3, 4, 5))


def test_identities_after_an_input_and_a_constant_are_removed():
    build = Build()
    inputs = [build.add("Identity", "x"), build.add("Identity", build.weights(1))]
    build.add("Mul", *inputs, to="y")
    before = build.model(GIVEN, ["y"])
    after, nodes = rewritten(module, before)
    assert nodes == ["v0", "v1"]
    assert operators(after) == {"Mul": 1}
    require_same(before, after, pixels(2, 3, 4, 5))


def test_output_keeps_its_name_without_its_identity():
    build = Build()
    value = build.add("Neg", "x")
    build.add("Relu", value, to="z")
    build.add("Identity", build.add("Identity", value), to="y")
    build.add("Sigmoid", "y", to="w")
    before = build.model(GIVEN, ["y", "z", "w"])
    after, nodes = rewritten(module, before)
    assert nodes == ["v2", "y"]
    assert operators(after) == {"Neg": 1, "Relu": 1, "Sigmoid": 1}
    require_same(before, after, pixels(2, 3, 4, 5))


def test_second_output_of_one_value_keeps_its_identity():
    build = Build()
    value = build.add("Neg", "x")
    build.add("Identity", value, to="y")
    build.add("Identity", value, to="z")
    before = build.model(GIVEN, ["y", "z"])
    after, nodes = rewritten(module, before)
    assert nodes == ["y"]
    assert operators(after) == {"Neg": 1, "Identity": 1}
    require_same(before, after, pixels(2, 3, 4, 5))


def test_output_that_is_an_input_constant_or_other_output_keeps_its_identity():
    build = Build()
    build.add("Identity", "x", to="y")
    build.add("Identity", build.weights(1, 1, 1, 1), to="z")
    build.add("Identity", build.add("Neg", "x", to="w"), to="v")
    require_untouched(module, build.model(GIVEN, ["y", "z", "w", "v"]))


def test_node_with_several_outputs_takes_over_the_output_name():
    build = Build()
    build.node("Split", ["x", build.constant([1, 2], "int64")], ["a", "b"], axis=1)
    build.add("Identity", "b", to="y")
    before = build.model(GIVEN, ["y"])
    after, nodes = rewritten(module, before)
    assert nodes == ["y"]
    (split,) = onnx.load_from_string(after).graph.node
    assert list(split.output) == ["a", "y"]
    require_same(before, after, pixels(2, 3, 4, 5))
