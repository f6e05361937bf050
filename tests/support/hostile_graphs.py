"""Build graphs that read files, end the process, run for ever or fill the memory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SECRET = "A secret that is in no bundle. "
# ONNX Runtime reads a file for a tensor that is too large to be folded into other constants.
ROWS, COLUMNS = 1024, 2
SECRET_BYTES = ROWS * COLUMNS * 4


def graph(
    *nodes: onnx.NodeProto, constants: Sequence[onnx.TensorProto] = (), opset: int = 17
) -> onnx.ModelProto:
    """Return a model from `crops`, which it casts to `x`, to `scores` and `indices`.

    Args:
        nodes: The nodes after the cast, one of which makes `scores`.
        constants: The initializers.
        opset: Version of the standard operators.
    """
    casts = [
        helper.make_node("Cast", ["crops"], ["x"], to=TensorProto.FLOAT),
        helper.make_node("Cast", ["crops"], ["indices"], to=TensorProto.INT32),
    ]
    return helper.make_model(
        helper.make_graph(
            [*casts, *nodes],
            "hostile",
            [helper.make_tensor_value_info("crops", TensorProto.UINT8, ["N", "H", "W", 3])],
            [
                helper.make_tensor_value_info("scores", TensorProto.FLOAT, None),
                helper.make_tensor_value_info("indices", TensorProto.INT32, None),
            ],
            constants,
        ),
        opset_imports=[helper.make_opsetid("", opset)],
        ir_version=8,
    )


def node(operator: str, *inputs: str, to: str = "scores", **attributes: Any) -> onnx.NodeProto:
    """Return a node with one output, named after it."""
    return helper.make_node(operator, inputs, [to], name=f"the_{operator}", **attributes)


def constant(name: str, value: Any, dtype: Any = np.int64) -> onnx.TensorProto:
    """Return a constant tensor."""
    return numpy_helper.from_array(np.asarray(value, dtype), name)


def external(name: str, location: str) -> onnx.TensorProto:
    """Return a tensor whose data are in another file."""
    tensor = TensorProto(
        name=name,
        data_type=TensorProto.FLOAT,
        dims=[ROWS, COLUMNS],
        data_location=TensorProto.EXTERNAL,
    )
    for key, value in (("location", location), ("offset", "0"), ("length", str(SECRET_BYTES))):
        tensor.external_data.add(key=key, value=value)
    return tensor


def secret(path: Path) -> Path:
    """Write a file that a graph of `reading` reads."""
    path.write_text((SECRET * SECRET_BYTES)[:SECRET_BYTES])
    return path


def reading(location: str) -> onnx.ModelProto:
    """Return a model that looks values of another file up, whose indices are its input."""
    return graph(
        helper.make_node("Cast", ["x"], ["index"], to=TensorProto.INT64),
        node("Gather", "file", "index"),
        constants=[external("file", location)],
    )


def endless() -> onnx.ModelProto:
    """Return a model with a loop of 2^63 - 1 rounds."""
    flag = helper.make_tensor_value_info("flag", TensorProto.BOOL, [])
    value = helper.make_tensor_value_info("value", TensorProto.FLOAT, None)
    body = helper.make_graph(
        [helper.make_node("Identity", [name], [f"{name}_out"]) for name in ("flag", "value")],
        "round",
        [helper.make_tensor_value_info("number", TensorProto.INT64, []), flag, value],
        [
            helper.make_tensor_value_info("flag_out", TensorProto.BOOL, []),
            helper.make_tensor_value_info("value_out", TensorProto.FLOAT, None),
        ],
    )
    return graph(
        node("Loop", "rounds", "yes", "x", body=body),
        constants=[constant("rounds", np.iinfo(np.int64).max), constant("yes", True, bool)],
    )


def dividing(dividend: int, divisor: int, operator: str = "Div") -> onnx.ModelProto:
    """Return a model that divides constant integers."""
    return graph(
        node(operator, "dividend", "divisor", to="quotient"),
        helper.make_node("Cast", ["quotient"], ["scores"], to=TensorProto.FLOAT),
        constants=[constant("dividend", dividend), constant("divisor", divisor)],
    )


def filling() -> onnx.ModelProto:
    """Return a model that makes a tensor of 10^10 times the size of its input."""
    return graph(
        node("Shape", "x", to="shape"),
        node("Mul", "shape", "factors", to="large"),
        node("ConstantOfShape", "large"),
        constants=[constant("factors", [10**5, 1, 10**5, 1])],
    )


def with_wrong_kernel(edge: bytes, output: str) -> bytes:
    """Return an edge graph with a kernel of 64 in the convolution that makes an output."""
    model = onnx.load_from_string(edge)
    (convolution,) = (each for each in model.graph.node if each.output[0] == output)
    (kernel,) = (each for each in convolution.attribute if each.name == "kernel_shape")
    kernel.ints[0] = 64
    return bytes(model.SerializeToString())
