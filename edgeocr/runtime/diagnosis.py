"""Say why an execution provider did not start, and what to do about it."""

from __future__ import annotations

import platform
import re
from collections.abc import Iterable
from pathlib import Path

from ..device import nvidia
from .providers import NVIDIA_PACKAGE, Provider

# Distributions that all install the folder `onnxruntime`, so that only one can be installed.
RUNTIMES = (
    "onnxruntime",
    "onnxruntime-gpu",
    "onnxruntime-openvino",
    "onnxruntime-directml",
    "onnxruntime-qnn",
    "onnxruntime-migraphx",
)
# Releases of onnxruntime-gpu by the major version of CUDA that their wheels are built for, and the
# oldest NVIDIA driver for that version (docs.nvidia.com/deploy/cuda-compatibility).
RELEASES = {12: "onnxruntime-gpu[cuda,cudnn]>=1.21,<1.27", 13: "onnxruntime-gpu[cuda,cudnn]>=1.27"}
DRIVERS = {12: 525, 13: 580}
# Libraries that are numbered with CUDA's major version, or with cuDNN's.
NUMBERED_LIBRARIES = ("libcudart", "libcublas", "libcudnn")
# A file that only Jetsons have.
JETSON = Path("/etc/nv_tegra_release")
JETPACK = "install the onnxruntime-gpu wheel that NVIDIA publishes for this JetPack"
GPU_HIDDEN = "the driver shows no GPU to this process: see nvidia-smi and CUDA_VISIBLE_DEVICES"
# How many characters of ONNX Runtime's output an error quotes, from its end, where the cause is.
QUOTED = 400


def distributions() -> dict[str, str]:
    """List the distributions that are installed in this Python.

    Returns:
        Name → version, in the order of the names.
    """
    from importlib import metadata  # takes longer to import than the rest of this module

    found: dict[str, str] = {}
    for each in metadata.distributions():
        # A folder that remains of a removed distribution has no name.
        if name := each.metadata["Name"]:
            # The first of equal names is the one that Python imports.
            found.setdefault(name.lower().replace("_", "-"), each.version)
    return dict(sorted(found.items()))


def runtimes(installed: Iterable[str]) -> list[str]:
    """Return the distributions that install the folder `onnxruntime`; only one of them may.

    Args:
        installed: The names of all installed distributions.
    """
    names = set(installed)
    return [name for name in RUNTIMES if name in names]


def not_built_in(provider: Provider, version: str) -> str:
    """Compose the error message for a provider that the installed ONNX Runtime doesn't have.

    Args:
        provider: The provider that was asked for.
        version: The version of the installed ONNX Runtime.
    """
    installed = runtimes(distributions())
    fault = f"provider {provider.name!r} is not in the installed ONNX Runtime {version}"
    install = provider.install
    if install == NVIDIA_PACKAGE and JETSON.exists():
        install = JETPACK
    if len(installed) > 1:
        names = " and ".join(installed)
        return (
            f"{fault}: {names} are installed side by side and overwrite each other. "
            f"pip uninstall -y {' '.join(installed)}, then {install}"
        )
    if provider.plugin is not None:
        return f"{fault}: {install}"
    package = installed[0] if installed else "onnxruntime"
    return f"{fault}, the package {package}: pip uninstall -y {package}, then {install}"


def did_not_start(provider: Provider, output: str, *, built_for: str | None) -> str:
    """Compose the error message for a provider that is in ONNX Runtime but did not start.

    Args:
        provider: The provider that was asked for.
        output: What ONNX Runtime wrote and raised.
        built_for: The CUDA version that ONNX Runtime was built for, such as "12.8"; None if it
            doesn't say.
    """
    output = " ".join(re.sub(r"\x1b\[[0-9;]*m", "", output).split())
    quoted = output if len(output) <= QUOTED else "…" + output[-QUOTED:]
    cause = _cause(provider, output, built_for)
    message = f"provider {provider.name!r} did not start here: {cause}"
    return f"{message}. ONNX Runtime said: {quoted}" if quoted else message


def _cause(provider: Provider, output: str, built_for: str | None) -> str:
    if "CUDA failure 100" in output:
        return GPU_HIDDEN
    if re.search(r"(?i)(unknown|invalid|failed to parse)[\w ]* option", output):
        return "one of its options is unknown or has a wrong value"
    if "could not deserialize engine" in output:
        return "an engine in its cache is broken: delete its folder and run edgeocr warm again"
    if not provider.needs_nvidia_driver:
        return "see below; this device, or a library that it needs, may be missing"
    missing = dict(
        re.findall(r"(lib[\w+-]+)\.so(?:\.(\d+))?[.\d]*: cannot open shared object", output)
    )
    needed = f"CUDA {built_for}" if built_for else "the CUDA version that it was built for"
    driver = nvidia.driver()
    # The driver comes first: without it nothing else that is installed would help.
    if driver is None or not missing.keys().isdisjoint({"libcuda", "libnvidia-ml"}):
        return (
            "the NVIDIA driver is missing (libcuda.so.1): install it; in a container start it with "
            "the NVIDIA container toolkit and --gpus all"
        )
    if missing:
        name = min(missing)
        if name.startswith(("libnvinfer", "libnvonnxparser")):
            return (
                f"TensorRT is missing ({name}.so): on a Jetson it comes with JetPack; elsewhere "
                "install TensorRT 10 and put its lib folder into LD_LIBRARY_PATH"
            )
        return _library_missing(name, missing[name], needed)
    if built_for and driver[0] < (major := int(built_for.split(".")[0])):
        older_release = RELEASES.get(driver[0])
        newer_driver = f"driver {DRIVERS[major]} or newer" if major in DRIVERS else "a newer driver"
        return (
            f"the NVIDIA driver runs CUDA {driver[0]}.{driver[1]} at most and this onnxruntime-gpu "
            f"needs {needed}: install {newer_driver}"
            + (f', or pip install "{older_release}"' if older_release else "")
        )
    if "cuDNN is" in output:
        return f"cuDNN is missing: {NVIDIA_PACKAGE} brings it"
    if "out of memory" in output:
        return "the GPU has too little free memory: see nvidia-smi"
    if "Please install TensorRT libraries" in output:
        return (
            "TensorRT's libraries can't be loaded: install TensorRT 10; on a Jetson it comes with "
            "JetPack"
        )
    if not nvidia.gpus():
        return GPU_HIDDEN
    return "the cause is unknown"


def _library_missing(name: str, major: str, needed: str) -> str:
    found = nvidia.libraries()["cudnn" if name.startswith("libcudnn") else "cuda"]
    library = f"{name}.so.{major}" if major else f"{name}.so"
    if platform.machine() == "aarch64" and JETSON.exists():
        return f"{library} is missing, {needed} is needed: {JETPACK}"
    if found is not None and name.startswith(NUMBERED_LIBRARIES) and found.split(".")[0] != major:
        fitting = RELEASES.get(int(found.split(".")[0]))
        return (
            f"{library} is missing: this onnxruntime-gpu was built for another version than the "
            f"installed {found}. {NVIDIA_PACKAGE} brings the libraries of {needed}"
            + (f'; pip install "{fitting}" fits what is installed' if fitting else "")
        )
    return f"{library} is missing: {NVIDIA_PACKAGE} brings the libraries of {needed}"
