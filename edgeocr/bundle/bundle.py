"""Bundles: a folder, or the same folder as one uncompressed ZIP file `NAME.edgeocr`.

Opening reads every file once into memory and checks it against the manifest, so that what
was checked is what runs: nothing is read from disk again afterwards.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from ..errors import BundleError, SignatureError, printable
from . import archive, signature
from .archive import MANIFEST as MANIFEST
from .archive import SIGNATURE
from .manifest import Charset, File, Manifest, parse

DEFAULT_NAME = "tiny"


class Bundle:
    """An opened and verified bundle.

    manifest: the parsed manifest.
    characters: the classes of the stage that reads, in order; a class that is no character, such
        as CTC's blank, is an empty string. Empty for a bundle that doesn't read.
    path: where it was opened.
    digest: sha256 of manifest.json, which holds the sha256 of everything else.
    manifest_text: manifest.json as it is.
    """

    def __init__(
        self,
        path: Path,
        entries: Mapping[str, Callable[[], bytes]],
        key: str | os.PathLike[str] | bytes | None,
    ) -> None:
        if MANIFEST not in entries:
            raise BundleError(f"no {MANIFEST} inside, so this is no edgeocr bundle")
        raw = entries[MANIFEST]()
        self._signature = None
        if SIGNATURE in entries:
            self._signature = signature.parse(entries[SIGNATURE]())
        if key is not None:
            signature.verify(raw, self._signature, key)
        try:
            self.manifest_text = raw.decode("utf-8")
            decoded = json.loads(self.manifest_text)
        except (ValueError, RecursionError) as error:
            raise BundleError(f"{MANIFEST} is no JSON: {error}") from None
        self.manifest: Manifest = parse(decoded)
        _same_names(self.manifest, entries)
        self._files = {name: entries[name]() for name in self.manifest.files}
        for name, content in self._files.items():
            _verify(name, content, self.manifest.files[name])
        reading = self.manifest.stages.reading
        self.characters = _characters(reading.charset, self._files) if reading else []
        self.path = path
        self.digest = hashlib.sha256(raw).hexdigest()

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        *,
        require_signature: str | os.PathLike[str] | bytes | None = None,
    ) -> Bundle:
        """Open a bundle folder or file and verify all of it.

        require_signature: path of a public key in PEM, or its bytes: nothing of the bundle is used
            unless it is signed by this key.

        Raises `BundleError` when it is missing, is no bundle, has a file too many, too few or
        changed, a path that leaves it, or a schema or algorithm that this version can't run, and
        `SignatureError` when it is not signed as required.
        """
        path = Path(path)
        try:
            if path.is_dir():
                return cls(path, _folder_entries(path), require_signature)
            if path.is_file():
                return cls(path, _file_entries(path), require_signature)
        except BundleError as error:
            # It may repeat names and fields of a bundle that nobody has vouched for.
            raise type(error)(f"{path}: {printable(str(error))}") from error
        except OSError as error:
            raise BundleError(f"{path}: can't be read: {error.strerror or error}") from error
        raise BundleError(f"{path}: no such bundle (a folder, or a file NAME.edgeocr)")

    @classmethod
    def default(cls, *, require_signature: str | os.PathLike[str] | bytes | None = None) -> Bundle:
        """The bundle that comes with the package, which is not signed."""
        path = Path(__file__).parents[1] / "bundles" / f"{DEFAULT_NAME}.edgeocr"
        return cls.open(path, require_signature=require_signature)

    @property
    def signed_by(self) -> str | None:
        """Fingerprint of the key that the bundle says it is signed with, None where it is not
        signed. Whether that is so, `check_signature` says.
        """
        return None if self._signature is None else self._signature.key

    def check_signature(self, key: str | os.PathLike[str] | bytes) -> None:
        """Raise `SignatureError` unless the bundle is signed by this key, as `open` takes it."""
        try:
            signature.verify(self.manifest_text.encode(), self._signature, key)
        except SignatureError as error:
            raise SignatureError(f"{self.path}: {error}") from error

    def files(self) -> dict[str, bytes]:
        """All files by name, manifest and signature too, as `archive.write` takes them."""
        signed = {} if self._signature is None else {SIGNATURE: self._signature.content}
        return {MANIFEST: self.manifest_text.encode(), **signed, **self._files}

    def read(self, name: str) -> bytes:
        """The verified content of one file of the bundle."""
        try:
            return self._files[name]
        except KeyError:
            raise BundleError(f"{self.path}: no file {name!r} in the bundle") from None


def _same_names(manifest: Manifest, entries: Mapping[str, Callable[[], bytes]]) -> None:
    inside = entries.keys() - {MANIFEST, SIGNATURE}
    if missing := sorted(manifest.files.keys() - inside):
        raise BundleError(f"{missing[0]} is missing from the bundle")
    if extra := sorted(inside - manifest.files.keys()):
        raise BundleError(f"{extra[0]} is in the bundle but not in its manifest")


def _verify(name: str, content: bytes, expected: File) -> None:
    actual = hashlib.sha256(content).hexdigest()
    if len(content) != expected.size or actual != expected.sha256:
        raise BundleError(
            f"{name} is not the file that was frozen: sha256 {actual}, "
            f"the manifest says {expected.sha256}"
        )


def _characters(charset: Charset, files: Mapping[str, bytes]) -> list[str]:
    try:
        characters = files[charset.file].decode("utf-8").removesuffix("\n").split("\n")
    except UnicodeDecodeError as error:
        raise BundleError(f"{charset.file} is not UTF-8: {error}") from None
    for special in charset.special:
        characters.insert(special, "")
    if len(characters) != charset.classes:
        raise BundleError(
            f"{charset.file} and {len(charset.special)} that are no characters make "
            f"{len(characters)} classes, the network has {charset.classes}"
        )
    return characters


def _folder_entries(folder: Path) -> dict[str, Callable[[], bytes]]:
    entries: dict[str, Callable[[], bytes]] = {}
    if not (folder / MANIFEST).is_file():
        return entries
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            raise BundleError(f"{name} is a link, which may leave the bundle")
        if stat.S_ISREG(mode):
            archive.check_name(name)
            entries[name] = path.read_bytes
        elif not stat.S_ISDIR(mode):
            raise BundleError(f"{name} is neither a file nor a folder")
    return entries


def _file_entries(path: Path) -> dict[str, Callable[[], bytes]]:
    return {name: partial(bytes, content) for name, content in archive.read(path).items()}
