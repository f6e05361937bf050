"""Test weights that are stored in float16: the size, the outputs, and what a session does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto

from converters.graph.runner import onnx_runner
from converters.precision import half_weights
from edgeocr import Bundle
from edgeocr.graphs.check import check

BATCH = np.random.default_rng(5).integers(0, 256, (1, 48, 96, 3)).astype(np.uint8)


def test_file_takes_half_the_space_and_stays_within_the_rules(bundle: Bundle):
    for name in ("detection", "recognition"):
        full = bundle.read(f"graphs/{name}.onnx")
        half = half_weights.stored(full)
        assert len(half) < 0.55 * len(full)
        check(half)
        assert half == half_weights.stored(full)


def test_outputs_are_those_of_rounded_weights(bundle: Bundle):
    """The oracle is the float32 graph after its weights were rounded in place."""
    full = bundle.read("graphs/recognition.onnx")
    half = half_weights.stored(full)
    stored = {
        item.name.rsplit(".half", 1)[0]
        for item in onnx.load_from_string(half).graph.initializer
        if item.data_type == TensorProto.FLOAT16
    }
    rounded = onnx.load_from_string(full)
    for item in rounded.graph.initializer:
        if item.name in stored:
            array = onnx.numpy_helper.to_array(item).astype(np.float16).astype(np.float32)
            item.CopyFrom(onnx.numpy_helper.from_array(array, item.name))
    assert len(stored) > 20
    found, expected = (
        onnx_runner(each, ["scores"])([BATCH])[0] for each in (half, rounded.SerializeToString())
    )
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert np.abs(found - onnx_runner(full, ["scores"])([BATCH])[0]).max() > 0


def test_session_computes_with_float32_and_casts_nothing_in_a_run(bundle: Bundle, tmp_path: Path):
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "optimized.onnx")
    options.log_severity_level = 3
    half = half_weights.stored(bundle.read("graphs/recognition.onnx"))
    onnxruntime.InferenceSession(half, options, providers=["CPUExecutionProvider"])
    graph = onnx.load(tmp_path / "optimized.onnx").graph
    full = onnx.load_from_string(bundle.read("graphs/recognition.onnx")).graph
    casts = [sum(node.op_type == "Cast" for node in each.node) for each in (graph, full)]
    assert casts[0] <= casts[1]
    assert not any(item.data_type == TensorProto.FLOAT16 for item in graph.initializer)


def test_small_and_large_numbers_stay_in_float32():
    wide = np.full((32, 32), 1e6, np.float32)
    small = np.ones((4, 32), np.float32)
    nodes = [
        onnx.helper.make_node("MatMul", ["x", "wide"], ["y"]),
        onnx.helper.make_node("MatMul", ["small", "y"], ["z"]),
    ]
    graph = onnx.helper.make_graph(
        nodes,
        "numbers",
        [onnx.helper.make_tensor_value_info("x", TensorProto.FLOAT, [32, 32])],
        [onnx.helper.make_tensor_value_info("z", TensorProto.FLOAT, [4, 32])],
        [onnx.numpy_helper.from_array(wide, "wide"), onnx.numpy_helper.from_array(small, "small")],
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 13)])
    made = onnx.load_from_string(half_weights.stored(model.SerializeToString()))
    assert [node.op_type for node in made.graph.node] == ["MatMul", "MatMul"]
