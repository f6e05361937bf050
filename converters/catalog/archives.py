"""Unpack published .tar archives into a model's folder, and never outside it.

`tarfile`'s own filter for untrusted archives (`filter="data"`) is not enough here: it came with
Python 3.10.12, it keeps links, and by the time it refuses a member earlier ones have been written.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import tarfile
import zlib
from collections.abc import Collection, Iterable
from contextlib import ExitStack
from pathlib import Path, PurePosixPath
from typing import IO, Any

from ..atomic import replacing
from ..errors import FetchError

# The largest model of the catalogue takes 0.2 GB, so a larger archive can't be a model.
MAX_BYTES = 4 << 30
# A model with a file for each parameter has a few hundred files.
MAX_MEMBERS = 10_000
# The longest name of a file in bytes; file systems allow 255, and a partial file's name is longer.
MAX_NAME = 200
# Bytes that are read at a time. `tarfile` reads a header in one piece, so no header may be larger.
BLOCK = 1 << 20
# First bytes of a compressed archive → what opens it.
_OPENERS: dict[bytes, Any] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\0": lzma.open,
}

# Exceptions that `tarfile` raises for damaged headers in addition to its own errors: for maps of
# sparse files whose numbers are too large or aren't numbers, and for endless chains of headers.
_FAULTS = (ValueError, LookupError, TypeError, OverflowError, RecursionError, AttributeError)

# The ends of names of archives that `unpack` reads.
SUFFIXES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")


def is_archive(path: Path) -> bool:
    """Tell whether a file has the name of an archive."""
    return path.name.lower().endswith(SUFFIXES)


def stem(path: Path) -> str:
    """Return the name of an archive without its suffix."""
    suffix = next(each for each in SUFFIXES if path.name.lower().endswith(each))
    return path.name[: -len(suffix)] or "model"


def unpack(archive: Path, folder: Path, reserved: Collection[str] = ()) -> list[Path]:
    """Unpack an archive into a folder.

    Folders that enclose all files are left out. A file that already has the right content is not
    written again. Hidden files are skipped, because macOS adds them. If anything fails, no file of
    the folder is changed.

    Args:
        archive: A .tar file, compressed or not.
        folder: Where the files go; it is created if necessary.
        reserved: File names that the archive must not contain.

    Returns:
        The paths of the model's files.

    Raises:
        FetchError: If the archive can't be read, or if it holds links, devices, paths that lead
            out of the folder, the same name twice or as a file and a folder, more than `MAX_BYTES`
            or more than `MAX_MEMBERS` files.
        OSError: If a file can't be written.
    """
    try:
        with ExitStack() as stack:
            tar = _opened(archive, stack)
            members = _members(tar, reserved)
            _check_places(folder, members)
            with ExitStack() as partials:  # puts all files in their places at its end, or none
                for name, member in members.items():
                    _write(tar, member, folder / name, partials)
            return [folder / name for name in members]
    except FetchError as error:
        raise FetchError(f"{archive.name}: {error}") from error.__cause__


class _Bounded:
    """The bytes of an archive, decompressed, as `tarfile` reads them.

    Every failure to read them is a `FetchError`, and so is the attempt to read more than `BLOCK` at
    once. `tarfile` does that only for headers, whose size the archive states.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def read(self, size: int) -> bytes:
        if size > BLOCK:
            raise FetchError(f"a header of {size} bytes is too large for a model's archive")
        try:
            return self._stream.read(size)
        except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
            raise _unreadable(error) from error

    def seek(self, offset: int) -> int:
        try:
            return self._stream.seek(offset)
        except (OSError, EOFError, zlib.error, lzma.LZMAError, ValueError, OverflowError) as error:
            raise _unreadable(error) from error

    def tell(self) -> int:
        return self._stream.tell()


def copy(source: IO[bytes], target: Path) -> None:
    """Write a stream to a file, and stop at `MAX_BYTES`.

    Raises:
        FetchError: If there is more.
    """
    size = 0
    with target.open("wb") as stream:
        while block := source.read(BLOCK):
            size += len(block)
            if size > MAX_BYTES:
                raise FetchError(_too_large())
            stream.write(block)


def _opened(archive: Path, stack: ExitStack) -> tarfile.TarFile:
    stream: IO[bytes] = stack.enter_context(archive.open("rb"))
    head = stream.read(6)
    stream.seek(0)
    for magic, opener in _OPENERS.items():
        if head.startswith(magic):
            stream = stack.enter_context(opener(stream))
    try:
        bounded: Any = _Bounded(stream)
        return stack.enter_context(tarfile.open(fileobj=bounded, mode="r:"))
    except (tarfile.TarError, *_FAULTS) as error:
        raise _unreadable(error) from error


def _unreadable(error: Exception) -> FetchError:
    return FetchError(f"it can't be read as an archive: {error}")


def _too_large() -> str:
    return f"it holds more than {MAX_BYTES >> 30} GiB, too much for a model"


def _listed(tar: tarfile.TarFile) -> Iterable[tarfile.TarInfo]:
    """Yield the members; what `tarfile` raises for a damaged header becomes a `FetchError`."""
    number = 0
    while True:
        try:
            member = tar.next()
        except (tarfile.TarError, *_FAULTS) as error:
            raise _unreadable(error) from error
        if member is None:
            return
        number += 1
        if number > MAX_MEMBERS:
            raise FetchError(f"it holds more than {MAX_MEMBERS} files, too many for a model")
        yield member


def _members(tar: tarfile.TarFile, reserved: Collection[str]) -> dict[str, tarfile.TarInfo]:
    """Check all members and map each file's path below the folder to its member."""
    found: dict[PurePosixPath, tarfile.TarInfo] = {}
    size = 0
    for member in _listed(tar):
        path, name = PurePosixPath(member.name), f"{member.name!r:.300}"
        leads_out = path.is_absolute() or ".." in path.parts
        if leads_out or any(character in member.name for character in "\\:\0"):
            raise FetchError(f"{name} would be written outside the model's folder")
        if member.isdir():
            continue
        if not member.isreg() or member.issparse():
            raise FetchError(f"{name} is neither a regular file nor a folder")
        size += member.size
        if size > MAX_BYTES:
            raise FetchError(_too_large())
        if any(part.startswith(".") for part in path.parts):
            continue
        encoded = [part.encode(errors="surrogateescape") for part in path.parts]
        if not path.parts or max(map(len, encoded)) > MAX_NAME or member.size < 0:
            raise FetchError(f"{name} can't be the name of a model's file, or has a wrong size")
        if path in found:
            raise FetchError(f"it holds {name} twice")
        found[path] = member
    while found and all(len(path.parts) > 1 for path in found):
        if len({path.parts[0] for path in found}) > 1:
            break
        found = {PurePosixPath(*path.parts[1:]): member for path, member in found.items()}
    if not found:
        raise FetchError("it holds no files")
    _check_names(found, reserved)
    return {path.as_posix(): member for path, member in found.items()}


def _check_names(found: Collection[PurePosixPath], reserved: Collection[str]) -> None:
    """Refuse names that differ in case only, or of which one is a file and a folder of another.

    Some file systems don't tell upper from lower case, so such files would replace each other.
    """
    files = {path.as_posix().casefold(): path for path in found}
    if len(files) < len(found):
        raise FetchError("two of its names differ only in upper and lower case")
    taken = {name.casefold() for name in reserved}
    for path in found:
        for each in (path, *path.parents):
            name = each.as_posix().casefold()
            if name in taken:
                raise FetchError(f"it holds {path}, which is the name of another file of the model")
            if each != path and name in files:
                raise FetchError(f"it holds {str(each)!r} both as a file and as a folder")


def _check_places(folder: Path, names: Iterable[str]) -> None:
    """Refuse to unpack where a folder has a file's name, or a file a folder's."""
    for name in names:
        for inside in (PurePosixPath(name), *PurePosixPath(name).parents):
            place = folder / inside
            wrong = place.is_dir() if inside == PurePosixPath(name) else place.is_file()
            if wrong:
                raise FetchError(f"{place} is in the way of {name!r}; remove it")


def _write(tar: tarfile.TarFile, member: tarfile.TarInfo, target: Path, stack: ExitStack) -> None:
    """Write a member beside its target, unless that has its content; `stack` puts it in place."""
    if target.is_file() and target.stat().st_size == member.size:
        with target.open("rb") as old:
            if all(block == old.read(len(block)) for block in _blocks(tar, member)):
                return
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = stack.enter_context(replacing(target))
    with partial.open("wb") as stream:
        for block in _blocks(tar, member):
            stream.write(block)


def _blocks(tar: tarfile.TarFile, member: tarfile.TarInfo) -> Iterable[bytes]:
    """Yield a member's content, and raise `FetchError` if there is less than its header states."""
    source = tar.extractfile(member)
    assert source is not None  # `_members` lets only regular files through
    with source:
        left = member.size
        while left:
            try:
                block = source.read(min(left, BLOCK // 2))
            except (tarfile.TarError, *_FAULTS) as error:
                raise _unreadable(error) from error
            if not block:
                raise FetchError("it can't be read as an archive: it ends too early")
            left -= len(block)
            yield block
