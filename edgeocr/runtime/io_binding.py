"""How a batch gets to the device and its results back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .onnx_runtime import import_onnxruntime
from .start import PLAIN_RUN

if TYPE_CHECKING:
    import onnxruntime


# Between a recorded and a plain run of probabilities and scores.
TOLERANCE = 1e-3


class Copied:
    """Runs that leave the way to the device to ONNX Runtime."""

    warm_runs = 1

    def __init__(
        self, session: onnxruntime.InferenceSession, name: str, outputs: Sequence[str]
    ) -> None:
        self._session, self._input, self._outputs = session, name, list(outputs)

    def run(self, batch: NDArray[np.uint8]) -> list[NDArray[Any]]:
        """uint8 [N, H, W, 3] → the outputs."""
        result: list[NDArray[Any]] = self._session.run(self._outputs, {self._input: batch})
        return result


class Bound:
    """Runs on buffers of the device that are made once for each shape and used again: pictures go
    up as uint8, and nothing but the outputs comes down. One run at a time, in one thread.

    device, number: ONNX Runtime's name of it, such as "cuda" or "cpu", and which one.
    capture: record each shape's run as a CUDA graph when it comes for the second time, for a
        session with `enable_cuda_graph`.

    Since 1.20 ONNX Runtime's convolutions plan anew whenever the input's shape is not that of the
    run before, so that sizes that alternate cost milliseconds each time (onnxruntime issue 23006).
    A recorded run is played back as it was planned. Recording is given up, for all shapes, when it
    fails or when what it plays back is not what a plain run gives.
    """

    # Runs that make all that a shape needs.
    warm_runs = 2

    def __init__(
        self,
        session: onnxruntime.InferenceSession,
        name: str,
        outputs: Sequence[str],
        *,
        device: str,
        number: int,
        capture: bool,
    ) -> None:
        self._session, self._input, self._outputs = session, name, list(outputs)
        self._device = (device, number)
        self.captures = capture
        self._buffers: dict[tuple[int, ...], _Buffers] = {}
        self._plain = _run_options(PLAIN_RUN) if capture else None

    def run(self, batch: NDArray[np.uint8]) -> list[NDArray[Any]]:
        """uint8 [N, H, W, 3] → the outputs."""
        if batch.dtype != np.uint8:  # ONNX Runtime would take anything of that many elements
            raise TypeError(f"the input is uint8, not {batch.dtype}")
        batch = np.ascontiguousarray(batch)
        buffers = self._buffers.get(batch.shape)
        if buffers is None:
            buffers, results = self._prepared(batch)
            self._buffers[batch.shape] = buffers
            return results
        if self.captures and buffers.graph is None:
            buffers.graph = _run_options(str(1 + list(self._buffers).index(batch.shape)))
            self.captures = self._plays_back(buffers)
        return self._results(buffers, batch, buffers.graph if self.captures else self._plain)

    def _results(
        self, buffers: _Buffers, batch: NDArray[np.uint8], options: Any
    ) -> list[NDArray[Any]]:
        buffers.input.update_inplace(batch)
        self._session.run_with_iobinding(buffers.binding, options)
        return [_own(output.numpy()) for output in buffers.outputs]

    def _prepared(self, batch: NDArray[np.uint8]) -> tuple[_Buffers, list[NDArray[Any]]]:
        """Buffers for the batch's shape, and the batch's results."""
        buffer = self._empty(batch.shape, batch.dtype)
        buffer.update_inplace(batch)
        binding = self._session.io_binding()
        binding.bind_ortvalue_input(self._input, buffer)
        for name in self._outputs:  # only a run knows their shapes
            binding.bind_output(name, *self._device)
        self._session.run_with_iobinding(binding, self._plain)
        results = [_own(each) for each in binding.copy_outputs_to_cpu()]
        binding.clear_binding_outputs()
        outputs = [self._empty(result.shape, result.dtype) for result in results]
        for name, output in zip(self._outputs, outputs, strict=True):
            binding.bind_ortvalue_output(name, output)
        return _Buffers(binding, buffer, outputs), results

    def _empty(self, shape: tuple[int, ...], dtype: Any) -> Any:
        make = import_onnxruntime().OrtValue.ortvalue_from_shape_and_type
        return make(shape, dtype, *self._device)

    def _plays_back(self, buffers: _Buffers) -> bool:
        """Record a run, play it back with other input, and say whether it gives what a plain run
        gives for that.
        """
        rng = np.random.default_rng(0)
        one, other = rng.integers(0, 256, (2, *buffers.input.shape()), np.uint8)
        try:
            expected = self._results(buffers, other, self._plain)
            self._results(buffers, one, buffers.graph)
            played = self._results(buffers, other, buffers.graph)
        except Exception:  # ONNX Runtime's errors have no common class of their own
            return False
        return all(np.allclose(a, b, atol=TOLERANCE) for a, b in zip(played, expected, strict=True))


@dataclass
class _Buffers:
    """Of one shape. graph: run options with the number of its recording, once there is one."""

    binding: Any
    input: Any
    outputs: list[Any]
    graph: Any = None


def _own(result: NDArray[Any]) -> NDArray[Any]:
    """The result, copied where it lies in a buffer of the CPU's, which the next run writes to."""
    return result if result.flags.owndata else result.copy()


def _run_options(graph: str) -> Any:
    options = import_onnxruntime().RunOptions()
    options.add_run_config_entry("gpu_graph_id", graph)
    return options
