"""Test the editor of graphs: order, names, and blocks that read values of the outer graph."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from converters.graph.editor import Editor, is_unpadded
from converters.graph.reading import reads
from converters.optimize import (
    affine_after_convolution,
    affine_before_convolution,
    identities,
    optimize,
    transposed_convolution,
)
from tests.support.rewrite_graphs import (
    Build,
    Shape,
    node_of,
    operators,
    pixels,
    require_same,
    rewritten,
)

GIVEN: dict[str, Shape] = {"x": ["N", 3, "H", "W"]}


def editor_of(graph: bytes) -> Editor:
    return Editor(onnx.load_from_string(graph))


def block(name: str, operator: str, value: str) -> onnx.GraphProto:
    """Return a block that reads a value of the outer graph."""
    node = helper.make_node(operator, [value], [f"{name}.y"])
    output = helper.make_tensor_value_info(f"{name}.y", TensorProto.FLOAT, None)
    return helper.make_graph([node], name, [], [output])


def choice(build: Build, value: str, to: str, number: int = 0) -> str:
    """Add an If that negates a value if the sum of all pixels is positive; return its output."""
    total = build.add("ReduceSum", "x", keepdims=0)
    positive = build.add("Greater", total, build.constant(0))
    blocks = {
        "then_branch": block(f"then{number}", "Neg", value),
        "else_branch": block(f"else{number}", "Relu", value),
    }
    return build.add("If", positive, to=to, **blocks)


def require_same_in_both_branches(before: bytes, after: bytes) -> None:
    given = np.abs(pixels(2, 3, 4, 4))
    require_same(before, after, given)
    require_same(before, after, -given)


def test_block_reads_the_result_of_a_folded_step():
    build = Build()
    value = build.add("Mul", build.conv("x", 3, 3), build.weights(3, 1, 1), to="scaled")
    choice(build, value, "y")
    before = build.model(GIVEN, ["y"])
    after, nodes = rewritten(affine_after_convolution, before)
    # The step's only reader is the block, so it is folded, and the block reads the convolution.
    assert nodes == ["scaled"] and "Mul" not in operators(after)
    assert reads(node_of(after, "y"))[1:] == ["else0.y", "then0.y", "v0"]
    require_same_in_both_branches(before, after)


def test_step_whose_input_a_block_reads_is_kept():
    build = Build()
    value = build.conv("x", 3, 3)
    build.add("Mul", value, build.weights(3, 1, 1), to="z")
    choice(build, value, "y")
    before = build.model(GIVEN, ["y", "z"])
    after, nodes = rewritten(affine_after_convolution, before)
    assert nodes == []
    require_same_in_both_branches(before, after)


def test_block_still_reads_steps_that_passed_through_a_convolution():
    build = Build()
    value = build.add("Mul", build.add("Relu", "x"), build.weights(3, 1, 1))
    value = build.add("Add", value, build.weights(3, 1, 1))
    build.conv(value, 3, 3, to="z")
    choice(build, value, "y")
    before = build.model(GIVEN, ["y", "z"])
    after, nodes = rewritten(affine_before_convolution, before)
    assert len(nodes) == 2 and operators(after)["Conv"] == 2
    require_same_in_both_branches(before, after)


@pytest.mark.parametrize("output", [True, False])
def test_block_reads_the_source_of_a_removed_identity(output):
    """The source takes over the name of an identity that is an output."""
    build = Build()
    source = build.add("Tanh", "x")
    build.add("Identity", source, to="same")
    choice(build, source, "y")
    choice(build, "same", "z", 1)
    before = build.model(GIVEN, ["y", "z", *["same"] * output])
    after, nodes = rewritten(identities, before)
    assert nodes == ["same"] and "Identity" not in operators(after)
    require_same_in_both_branches(before, after)


def test_block_reads_the_replacement_of_a_node():
    build = Build()
    inputs = ["x", build.weights(3, 2, 2, 2)]
    value = build.add("ConvTranspose", *inputs, strides=[2, 2], kernel_shape=[2, 2])
    choice(build, build.add("Relu", value), "y")
    before = build.model(GIVEN, ["y"])
    after, nodes = rewritten(transposed_convolution, before)
    assert len(nodes) == 1 and operators(after)["DepthToSpace"] == 1
    require_same_in_both_branches(before, after)


def test_loop_reads_the_result_of_a_folded_step():
    count, keep = (
        helper.make_tensor_value_info(name, kind, [])
        for name, kind in (("i", TensorProto.INT64), ("keep", TensorProto.BOOL))
    )
    state, new = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", 3, "H", "W"])
        for name in ("state", "new")
    )
    going = helper.make_tensor_value_info("going", TensorProto.BOOL, [])
    nodes = [
        helper.make_node("Identity", ["keep"], ["going"]),
        helper.make_node("Add", ["state", "scaled"], ["new"]),
    ]
    body = helper.make_graph(nodes, "body", [count, keep, state], [going, new])
    build = Build()
    build.add("Mul", build.conv("x", 3, 3), build.weights(3, 1, 1), to="scaled")
    times, yes = build.constant(3, "int64"), build.constant(True, bool)
    build.add("Loop", times, yes, "x", to="y", body=body)
    before = build.model(GIVEN, ["y"])
    after, made = rewritten(affine_after_convolution, before)
    assert made == ["scaled"]
    require_same(before, after, pixels(2, 3, 4, 5))


def test_nodes_are_sorted_after_their_inputs():
    editor = editor_of(Build().model(GIVEN, []))
    for operator, value, output in (("Neg", "b", "c"), ("Relu", "a", "b"), ("Abs", "x", "a")):
        editor.add_node(operator, [value], output)
    editor.graph.output.append(helper.make_tensor_value_info("c", TensorProto.FLOAT, [1]))
    editor.tidy()
    assert [node.output[0] for node in editor.graph.node] == ["a", "b", "c"]


def test_unnamed_outputs_do_not_change_the_order():
    """The name of an unused output is empty, even if that output is the first."""
    build = Build()
    value = "x"
    for name in ("a", "y"):
        inputs = [build.add("Tanh", value), *(build.weights(1, 8, n) for n in (2, 2))]
        build.node("LSTM", inputs, ["", name], hidden_size=2)
        value = name
    graph = onnx.load_from_string(build.model({"x": ["T", "N", 2]}, ["y"], axes=3))
    before = graph.SerializeToString()
    editor = Editor(graph)
    editor.tidy()
    order = [next(filter(None, node.output)) for node in editor.graph.node]
    assert order == ["v0", "a", "v2", "y"]
    after, _ = optimize(before, ())
    require_same(before, after, pixels(3, 4, 2))


def test_new_names_differ_from_all_names_in_the_graph():
    build = Build()
    build.add("Add", "y.0", build.constant(1), to="y.1")
    build.add("Neg", "y.1", to="y.3")
    editor = editor_of(build.model({"y.0": [1, 1, 1, 1]}, ["y.3"]))
    assert editor.new_name("y") == "y.2"
    assert editor.new_name("y") == "y.4"
    constant = editor.add_constant(np.ones((2, 3), np.float32).T, "y")
    assert constant == "y.5"
    assert editor.new_name("c") == "c.6"


def test_new_constants_keep_their_shape():
    editor = editor_of(Build().model(GIVEN, []))
    turned = np.arange(6, dtype=np.float32).reshape(2, 3).T
    for array in (turned, np.float32(3), np.zeros((0, 2), np.int64)):
        found = editor.constant(editor.add_constant(np.asarray(array), "new"))
        assert found is not None and found.dtype == array.dtype
        assert found.shape == np.shape(array)
        np.testing.assert_array_equal(found, array)


def test_producers_consumers_outputs_and_constants_are_found():
    build = Build()
    build.add("Neg", "x", to="a")
    build.add("Add", "a", "a", to="b")
    build.add("Mul", "b", build.weights(1), to="y")
    editor = editor_of(build.model(GIVEN, ["y", "b"]))
    assert editor.opset == 17
    assert [node.op_type for node in editor.nodes("Mul", "Neg")] == ["Neg", "Mul"]
    neg, add = editor.producer("a", "Neg"), editor.producer("b", "Add")
    assert neg is not None and editor.producer("a", "Add") is None
    assert editor.producer("x", "Neg") is None
    assert editor.sole_consumer("a", "Add") == add and editor.sole_consumer("a", "Mul") is None
    assert editor.sole_consumer("b", "Mul") is None  # it is an output of the graph, too
    assert editor.consumers("a") == [add] and editor.consumers("y") == []
    assert editor.is_output("b") and not editor.is_output("a")
    assert editor.is_computed("a") and not editor.is_computed("x")
    assert editor.constant("a") is None and editor.constant("c0") is not None


@pytest.mark.parametrize(
    ("attributes", "unpadded"),
    [
        ({}, True),
        ({"pads": [0, 0, 0, 0]}, True),
        ({"pads": [0, 0, 0, 1]}, False),
        ({"auto_pad": "NOTSET", "pads": [1, 0, 0, 0]}, False),
        ({"auto_pad": "VALID"}, True),
        ({"auto_pad": "SAME_UPPER", "kernel_shape": [1, 1]}, True),
        ({"auto_pad": "SAME_LOWER", "kernel_shape": [1, 1], "strides": [1, 1]}, True),
        ({"auto_pad": "SAME_UPPER", "kernel_shape": [1, 1], "strides": [1, 2]}, False),
        ({"auto_pad": "SAME_UPPER", "kernel_shape": [3, 3]}, False),
        ({"auto_pad": "SAME_UPPER"}, False),
    ],
)
def test_convolution_is_unpadded_only_if_its_attributes_add_no_pixel(attributes, unpadded):
    assert is_unpadded(helper.make_node("Conv", ["x", "w"], ["y"], **attributes)) == unpadded
