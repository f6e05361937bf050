"""The best of many classes, chosen by groups."""

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from converters.graph.editor import Editor
from converters.optimize import best_of_many as module
from converters.optimize import optimize
from converters.optimize.bias_in_product import SMALLEST
from tests.support.rewrite_graphs import operators, run

MANY = SMALLEST


def graph(classes: int, opset: int = 17, bias: bool = False, **changes: Any) -> bytes:
    """Return a graph that chooses among products with a unit matrix, so it chooses from its input.

    Changes are "topk": attributes of TopK, "k": how many are chosen, "axis": axis of the softmax.
    """
    matrix = numpy_helper.from_array(np.eye(classes, dtype=np.float32), "matrix")
    one = numpy_helper.from_array(np.array([changes.get("k", 1)], np.int64), "one")
    offset = numpy_helper.from_array(np.zeros(classes, np.float32), "offset")
    logits = "product"
    nodes = [helper.make_node("MatMul", ["x", "matrix"], ["product"])]
    if bias:
        nodes.append(helper.make_node("Add", ["product", "offset"], ["logits"]))
        logits = "logits"
    topk = {"axis": 2, **changes.get("topk", {})}
    nodes += [
        helper.make_node("Softmax", [logits], ["shares"], axis=changes.get("axis", 2)),
        helper.make_node("TopK", ["shares", "one"], ["scores", "indices"], name="best", **topk),
    ]
    made = helper.make_graph(
        nodes,
        "choice",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", "T", classes])],
        [
            helper.make_tensor_value_info("indices", TensorProto.INT64, ["N", "T", 1]),
            helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["N", "T", 1]),
        ],
        [matrix, one, offset],
    )
    opsets = [helper.make_opsetid("", opset)]
    return helper.make_model(made, opset_imports=opsets, ir_version=8).SerializeToString()


def both(before: bytes) -> bytes:
    after, made = optimize(before, (module,))
    assert [rewrite.nodes for rewrite in made] == [["best"]]
    assert operators(after)["TopK"] == 2 and operators(after)["MaxPool"] == 1
    return after


def require_equal(before: bytes, after: bytes, logits: np.ndarray) -> None:
    for ours, theirs in zip(run(after, logits), run(before, logits), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("opset", [11, 17])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("classes", [MANY, MANY + 1, MANY + 31])
def test_choices_and_scores_are_equal(opset, bias, classes):
    before = graph(classes, opset, bias)
    random = np.random.default_rng(classes)
    require_equal(before, both(before), random.normal(size=(2, 5, classes)).astype(np.float32))


@pytest.mark.parametrize("place", [0, 31, 32, MANY - 1, MANY, MANY + 6])
def test_every_place_is_found(place):
    """The last group begins within the group before it."""
    logits = np.zeros((1, 1, MANY + 7), np.float32)
    logits[..., place] = 5
    before = graph(MANY + 7)
    after = both(before)
    assert run(after, logits)[0].item() == place
    require_equal(before, after, logits)


def test_the_first_of_equal_scores_is_chosen():
    classes = MANY + 7
    logits = np.random.default_rng(0).integers(0, 3, (4, 50, classes)).astype(np.float32)
    logits[0] = 0  # all are equal
    logits[1, :, :MANY] = -1  # equal ones in the last group only
    before = graph(classes)
    require_equal(before, both(before), logits)


@pytest.mark.parametrize(
    "before",
    [
        graph(MANY - 1),
        graph(MANY, k=2),
        graph(MANY, topk={"largest": 0}),
        graph(MANY, topk={"axis": 1}),
        graph(MANY, axis=1),
    ],
    ids=["few classes", "the best two", "the worst", "another axis", "softmax over another axis"],
)
def test_other_choices_are_left_alone(before):
    assert optimize(before, (module,))[1] == []


def test_undoing_gives_a_single_choice_again():
    before = graph(MANY + 7)
    model = onnx.load_from_string(both(before))
    assert module.undo(Editor(model))
    single = model.SerializeToString()
    assert operators(single) == operators(before)
    logits = np.random.default_rng(1).normal(size=(1, 3, MANY + 7)).astype(np.float32)
    require_equal(before, single, logits)
    assert not module.undo(Editor(model))
