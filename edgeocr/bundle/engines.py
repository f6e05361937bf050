"""The TensorRT engines in a bundle: where their files are, and the rules that they keep to.

The manifest's `engines` lists the kinds of devices. Each has a folder in the bundle, whose name
follows from what the engines depend on, so that no entry can claim the files of another.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..runtime.engine_key import EngineKey
from ..runtime.tensorrt_cache import WARM
from . import limits
from .digest import graphs_digest
from .manifest import Manifest

PREFIX = "engines/"
ENGINE = ".engine"
# The names of files in a folder of engines: ONNX Runtime writes an engine and the range of its
# input shapes, and edgeocr records which graphs have all of their engines.
FILE_NAME = re.compile(rf"[0-9A-Za-z][0-9A-Za-z_.+-]*(?:{ENGINE}|\.profile|{WARM})")


def folder(key: EngineKey) -> str:
    """Return the folder of a device's engines in a bundle, with / at its end."""
    return f"{PREFIX}{key.name}/"


def files_of(manifest: Manifest, key: EngineKey) -> dict[str, str]:
    """Return the files of a device's engines: name in their folder → name in the bundle."""
    start = folder(key)
    return {name.removeprefix(start): name for name in manifest.files if name.startswith(start)}


def all_files(manifest: Manifest) -> set[str]:
    """Return the names of all files of engines in a bundle."""
    return {name for key in manifest.engines for name in files_of(manifest, key).values()}


def problems(manifest: Manifest) -> Iterator[str]:
    """Yield every fault of a manifest's engines, whose fields have the right types."""
    if not manifest.engines:
        return
    if len(manifest.engines) > limits.ENGINE_DEVICES:
        yield f"engines has more than {limits.ENGINE_DEVICES} devices"
        return
    graphs = graphs_digest(manifest.stages.present, manifest.files)
    folders = set[str]()
    for number, key in enumerate(manifest.engines):
        where = f"engines[{number}]"
        if key.graphs != graphs:
            yield f"{where}.graphs is {key.graphs!r:.80}, but the bundle's graphs are {graphs}"
        if folder(key) in folders:
            yield f"{where} is a device that engines has already"
        folders.add(folder(key))
        names = files_of(manifest, key)
        for ending in (ENGINE, WARM):
            if not any(name.endswith(ending) for name in names):
                yield f"{where} has no file {folder(key)}*{ending}"
    for name in manifest.files:
        if name.startswith(PREFIX):
            device, _, file = name.removeprefix(PREFIX).partition("/")
            if f"{PREFIX}{device}/" not in folders or not FILE_NAME.fullmatch(file):
                yield f"files has {name!r:.200}, which belongs to none of the engines"
