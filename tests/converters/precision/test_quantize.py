"""Test graphs with nodes in int8: the operators that ONNX Runtime runs, and what they read."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from converters.graph.runner import onnx_runner
from converters.precision import quantize
from edgeocr import Bundle
from tests.support.frozen import frozen
from tests.support.paths import TRAINED_EXPORTS
from tests.trained import words
from tests.zoo.converted import converted

EXPORTS = TRAINED_EXPORTS


def fitted(word: words.Word) -> np.ndarray:
    height, width = word.crop.shape[:2]
    size = (-(-round(32 * width / height) // 4) * 4, 32)
    return cv2.resize(word.crop, size)[None]


@pytest.fixture(scope="module")
def rosetta(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("quantize")
    bundle = frozen(folder / "rosetta.edgeocr", recognition=str(EXPORTS / "rosetta"))
    return quantize.prepared(bundle.read("graphs/recognition.onnx"))


@pytest.fixture(scope="module")
def given() -> list[np.ndarray]:
    return [fitted(word) for word in words.clean(10, 11)]


@pytest.fixture(scope="module")
def found(rosetta: bytes, given: list[np.ndarray]) -> quantize.Statistics:
    return quantize.statistics(rosetta, given)


def operators(graph: bytes, tmp_path: Path) -> list[str]:
    """Return the operators that ONNX Runtime runs after its own optimizations."""
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "optimized.onnx")
    options.log_severity_level = 3
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    return [node.op_type for node in onnx.load(tmp_path / "optimized.onnx").graph.node]


def choices(graph: bytes, given: list[np.ndarray]) -> list[list[int]]:
    run = onnx_runner(graph, ["indices"])
    return [run([batch])[0][0].tolist() for batch in given]


@pytest.mark.slow
def test_onnxruntime_makes_an_integer_operator_of_every_convolution(rosetta, found, tmp_path):
    nodes = quantize.candidates(rosetta)
    convolutions = sum(kind != "product" for kind in nodes.values())
    run = operators(quantize.quantize(rosetta, found, nodes), tmp_path)
    assert run.count("QLinearConv") == convolutions > 5
    assert run.count("Conv") + run.count("FusedConv") == 0


@pytest.mark.slow
def test_nodes_that_are_left_out_stay_in_float32(rosetta, found, tmp_path):
    nodes = quantize.candidates(rosetta)
    chosen = [node for node, kind in nodes.items() if kind == "pointwise"]
    run = operators(quantize.quantize(rosetta, found, chosen), tmp_path)
    assert run.count("QLinearConv") == len(chosen) > 0
    assert quantize.quantize(rosetta, found, []) == quantize.quantize(rosetta, found, ["nobody"])


@pytest.mark.slow
@pytest.mark.parametrize("vnni", [None, False], ids=["this CPU", "without VNNI"])
def test_int8_reads_words_that_it_was_not_calibrated_with(rosetta, found, vnni, monkeypatch):
    if vnni is not None:  # every x86 CPU can compute as one without VNNI
        monkeypatch.setattr("converters.graph.runner.has_vnni", lambda: vnni)
    fresh = [fitted(word) for word in words.clean(40, 12)]
    made = quantize.quantize(rosetta, found, quantize.candidates(rosetta))
    assert len(made) < 0.45 * len(rosetta)
    pairs = zip(choices(made, fresh), choices(rosetta, fresh), strict=True)
    assert sum(one == other for one, other in pairs) >= 36


@pytest.mark.slow
def test_compensated_rounding_comes_nearer_than_nearest_integers(rosetta, found, given):
    nodes = quantize.candidates(rosetta)
    expected = onnx_runner(rosetta, ["scores"])

    def error(moments: dict[str, np.ndarray]) -> float:
        statistics = quantize.Statistics(found.intervals, moments, found.work)
        run = onnx_runner(quantize.quantize(rosetta, statistics, nodes), ["scores"])
        return float(np.mean([np.abs(run([b])[0] - expected([b])[0]).mean() for b in given]))

    assert error(found.moments) < error({})


@pytest.mark.stress
@pytest.mark.slow
def test_quantizing_twice_gives_the_same_bytes(rosetta, found, given):
    nodes = quantize.candidates(rosetta)
    again = quantize.statistics(rosetta, given)
    assert quantize.quantize(rosetta, again, nodes) == quantize.quantize(rosetta, found, nodes)


@pytest.mark.slow
@pytest.mark.parametrize("network", ["PP-OCRv6_tiny_rec", "PP-OCRv4_mobile_det", "rec_r50_fpn_srn"])
def test_other_kinds_of_networks_load_and_run_in_int8(network):
    """They have matrix products, HardSwish, several heads or older opsets, and no LSTM."""
    edge = converted(network).edge
    graph = quantize.prepared(edge)
    shape = [
        item.dim_value or 64
        for item in onnx.load_from_string(edge).graph.input[0].type.tensor_type.shape.dim
    ]
    batch = np.random.default_rng(1).integers(0, 256, (1, *shape[1:3], 3)).astype(np.uint8)
    nodes = quantize.candidates(graph)
    made = quantize.quantize(graph, quantize.statistics(graph, [batch]), nodes)
    assert len(nodes) > 5
    outputs = zip(onnx_runner(made, None)([batch]), onnx_runner(edge, None)([batch]), strict=True)
    assert all(one.shape == other.shape and one.dtype == other.dtype for one, other in outputs)


def swish(steep: float) -> bytes:
    """Return a graph: image → float → 1 × 1 convolution → HardSwish → 1 × 1 convolution."""
    first = numpy_helper.from_array(np.full((4, 3, 1, 1), steep, np.float32), "first")
    second = numpy_helper.from_array(np.ones((1, 4, 1, 1), np.float32), "second")
    bias = numpy_helper.from_array(np.full(4, -250 * steep, np.float32), "bias")
    nodes = [
        helper.make_node("Transpose", ["crops"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("Cast", ["planes"], ["pixels"], to=TensorProto.FLOAT),
        helper.make_node("Conv", ["pixels", "first", "bias"], ["raw"]),
        helper.make_node("HardSwish", ["raw"], ["swished"]),
        helper.make_node("Conv", ["swished", "second"], ["scores"]),
    ]
    graph = helper.make_graph(
        nodes,
        "swish",
        [helper.make_tensor_value_info("crops", TensorProto.UINT8, ["N", "H", "W", 3])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["N", 1, "H", "W"])],
        [first, second, bias],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
    return bytes(model.SerializeToString())


def test_values_that_hard_swish_sets_to_zero_do_not_widen_the_interval():
    graph = swish(0.1)
    black = np.zeros((1, 8, 8, 3), np.uint8)  # gives -25 before HardSwish
    grey = np.full((1, 8, 8, 3), 90, np.uint8)
    found = quantize.statistics(graph, [black, grey])
    low, high = found.intervals["raw"]
    assert -3 <= low < -2 and 0 < high <= 2.1
    assert quantize.candidates(graph) == {"raw": "first", "scores": "pointwise"}
    assert found.work == {"raw": 2 * 64 * 12, "scores": 2 * 64 * 4}


def test_older_opset_is_raised_and_computes_the_same(bundle: Bundle):
    graph = bundle.read("graphs/recognition.onnx")
    raised = quantize.prepared(graph)
    versions = {item.domain: item.version for item in onnx.load_from_string(raised).opset_import}
    assert versions[""] >= quantize.OPSET
    batch = np.random.default_rng(3).integers(0, 256, (1, 48, 240, 3)).astype(np.uint8)
    for one, other in zip(
        onnx_runner(raised, None)([batch]), onnx_runner(graph, None)([batch]), strict=True
    ):
        np.testing.assert_allclose(one, other, atol=1e-6)
    assert quantize.prepared(raised) is raised
