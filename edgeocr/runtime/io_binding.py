"""Run a session on a batch: bring the batch to the device, and the results back."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from .onnx_runtime import NO_GRAPH, graph_run_options, import_onnxruntime

if TYPE_CHECKING:
    import onnxruntime

logger = logging.getLogger(__name__)

# The largest difference allowed between a replayed and a plain run, in probabilities and scores.
TOLERANCE = 1e-3


class Runner(Protocol):
    """A way to run a session on batches.

    Attributes:
        warm_runs: How many runs of a shape it takes until everything for the shape is prepared.
    """

    warm_runs: int

    def run(self, batch: NDArray[np.uint8]) -> list[NDArray[Any]]:
        """Run the graph: uint8 [N, H, W, 3] → its outputs."""
        ...


class PlainRunner:
    """A runner that lets ONNX Runtime copy inputs and outputs."""

    warm_runs = 1

    def __init__(
        self, session: onnxruntime.InferenceSession, input_name: str, outputs: Sequence[str]
    ) -> None:
        """Prepare to run a session.

        Args:
            session: The session to run.
            input_name: Name of its input.
            outputs: Names of the outputs that a run returns, in this order.
        """
        self._session, self._input, self._outputs = session, input_name, list(outputs)

    def run(self, batch: NDArray[np.uint8]) -> list[NDArray[Any]]:
        """Run the graph: uint8 [N, H, W, 3] → its outputs."""
        result: list[NDArray[Any]] = self._session.run(self._outputs, {self._input: batch})
        return result


class BufferedRunner:
    """A runner with buffers on the device, made once for each input shape and then reused.

    Batches are uploaded as uint8, and nothing except the outputs is downloaded. Only one thread may
    use a runner.

    Since 1.20 ONNX Runtime plans its convolutions anew whenever the input's shape differs from that
    of the run before, so alternating sizes cost milliseconds each time (onnxruntime issue 23006). A
    recorded run is replayed as it was planned. Recording is given up for all shapes if it fails, or
    if a replay differs from a plain run.

    Attributes:
        records: Whether the second run of each shape is recorded as a CUDA graph.
    """

    # The second run of a shape records it.
    warm_runs = 2

    def __init__(
        self,
        session: onnxruntime.InferenceSession,
        input_name: str,
        outputs: Sequence[str],
        *,
        device: str,
        number: int,
        records: bool,
    ) -> None:
        """Prepare to run a session, without making any buffers.

        Args:
            session: The session to run.
            input_name: Name of its input.
            outputs: Names of the outputs that a run returns, in this order.
            device: ONNX Runtime's name of the device, such as "cuda" or "cpu".
            number: Number of the device.
            records: Whether runs are recorded, for which the session needs `enable_cuda_graph`.
        """
        self._session, self._input, self._outputs = session, input_name, list(outputs)
        self._device = (device, number)
        self.records = records
        self._buffers: dict[tuple[int, ...], _Buffers] = {}
        self._plain = graph_run_options(NO_GRAPH) if records else None

    def run(self, batch: NDArray[np.uint8]) -> list[NDArray[Any]]:
        """Run the graph: uint8 [N, H, W, 3] → its outputs."""
        if batch.dtype != np.uint8:  # ONNX Runtime would take any type
            raise TypeError(f"the input must be uint8, not {batch.dtype}")
        batch = np.ascontiguousarray(batch)
        buffers = self._buffers.get(batch.shape)
        if buffers is None:
            buffers, results = self._prepare(batch)
            self._buffers[batch.shape] = buffers
            return results
        if self.records and buffers.graph is None:
            buffers.graph = graph_run_options(str(1 + list(self._buffers).index(batch.shape)))
            self.records = self._replays(buffers)
        return self._results(buffers, batch, buffers.graph if self.records else self._plain)

    def _results(
        self, buffers: _Buffers, batch: NDArray[np.uint8], options: Any
    ) -> list[NDArray[Any]]:
        buffers.input.update_inplace(batch)
        self._session.run_with_iobinding(buffers.binding, options)
        return [_owned(output.numpy()) for output in buffers.outputs]

    def _prepare(self, batch: NDArray[np.uint8]) -> tuple[_Buffers, list[NDArray[Any]]]:
        """Make buffers for the batch's shape; return them and the batch's results."""
        buffer = self._empty(batch.shape, batch.dtype)
        buffer.update_inplace(batch)
        binding = self._session.io_binding()
        binding.bind_ortvalue_input(self._input, buffer)
        for name in self._outputs:  # the shapes of the outputs are known only after a run
            binding.bind_output(name, *self._device)
        self._session.run_with_iobinding(binding, self._plain)
        results = [_owned(each) for each in binding.copy_outputs_to_cpu()]
        binding.clear_binding_outputs()
        outputs = [self._empty(result.shape, result.dtype) for result in results]
        for name, output in zip(self._outputs, outputs, strict=True):
            binding.bind_ortvalue_output(name, output)
        return _Buffers(binding, buffer, outputs), results

    def _empty(self, shape: tuple[int, ...], dtype: Any) -> Any:
        make = import_onnxruntime().OrtValue.ortvalue_from_shape_and_type
        return make(shape, dtype, *self._device)

    def _replays(self, buffers: _Buffers) -> bool:
        """Record a run and return whether its replay with other input equals a plain run."""
        rng = np.random.default_rng(0)
        one, other = rng.integers(0, 256, (2, *buffers.input.shape()), np.uint8)
        try:
            expected = self._results(buffers, other, self._plain)
            self._results(buffers, one, buffers.graph)
            replayed = self._results(buffers, other, buffers.graph)
        except Exception as error:  # ONNX Runtime's errors have no common base class of their own
            logger.info("runs can't be recorded as CUDA graphs, going on without: %s", error)
            return False
        equal = all(
            np.allclose(a, b, atol=TOLERANCE) for a, b in zip(replayed, expected, strict=True)
        )
        if not equal:
            logger.info("a replayed CUDA graph differs from a plain run, going on without")
        return equal


@dataclass
class _Buffers:
    """The buffers of one input shape.

    Attributes:
        binding: ONNX Runtime's binding of the buffers to the graph's input and outputs.
        input: Buffer of the input.
        outputs: Buffers of the outputs.
        graph: Run options with the number of the shape's CUDA graph; None before it is recorded.
    """

    binding: Any
    input: Any
    outputs: list[Any]
    graph: Any = None


def _owned(result: NDArray[Any]) -> NDArray[Any]:
    """Return a result that no later run overwrites: a copy if it lies in a reused buffer."""
    return result if result.flags.owndata else result.copy()
