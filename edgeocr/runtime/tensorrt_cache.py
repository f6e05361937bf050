"""TensorRT engines: where they are kept, what they fit, and the options that they need.

TensorRT takes minutes to build an engine, and the engine fits one graph, one kind of GPU and one
version of each library only. Each combination of these has a folder of its own, whose name ends
with a digest of them all; the file `key.json` in it lists them. A stage whose engines have all been
built has a file `STAGE.warm` there.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from ..device import nvidia
from ..errors import EdgeOCRError
from .job import Shape
from .onnx_runtime import import_onnxruntime, preload_nvidia_libraries

logger = logging.getLogger(__name__)

SUFFIX = ".engines"
# Hexadecimal digits of a digest that are a part of a folder's name.
DIGITS = 12


def engine_root(bundle: Path, chosen: str | os.PathLike[str] | None = None) -> Path | None:
    """Return the folder that holds a folder of engines for each bundle and device.

    Args:
        bundle: Path of the bundle.
        chosen: The folder that the caller has chosen.

    Returns:
        The chosen folder; else `NAME.engines` beside a bundle `NAME.edgeocr` or `NAME`, if it
        exists; else one in the user's cache; None for a user without a home folder.
    """
    if chosen is not None:
        return Path(chosen)
    beside = bundle.parent / (bundle.name.removesuffix(".edgeocr") + SUFFIX)
    if beside.is_dir():
        return beside
    try:
        cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    except RuntimeError:
        return None
    return Path(cache) / "edgeocr" / "engines"


def has_engines(root: Path, bundle_digest: str) -> bool:
    """Return whether there are engines of a bundle for any GPU and any versions."""
    return any(root.glob(f"{bundle_digest[:DIGITS]}-*"))


@dataclass(frozen=True)
class EngineKey:
    """Everything that an engine depends on, as `key.json` records it.

    Attributes:
        bundle: The bundle's digest, which determines graphs and shapes.
        gpu: Name of the GPU that the engine is built for.
        compute: The GPU's compute capability.
        versions: Versions of "onnxruntime", "cuda", "cudnn" and "tensorrt", as far as known.
        options: The provider's options.
    """

    bundle: str
    gpu: str
    compute: str
    versions: dict[str, str]
    options: dict[str, str]


class EngineFolder:
    """The folder of the engines that share a key.

    Attributes:
        path: Path of the folder, which need not exist.
    """

    def __init__(self, root: Path, key: EngineKey) -> None:
        """Find the folder's path.

        Args:
            root: The folder that holds a folder for each key.
            key: What the engines depend on.
        """
        text = json.dumps(asdict(key), indent=1, sort_keys=True, ensure_ascii=False) + "\n"
        gpu = re.sub(r"[^0-9A-Za-z]+", "-", key.gpu).strip("-").lower()
        digest = hashlib.sha256(text.encode()).hexdigest()
        self.path = root / f"{key.bundle[:DIGITS]}-{gpu}-{digest[:DIGITS]}"
        self._key_text = text

    def prepare(self) -> Path:
        """Make the folder if it doesn't exist, and return its path.

        Raises:
            EdgeOCRError: The folder can't be written.
        """
        if not (self.path / "key.json").is_file():
            try:
                self.path.mkdir(parents=True, exist_ok=True)
                (self.path / "key.json").write_text(self._key_text, encoding="utf-8")
            except OSError as error:
                raise EdgeOCRError(
                    f"TensorRT engines can't be kept in {self.path} ({error.strerror}): choose "
                    "another folder with RuntimeOptions(engine_cache=...) or --engine-cache"
                ) from error
        return self.path

    def is_warm(self, name: str) -> bool:
        """Return whether all engines of a graph, named by `Job.engine_name`, have been built."""
        return (self.path / f"{name}.warm").is_file()

    def mark_warm(self, name: str) -> None:
        """Record that all engines of a graph have been built, unless the folder is read-only."""
        try:
            (self.prepare() / f"{name}.warm").touch()
        except (OSError, EdgeOCRError) as error:
            logger.info("can't record in %s that %s is warm: %s", self.path, name, error)

    def options(self, name: str) -> dict[str, str]:
        """Return the TensorRT provider's options that keep a graph's engines in this folder."""
        return {
            "trt_engine_cache_enable": "1",
            "trt_engine_cache_path": str(self.path),
            "trt_engine_cache_prefix": name,
            "trt_timing_cache_enable": "1",
            "trt_timing_cache_path": str(self.path),
        }


def folder_for_gpu(
    root: Path, bundle_digest: str, gpu_number: int, options: Mapping[str, str]
) -> EngineFolder | None:
    """Return the folder for the engines of a bundle on a GPU of this machine.

    Args:
        root: The folder that holds a folder for each key.
        bundle_digest: The bundle's digest.
        gpu_number: Number of the GPU among those that the process may use.
        options: The TensorRT provider's options.

    Returns:
        The folder, which need not exist; None if there is no such GPU.
    """
    gpus = nvidia.gpus()
    if gpu_number >= len(gpus):
        return None
    # Without this, other copies of the libraries than those used later would tell their versions.
    preload_nvidia_libraries()
    versions = {"onnxruntime": import_onnxruntime().__version__, **nvidia.versions()}
    gpu = gpus[gpu_number]
    key = EngineKey(bundle_digest, gpu.name, gpu.compute_capability, versions, dict(options))
    return EngineFolder(root, key)


def profile_options(input_name: str, shapes: Sequence[Shape]) -> dict[str, str]:
    """Return the TensorRT provider's options for one engine that takes all of a stage's shapes.

    Args:
        input_name: Name of the graph's input.
        shapes: The shapes [N, H, W, 3]. The engine takes every shape whose sides lie between the
            smallest and the largest of these, and is tuned for the shape of middle size.
    """
    if not shapes:
        return {}
    middle = sorted(shapes, key=lambda shape: shape[0] * shape[1] * shape[2])[len(shapes) // 2]
    least, most = (
        tuple(which(sides) for sides in zip(*shapes, strict=True)) for which in (min, max)
    )
    return {
        f"trt_profile_{name}_shapes": f"{input_name}:" + "x".join(map(str, shape))
        for name, shape in (("min", least), ("opt", middle), ("max", most))
    }
