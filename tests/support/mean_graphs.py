"""A small edge graph, for tests of sessions."""

from __future__ import annotations

from collections.abc import Sequence

import pytest


def mean_graph(kind: str = "UINT8", shape: Sequence[int | str] = ("N", "H", "W", 3)) -> bytes:
    """Make a graph whose output `mean` is each picture's mean over height and width."""
    onnx = pytest.importorskip("onnx")
    helper, types = onnx.helper, onnx.TensorProto
    nodes = [
        helper.make_node("Cast", ["image"], ["float"], to=types.FLOAT),
        helper.make_node("ReduceMean", ["float", "axes"], ["mean"], keepdims=0),
    ]
    made = helper.make_graph(
        nodes,
        "mean",
        [helper.make_tensor_value_info("image", getattr(types, kind), list(shape))],
        [helper.make_tensor_value_info("mean", types.FLOAT, None)],
        [helper.make_tensor("axes", types.INT64, [2], [1, 2])],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 18)])
    model.ir_version = 8
    return model.SerializeToString()
