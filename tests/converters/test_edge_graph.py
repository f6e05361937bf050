"""The interface of edge graphs, and the arithmetic that they add."""

import dataclasses

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from converters import catalog, edge_graph, parity
from converters.catalog import Normalize
from converters.errors import TranslationError

CARD = Normalize("BGR", [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])


def plain_graph(opset: int, *outputs: str) -> bytes:
    """A network of one layer: the sigmoid of the sum of the three planes, [N, 1, H, W]."""
    nodes = [helper.make_node("Conv", ["x", "w"], ["sum"])]
    nodes += [helper.make_node("Sigmoid", ["sum"], [name]) for name in outputs]
    shape = ["N", 3, "H", "W"]
    graph = helper.make_graph(
        nodes,
        "plain",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(o, TensorProto.FLOAT, ["N", 1, "H", "W"]) for o in outputs],
        [helper.make_tensor("w", TensorProto.FLOAT, [1, 3, 1, 1], [0.5, -1.0, 0.25])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    return model.SerializeToString()


@pytest.fixture
def picture() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (2, 32, 64, 3), np.uint8)


@pytest.mark.parametrize("opset", [11, 13, 17, 18])
@pytest.mark.parametrize("colour", ["BGR", "RGB"])
def test_normalization_of_every_colour_and_opset(picture, opset, colour):
    normalize = dataclasses.replace(CARD, colour=colour)
    entry = dataclasses.replace(catalog.load().model("PP-OCRv4_mobile_det"), normalize=normalize)
    edge = edge_graph.make(plain_graph(opset, "y"), entry)
    (got,) = parity.onnx_runner(edge, ["probability"])(picture)
    planes = picture[..., ::-1] if colour == "RGB" else picture
    x = (planes / 255 - np.array(CARD.mean)) / np.array(CARD.std)
    expected = 1 / (1 + np.exp(-(x @ np.array([0.5, -1.0, 0.25]))))
    assert got.shape == (2, 32, 64)
    np.testing.assert_allclose(got, expected, atol=1e-6)


@pytest.mark.parametrize("opset", [11, 13, 17, 18])
def test_ctc_gives_best_class_and_its_probability(opset):
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 3, 48, "W"])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", "T", "C"])
    nodes = [
        helper.make_node("ReduceMean", ["x"], ["columns"], axes=[2], keepdims=0)
        if opset < 18
        else helper.make_node("ReduceMean", ["x", "axes"], ["columns"], keepdims=0),
        helper.make_node("Transpose", ["columns"], ["steps"], perm=[0, 2, 1]),
        helper.make_node("Softmax", ["steps"], ["y"], axis=2),
    ]
    axes = [helper.make_tensor("axes", TensorProto.INT64, [1], [2])] if opset >= 18 else []
    model = helper.make_model(
        helper.make_graph(nodes, "plain", [x], [y], axes),
        opset_imports=[helper.make_opsetid("", opset)],
        ir_version=8,
    )
    entry = catalog.load().model("PP-OCRv4_mobile_rec")
    edge = edge_graph.make(model.SerializeToString(), entry)
    crops = np.random.default_rng(1).integers(0, 256, (2, 48, 40, 3), np.uint8)
    indices, scores = parity.onnx_runner(edge, ["indices", "scores"])(crops)
    (probability,) = parity.onnx_runner(model.SerializeToString(), None)(
        edge_graph.to_plain_input(crops, entry.normalize)
    )
    assert indices.dtype == np.int32 and indices.shape == (2, 40)
    np.testing.assert_array_equal(indices, probability.argmax(axis=2))
    np.testing.assert_array_equal(scores, probability.max(axis=2))


@pytest.mark.parametrize(
    ("name", "input_", "outputs"),
    [
        ("PP-OCRv4_mobile_det", ("image", ["N", "H", "W", 3]), ["probability"]),
        ("ch_ppocr_mobile_v2.0_cls", ("crops", ["N", 48, 192, 3]), ["probability"]),
        ("PP-OCRv4_mobile_rec", ("crops", ["N", 48, "W", 3]), ["indices", "scores"]),
    ],
)
def test_the_contract(v4, name, input_, outputs):
    _, conversion = v4(name)
    graph = onnx.load_from_string(conversion.edge).graph
    initializers = {tensor.name for tensor in graph.initializer}
    (given,) = [node for node in graph.input if node.name not in initializers]
    shape = [d.dim_param or d.dim_value for d in given.type.tensor_type.shape.dim]
    assert (given.name, shape) == input_
    assert given.type.tensor_type.elem_type == TensorProto.UINT8
    assert [node.name for node in graph.output] == outputs


def test_making_it_twice_gives_the_same_bytes(v4):
    entry, conversion = v4("PP-OCRv4_mobile_det")
    assert edge_graph.make(conversion.plain, entry) == conversion.edge


def test_a_graph_with_two_outputs_is_refused():
    entry = catalog.load().model("PP-OCRv4_mobile_det")
    with pytest.raises(TranslationError, match="one input and one output"):
        edge_graph.make(plain_graph(17, "y", "z"), entry)
