"""A stand-in for a machine with an NVIDIA GPU: sessions on it run on the CPU."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import onnxruntime
import pytest

from edgeocr import Bundle
from edgeocr.device import nvidia
from edgeocr.runtime import start
from edgeocr.runtime.engine_key import EngineKey
from edgeocr.runtime.provider_options import Chain
from edgeocr.runtime.providers import Provider
from edgeocr.runtime.tensorrt_cache import BuiltEngines
from edgeocr.variants import taking

VERSIONS = {"tensorrt": "10.9.0", "cuda": "12.8"}
GRAPHS = ("detection", "orientation", "recognition")


class FakeMachine:
    """The machine.

    Attributes:
        gpu: Its GPU.
        versions: The versions of NVIDIA's libraries on it.
        chains: What sessions were asked for: the providers and their options.
        found: The files in the folder of engines when each session on TensorRT was opened.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
        """Replace what edgeocr asks, and put the user's cache into a folder."""
        self.gpu = nvidia.GPU("NVIDIA L4", "8.9", 24 << 30)
        self.versions = dict(VERSIONS)
        self.chains: list[Chain] = []
        self.found: list[dict[str, bytes]] = []
        monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
        monkeypatch.setattr(nvidia, "driver", lambda: (12, 8))
        monkeypatch.setattr(nvidia, "gpus", lambda: [self.gpu])
        monkeypatch.setattr(nvidia, "versions", lambda: self.versions)
        monkeypatch.setattr(nvidia, "free_memory", lambda gpu: None)
        for module in (start, taking):
            monkeypatch.setattr(module, "built_in", lambda: ["cpu", "tensorrt"])
        monkeypatch.setattr(start, "_open", self._open)

    def _open(self, graph: bytes, provider: Provider, asked: Chain, options: Any) -> Any:
        self.chains.append(asked)
        if provider.builds_engines:
            folder = Path(asked[0][1]["trt_engine_cache_path"])
            self.found.append({each.name: each.read_bytes() for each in folder.iterdir()})
        return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])

    def build(self, root: Path, bundle: Bundle, *graphs: str, **options: str) -> Path:
        """Build engines, which are some bytes, and return their folder.

        Args:
            root: The folder that holds a folder for each device.
            bundle: The bundle.
            graphs: Names of the graphs to build engines for; by default those of all stages.
            options: Options of the provider.
        """
        key = EngineKey.of_gpu(bundle.graphs_digest, 0, options)
        assert key is not None
        engines = BuiltEngines(root, key)
        engines.prepare()
        for name in graphs or GRAPHS:
            stem = f"{name}_1234567890_0_sm{key.compute.replace('.', '')}"
            content = f"{key.gpu} {key.versions} {name}".encode()
            (engines.path / f"{stem}.engine").write_bytes(content)
            (engines.path / f"{stem}.profile").write_bytes(b"shapes")
            engines.mark_warm(name)
        (engines.path / "TensorrtExecutionProvider_cache_sm89.timing").write_bytes(b"times")
        return engines.path


def shipped_files(folder: Path) -> Mapping[str, bytes]:
    """Return the files in a folder of engines that a bundle ships, by name."""
    endings = (".engine", ".profile", ".warm")
    return {each.name: each.read_bytes() for each in folder.iterdir() if each.suffix in endings}
