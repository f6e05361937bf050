"""What a TensorRT engine fits: one set of graphs, one kind of GPU, one version of each library."""

from __future__ import annotations

import hashlib
import json
import platform
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass

from ..device import nvidia
from .onnx_runtime import import_onnxruntime, preload_nvidia_libraries

# Hexadecimal digits of a digest that are a part of a folder's name.
DIGITS = 12
# The most characters of a GPU's name that are a part of a folder's name.
NAME_CHARACTERS = 40
# Options that leave an engine as valid as it was: which of several equal GPUs runs it, how much
# memory and time its build may take, where files are kept, and what is logged. They are no part of
# a key, so that an engine is found whatever they were when it was built.
NEUTRAL_OPTIONS = frozenset(
    {
        "device_id",
        "trt_detailed_build_log",
        "trt_dump_subgraphs",
        "trt_engine_cache_enable",
        "trt_engine_cache_path",
        "trt_force_sequential_engine_build",
        "trt_force_timing_cache",
        "trt_max_workspace_size",
        "trt_timing_cache_enable",
        "trt_timing_cache_path",
    }
)
# What messages call the libraries, in the order in which they name them.
LIBRARIES = {
    "tensorrt": "TensorRT",
    "cuda": "CUDA",
    "cudnn": "cuDNN",
    "onnxruntime": "ONNX Runtime",
}


@dataclass(frozen=True)
class EngineKey:
    """Everything that an engine depends on, as `key.json` and a bundle's manifest record it.

    Attributes:
        graphs: The digest of the bundle's graphs and input shapes, `Bundle.graphs_digest`.
        gpu: Name of the GPU that the engine is built for.
        compute: The GPU's compute capability.
        platform: The operating system and the processor, such as "linux-x86_64": TensorRT's engines
            can't be carried from one to another.
        versions: Versions of "onnxruntime", "cuda", "cudnn" and "tensorrt", as far as known.
        options: The provider's options, except the neutral ones.
    """

    graphs: str
    gpu: str
    compute: str
    platform: str
    versions: dict[str, str]
    options: dict[str, str]

    @classmethod
    def of_gpu(cls, graphs: str, number: int, options: Mapping[str, str]) -> EngineKey | None:
        """Return the key of engines that are built on a GPU of this machine now.

        Args:
            graphs: The digest of the bundle's graphs and input shapes.
            number: Number of the GPU among those that the process may use.
            options: The TensorRT provider's options.

        Returns:
            The key; None if there is no such GPU.
        """
        gpus = nvidia.gpus()
        if number >= len(gpus):
            return None
        # Without this, other copies of the libraries than those used later would tell their
        # versions.
        preload_nvidia_libraries()
        return cls(
            graphs=graphs,
            gpu=gpus[number].name,
            compute=gpus[number].compute_capability,
            platform=f"{sys.platform}-{platform.machine()}".lower(),
            versions={"onnxruntime": import_onnxruntime().__version__, **nvidia.versions()},
            options={name: each for name, each in options.items() if name not in NEUTRAL_OPTIONS},
        )

    @property
    def text(self) -> str:
        """The content of key.json, the same for equal keys."""
        return json.dumps(asdict(self), indent=1, sort_keys=True, ensure_ascii=False) + "\n"

    @property
    def name(self) -> str:
        """The GPU's name and a digest of the key, as a part of a folder's name."""
        gpu = re.sub(r"[^0-9A-Za-z]+", "-", self.gpu).strip("-").lower()[:NAME_CHARACTERS]
        return f"{gpu}-{hashlib.sha256(self.text.encode()).hexdigest()[:DIGITS]}"

    def __str__(self) -> str:
        """Describe the device: its GPU, system, versions and options, in one line."""
        parts = [f"{name} {each}" for name, each in self._named_versions()]
        parts += [f"{name}={value}" for name, value in sorted(self.options.items())]
        details = ", ".join([f"compute capability {self.compute}", self.platform, *parts])
        return f"{self.gpu} ({details})"

    def differences(self, here: EngineKey) -> list[str]:
        """Say what engines with this key were built for that a device doesn't have.

        Args:
            here: The key that the engines would need on the device.

        Returns:
            What differs, the most obvious first; an empty list for equal keys.
        """
        found = []
        if (self.gpu, self.compute) != (here.gpu, here.compute):
            found.append(f"{self.gpu} {self.compute} instead of {here.gpu} {here.compute}")
        if self.platform != here.platform:
            found.append(f"{self.platform} instead of {here.platform}")
        for name, label in LIBRARIES.items():
            one, other = self.versions.get(name), here.versions.get(name)
            if one != other:
                found.append(f"{label} {one or 'missing'} instead of {other or 'none'}")
        if self.options != here.options:
            one, other = (_listed(options) for options in (self.options, here.options))
            found.append(f"the options {one} instead of {other}")
        if self.graphs != here.graphs:
            found.append("other graphs or input sizes")
        return found

    def _named_versions(self) -> Iterator[tuple[str, str]]:
        for name, label in LIBRARIES.items():
            if name in self.versions:
                yield label, self.versions[name]


def _listed(options: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in sorted(options.items())) or "none"
