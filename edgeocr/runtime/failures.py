"""Tell from the libraries' messages what it means that a run on an execution provider failed.

ONNX Runtime has no error codes for these cases (onnxruntime issue 26648), so the messages of ONNX
Runtime, CUDA, cuDNN, cuBLAS, TensorRT, OpenVINO and DirectML are all there is. The tests have one
of each, as users have reported them.
"""

from __future__ import annotations

import re
from typing import Any, Literal, TypeAlias

from ..errors import NO_MEMORY, ProviderFailedError
from .forks import ProcessLock
from .providers import Provider

Kind: TypeAlias = Literal["out of memory", "device lost", "other"]

# After these errors of CUDA's runtime the process can't use the device any more: no device, a
# device that is unavailable, uninitialized or was removed, memory errors that can't be corrected, a
# context that is destroyed, and kernels that were ended (docs.nvidia.com/cuda/cuda-runtime-api).
# 77 is what CUDA up to 10.0 called 700.
LOST_CODES = (
    *(4, 46, 77, 100, 101, 201, 214, 220, 226, 700, 702, 709, 710),
    *(714, 715, 716, 717, 718, 719, 802, 999),
)
LOST = re.compile(
    rf"CUDA (?:failure|error) (?:{'|'.join(map(str, LOST_CODES))})\b"
    "|cudaError(?:DeviceUninitialized|DevicesUnavailable|NoDevice|LaunchFailure|IllegalAddress"
    "|ContextIsDestroyed|ECCUncorrectable|Unknown)"
    "|CUDA_ERROR_(?:DEVICE_UNAVAILABLE|NO_DEVICE|LAUNCH_FAILED|ILLEGAL_ADDRESS"
    "|CONTEXT_IS_DESTROYED|ECC_UNCORRECTABLE|DEINITIALIZED|UNKNOWN)"
    "|unspecified launch failure|illegal memory access|launch timed out|context is destroyed"
    "|invalid device context|busy or unavailable|uncorrectable ECC|GPU is lost|off the bus"
    "|no CUDA-capable device"
    # OpenVINO: the next call of the driver may hang (openvino issue 25141).
    "|CL_OUT_OF_RESOURCES|CL_DEVICE_NOT_AVAILABLE|DEVICE_LOST"
    # DirectML: the device must be made anew (onnxruntime issue 26606).
    "|887A000[567]|887A0020|DEVICE_(?:REMOVED|HUNG|RESET)|GPU device instance has been suspended",
    re.IGNORECASE,
)
OUT_OF_MEMORY = re.compile(
    rf"{NO_MEMORY.pattern}"
    r"|CUDA (?:failure|error) 2\b|cudaErrorMemoryAllocation|(?:CUBLAS|CUDNN|CUFFT)\w*_ALLOC_FAILED"
    r"|insufficient workspace|CL_MEM_OBJECT_ALLOCATION_FAILURE"
    r"|out of GPU resources|OUT_OF_(?:HOST_|DEVICE_)?MEMORY|8007000E",
    re.IGNORECASE,
)


def kind_of(message: str) -> Kind:
    """Tell what a provider's error means.

    Args:
        message: The text of the error.
    """
    if LOST.search(message):
        return "device lost"
    return "out of memory" if OUT_OF_MEMORY.search(message) else "other"


class Failures:
    """What an OCR knows of the devices that it has lost.

    A lost device fails every later run, hangs, or, worst of all, might return what is left in its
    memory. So no stage of the OCR uses it again.
    """

    def __init__(self) -> None:
        """Begin without any."""
        self._lost: dict[str, ProviderFailedError] = {}
        self._lock = ProcessLock()

    def check(self, provider: Provider) -> None:
        """Refuse a run on a device that has been lost.

        Raises:
            ProviderFailedError: The device was lost, by this stage or another one.
        """
        if (first := self._lost.get(_device(provider))) is not None:
            raise ProviderFailedError(first.stage, first.provider, first.kind, first.detail)

    def note(self, stage: str, provider: Provider, error: Any) -> ProviderFailedError:
        """Return the error to raise for a run that failed.

        Args:
            stage: The stage's name.
            provider: The provider that it runs on.
            error: What was raised.
        """
        kind = kind_of(str(error))
        failed = ProviderFailedError(stage, provider.name, kind, str(error))
        if kind == "device lost":
            with self._lock:
                self._lost.setdefault(_device(provider), failed)
        return failed


def _device(provider: Provider) -> str:
    """Return the name of a provider's device: CUDA and TensorRT run on the same one."""
    return provider.device or provider.name
