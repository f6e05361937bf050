"""Ask NVIDIA's driver and libraries, through their C interfaces, for GPUs and versions.

Nothing here raises: without a driver or a library, the answer is empty.
"""

from __future__ import annotations

import ctypes
import importlib.util
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .readings import meminfo

DRIVER = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
# The library NVML, which comes with the driver.
MANAGEMENT = "nvml.dll" if sys.platform == "win32" else "libnvidia-ml.so.1"
# The file that tells the release of the driver, on Linux.
RELEASE = Path("/proc/driver/nvidia/version")
# Library → its file names, the newest major version first, and the function that returns its
# version.
LIBRARIES = {
    "cuda": (("libcudart.so.13", "libcudart.so.12", "libcudart.so.11.0"), "cudaRuntimeGetVersion"),
    "cudnn": (("libcudnn.so.9", "libcudnn.so.8"), "cudnnGetVersion"),
    "tensorrt": (("libnvinfer.so.10", "libnvinfer.so.8"), "getInferLibVersion"),
}
# Values of CUdevice_attribute in the CUDA driver API.
INTEGRATED, COMPUTE_MAJOR, COMPUTE_MINOR = 18, 75, 76


@dataclass(frozen=True)
class GPU:
    """An NVIDIA GPU.

    Attributes:
        name: Its name, such as "NVIDIA L4".
        compute_capability: Its compute capability, such as "8.7".
        memory_bytes: Bytes of its memory.
        integrated: Whether its memory is the CPU's, as on a Jetson.
        bus_id: Its address on the PCI bus, such as "00000000:01:00.0"; empty if unknown.
    """

    name: str
    compute_capability: str
    memory_bytes: int
    integrated: bool = False
    bus_id: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the GPU as reports record it."""
        return {
            "name": self.name,
            "compute": self.compute_capability,
            "memory_bytes": self.memory_bytes,
        }


def driver() -> tuple[int, int] | None:
    """Return the newest CUDA version that the installed driver can run; None without a driver."""
    library = _load(DRIVER)
    version = ctypes.c_int()
    if library is None or library.cuDriverGetVersion(ctypes.byref(version)) or not version.value:
        return None
    return version.value // 1000, version.value % 1000 // 10


def driver_release() -> str | None:
    """Return the driver's own version, such as "580.82.07"; Linux only."""
    try:
        text = RELEASE.read_text(errors="replace")
    except OSError:
        return None
    found = re.search(r"Kernel Module\D.*?\s(\d+(?:\.\d+)+)\s", text)
    return found[1] if found else None


def gpus() -> list[GPU]:
    """List the GPUs that this process may use, in the order of CUDA's numbers."""
    library = _load(DRIVER)
    count = ctypes.c_int()
    if library is None or library.cuInit(0) or library.cuDeviceGetCount(ctypes.byref(count)):
        return []
    found = []
    for number in range(count.value):
        device, value = ctypes.c_int(), ctypes.c_int()
        name, memory = ctypes.create_string_buffer(256), ctypes.c_size_t()
        library.cuDeviceGet(ctypes.byref(device), number)
        library.cuDeviceGetName(name, len(name), device)
        library.cuDeviceTotalMem_v2(ctypes.byref(memory), device)
        bus_id = ctypes.create_string_buffer(32)
        library.cuDeviceGetPCIBusId(bus_id, len(bus_id), device)
        numbers = []
        for attribute in (INTEGRATED, COMPUTE_MAJOR, COMPUTE_MINOR):
            library.cuDeviceGetAttribute(ctypes.byref(value), attribute, device)
            numbers.append(value.value)
        integrated, *compute = numbers
        found.append(
            GPU(
                name.value.decode("utf-8", "replace"),
                ".".join(map(str, compute)),
                memory.value,
                bool(integrated),
                bus_id.value.decode("ascii", "replace"),
            )
        )
    return found


def free_memory(gpu: GPU) -> int | None:
    """Return how many bytes of a GPU's memory are free; None if nothing here tells it.

    A GPU that shares the CPU's memory can have what Linux calls available: CUDA counts the page
    cache as used there (ollama issue 12283). NVML tells the number for the others, and creates no
    CUDA context for it, which would take hundreds of megabytes.
    """
    if gpu.integrated:
        return meminfo().get("MemAvailable")
    library = _load(MANAGEMENT)
    handle, memory = ctypes.c_void_p(), _Memory()
    if library is None or not gpu.bus_id or library.nvmlInit_v2():
        return None
    try:
        bus_id = gpu.bus_id.encode()
        if library.nvmlDeviceGetHandleByPciBusId_v2(bus_id, ctypes.byref(handle)):
            return None
        if library.nvmlDeviceGetMemoryInfo(handle, ctypes.byref(memory)):
            return None
        # A part of a GPU (MIG) has less memory than NVML tells of the whole.
        return min(int(memory.free), gpu.memory_bytes)
    finally:
        library.nvmlShutdown()


class _Memory(ctypes.Structure):
    """The structure `nvmlMemory_t`: numbers of bytes."""

    _fields_ = (
        ("total", ctypes.c_ulonglong),
        ("free", ctypes.c_ulonglong),
        ("used", ctypes.c_ulonglong),
    )


def libraries() -> dict[str, str | None]:
    """Find the versions of CUDA's runtime, cuDNN and TensorRT; Linux only.

    Returns:
        "cuda", "cudnn" and "tensorrt" → the newest version, such as "12.6", that the system's
        loader or the NVIDIA packages of this Python have; None for a library that is missing.
    """
    return {name: _version(name) for name in LIBRARIES}


def versions() -> dict[str, str]:
    """Return what `libraries` finds, without the libraries that are missing."""
    return {name: version for name, version in libraries().items() if version is not None}


def _version(library: str) -> str | None:
    names, function = LIBRARIES[library]
    for name in names:
        loaded = _load(name) or _load_packaged(name)
        if loaded is None:
            continue
        if library == "cuda":
            number = ctypes.c_int()
            getattr(loaded, function)(ctypes.byref(number))
            return f"{number.value // 1000}.{number.value % 1000 // 10}"
        ask = getattr(loaded, function)
        ask.restype = ctypes.c_size_t if library == "cudnn" else ctypes.c_int
        # 90100 is 9.1.0 and 100300 is 10.3.0, but cuDNN 8 and TensorRT 8 count in thousands.
        number = ask()
        big, small = (10_000, 100) if number >= 10_000 else (1000, 100)
        return f"{number // big}.{number % big // small}.{number % small}"
    return None


def _load_packaged(name: str) -> ctypes.CDLL | None:
    """Load a library from one of NVIDIA's packages in this Python."""
    spec = importlib.util.find_spec("nvidia")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        for path in Path(folder).glob(f"**/{name}"):
            if (library := _load(str(path))) is not None:
                return library
    return None


def _load(name: str) -> ctypes.CDLL | None:
    try:
        return ctypes.CDLL(name)
    except OSError:
        return None
