"""Open bundles: a folder, or the same folder as one file `NAME.edgeocr`.

Opening reads every file into memory once and checks it against the manifest. Nothing is read from
disk afterwards, so that what was checked is what runs.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from ..errors import BundleError, SignatureError, printable
from . import archive, signature
from .archive import MANIFEST, SIGNATURE
from .manifest import Charset, File, Manifest
from .parse import parse
from .signature import PublicKey

DEFAULT_NAME = "tiny"


class Bundle:
    """A bundle that was opened and verified.

    Attributes:
        path: Where the bundle was opened.
        manifest: The parsed manifest.
        manifest_text: The text of manifest.json, unchanged.
        digest: The sha256 of manifest.json in hexadecimal. The manifest contains the sha256 of all
            other files, so that the digest identifies the whole bundle.
        characters: The text that each class of the recognition or spotting network stands for, in
            class order; empty for special classes such as the blank of CTC. An empty list if no
            stage reads text.
    """

    def __init__(
        self,
        path: Path,
        files: Mapping[str, bytes],
        require_signature: PublicKey | None = None,
    ) -> None:
        """Verify the files of a bundle; `Bundle.open` and `Bundle.default` read them from disk.

        Args:
            path: Where the files come from; error messages and reports name it.
            files: The content of each file by name. Each is asked for at most once.
            require_signature: As in `Bundle.open`.

        Raises:
            BundleError: As in `Bundle.open`.
            SignatureError: As in `Bundle.open`.
        """
        if MANIFEST not in files:
            raise BundleError(f"no {MANIFEST} inside: this is not an edgeocr bundle")
        raw = files[MANIFEST]
        self._signature = signature.parse(files[SIGNATURE]) if SIGNATURE in files else None
        if require_signature is not None:
            signature.verify(raw, self._signature, require_signature)
        try:
            self.manifest_text = raw.decode("utf-8")
            decoded = json.loads(self.manifest_text)
        except (ValueError, RecursionError) as error:
            raise BundleError(f"{MANIFEST} is not valid JSON: {error}") from None
        self.manifest: Manifest = parse(decoded)
        _check_names(self.manifest, files)
        self._files = {
            name: _checked(name, files[name], expected)
            for name, expected in self.manifest.files.items()
        }
        reading = self.manifest.stages.reading
        self.characters = _characters(reading.charset, self._files) if reading else []
        self.path = path
        self.digest = hashlib.sha256(raw).hexdigest()

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        *,
        require_signature: PublicKey | None = None,
    ) -> Bundle:
        """Open a bundle and verify all of it.

        Args:
            path: The bundle's folder or file.
            require_signature: The path of a public key in PEM, or its bytes. The bundle is refused
                unless its manifest was signed with the private key that belongs to it; this is
                checked before anything in the bundle is used.

        Raises:
            BundleError: The bundle is missing or damaged, a file in it is missing, changed or not
                listed in the manifest, a name leads out of the bundle, or this version can't read
                the bundle's schema or run one of its algorithms.
            SignatureError: The bundle is not signed as required, or the key is not usable.
            TypeError: An argument has the wrong type.
        """
        if not isinstance(path, (str, os.PathLike)):
            raise TypeError(f"path must be a str or a path, not {type(path).__name__}")
        if require_signature is not None:
            signature.check_key_type(require_signature)
        path = Path(path)
        try:
            if path.is_dir():
                return cls(path, _Folder(path), require_signature)
            if path.is_file():
                return cls(path, archive.read(path), require_signature)
        except BundleError as error:
            # The message may repeat names and values from a bundle that nobody trusts yet.
            raise type(error)(f"{path}: {printable(str(error))}") from error
        except OSError as error:
            raise BundleError(f"{path}: can't be read: {error.strerror or error}") from error
        raise BundleError(f"{path}: no such bundle; it must be a folder or a file NAME.edgeocr")

    @classmethod
    def default(cls, *, require_signature: PublicKey | None = None) -> Bundle:
        """Open the bundle that comes with the package, which is not signed.

        Args:
            require_signature: As in `Bundle.open`.

        Raises:
            SignatureError: A signature is required.
        """
        return cls.open(cls.default_path(), require_signature=require_signature)

    @staticmethod
    def default_path() -> Path:
        """Return the path of the bundle that comes with the package."""
        return Path(__file__).parents[1] / "bundles" / f"{DEFAULT_NAME}.edgeocr"

    def __repr__(self) -> str:
        """Show the bundle's name, its path and the beginning of its digest."""
        return f"Bundle({self.manifest.name!r}, path={str(self.path)!r}, digest={self.digest[:12]})"

    @property
    def signed_by(self) -> str | None:
        """The fingerprint of the key that the bundle claims to be signed with; None if unsigned.

        Only `check_signature`, or `require_signature` on opening, tells whether the claim is true.
        """
        return None if self._signature is None else self._signature.key

    def check_signature(self, key: PublicKey) -> None:
        """Check that the bundle was signed with the private key that belongs to a public key.

        Args:
            key: The path of the public key in PEM, or its bytes.

        Raises:
            SignatureError: The bundle is not signed, or not with this key.
        """
        try:
            signature.verify(self.manifest_text.encode(), self._signature, key)
        except SignatureError as error:
            raise SignatureError(f"{self.path}: {error}") from error

    def files(self) -> dict[str, bytes]:
        """Return the content of every file by name, including the manifest and the signature."""
        signed = {} if self._signature is None else {SIGNATURE: self._signature.content}
        return {MANIFEST: self.manifest_text.encode(), **signed, **self._files}

    def read(self, name: str) -> bytes:
        """Return the verified content of one file that the manifest lists.

        Raises:
            BundleError: The bundle has no such file.
        """
        try:
            return self._files[name]
        except KeyError:
            raise BundleError(f"{self.path}: no file {name!r} in the bundle") from None


class _Folder(Mapping[str, bytes]):
    """The files in a bundle's folder by name; a file is read when its content is asked for."""

    def __init__(self, folder: Path) -> None:
        self._paths: dict[str, Path] = {}
        if not (folder / MANIFEST).is_file():
            return  # not a bundle: it may be a large folder, so its files are not listed
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(folder).as_posix()
            mode = path.lstat().st_mode
            if stat.S_ISLNK(mode):
                raise BundleError(f"{name} is a symbolic link, which could leave the bundle")
            if stat.S_ISREG(mode):
                archive.check_name(name)
                self._paths[name] = path
            elif not stat.S_ISDIR(mode):
                raise BundleError(f"{name} is neither a file nor a folder")

    def __getitem__(self, name: str) -> bytes:
        return self._paths[name].read_bytes()

    def __contains__(self, name: object) -> bool:
        return name in self._paths  # the inherited method would read the file

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)


def _check_names(manifest: Manifest, files: Mapping[str, bytes]) -> None:
    inside = set(files) - {MANIFEST, SIGNATURE}
    if missing := sorted(manifest.files.keys() - inside):
        raise BundleError(f"{missing[0]} is listed in the manifest but missing from the bundle")
    if extra := sorted(inside - manifest.files.keys()):
        raise BundleError(f"{extra[0]} is in the bundle but not listed in its manifest")


def _checked(name: str, content: bytes, expected: File) -> bytes:
    actual = hashlib.sha256(content).hexdigest()
    if len(content) != expected.size or actual != expected.sha256:
        raise BundleError(
            f"{name} is not the file that was frozen: its sha256 is {actual} ({len(content)} "
            f"bytes), the manifest says {expected.sha256} ({expected.size} bytes)"
        )
    return content


def _characters(charset: Charset, files: Mapping[str, bytes]) -> list[str]:
    try:
        characters = files[charset.file].decode("utf-8").removesuffix("\n").split("\n")
    except UnicodeDecodeError as error:
        raise BundleError(f"{charset.file} is not UTF-8: {error}") from None
    count = len(characters)
    for special in charset.special:
        characters.insert(special, "")
    if len(characters) != charset.classes:
        raise BundleError(
            f"{charset.file}: {count} characters and {len(charset.special)} special classes don't "
            f"make the {charset.classes} classes of the network"
        )
    return characters
