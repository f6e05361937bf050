"""Test that each Gelu becomes one operator, and stays one in a graph in int8."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from converters.graph.runner import onnx_runner
from converters.precision import gelu, quantize

BATCH = np.random.default_rng(4).integers(0, 256, (1, 8, 12, 3)).astype(np.uint8)


def graph(divisor: float = math.sqrt(2), half: float = 0.5, *, swapped: bool = False) -> bytes:
    """Return a graph: image → 1 × 1 convolution → Gelu as exported → 1 × 1 convolution."""
    rng = np.random.default_rng(3)
    constants = {
        "first": rng.normal(0, 0.02, (32, 3, 1, 1)),
        "second": rng.normal(0, 0.2, (4, 32, 1, 1)),
        "divisor": np.array(divisor),
        "one": np.array(1.0),
        "half": np.array(half),
    }
    factors = [["raw", "half"], ["raised"]] if swapped else [["raised", "raw"], ["half"]]
    nodes = [
        helper.make_node("Transpose", ["crops"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("Cast", ["planes"], ["pixels"], to=TensorProto.FLOAT),
        helper.make_node("Conv", ["pixels", "first"], ["raw"]),
        helper.make_node("Div", ["raw", "divisor"], ["divided"]),
        helper.make_node("Erf", ["divided"], ["erf"]),
        helper.make_node("Add", ["erf", "one"], ["raised"]),
        helper.make_node("Mul", factors[0], ["product"]),
        helper.make_node("Mul", ["product", *factors[1]], ["gelu"]),
        helper.make_node("Conv", ["gelu", "second"], ["scores"]),
    ]
    made = helper.make_graph(
        nodes,
        "gelu",
        [helper.make_tensor_value_info("crops", TensorProto.UINT8, ["N", "H", "W", 3])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["N", 4, "H", "W"])],
        [numpy_helper.from_array(array.astype(np.float32), n) for n, array in constants.items()],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    return bytes(model.SerializeToString())


def operators(made: bytes) -> list[str]:
    return [node.op_type for node in onnx.load_from_string(made).graph.node]


def test_gelu_becomes_one_operator_that_computes_the_same():
    full = graph()
    made = quantize.prepared(full)
    assert operators(made).count("Gelu") == 1
    assert not {"Erf", "Div", "Add", "Mul"} & set(operators(made))
    expected, found = (onnx_runner(each, None)([BATCH])[0] for each in (full, made))
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_onnxruntime_runs_one_operator_in_int8(tmp_path: Path):
    made = quantize.prepared(graph())
    found = quantize.statistics(made, [BATCH])
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "optimized.onnx")
    options.log_severity_level = 3
    int8 = quantize.quantize(made, found, quantize.candidates(made))
    onnxruntime.InferenceSession(int8, options, providers=["CPUExecutionProvider"])
    run = [node.op_type for node in onnx.load(tmp_path / "optimized.onnx").graph.node]
    assert run.count("Gelu") == 1
    assert not {"Erf", "Div"} & set(run)
    assert run.count("QLinearConv") == 1  # the other one gives the graph's output in float32


@pytest.mark.parametrize("other", [graph(divisor=1.5), graph(half=0.4), graph(swapped=True)])
def test_other_formulas_stay_as_they_are(other: bytes):
    """The last one is Gelu in another order of factors, which no network here has."""
    model = onnx.load_from_string(other)
    assert not gelu.has_any(model)
    assert operators(quantize.prepared(other)).count("Erf") == 1
