"""Open bundles: a folder, or the same folder as one file `NAME.edgeocr`.

Opening checks first what costs least and trusts nothing: names and sizes, then the manifest's
digest and signature, then the manifest, then every other file, which it reads into memory once.
What is read from disk afterwards is compared with its SHA-256 again, so that what was checked is
what runs. The graphs of stages that have several, and TensorRT's engines, may be left on disk at
first: then each is checked when it is read.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Protocol

from ..errors import BundleError, SignatureError, excerpt
from ..runtime.shipped_engines import ShippedEngines
from . import engines, limits, signature, strict_json
from .archive import MANIFEST, SIGNATURE, Archive, check_name
from .characters import characters
from .digest import check_digest, graphs_digest, normalized
from .folder import Folder
from .known_graphs import KNOWN_GRAPHS
from .manifest import File, Manifest
from .parse import parse
from .signature import PublicKey

DEFAULT_NAME = "tiny"


class Contents(Protocol):
    """The files of a bundle, of which nothing has been checked yet."""

    @property
    def sizes(self) -> Mapping[str, int]:
        """The number of bytes of each file, by name; known without reading the files."""
        ...

    def read(self, name: str) -> bytes:
        """Return the content of a file."""
        ...


class InMemory:
    """Files that are in memory.

    Attributes:
        sizes: The number of bytes of each file, by name.
    """

    def __init__(self, files: Mapping[str, bytes]) -> None:
        """Take the files; `files` is the content of each by name."""
        self.sizes = {name: len(content) for name, content in files.items()}
        self._files = files

    def read(self, name: str) -> bytes:
        """Return the content of a file."""
        return self._files[name]


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
        contents: Contents,
        require_signature: PublicKey | None = None,
        expect_digest: str | None = None,
        *,
        all_graphs: bool = True,
    ) -> None:
        """Verify the files of a bundle; `Bundle.open` and `Bundle.default` find them on disk.

        Args:
            path: Where the files come from; error messages and reports name it.
            contents: The files. Each is read at most once.
            require_signature: As in `Bundle.open`.
            expect_digest: As in `Bundle.open`.
            all_graphs: As in `Bundle.open`.

        Raises:
            BundleError: As in `Bundle.open`.
            SignatureError: As in `Bundle.open`.
        """
        if MANIFEST not in contents.sizes:
            raise BundleError(f"no {MANIFEST} inside: this is not an edgeocr bundle")
        _check_sizes(contents.sizes)
        raw = contents.read(MANIFEST)
        self.digest = hashlib.sha256(raw).hexdigest()
        if expect_digest is not None:
            check_digest(self.digest, expect_digest)
        signed = SIGNATURE in contents.sizes
        self._signature = signature.parse(contents.read(SIGNATURE)) if signed else None
        if require_signature is not None:
            signature.verify(raw, self._signature, require_signature)
        self.manifest: Manifest = parse(strict_json.decode(raw, MANIFEST))
        self.manifest_text = raw.decode("utf-8")
        _check_files(self.manifest, contents.sizes)
        stages = self.manifest.stages.present.values()
        left_out = set[str]()
        if not all_graphs:
            several = [stage for stage in stages if stage.variants]
            left_out = {graph for stage in several for graph in stage.graphs.values()}
            left_out |= engines.all_files(self.manifest)
        self._files = {
            name: _checked(name, contents, self.manifest.files[name])
            for name in self.manifest.files
            if name not in left_out
        }
        self._graphs = {graph for stage in stages for graph in stage.graphs.values()}
        for graph in sorted(self._graphs - left_out):
            self._check_graph(graph, self._files[graph])
        reading = self.manifest.stages.reading
        self.characters: list[str] = []
        if reading is not None:
            self.characters = characters(reading.charset, self._files[reading.charset.file])
        self.path = path

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        *,
        require_signature: PublicKey | None = None,
        expect_digest: str | None = None,
        all_graphs: bool = True,
    ) -> Bundle:
        """Open a bundle and verify all of it.

        Without a required signature or an expected digest this finds damage, but not a bundle that
        somebody made or changed on purpose, its manifest included.

        Args:
            path: The bundle's folder or file.
            require_signature: The path of a public key in PEM, or its bytes. The bundle is refused
                unless its manifest was signed with the private key that belongs to it; this is
                checked before anything in the bundle is used.
            expect_digest: The sha256 of the bundle's manifest.json in hexadecimal, which
                `edgeocr bundle verify` prints. The bundle is refused if it has another one; this is
                checked before anything in the bundle is used.
            all_graphs: Whether to read and verify the graphs of stages that have several, and
                TensorRT's engines, now. Otherwise `read` does so when one is asked for, because
                most devices need few of them.

        Raises:
            BundleError: The bundle is missing or damaged, a file in it is missing, changed or not
                listed in the manifest, a name leads out of the bundle, it exceeds a limit of the
                format, it has another digest than expected, there is not enough memory for it, this
                version can't read its schema or run one of its algorithms, or a graph has something
                that edge graphs don't have, such as data in another file.
            SignatureError: The bundle is not signed as required, or the key is not usable.
            TypeError: An argument has the wrong type.
            ValueError: The expected digest doesn't have 64 hexadecimal digits.
        """
        if not isinstance(path, (str, os.PathLike)):
            raise TypeError(f"path must be a str or a path, not {type(path).__name__}")
        if require_signature is not None:
            signature.check_key_type(require_signature)
        if expect_digest is not None:
            expect_digest = normalized(expect_digest)
        path = Path(path)
        with _errors_named(path), _contents(path) as contents:
            return cls(path, contents, require_signature, expect_digest, all_graphs=all_graphs)

    @classmethod
    def default(
        cls,
        *,
        require_signature: PublicKey | None = None,
        expect_digest: str | None = None,
        all_graphs: bool = True,
    ) -> Bundle:
        """Open the bundle that comes with the package, which is not signed.

        Args:
            require_signature: As in `Bundle.open`.
            expect_digest: As in `Bundle.open`.
            all_graphs: As in `Bundle.open`.

        Raises:
            BundleError: The bundle has another digest than expected.
            SignatureError: A signature is required.
        """
        return cls.open(
            cls.default_path(),
            require_signature=require_signature,
            expect_digest=expect_digest,
            all_graphs=all_graphs,
        )

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

    @property
    def graphs_digest(self) -> str:
        """The digest of the graphs and input shapes, which TensorRT engines are built from."""
        return graphs_digest(self.manifest.stages.present, self.manifest.files)

    @property
    def shipped_engines(self) -> list[ShippedEngines]:
        """TensorRT's engines in the bundle, one for each kind of device; read when needed."""
        path, files = self.path.absolute(), self.manifest.files
        found = []
        for key in self.manifest.engines:
            names = engines.files_of(self.manifest, key)

            def read(name: str, names: Mapping[str, str] = names) -> bytes:
                return _read_again(path, names[name], files[names[name]])

            hashes = {name: files[full].sha256 for name, full in names.items()}
            found.append(ShippedEngines(key, hashes, read))
        return found

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

    def check_digest(self, expected: str) -> None:
        """Raise an error if the bundle's digest is not the expected one.

        Args:
            expected: The sha256 of its manifest.json in hexadecimal.

        Raises:
            BundleError: It has another one.
            TypeError: The expected digest is not a str.
            ValueError: The expected digest doesn't have 64 hexadecimal digits.
        """
        try:
            check_digest(self.digest, normalized(expected))
        except BundleError as error:
            raise BundleError(f"{self.path}: {error}") from error

    def files(self) -> dict[str, bytes]:
        """Return the content of every file by name, including the manifest and the signature."""
        signed = {} if self._signature is None else {SIGNATURE: self._signature.content}
        listed = {name: self.read(name) for name in self.manifest.files}
        return {MANIFEST: self.manifest_text.encode(), **signed, **listed}

    def read(self, name: str) -> bytes:
        """Return the verified content of one file that the manifest lists.

        A graph or an engine that was left on disk is read and verified now, and isn't kept.

        Raises:
            BundleError: The bundle has no such file, or it is not the one that was frozen.
        """
        if name in self._files:
            return self._files[name]
        if name not in self.manifest.files:
            raise BundleError(f"{self.path}: no file {name!r} in the bundle")
        with _errors_named(self.path), _contents(self.path) as contents:
            _check_files(self.manifest, contents.sizes)
            content = _checked(name, contents, self.manifest.files[name])
            if name in self._graphs:
                self._check_graph(name, content)
            return content

    def reader(self, name: str) -> Callable[[], bytes]:
        """Return a function that reads a file from disk again, and keeps no file in memory.

        The function raises a `BundleError` if the file is no longer there, or is another one.
        """
        return partial(_read_again, self.path.absolute(), name, self.manifest.files[name])

    def _check_graph(self, name: str, graph: bytes) -> None:
        """Check that a graph contains only what edge graphs may contain.

        Its SHA-256 must have been compared with the manifest's before.
        """
        if self.manifest.files[name].sha256 in KNOWN_GRAPHS:
            return
        from ..graphs.check import check  # opening the embedded bundle doesn't need it

        try:
            check(graph)
        except BundleError as error:
            raise BundleError(f"{name}: {error}") from None


def _checked(name: str, contents: Contents, expected: File) -> bytes:
    """Return the content of a file, which must be the one that was frozen."""
    content = contents.read(name)
    if (actual := hashlib.sha256(content).hexdigest()) != expected.sha256:
        raise BundleError(
            f"{name} is not the file that was frozen: its sha256 is {actual}, the manifest says "
            f"{expected.sha256}"
        )
    return content


def _read_again(path: Path, name: str, expected: File) -> bytes:
    with _errors_named(path), _contents(path) as contents:
        if contents.sizes.get(name) != expected.size:
            raise BundleError(f"{name} is no longer the file that was opened")
        return _checked(name, contents, expected)


@contextmanager
def _errors_named(path: Path) -> Iterator[None]:
    """Turn what goes wrong while a bundle is read into an error that names the bundle."""
    try:
        yield
    except BundleError as error:
        # The message may repeat names and values from a bundle that nobody trusts yet.
        raise type(error)(f"{path}: {excerpt(str(error))}") from error
    except OSError as error:
        raise BundleError(f"{path}: can't be read: {error.strerror or error}") from error
    except MemoryError as error:
        raise BundleError(f"{path}: there is not enough memory to open it") from error


@contextmanager
def _contents(path: Path) -> Iterator[Contents]:
    """Open a bundle's folder or file, whose contents can be read while the block runs."""
    if path.is_dir():
        yield Folder(path)
    elif path.is_file():
        with path.open("rb") as stream:
            yield Archive(stream)
    elif os.path.exists(path):  # noqa: PTH110 - unlike Path.exists, it accepts any path
        raise BundleError("it is neither a file nor a folder, as a bundle must be")
    else:
        raise BundleError("no such bundle; it must be a folder or a file NAME.edgeocr")


def _check_sizes(sizes: Mapping[str, int]) -> None:
    """Check names, number and sizes of the files, before any of them is read."""
    limits.check_number(len(sizes))
    largest = {MANIFEST: limits.MANIFEST_BYTES, SIGNATURE: limits.SIGNATURE_BYTES}
    for name, size in sizes.items():
        check_name(name)
        limits.check_size(name, size, largest.get(name, limits.GRAPH_BYTES))
    limits.check_total(sum(sizes.values()))


def _check_files(manifest: Manifest, sizes: Mapping[str, int]) -> None:
    """Check that the files are those that the manifest lists, with the sizes that it says."""
    inside = set(sizes) - {MANIFEST, SIGNATURE}
    if missing := sorted(manifest.files.keys() - inside):
        raise BundleError(f"{missing[0]} is listed in the manifest but missing from the bundle")
    if extra := sorted(inside - manifest.files.keys()):
        raise BundleError(f"{extra[0]} is in the bundle but not listed in its manifest")
    largest = {
        graph: limits.GRAPH_BYTES
        for stage in manifest.stages.present.values()
        for graph in stage.graphs.values()
    }
    if (reading := manifest.stages.reading) is not None:
        largest[reading.charset.file] = limits.CHARSET_BYTES
    largest |= dict.fromkeys(engines.all_files(manifest), limits.ENGINE_BYTES)
    for name, expected in manifest.files.items():
        if sizes[name] != expected.size:
            raise BundleError(
                f"{name} is not the file that was frozen: it has {sizes[name]} bytes, the manifest "
                f"says {expected.size}"
            )
        limits.check_size(name, sizes[name], largest.get(name, limits.OTHER_BYTES))
