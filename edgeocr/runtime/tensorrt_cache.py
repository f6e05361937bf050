"""TensorRT engines: the folders that they are kept in, and the options that they need.

TensorRT takes minutes to build an engine, and the engine fits one graph, one kind of GPU and one
version of each library only. Each combination of these, an `EngineKey`, has a folder of its own,
whose name ends with a digest of them all; the file `key.json` in it lists them. A stage whose
engines have all been built has a file `STAGE.warm` there.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from ..device import nvidia
from ..errors import EdgeOCRError
from .engine_key import DIGITS, EngineKey
from .job import Shape

logger = logging.getLogger(__name__)

SUFFIX = ".engines"
KEY_FILE = "key.json"
# Ending of the file that says that all engines of a graph have been built.
WARM = ".warm"
# The part of the memory that a GPU shares with the CPU which a build may take as TensorRT's
# workspace. TensorRT itself loads up to 1.7 GiB into the same memory for a build (TensorRT issues
# 3657 and 4493), and weights and activations need some, too.
SHARED_MEMORY_PART = 0.5


class EngineFolder(Protocol):
    """A folder with the engines of one key.

    Attributes:
        path: Path of the folder, which need not exist before `prepare`.
    """

    path: Path

    def prepare(self) -> Path:
        """Make sure that the folder can be used, and return its path.

        Raises:
            EdgeOCRError: It can't be.
        """
        ...

    def is_warm(self, name: str) -> bool:
        """Return whether all engines of a graph, named by `Job.engine_name`, have been built."""
        ...

    def mark_warm(self, name: str) -> None:
        """Record that all engines of a graph have been built."""
        ...


class BuiltEngines:
    """The folder of engines that were built on this device, or copied to it by hand.

    Attributes:
        path: Path of the folder, which need not exist.
    """

    def __init__(self, root: Path, key: EngineKey) -> None:
        """Find the folder's path.

        Args:
            root: The folder that holds a folder for each key.
            key: What the engines depend on.
        """
        self.path = root / f"{key.graphs[:DIGITS]}-{key.name}"
        self._key = key

    def prepare(self) -> Path:
        """Make the folder if it doesn't exist, and return its path.

        Raises:
            EdgeOCRError: The folder can't be written.
        """
        if not (self.path / KEY_FILE).is_file():
            try:
                self.path.mkdir(parents=True, exist_ok=True)
                (self.path / KEY_FILE).write_text(self._key.text, encoding="utf-8")
            except OSError as error:
                raise EdgeOCRError(
                    f"TensorRT engines can't be kept in {self.path} ({error.strerror}): choose "
                    "another folder with RuntimeOptions(engine_cache=...) or --engine-cache"
                ) from error
        return self.path

    def is_warm(self, name: str) -> bool:
        """Return whether all engines of a graph, named by `Job.engine_name`, have been built."""
        return (self.path / f"{name}{WARM}").is_file()

    def mark_warm(self, name: str) -> None:
        """Record that all engines of a graph have been built, unless the folder is read-only."""
        try:
            (self.prepare() / f"{name}{WARM}").touch()
        except (OSError, EdgeOCRError) as error:
            logger.info("can't record in %s that %s is warm: %s", self.path, name, error)


def cache_folder() -> Path | None:
    """Return edgeocr's folder in the user's cache; None for a user without a home folder."""
    try:
        cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    except RuntimeError:
        return None
    return Path(cache) / "edgeocr"


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
    cache = cache_folder()
    return None if cache is None else cache / "engines"


def has_engines(root: Path, graphs: str) -> bool:
    """Return whether there are engines of a bundle's graphs for any GPU and any versions."""
    return any(root.glob(f"{graphs[:DIGITS]}-*"))


def cache_options(folder: EngineFolder, name: str) -> dict[str, str]:
    """Return the TensorRT provider's options that keep a graph's engines in a folder.

    The timing cache keeps what TensorRT measured of each layer, so that the next build, such as
    that of another stage, takes less time (TensorRT issue 1841, ONNX Runtime's documentation).
    """
    return {
        "trt_engine_cache_enable": "1",
        "trt_engine_cache_path": str(folder.path),
        "trt_engine_cache_prefix": name,
        "trt_timing_cache_enable": "1",
        "trt_timing_cache_path": str(folder.path),
    }


def build_options(gpu_number: int) -> dict[str, str]:
    """Return the TensorRT provider's options that bound the memory of a build on a GPU.

    Without a limit, ONNX Runtime up to 1.18 gave TensorRT 1 GiB, with which builds of some graphs
    fail, and later versions set no limit (onnxruntime issue 21001, pull request 21643): TensorRT
    then counts on all memory that the GPU has, whatever is left of it. On a board, whose memory is
    the CPU's as well, the system ends the process when nothing is left.

    Args:
        gpu_number: Number of the GPU among those that the process may use.

    Returns:
        The options; empty if there is no such GPU. `docs/engines.md` has the sources.
    """
    gpus = nvidia.gpus()
    if gpu_number >= len(gpus):
        return {}
    gpu, options = gpus[gpu_number], {}
    if (free := nvidia.free_memory(gpu)) is not None:
        bound = int(free * SHARED_MEMORY_PART) if gpu.integrated else free
        options["trt_max_workspace_size"] = str(bound)
    if gpu.integrated:
        # By ONNX Runtime's documentation this needs the least memory. Cards keep TensorRT's choice.
        options["trt_auxiliary_streams"] = "0"
    return options


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
