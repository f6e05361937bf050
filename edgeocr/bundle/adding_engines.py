"""Put TensorRT engines that were built on a device into a bundle."""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from ..errors import BundleError, excerpt
from ..runtime.engine_key import EngineKey
from ..runtime.tensorrt_cache import KEY_FILE, WARM, BuiltEngines
from . import engines, fields, limits, strict_json
from .archive import MANIFEST, SIGNATURE
from .bundle import Bundle
from .manifest import REQUIRES

# The schema that the field `engines` is new in.
SCHEMA = 4
HOW = "run edgeocr warm --provider tensorrt --engine-cache DIR with this bundle on the device first"


@dataclass(frozen=True)
class DeviceEngines:
    """Engines for one kind of device.

    Attributes:
        key: What the engines depend on.
        files: The content of each file, by its name in the folder.
        replaced: Whether the bundle has had engines for the same device, which these replace.
    """

    key: EngineKey
    files: dict[str, bytes]
    replaced: bool

    @property
    def size(self) -> int:
        """The number of bytes of all files."""
        return sum(map(len, self.files.values()))


@dataclass(frozen=True)
class Addition:
    """A bundle with more engines.

    Attributes:
        files: The content of each file of the new bundle by name, without a signature.
        added: The engines that were added, by the names of their devices.
    """

    files: dict[str, bytes]
    added: list[DeviceEngines]


def add_engines(bundle: Bundle, source: Path) -> Addition:
    """Add the engines of a folder to a bundle.

    The same bundle and the same engines give the same bytes. Engines of other bundles are passed
    over.

    Args:
        bundle: The bundle, with all of its graphs.
        source: A folder as `engine_cache` names it, or one of the folders in it.

    Raises:
        BundleError: There are no engines for this bundle, some are incomplete, or something in
            their folder is not what TensorRT and edgeocr write there.
        OSError: The folder can't be read.
    """
    added = [_read(bundle, folder, key) for folder, key in _folders(bundle, source)]
    data = json.loads(bundle.manifest_text)
    devices = {key.name: key for key in bundle.manifest.engines}
    files = bundle.files()
    for each in added:
        replaced = engines.files_of(bundle.manifest, each.key).values() if each.replaced else ()
        for name in replaced:
            del files[name]
        devices[each.key.name] = each.key
        start = engines.folder(each.key)
        files |= {f"{start}{name}": content for name, content in each.files.items()}
    files.pop(SIGNATURE, None)
    schema = max(data["schema"], SCHEMA)
    data["schema"], data["requires"] = schema, REQUIRES[schema]
    data["engines"] = [asdict(key) for _, key in sorted(devices.items())]
    data["files"] = {
        name: {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
        for name, content in files.items()
        if name != MANIFEST
    }
    text = json.dumps(data, indent=1, sort_keys=True, ensure_ascii=False)
    files[MANIFEST] = f"{text}\n".encode()
    return Addition(files, added)


def _folders(bundle: Bundle, source: Path) -> Iterator[tuple[Path, EngineKey]]:
    """Yield the folders with engines for a bundle, each with its key, in the order of the keys."""
    if (source / KEY_FILE).is_file():
        folders = [source]
    elif source.is_dir():
        folders = [each for each in source.iterdir() if (each / KEY_FILE).is_file()]
    else:
        raise BundleError(f"{source}: there is no such folder of TensorRT engines: {HOW}")
    keys = {each: _key(each) for each in folders}
    fitting = {each: key for each, key in keys.items() if key.graphs == bundle.graphs_digest}
    if not fitting:
        found = "only engines of other graphs or input sizes than" if keys else "no engines for"
        raise BundleError(f"{source}: there are {found} {bundle.path}: {HOW}")
    yield from sorted(fitting.items(), key=lambda pair: pair[1].name)


def _key(folder: Path) -> EngineKey:
    """Read a folder's key.json.

    Raises:
        BundleError: It is no key, or not the one that the folder's name follows from.
    """
    path = folder / KEY_FILE
    limits.check_size(str(path), path.stat().st_size, limits.MANIFEST_BYTES)
    try:
        key = fields.parse(EngineKey, strict_json.decode(path.read_bytes(), KEY_FILE))
    except (fields.FieldError, BundleError) as error:
        raise BundleError(f"{path}: {excerpt(str(error))}") from None
    name = BuiltEngines(folder.parent, key).path.name
    if folder.resolve().name != name:
        raise BundleError(
            f"{folder}: by its {KEY_FILE} this folder would be called {excerpt(name)}: copy the "
            "whole folder from the device, without changing its name"
        )
    return key


def _read(bundle: Bundle, folder: Path, key: EngineKey) -> DeviceEngines:
    """Read the engines of a folder.

    Raises:
        BundleError: They are incomplete, too large, or there is a link or a special file.
    """
    files = {}
    for path in sorted(folder.iterdir()):
        if not engines.FILE_NAME.fullmatch(path.name):
            continue  # the key, and the timing cache, which only a build needs
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode):
            raise BundleError(f"{path} is not a regular file")
        limits.check_size(str(path), status.st_size, limits.ENGINE_BYTES)
        # ONNX Runtime never reads the marks.
        files[path.name] = b"" if path.name.endswith(WARM) else path.read_bytes()
    for ending in (engines.ENGINE, WARM):
        if not any(name.endswith(ending) for name in files):
            raise BundleError(f"{folder} is incomplete: it has no *{ending}: {HOW}")
    names = {each.name for each in bundle.manifest.engines}
    return DeviceEngines(key, files, key.name in names)


def target_of(bundle: Bundle, output: str | os.PathLike[str] | None) -> tuple[Path, bool]:
    """Return where to write a bundle with more engines, and whether as a file.

    Args:
        bundle: The bundle.
        output: The caller's choice; None replaces the bundle.

    Raises:
        BundleError: The output exists and is another file or folder than the bundle, or is inside
            the bundle's folder.
    """
    place = bundle.path.resolve()
    if output is None or Path(output).resolve() == place:
        return place, place.is_file()
    target = Path(output)
    if os.path.lexists(target):
        raise BundleError(f"{target} exists: choose another name, or leave out --output")
    if place in target.resolve().parents:
        raise BundleError(f"{target} is inside the bundle {bundle.path}: choose another folder")
    return target, target.suffix == ".edgeocr"
