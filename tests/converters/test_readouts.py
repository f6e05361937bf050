"""What edge graphs make of each family's outputs, beside PaddleOCR's decoders."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from converters import edge_graph
from converters.catalog.entries import Algorithm
from converters.graph.interface import Interface, Port
from converters.model import families
from converters.model.families import FAMILIES
from converters.model.network import Network
from edgeocr.bundle.characters import characters
from edgeocr.bundle.manifest import Charset
from edgeocr.postprocess import attention, ctc
from tests.support.onnx_run import run, session
from tests.support.readout_cases import CHARACTERS, FORMS, TEXTS, outputs

EACH = pytest.mark.parametrize("family", FORMS)


def described(family: Algorithm, given: list[NDArray[np.float32]]) -> tuple[Network, Interface]:
    """Return a network of a family and the interface of a graph that gives these outputs."""
    normalize = FAMILIES[family].normalize
    channels = 1 if normalize.colour == "GREY" else 3
    image = Port("x", "float32", [None, channels, 32, 100])
    ports = [Port(f"y{i}", str(value.dtype), list(value.shape)) for i, value in enumerate(given)]
    interface = Interface([image], ports, False, [False] * len(given))
    network = Network("net", "recognition", family, normalize, 32, 100, 4, False, None, "the test")
    return network, interface


def plain_graph(given: list[NDArray[np.float32]], channels: int) -> bytes:
    """Return a graph that takes pictures and gives these outputs whatever they show."""
    nodes = [
        helper.make_node("ReduceSum", ["x"], ["sum"], keepdims=0),
        helper.make_node("Mul", ["sum", "zero"], ["nothing"]),
    ]
    constants = {"zero": np.zeros((), np.float32)}
    ports = []
    for i, value in enumerate(given):
        constants[f"c{i}"] = value
        kind = helper.np_dtype_to_tensor_dtype(value.dtype)
        nodes.append(helper.make_node("Cast", ["nothing"], [f"nothing{i}"], to=kind))
        nodes.append(helper.make_node("Add", [f"c{i}", f"nothing{i}"], [f"y{i}"]))
        ports.append(helper.make_tensor_value_info(f"y{i}", kind, value.shape))
    image = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", channels, 32, 100])
    weights = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "plain", [image], ports, weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    serialized: bytes = model.SerializeToString()
    return serialized


def read(family: Algorithm) -> tuple[list[str], NDArray[np.float32], NDArray[np.float32]]:
    """Return texts and scores as the runtime decodes them, and the scores of all positions."""
    given = outputs(family)
    network, interface = described(family, given)
    plain = plain_graph(given, interface.image.shape[1] or 3)
    edge = session(edge_graph.make(plain, network, interface))
    indices, scores = run(edge, [np.zeros((len(TEXTS), 32, 100, 3), np.uint8)])
    charset = Charset("c.txt", **FAMILIES[family].charset(len(CHARACTERS)))
    listed = families.characters(family, list(CHARACTERS))
    each = characters(charset, "\n".join(listed).encode())
    assert charset.end is not None
    texts, means = attention.decode(
        indices, scores, np.array(each, object), end=charset.end, skipped=charset.skipped
    )
    return texts, means, scores


@EACH
def test_texts_are_those_of_paddleocr(family: Algorithm, fixtures: Path) -> None:
    with np.load(fixtures / "readers.npz") as file:
        expected = file[f"{family}_texts"].tolist()
    texts, _, _ = read(family)
    assert texts == expected == list(TEXTS)


@EACH
def test_scores_are_those_of_paddleocr(family: Algorithm, fixtures: Path) -> None:
    """RFL's scores in PaddleOCR are no probabilities, VisionLAN's a mean of another kind."""
    with np.load(fixtures / "readers.npz") as file:
        expected = file[f"{family}_scores"]
    _, means, scores = read(family)
    assert ((scores > 0) & (scores <= 1)).all()
    filled = [bool(text) for text in TEXTS]
    if family == "RFL":
        assert (expected[filled] > 1).all()
    elif family == "VisionLAN":  # the geometric mean, with that of the end
        lengths = [min(len(text) + 1, 25) for text in TEXTS]
        logs = [np.log(row[:length]).sum() for row, length in zip(scores, lengths, strict=True)]
        found = np.exp(np.array(logs) / (np.array(lengths) + 1e-6))
        assert found == pytest.approx(expected, abs=1e-5)
    else:
        assert means[filled] == pytest.approx(expected[filled], abs=1e-5)
        assert means[TEXTS.index("")] == 0


@EACH
def test_numpy_and_graph_agree(family: Algorithm) -> None:
    given = outputs(family)
    network, interface = described(family, given)
    plain = plain_graph(given, interface.image.shape[1] or 3)
    model = onnx.load_from_string(edge_graph.make(plain, network, interface))
    images = np.zeros((len(TEXTS), 32, 100, 3), np.uint8)
    indices, scores = run(session(model.SerializeToString()), [images])
    named = edge_graph.to_edge_outputs(given, network, interface, len(TEXTS))
    assert (named["indices"] == indices).all()
    assert named["scores"] == pytest.approx(scores, abs=1e-6)
    assert indices.shape == (len(TEXTS), FORMS[family][0] - (family == "VisionLAN"))


def test_doubled_letters_are_kept_where_ctc_would_join_them() -> None:
    """CPPD's graph looks like one of CTC: one output, with a class at each position."""
    texts, _, _ = read("CPPD")
    assert texts[:2] == ["book", "aa11bbb"]
    given = outputs("CPPD")
    network, interface = described("CPPD", given)
    named = edge_graph.to_edge_outputs(given, network, interface, len(TEXTS))
    each = np.array(["", *CHARACTERS], object)
    joined, _ = ctc.decode(named["indices"], named["scores"], each, blank=0)
    assert joined[:2] == ["bok", "a1b"]
