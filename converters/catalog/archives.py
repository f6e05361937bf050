"""Unpack published .tar archives into a model's folder, and never outside it.

`tarfile`'s own filter for untrusted archives (`filter="data"`) is not enough here: it came with
Python 3.10.12, it keeps links, and by the time it refuses a member earlier ones have been written.
"""

from __future__ import annotations

import lzma
import shutil
import tarfile
import zlib
from collections.abc import Collection
from pathlib import Path, PurePosixPath
from typing import IO

from ..atomic import replacing
from ..errors import FetchError

# The largest model of the catalogue takes 0.2 GB, so a larger archive can't be a model.
MAX_BYTES = 4 << 30
# Bytes that are compared at a time.
BLOCK = 1 << 20


def unpack(archive: Path, folder: Path, reserved: Collection[str] = ()) -> list[Path]:
    """Unpack an archive into a folder.

    Folders that enclose all files are left out. A file that already has the right content is not
    written again. Hidden files are skipped, because macOS adds them.

    Args:
        archive: A .tar file, compressed or not.
        folder: Where the files go; it is created if necessary.
        reserved: File names that the archive must not contain.

    Returns:
        The paths of the model's files.

    Raises:
        FetchError: If the archive can't be read, or if it holds links, devices, paths that lead
            out of the folder, the same name twice, or more than `MAX_BYTES`. Members are checked
            before the first one is written.
    """
    try:
        with tarfile.open(archive) as tar:
            members = _members(tar, reserved)
            for name, member in members.items():
                _write(tar, member, folder / name)
            return [folder / name for name in members]
    except FetchError as error:
        raise FetchError(f"{archive.name}: {error}") from None
    except (tarfile.TarError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise FetchError(f"{archive.name} can't be read as an archive: {error}") from error


def _members(tar: tarfile.TarFile, reserved: Collection[str]) -> dict[str, tarfile.TarInfo]:
    """Check all members and map each file's path below the folder to its member."""
    found: dict[PurePosixPath, tarfile.TarInfo] = {}
    size = 0
    for member in tar:
        path = PurePosixPath(member.name)
        leads_out = path.is_absolute() or ".." in path.parts
        if leads_out or any(character in member.name for character in "\\:\0"):
            raise FetchError(f"{member.name!r} would be written outside the model's folder")
        if member.isdir():
            continue
        if not member.isreg() or member.issparse():
            raise FetchError(f"{member.name!r} is neither a regular file nor a folder")
        size += member.size
        if size > MAX_BYTES:
            raise FetchError(f"it holds more than {MAX_BYTES >> 30} GiB, too much for a model")
        if any(part.startswith(".") for part in path.parts):
            continue
        if path in found:
            raise FetchError(f"it holds {member.name!r} twice")
        found[path] = member
    while found and all(len(path.parts) > 1 for path in found):
        if len({path.parts[0] for path in found}) > 1:
            break
        found = {PurePosixPath(*path.parts[1:]): member for path, member in found.items()}
    if not found:
        raise FetchError("it holds no files")
    for path in found:
        if path.as_posix() in reserved:
            raise FetchError(f"it holds {path}, which is the name of another file of the model")
    return {path.as_posix(): member for path, member in found.items()}


def _write(tar: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
    if target.is_file() and target.stat().st_size == member.size:
        with _content(tar, member) as new, target.open("rb") as old:
            if _same(new, old):
                return
    target.parent.mkdir(parents=True, exist_ok=True)
    with (
        replacing(target) as partial,
        _content(tar, member) as source,
        partial.open("wb") as stream,
    ):
        shutil.copyfileobj(source, stream)


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    stream = tar.extractfile(member)
    assert stream is not None  # `_members` lets only regular files through
    return stream


def _same(new: IO[bytes], old: IO[bytes]) -> bool:
    while block := new.read(BLOCK):
        if block != old.read(BLOCK):
            return False
    return True
