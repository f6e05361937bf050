"""TensorRT engines that come inside a bundle, and the private folder that they are used from.

An engine is code for the GPU, and TensorRT takes it from a folder. So the engines that fit this
device are copied out of the bundle into a folder of the user's cache that only this user can write
to. They are compared with the bundle's hashes before each session: what isn't as the bundle says is
replaced, and what the bundle doesn't have is removed.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shutil
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..errors import ProviderUnavailableError
from .engine_key import DIGITS, EngineKey
from .tensorrt_cache import WARM, cache_folder

logger = logging.getLogger(__name__)

# Bytes that are read at a time to hash a file.
CHUNK = 1 << 20


@dataclass(frozen=True)
class ShippedEngines:
    """The engines of a bundle for one kind of device.

    Attributes:
        key: What the engines depend on.
        sha256: The hash of each file of their folder, in hexadecimal, by name.
        read: Reads a file of the folder from the bundle, and checks that its hash is the bundle's.
    """

    key: EngineKey
    sha256: Mapping[str, str]
    read: Callable[[str], bytes]

    def has(self, name: str) -> bool:
        """Return whether all engines of a graph, named by `Job.engine_name`, are there."""
        return f"{name}{WARM}" in self.sha256

    def folder(self) -> InstalledEngines | None:
        """Return the private folder for these engines; None for a user without a home folder."""
        cache = cache_folder()
        return None if cache is None else InstalledEngines(cache / "bundled-engines", self)


class InstalledEngines:
    """The private folder that a bundle's engines are used from.

    Attributes:
        path: Path of the folder, which need not exist.
    """

    def __init__(self, root: Path, shipped: ShippedEngines) -> None:
        """Find the folder's path.

        Args:
            root: The folder that holds a folder for each key and content.
            shipped: The engines.
        """
        listed = json.dumps(dict(shipped.sha256), sort_keys=True)
        content = hashlib.sha256(listed.encode()).hexdigest()[:DIGITS]
        self.path = root / f"{shipped.key.graphs[:DIGITS]}-{shipped.key.name}-{content}"
        self._shipped = shipped

    def prepare(self) -> Path:
        """Bring the folder into the state that the bundle says, and return its path.

        Each file appears at once and complete, so several processes may do this at a time.

        Raises:
            ProviderUnavailableError: The folder can't be written, or belongs to another user.
            BundleError: The bundle isn't the one any more that was opened.
        """
        try:
            for folder in (self.path.parent, self.path):
                _make_private(folder)
            with os.scandir(self.path) as entries:
                for entry in entries:
                    wanted = entry.name in self._shipped.sha256
                    if not wanted or entry.is_dir(follow_symlinks=False):
                        _remove(entry)
            for name, expected in self._shipped.sha256.items():
                actual = _sha256(self.path / name)
                if actual == expected:
                    continue
                if actual is not None:
                    logger.warning(
                        "%s was changed since it was copied from the bundle: it is copied again",
                        self.path / name,
                    )
                self._write(name)
        except OSError as error:
            raise ProviderUnavailableError(
                f"the bundle's TensorRT engines can't be copied to {self.path} "
                f"({error.strerror or error}): free some space, or set XDG_CACHE_HOME to a folder "
                "that this user can write to"
            ) from error
        return self.path

    def is_warm(self, name: str) -> bool:
        """Return whether all engines of a graph, named by `Job.engine_name`, are there."""
        return self._shipped.has(name)

    def mark_warm(self, name: str) -> None:
        """Do nothing: the bundle says which engines are complete."""

    def _write(self, name: str) -> None:
        """Write a file of the bundle under a temporary name, and then move it into the folder.

        Another process may be reading the old file, which it keeps until it closes it.
        """
        import tempfile  # not above: few bundles hold engines

        descriptor, draft = tempfile.mkstemp(dir=self.path.parent)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(self._shipped.read(name))
            os.replace(draft, self.path / name)  # noqa: PTH105 - Path.replace is the same
        except BaseException:
            Path(draft).unlink(missing_ok=True)
            raise


def _make_private(folder: Path) -> None:
    """Make a folder that only this user can write to, or make one that exists so.

    Raises:
        OSError: It can't be made, is a link or a file, or belongs to another user.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode):
        raise NotADirectoryError(f"{folder} is a link, and must be a folder")
    if hasattr(os, "geteuid"):  # not on Windows, where a user's profile is private
        if status.st_uid != os.geteuid():
            raise PermissionError(f"{folder} belongs to another user")
        if stat.S_IMODE(status.st_mode) & 0o077:
            folder.chmod(0o700)


def _remove(entry: os.DirEntry[str]) -> None:
    if entry.is_dir(follow_symlinks=False):
        shutil.rmtree(entry.path)
    else:
        Path(entry.path).unlink(missing_ok=True)


def _sha256(path: Path) -> str | None:
    """Return the hash of a file in hexadecimal; None if it is missing or not a regular file."""
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return None
        digest = hashlib.sha256()
        with path.open("rb") as stream:
            while chunk := stream.read(CHUNK):
                digest.update(chunk)
    except FileNotFoundError:
        return None
    return digest.hexdigest()
