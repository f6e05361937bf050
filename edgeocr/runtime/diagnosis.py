"""Why an execution provider did not start, and what mends it."""

from __future__ import annotations

import platform
import re
from pathlib import Path

from ..device import nvidia

# Distributions that all write the folder `onnxruntime`, so that only one of them can be installed.
RUNTIMES = (
    "onnxruntime",
    "onnxruntime-gpu",
    "onnxruntime-openvino",
    "onnxruntime-directml",
    "onnxruntime-qnn",
    "onnxruntime-migraphx",
)
# What has a provider, for those that ONNX Runtime's default package lacks.
INSTALL = {
    "cuda": 'pip install "onnxruntime-gpu[cuda,cudnn]"',
    "tensorrt": 'pip install "onnxruntime-gpu[cuda,cudnn]"',
    "tensorrt-rtx": "pip install onnxruntime-ep-nv-tensorrt-rtx-cu13 beside onnxruntime 1.24 or "
    "newer",
    "openvino": "pip install onnxruntime-openvino",
    "directml": "pip install onnxruntime-directml, on Windows",
    "qnn": "pip install onnxruntime-qnn, on a Qualcomm device",
    "migraphx": "install AMD's onnxruntime-migraphx, of the ROCm that is here",
    "coreml": "pip install onnxruntime on macOS",
    "xnnpack": "build ONNX Runtime with --use_xnnpack",
}
# Releases of onnxruntime-gpu by the major version of CUDA that they are built for, as their wheels
# say, and the oldest NVIDIA driver for it (docs.nvidia.com/deploy/cuda-compatibility).
RELEASES = {12: "onnxruntime-gpu[cuda,cudnn]>=1.21,<1.27", 13: "onnxruntime-gpu[cuda,cudnn]>=1.27"}
DRIVERS = {12: 525, 13: 580}
# Libraries whose major version is that of CUDA, or of cuDNN.
OF_CUDAS_VERSION = ("libcudart", "libcublas", "libcudnn")
JETSON = Path("/etc/nv_tegra_release")
JETPACK = "install the onnxruntime-gpu wheel that NVIDIA publishes for this JetPack"
HIDDEN = "the driver shows no GPU to this process: see nvidia-smi and CUDA_VISIBLE_DEVICES"
# How much of what ONNX Runtime said goes into an error; what matters stands at its end.
WORDS = 400


def runtimes() -> dict[str, str]:
    """The installed distributions of ONNX Runtime and their versions; more than one is a fault."""
    from importlib.metadata import distributions  # takes longer to import than all of this

    names = ((each.metadata["Name"] or "", each.version) for each in distributions())
    found = {name.lower().replace("_", "-"): version for name, version in names}
    return {name: found[name] for name in RUNTIMES if name in found}


def not_built_in(provider: str, version: str) -> str:
    """The message for a provider that the imported ONNX Runtime wasn't built with."""
    installed = runtimes()
    what = f"provider {provider!r} is not in the installed ONNX Runtime {version}"
    nvidia_one = provider in ("cuda", "tensorrt")
    install = JETPACK if nvidia_one and JETSON.exists() else INSTALL[provider]
    if len(installed) > 1:
        names = " and ".join(installed)
        return (
            f"{what}: {names} are installed side by side and overwrite each other. "
            f"pip uninstall -y {' '.join(installed)}, then {install}"
        )
    if provider == "tensorrt-rtx":
        return f"{what}: {install}"
    there = next(iter(installed), "onnxruntime")
    return f"{what}, the package {there}: pip uninstall -y {there}, then {install}"


def did_not_start(provider: str, words: str, *, built_for: str | None) -> str:
    """The message for a provider that is built in and gave no session.

    words: what ONNX Runtime wrote and raised.
    built_for: the CUDA version that ONNX Runtime was built for, as far as it says.
    """
    words = " ".join(re.sub(r"\x1b\[[0-9;]*m", "", words).split())
    last = words if len(words) <= WORDS else "…" + words[-WORDS:]
    message = f"provider {provider!r} did not start here: {_cause(provider, words, built_for)}"
    return f"{message}. ONNX Runtime said: {last}" if last else message


def _cause(provider: str, words: str, built_for: str | None) -> str:
    if "CUDA failure 100" in words:
        return HIDDEN
    if re.search(r"(?i)(unknown|invalid|failed to parse)[\w ]* option", words):
        return "one of its options is unknown or has a wrong value"
    if "could not deserialize engine" in words:
        return "an engine in its cache is broken: delete its folder and run edgeocr warm again"
    if provider not in ("cuda", "tensorrt", "tensorrt-rtx"):
        return "see below; this device, or a library that it needs, may be missing"
    missing = re.findall(r"(lib[\w+-]+)\.so(?:\.(\d+))?[.\d]*: cannot open shared object", words)
    names = {name for name, _ in missing}
    wants = f"CUDA {built_for}" if built_for else "the CUDA that it was built for"
    can = nvidia.driver()
    # The driver comes first: without it nothing else that is installed would help.
    if names & {"libcuda", "libnvidia-ml"} or can is None:
        return (
            "the NVIDIA driver is missing (libcuda.so.1): install it; in a container start it with "
            "the NVIDIA container toolkit and --gpus all"
        )
    if names:
        name = sorted(names)[0]
        if name.startswith(("libnvinfer", "libnvonnxparser")):
            return (
                f"TensorRT is missing ({name}.so): on a Jetson it comes with JetPack; elsewhere "
                "install TensorRT 10 and put its lib folder into LD_LIBRARY_PATH"
            )
        return _library_missing(name, dict(missing)[name], wants)
    if built_for and can[0] < int(built_for.split(".")[0]):
        needed = int(built_for.split(".")[0])
        return (
            f"the NVIDIA driver runs CUDA {can[0]}.{can[1]} at most and this onnxruntime-gpu needs "
            f"{wants}: install driver {DRIVERS.get(needed, 'of its time')} or newer"
            + (f', or pip install "{RELEASES[can[0]]}"' if can[0] in RELEASES else "")
        )
    if "cuDNN is" in words:
        return f"cuDNN is missing: {INSTALL['cuda']} brings it"
    if "out of memory" in words:
        return "the GPU has too little free memory: see nvidia-smi"
    if "Please install TensorRT libraries" in words:
        return "TensorRT's libraries can't be loaded: install TensorRT 10, on a Jetson JetPack's"
    if not nvidia.gpus():
        return HIDDEN
    return "it failed"


def _library_missing(name: str, major: str, wants: str) -> str:
    here = nvidia.libraries()["cudnn" if name.startswith("libcudnn") else "cuda"]
    what = f"{name}.so.{major}" if major else f"{name}.so"
    if platform.machine() == "aarch64" and JETSON.exists():
        return f"{what} is missing, {wants} is needed: {JETPACK}"
    if here is not None and name.startswith(OF_CUDAS_VERSION) and here.split(".")[0] != major:
        other = int(here.split(".")[0])
        return (
            f"{what} is missing: this onnxruntime-gpu was built for another version than the "
            f"{here} that is here. {INSTALL['cuda']} brings the libraries of {wants}"
            + (f'; pip install "{RELEASES[other]}" fits what is here' if other in RELEASES else "")
        )
    return f"{what} is missing: {INSTALL['cuda']} brings the libraries of {wants}"
