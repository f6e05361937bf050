"""Values that don't depend on the input are computed at conversion."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from converters.optimize import constants as module
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


def embedded(build: Build, value: np.ndarray) -> str:
    """The value as a Constant node."""
    return build.add("Constant", value=numpy_helper.from_array(value))


@pytest.mark.parametrize("opset", OPSETS)
def test_chain_of_constants_is_computed_as_a_whole(opset):
    build = Build(opset)
    first = embedded(build, np.array([1, 2, 3], np.float32))
    sides = build.constant([1, 1], "int64")
    shape = build.add("Concat", embedded(build, np.array([3], np.int64)), sides, axis=0)
    value = build.add("Reshape", build.add("Mul", first, build.weights(3)), shape)
    build.add("Add", "x", value, to="y")
    before = build.model(GIVEN, ["y"])
    after, nodes = rewritten(module, before)
    assert nodes == ["v0", "v1", "v2", "v3", "v4"]
    assert operators(after) == {"Add": 1}
    require_same(before, after, pixels(2, 3, 4, 5))


def test_scalar_constant_keeps_having_no_axes():
    build = Build()
    build.add("Mul", "x", embedded(build, np.float32(3)), to="y")
    after, nodes = rewritten(module, build.model(GIVEN, ["y"]))
    assert nodes == ["v0"]
    (constant,) = onnx.load_from_string(after).graph.initializer
    assert list(constant.dims) == [] and constant.name == "v0"


def test_every_output_of_a_constant_node_is_computed():
    build = Build()
    build.node("Split", [build.weights(3, 1, 2), build.constant([1, 1], "int64")], ["a", "b"],
               axis=2)  # fmt: skip
    build.add("Sub", build.add("Mul", "x", "a"), "b", to="y")
    before = build.model(GIVEN, ["y"])
    after, nodes = rewritten(module, before)
    assert nodes == ["a"]
    assert operators(after) == {"Mul": 1, "Sub": 1}
    require_same(before, after, pixels(2, 3, 4, 5))


def test_constant_output_is_computed():
    build = Build()
    build.add("Neg", build.weights(1, 2, 3, 1), to="z")
    build.add("Relu", "x", to="y")
    before = build.model(GIVEN, ["y", "z"])
    after, nodes = rewritten(module, before)
    assert nodes == ["z"]
    require_same(before, after, pixels(2, 3, 4, 5))


@pytest.mark.parametrize("operator", ["Exp", "Log", "Tanh", "ReduceMean", "RandomNormalLike"])
def test_operators_that_round_differently_elsewhere_are_not_computed(operator):
    build = Build()
    scale = build.add("Add", build.weights(1, 3, 1, 1), build.weights(1, 3, 1, 1))
    build.add("Mul", "x", build.add(operator, scale), to="y")
    after, nodes = rewritten(module, build.model(GIVEN, ["y"]))
    assert nodes == [scale]
    assert operators(after) == {operator: 1, "Mul": 1}


@pytest.mark.parametrize("operator", ["ConstantOfShape", "Expand"])
def test_constants_that_would_grow_too_large_are_not_computed(operator):
    build = Build()
    size = module.GROWTH // 4
    for name, wide in (("y", size), ("z", 4 * size)):
        shape = build.constant([1, 1, 1, wide], "int64")
        inputs = [shape] if operator == "ConstantOfShape" else [build.weights(1, 1, 1, 1), shape]
        build.add("Add", "x", build.add(operator, *inputs, to=f"{name}.large"), to=name)
    before = build.model({"x": ["N", 3, "H", 1]}, ["y", "z"])
    after, nodes = rewritten(module, before)
    assert nodes == ["y.large"]
    assert operators(after) == {operator: 1, "Add": 2}
    require_same(before, after, pixels(2, 3, 4, 1))


def test_large_constant_node_is_stored_despite_its_size():
    build = Build()
    value = np.ones((1, 1, 64, 64), np.float32)
    assert value.nbytes > module.GROWTH
    build.add("Add", "x", embedded(build, value), to="y")
    assert rewritten(module, build.model(GIVEN, ["y"]))[1] == ["v0"]


@pytest.mark.parametrize("operator", ["RandomNormal", "RandomUniform"])
def test_random_operators_are_not_computed(operator):
    build = Build()
    build.add("Add", "x", build.add(operator, shape=[1, 1, 1, 1]), to="y")
    require_untouched(module, build.model(GIVEN, ["y"]))


def test_random_numbers_shaped_like_a_constant_are_not_computed():
    build = Build()
    value = build.add("RandomNormalLike", build.weights(1, 1, 1, 1))
    value = build.add("Add", value, build.add("Bernoulli", build.constant([0.5])))
    build.add("Add", "x", value, to="y")
    require_untouched(module, build.model(GIVEN, ["y"]))


@pytest.mark.parametrize("operator", ["SequenceEmpty", "SequenceConstruct", "SplitToSequence"])
def test_sequences_are_not_computed(operator):
    """Sequences aren't tensors, so they can't be initializers."""
    build = Build()
    number = {"SequenceEmpty": 0, "SequenceConstruct": 2, "SplitToSequence": 1}[operator]
    inputs = [build.weights(3, 1, 1) for _ in range(number)]
    sequence = build.add("SequenceInsert", build.add(operator, *inputs), "x")
    position = build.constant(-1, "int64")
    build.add("SequenceAt", sequence, position, to="y")
    require_untouched(module, build.model(GIVEN, ["y"]))


def test_operators_of_other_domains_are_not_computed():
    """It isn't known what such operators compute."""
    build = Build()
    value = build.add("Gelu", build.weights(3, 1, 1), domain="com.microsoft")
    build.add("Add", "x", value, to="y")
    require_untouched(module, build.model(GIVEN, ["y"]))


def test_nodes_with_blocks_are_not_computed():
    """Their blocks may read any value of the graph."""
    blocks = {}
    for name, operator in (("then_branch", "Neg"), ("else_branch", "Relu")):
        node = helper.make_node(operator, ["x"], [f"{name}.y"])
        output = helper.make_tensor_value_info(f"{name}.y", TensorProto.FLOAT, None)
        blocks[name] = helper.make_graph([node], name, [], [output])
    build = Build()
    build.add("If", build.constant(True, bool), to="y", **blocks)
    require_untouched(module, build.model(GIVEN, ["y"]))
