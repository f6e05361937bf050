"""How a batch gets to the device and its results back."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .providers import PLAIN_RUN
from .runtime import import_onnxruntime

if TYPE_CHECKING:
    import onnxruntime


# Between a recorded and a plain run of probabilities and scores.
TOLERANCE = 1e-3


# ONNX Runtime makes the allocator of device buffers when the first is made, without a lock.
_making = threading.Lock()


class Copied:
    """Runs that leave the way to the device to ONNX Runtime."""

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
    up as uint8, and nothing but the outputs comes down. Safe to share by threads.

    device: ONNX Runtime's name of it, such as "cuda" or "cpu".
    capture: record each shape's run as a CUDA graph, for a session with `enable_cuda_graph`.

    Since 1.20 ONNX Runtime's convolutions plan anew whenever the input's shape is not that of the
    run before, so that sizes that alternate cost milliseconds each time (onnxruntime issue 23006).
    A recorded run is played back as it was planned. Recording is given up, for all shapes, when it
    fails or when what it plays back is not what the plain run gave.
    """

    def __init__(
        self,
        session: onnxruntime.InferenceSession,
        name: str,
        outputs: Sequence[str],
        *,
        device: str,
        capture: bool,
    ) -> None:
        self._session, self._input, self._outputs = session, name, list(outputs)
        self._device = device
        self.captures = capture
        self._buffers: dict[tuple[int, ...], _Buffers] = {}
        self._plain = _run_options(PLAIN_RUN) if capture else None
        # One thread, since CUDA's handles and graphs belong to the thread that made them.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="edgeocr-device")

    def run(self, batch: NDArray[np.uint8]) -> list[NDArray[Any]]:
        """uint8 [N, H, W, 3] → the outputs."""
        if batch.dtype != np.uint8:  # ONNX Runtime would take anything of that many elements
            raise TypeError(f"the input is uint8, not {batch.dtype}")
        return self._thread.submit(self._run, np.ascontiguousarray(batch)).result()

    def _run(self, batch: NDArray[np.uint8]) -> list[NDArray[Any]]:
        buffers = self._buffers.get(batch.shape)
        if buffers is None:
            with _making:
                buffers, result = self._prepared(batch)
            self._buffers[batch.shape] = buffers
            return result
        buffers.input.update_inplace(batch)
        self._session.run_with_iobinding(buffers.binding, self._options(buffers))
        return [_own(output.numpy()) for output in buffers.outputs]

    def _options(self, buffers: _Buffers) -> Any:
        return buffers.captured if self.captures else self._plain

    def _prepared(self, batch: NDArray[np.uint8]) -> tuple[_Buffers, list[NDArray[Any]]]:
        """Buffers for the batch's shape, and the batch's results."""
        ort = import_onnxruntime()
        buffer = ort.OrtValue.ortvalue_from_shape_and_type(batch.shape, np.uint8, self._device)
        buffer.update_inplace(batch)
        binding = self._session.io_binding()
        binding.bind_ortvalue_input(self._input, buffer)
        for name in self._outputs:  # only a run knows their shapes
            binding.bind_output(name, self._device)
        self._session.run_with_iobinding(binding, self._plain)
        results = [_own(each) for each in binding.copy_outputs_to_cpu()]
        binding.clear_binding_outputs()
        outputs = []
        for name, result in zip(self._outputs, results, strict=True):
            output = ort.OrtValue.ortvalue_from_shape_and_type(
                result.shape, result.dtype, self._device
            )
            binding.bind_ortvalue_output(name, output)
            outputs.append(output)
        number = len(self._buffers) + 1
        captured = _run_options(str(number)) if self.captures else None
        buffers = _Buffers(binding, buffer, outputs, captured)
        if self.captures:
            self.captures = self._plays_back(buffers, results)
        return buffers, results

    def _plays_back(self, buffers: _Buffers, expected: list[NDArray[Any]]) -> bool:
        """Record a run, play it back, and say whether it gives what the plain run gave."""
        try:
            for _ in range(2):
                self._session.run_with_iobinding(buffers.binding, buffers.captured)
        except Exception:  # ONNX Runtime's errors have no common class of their own
            return False
        played = [output.numpy() for output in buffers.outputs]
        return all(
            np.allclose(one, other, atol=TOLERANCE)
            for one, other in zip(played, expected, strict=True)
        )


class _Buffers(NamedTuple):
    binding: Any
    input: Any
    outputs: list[Any]
    captured: Any


def _own(result: NDArray[Any]) -> NDArray[Any]:
    """The result, copied where it lies in a buffer of the CPU's, which the next run writes to."""
    return result if result.flags.owndata else result.copy()


def _run_options(graph: str) -> Any:
    options = import_onnxruntime().RunOptions()
    options.add_run_config_entry("gpu_graph_id", graph)
    return options
