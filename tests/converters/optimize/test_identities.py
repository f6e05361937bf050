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


@pytest.mark.parametrize(
    ("first", "second"),
    [((0, 2, 1, 3), (0, 2, 1, 3)), ((2, 3, 0, 1), (2, 3, 0, 1)), ((1, 2, 3, 0), (3, 0, 1, 2))],
)
def test_transposition_and_its_inverse_are_removed(first, second):
    build = Build()
    value = build.add("Transpose", build.add("Neg", "x"), perm=list(first), to="there")
    build.add("Relu", build.add("Transpose", value, perm=list(second), to="back"), to="y")
    before = build.model(GIVEN, ["y"])
    after, nodes = rewritten(module, before)
    assert nodes == ["there", "back"]
    assert operators(after) == {"Neg": 1, "Relu": 1}
    require_same(before, after, pixels(2, 3, 4, 5))


def test_transpositions_without_an_order_cancel():
    build = Build()
    value = build.add("Transpose", build.add("Transpose", build.add("Neg", "x")))
    build.add("Relu", value, to="y")
    before = build.model(GIVEN, ["y"])
    after, _ = rewritten(module, before)
    assert operators(after) == {"Neg": 1, "Relu": 1}
    require_same(before, after, pixels(2, 3, 4, 5))


@pytest.mark.parametrize("order", [(1, 2, 3, 0), None])
def test_transpositions_that_do_not_cancel_stay(order):
    build = Build()
    value = build.add("Transpose", "x", perm=[1, 2, 3, 0])
    settings = {} if order is None else {"perm": list(order)}
    build.add("Transpose", value, to="y", **settings)
    require_untouched(module, build.model(GIVEN, ["y"]))


@pytest.mark.parametrize("axes", [[0], [-1], [1, -1]])
@pytest.mark.parametrize("kinds", [("Unsqueeze", "Squeeze"), ("Squeeze", "Unsqueeze")])
def test_axes_that_come_and_go_are_removed(kinds, axes):
    build = Build()
    value, over = build.add("Neg", "x"), build.constant(axes, "int64")
    if kinds[0] == "Squeeze":
        value = build.add("Unsqueeze", build.add("Relu", value), over)
    value = build.add("Sigmoid", value)
    for kind in kinds:
        value = build.add(kind, value, over, to=kind.lower())
    if kinds[1] == "Unsqueeze":
        build.add("Squeeze", build.add("Abs", value), over, to="y")
    else:
        build.add("Abs", value, to="y")
    before = build.model(GIVEN, ["y"])
    after, nodes = rewritten(module, before)
    assert nodes == [kind.lower() for kind in kinds]
    require_same(before, after, pixels(2, 3, 4, 5))


def test_other_axes_stay():
    build = Build()
    value = build.add("Unsqueeze", "x", build.constant([1], "int64"))
    value = build.add("Unsqueeze", value, build.constant([0], "int64"))
    build.add("Squeeze", value, build.constant([2], "int64"), to="y")
    require_untouched(module, build.model(GIVEN, ["y"]))


def test_pairs_within_pairs_are_removed_and_what_others_read_stays():
    build = Build()
    value = build.add("Transpose", build.add("Neg", "x"), perm=[0, 2, 3, 1])
    over = build.constant([4], "int64")
    inside = build.add("Squeeze", build.add("Unsqueeze", value, over), over)
    build.add("Transpose", inside, perm=[0, 3, 1, 2], to="y")
    build.add("Relu", value, to="z")
    before = build.model(GIVEN, ["y", "z"])
    after, _ = rewritten(module, before)
    assert operators(after) == {"Neg": 1, "Transpose": 1, "Relu": 1}
    require_same(before, after, pixels(2, 3, 4, 5))


def test_pair_between_an_input_and_an_output_stays():
    build = Build()
    value = build.add("Transpose", "x", perm=[0, 2, 3, 1])
    build.add("Transpose", value, perm=[0, 3, 1, 2], to="y")
    require_untouched(module, build.model(GIVEN, ["y"]))
