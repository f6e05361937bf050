"""Store a graph's weights in float16; it computes in float32 as before.

    weights (float16) ─ Cast ─ Conv, MatMul, …

ONNX Runtime computes each `Cast` of a constant once when a session is created. So the file takes
half the space, and a run takes the same time and memory.
"""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto

from ..graph.editor import Editor

# The operators whose weights are stored in float16.
OPERATORS = ("Conv", "ConvTranspose", "MatMul", "Gemm", "LSTM", "GRU", "RNN")
# Smaller tensors stay as they are: a `Cast` takes about as much space as they would save.
SMALLEST = 256


def stored(graph: bytes) -> bytes:
    """Return a graph whose weights are stored in float16."""
    model = onnx.load_from_string(graph)
    editor = Editor(model)
    read = {name for node in editor.nodes(*OPERATORS) for name in node.input}
    largest = float(np.finfo(np.float16).max)
    for name in sorted(read):
        weights = editor.constant(name)
        if weights is None or weights.dtype != np.float32 or weights.size < SMALLEST:
            continue
        if np.abs(weights).max() > largest:
            continue
        half = editor.add_constant(weights.astype(np.float16), f"{name}.half")
        whole = editor.new_name(f"{name}.whole")
        editor.replace(name, whole)
        editor.add_node("Cast", [half], whole, to=TensorProto.FLOAT)
    editor.tidy()
    onnx.checker.check_model(model)
    serialized: bytes = model.SerializeToString(deterministic=True)
    return serialized
