"""Run the graphs that tests make with ONNX Runtime on the CPU."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime as ort


def session(graph: bytes) -> ort.InferenceSession:
    """Open a session on the CPU that logs nothing."""
    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    return ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def run(graph: bytes | ort.InferenceSession, inputs: list[np.ndarray]) -> list[Any]:
    """Return all outputs of a graph; its inputs are given in the graph's order."""
    runner = session(graph) if isinstance(graph, bytes) else graph
    names = [item.name for item in runner.get_inputs()]
    outputs: list[Any] = runner.run(None, dict(zip(names, inputs, strict=True)))
    return outputs
