"""How a batch gets to the device and its results back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .providers import import_onnxruntime

if TYPE_CHECKING:
    import onnxruntime


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
    up as uint8, and nothing but the outputs comes down. One run at a time.

    device: ONNX Runtime's name of it, such as "cuda" or "cpu".
    """

    def __init__(
        self,
        session: onnxruntime.InferenceSession,
        name: str,
        outputs: Sequence[str],
        *,
        device: str,
    ) -> None:
        self._session, self._input, self._outputs = session, name, list(outputs)
        self._device = device
        self._bindings: dict[tuple[int, ...], tuple[Any, Any]] = {}

    def run(self, batch: NDArray[np.uint8]) -> list[NDArray[Any]]:
        """uint8 [N, H, W, 3] → the outputs."""
        if batch.shape not in self._bindings:
            self._bindings[batch.shape] = self._bind(batch.shape)
        binding, buffer = self._bindings[batch.shape]
        buffer.update_inplace(np.ascontiguousarray(batch))
        self._session.run_with_iobinding(binding)
        # Copies, so the next run may use the buffers.
        return [np.array(each) for each in binding.copy_outputs_to_cpu()]

    def _bind(self, shape: tuple[int, ...]) -> tuple[Any, Any]:
        ort = import_onnxruntime()
        buffer = ort.OrtValue.ortvalue_from_shape_and_type(shape, np.uint8, self._device)
        binding = self._session.io_binding()
        binding.bind_ortvalue_input(self._input, buffer)
        for name in self._outputs:  # their arena's memory; only the run knows the shape
            binding.bind_output(name, self._device)
        return binding, buffer
