"""What NVIDIA's driver and libraries say of themselves, asked through their C interfaces.

Every function gives an empty answer where there is nothing to ask, and never raises.
"""

from __future__ import annotations

import ctypes
import importlib.util
import re
import sys
from pathlib import Path
from typing import NamedTuple

DRIVER = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
RELEASE = Path("/proc/driver/nvidia/version")
# Library, its names by major version, the newest first, and the function that tells its version.
LIBRARIES = {
    "cuda": (("libcudart.so.13", "libcudart.so.12", "libcudart.so.11.0"), "cudaRuntimeGetVersion"),
    "cudnn": (("libcudnn.so.9", "libcudnn.so.8"), "cudnnGetVersion"),
    "tensorrt": (("libnvinfer.so.10", "libnvinfer.so.8"), "getInferLibVersion"),
}
# CUdevice_attribute of the CUDA driver API.
COMPUTE_MAJOR, COMPUTE_MINOR = 75, 76


class GPU(NamedTuple):
    """name, compute capability such as "8.7", and memory in bytes."""

    name: str
    compute: str
    memory: int


def driver() -> tuple[int, int] | None:
    """The newest CUDA version that the installed driver can run; None without a driver."""
    library = _load(DRIVER)
    version = ctypes.c_int()
    if library is None or library.cuDriverGetVersion(ctypes.byref(version)) or not version.value:
        return None
    return version.value // 1000, version.value % 1000 // 10


def driver_release() -> str | None:
    """The driver's own version, such as "580.82.07"; Linux only."""
    try:
        text = RELEASE.read_text(errors="replace")
    except OSError:
        return None
    found = re.search(r"Kernel Module\D.*?\s(\d+(?:\.\d+)+)\s", text)
    return found[1] if found else None


def gpus() -> list[GPU]:
    """The GPUs that this process may use, in the order of their numbers."""
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
        compute = []
        for attribute in (COMPUTE_MAJOR, COMPUTE_MINOR):
            library.cuDeviceGetAttribute(ctypes.byref(value), attribute, device)
            compute.append(str(value.value))
        found.append(GPU(name.value.decode("utf-8", "replace"), ".".join(compute), memory.value))
    return found


def libraries() -> dict[str, str | None]:
    """Versions of CUDA's runtime, cuDNN and TensorRT: "cuda", "cudnn", "tensorrt" → such as "12.6",
    the newest that the system's loader or the NVIDIA packages of this Python have; Linux only.
    """
    return {name: _version(name) for name in LIBRARIES}


def versions() -> dict[str, str]:
    """`libraries` without those that aren't there."""
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
        asked = getattr(loaded, function)
        asked.restype = ctypes.c_size_t if library == "cudnn" else ctypes.c_int
        # 90100 is 9.1.0 and 100300 is 10.3.0; cuDNN 8 and TensorRT 8 counted in thousands.
        number = asked()
        big, small = (10_000, 100) if number >= 10_000 else (1000, 100)
        return f"{number // big}.{number % big // small}.{number % small}"
    return None


def _load_packaged(name: str) -> ctypes.CDLL | None:
    """A library of a package of NVIDIA's in this Python."""
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
