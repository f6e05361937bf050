"""Convert a graph to float16, for GPUs: its weights take half the space and multiply faster."""

from __future__ import annotations

import onnx

from ..graph.editor import IR_VERSION, Editor


def to_float16(graph: bytes) -> bytes:
    """Return an edge graph that computes in float16; its inputs and outputs keep their types."""
    from onnxruntime.transformers.float16 import convert_float_to_float16

    model = convert_float_to_float16(onnx.load_from_string(graph), keep_io_types=True)
    model.ir_version = IR_VERSION
    del model.graph.value_info[:]
    Editor(model)  # sorts the nodes, which ONNX Runtime's conversion doesn't
    onnx.checker.check_model(model)
    serialized: bytes = model.SerializeToString(deterministic=True)
    return serialized
