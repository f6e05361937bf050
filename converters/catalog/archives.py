"""Published archives → the files of a model, and nothing outside of its folder."""

from __future__ import annotations

import lzma
import os
import shutil
import tarfile
import zlib
from collections.abc import Collection
from pathlib import Path, PurePosixPath
from typing import IO

from ..errors import FetchError

# The largest model here has 0.2 GB; more than this is no model.
MAX_BYTES = 4 << 30
BLOCK = 1 << 20


def unpack(archive: Path, folder: Path, reserved: Collection[str] = ()) -> list[Path]:
    """Write an archive's files into `folder`; returns them. The folders around all are left out.

    A file that is there with the same content stays as it is. Hidden files are not unpacked: they
    are what macOS adds.

    reserved: names that none of the files may have.

    Raises `FetchError`, before anything is written, for an archive that can't be read or that holds
    links, devices, names that lead out of the folder, a name twice, or too much.
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
        raise FetchError(f"{archive.name} is no readable archive: {error}") from error


def _members(tar: tarfile.TarFile, reserved: Collection[str]) -> dict[str, tarfile.TarInfo]:
    """The files by the path that they get."""
    found: dict[PurePosixPath, tarfile.TarInfo] = {}
    size = 0
    for member in tar:
        path = PurePosixPath(member.name)
        leaves = path.is_absolute() or ".." in path.parts
        if leaves or any(character in member.name for character in "\\:\0"):
            raise FetchError(f"{member.name!r} would be written outside of its folder")
        if member.isdir():
            continue
        if not member.isreg() or member.issparse():
            raise FetchError(f"{member.name!r} is neither a file nor a folder")
        size += member.size
        if size > MAX_BYTES:
            raise FetchError(f"more than {MAX_BYTES >> 30} GB in it")
        if any(part.startswith(".") for part in path.parts):
            continue
        if path in found:
            raise FetchError(f"{member.name!r} is in it twice")
        found[path] = member
    while found and all(len(path.parts) > 1 for path in found):
        if len({path.parts[0] for path in found}) > 1:
            break
        found = {PurePosixPath(*path.parts[1:]): member for path, member in found.items()}
    if not found:
        raise FetchError("no files in it")
    for path in found:
        if path.as_posix() in reserved:
            raise FetchError(f"{path} is in it, and is another file of the model")
    return {path.as_posix(): member for path, member in found.items()}


def _write(tar: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
    if target.is_file() and target.stat().st_size == member.size:
        with _content(tar, member) as new, target.open("rb") as old:
            if _same(new, old):
                return
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        with _content(tar, member) as source, partial.open("wb") as stream:
            shutil.copyfileobj(source, stream)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    stream = tar.extractfile(member)
    assert stream is not None  # it is a file
    return stream


def _same(new: IO[bytes], old: IO[bytes]) -> bool:
    while block := new.read(BLOCK):
        if block != old.read(BLOCK):
            return False
    return True
