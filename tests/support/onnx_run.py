"""ONNX Runtime on the graphs that the tests make."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime as ort


def session(graph: bytes) -> ort.InferenceSession:
    """A session on the CPU that says nothing of its own."""
    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    return ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def run(graph: bytes | ort.InferenceSession, inputs: list[np.ndarray]) -> list[Any]:
    """All outputs; inputs in the order of the graph's."""
    runner = session(graph) if isinstance(graph, bytes) else graph
    names = [item.name for item in runner.get_inputs()]
    outputs: list[Any] = runner.run(None, dict(zip(names, inputs, strict=True)))
    return outputs
