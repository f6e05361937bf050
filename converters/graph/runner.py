"""Run a graph with ONNX Runtime on the CPU."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from numpy.typing import NDArray

from edgeocr.device.cpus import has_vnni
from edgeocr.runtime.onnx_runtime import import_onnxruntime

from ..errors import ConverterError, ParityError

Array: TypeAlias = NDArray[Any]
Runner: TypeAlias = Callable[[list[Array]], list[Array]]


def onnx_runner(
    graph: bytes,
    outputs: list[str] | None,
    name: str = "plain graph",
    *,
    threads: int = 0,
    optimized: bool = True,
    error: type[ConverterError] = ParityError,
) -> Runner:
    """Load a graph with ONNX Runtime on the CPU.

    Args:
        graph: The ONNX file.
        outputs: The names of the wanted outputs; None returns all.
        name: What error messages call the graph.
        threads: The number of threads; 0 lets ONNX Runtime choose.
        optimized: Whether ONNX Runtime may optimize the graph.
        error: The class of the errors.

    Returns:
        A function that takes the inputs in the graph's order and returns the outputs. It raises
        `error` if the graph doesn't run.

    Raises:
        ConverterError: If the graph doesn't load; it is an `error`.
    """
    ort = import_onnxruntime()
    options = ort.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = threads
    # Threads that keep spinning after a run would take CPU time from the graph that is timed next.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    if not has_vnni():
        # As in edgeocr/runtime/session.py: without it, int8 products may overflow on such CPUs.
        options.add_session_config_entry("session.x64quantprecision", "1")
    if not optimized:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    try:
        session = ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    except Exception as fault:  # ONNX Runtime's exceptions have no common base class
        raise error(f"the {name} doesn't load: {fault}") from None
    names = [item.name for item in session.get_inputs()]

    def run(inputs: list[Array]) -> list[Array]:
        try:
            result: list[Array] = session.run(outputs, dict(zip(names, inputs, strict=True)))
        except Exception as fault:
            raise error(f"the {name} doesn't run: {fault}") from None
        return result

    return run
