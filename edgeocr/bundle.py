"""Bundles: a folder, or the same folder as one uncompressed ZIP file `NAME.edgeocr`.

Opening reads every file once into memory and checks it against the manifest, so that what
was checked is what runs: nothing is read from disk again afterwards.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from .errors import BundleError
from .manifest import Manifest, parse

MANIFEST = "manifest.json"
DEFAULT_NAME = "tiny"


class Bundle:
    """An opened and verified bundle.

    manifest: the parsed manifest.
    characters: the recognition classes in order; the blank is an empty string.
    path: where it was opened.
    digest: sha256 of manifest.json, which holds the sha256 of everything else.
    manifest_text: manifest.json as it is.
    """

    def __init__(self, path: Path, files: dict[str, bytes]) -> None:
        if MANIFEST not in files:
            raise BundleError(f"no {MANIFEST} inside, so this is no edgeocr bundle")
        raw = files.pop(MANIFEST)
        try:
            decoded = json.loads(raw)
        except (ValueError, RecursionError) as error:
            raise BundleError(f"{MANIFEST} is no JSON: {error}") from None
        self.manifest: Manifest = parse(decoded)
        _verify(self.manifest, files)
        self.characters = _characters(self.manifest, files)
        self.path = path
        self.digest = hashlib.sha256(raw).hexdigest()
        self.manifest_text = raw.decode("utf-8")
        self._files = files

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Bundle:
        """Open a bundle folder or file and verify all of it.

        Raises `BundleError` when it is missing, is no bundle, has a file too many, too few or
        changed, a path that leaves it, or a schema or algorithm that this version can't run.
        """
        path = Path(path)
        if not path.exists():
            raise BundleError(f"{path}: no such bundle (a folder, or a file NAME.edgeocr)")
        try:
            files = _folder_files(path) if path.is_dir() else _archive_files(path)
            return cls(path, dict(files))
        except BundleError as error:
            raise BundleError(f"{path}: {error}") from error
        except OSError as error:
            raise BundleError(f"{path}: can't be read: {error.strerror or error}") from error

    @classmethod
    def default(cls) -> Bundle:
        """The bundle that comes with the package."""
        return cls.open(Path(__file__).parent / "bundles" / f"{DEFAULT_NAME}.edgeocr")

    def read(self, name: str) -> bytes:
        """The verified content of one file of the bundle."""
        try:
            return self._files[name]
        except KeyError:
            raise BundleError(f"{self.path}: no file {name!r} in the bundle") from None


def _verify(manifest: Manifest, files: dict[str, bytes]) -> None:
    for name in sorted(files.keys() | manifest.files.keys()):
        if name not in files:
            raise BundleError(f"{name} is missing from the bundle")
        if name not in manifest.files:
            raise BundleError(f"{name} is in the bundle but not in its manifest")
        expected, content = manifest.files[name], files[name]
        actual = hashlib.sha256(content).hexdigest()
        if len(content) != expected.size or actual != expected.sha256:
            raise BundleError(
                f"{name} is not the file that was frozen: sha256 {actual}, "
                f"the manifest says {expected.sha256}"
            )


def _characters(manifest: Manifest, files: dict[str, bytes]) -> list[str]:
    charset = manifest.stages.recognition.charset
    try:
        characters = files[charset.file].decode("utf-8").removesuffix("\n").split("\n")
    except UnicodeDecodeError as error:
        raise BundleError(f"{charset.file} is not UTF-8: {error}") from None
    characters.insert(charset.blank, "")
    if len(characters) != charset.classes:
        raise BundleError(
            f"{charset.file} and the blank make {len(characters)} classes, "
            f"the network has {charset.classes}"
        )
    return characters


def _checked(name: str) -> str:
    path = PurePosixPath(name)
    parts_leave = any(part in ("", ".", "..") for part in name.split("/"))
    if path.is_absolute() or parts_leave or "\\" in name or ":" in name or "\0" in name:
        raise BundleError(f"{name!r} leaves the bundle")
    return name


def _folder_files(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            raise BundleError(f"{name} is a link, which may leave the bundle")
        if stat.S_ISREG(mode):
            yield _checked(name), path.read_bytes()
        elif not stat.S_ISDIR(mode):
            raise BundleError(f"{name} is neither a file nor a folder")


def _archive_files(path: Path) -> Iterator[tuple[str, bytes]]:
    seen = set()
    try:
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                if info.is_dir() and not info.file_size:
                    continue
                name = _checked(info.filename)
                if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 0x1:
                    raise BundleError(
                        f"{name} is compressed or encrypted; a bundle's files are stored"
                    )
                if name in seen:
                    raise BundleError(f"{name} is in the bundle twice")
                seen.add(name)
                yield name, archive.read(info)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, struct.error) as error:
        raise BundleError(f"damaged, or no bundle: {error}") from error
