"""A graph's outputs for its inputs, by ONNX Runtime on the CPU."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from numpy.typing import NDArray

from edgeocr.runtime.onnx_runtime import import_onnxruntime

from ..errors import ParityError

Array: TypeAlias = NDArray[Any]
Runner: TypeAlias = Callable[[list[Array]], list[Array]]


def onnx_runner(
    graph: bytes,
    outputs: list[str] | None,
    name: str = "plain graph",
    *,
    threads: int = 0,
    optimized: bool = True,
) -> Runner:
    """ONNX Runtime on the CPU; `outputs` None for all of them, `name` for errors, `threads` 0 for
    as many as it likes, `optimized` whether it may change the graph.

    Raises `ParityError` for a graph that doesn't load, and when called for one that doesn't run.
    """
    ort = import_onnxruntime()
    options = ort.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = threads
    # Threads that spin after a run would take the cores from the graph that is timed next.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if not optimized:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    try:
        session = ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's exceptions have no common class of their own
        raise ParityError(f"the {name} doesn't load: {error}") from None
    names = [item.name for item in session.get_inputs()]

    def run(inputs: list[Array]) -> list[Array]:
        try:
            result: list[Array] = session.run(outputs, dict(zip(names, inputs, strict=True)))
        except Exception as error:
            raise ParityError(f"the {name} doesn't run: {error}") from None
        return result

    return run
