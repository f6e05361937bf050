"""Read and write a bundle's file: a ZIP archive that has exactly one valid form.

Every file is stored uncompressed; `manifest.json` comes first, then `signature.json` if there is
one, then the other files sorted by name. Every header follows from the file's name and content, and
nothing stands between the parts or after them. Any ZIP program can unpack such an archive. `read`
builds the headers again from what it has read and compares all bytes, so that a byte that was
changed, added, moved or removed anywhere is an error. docs/bundle-format.md specifies the form.

Python's `zipfile` writes the same bytes, but reading with it, packing again and comparing takes six
times as long for a bundle of 100 MB, and holds every file in memory twice.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import BinaryIO

from ..errors import BundleError

MANIFEST = "manifest.json"
SIGNATURE = "signature.json"
# The format counts bytes in 32 bits and files in 16 bits.
SIZE_LIMIT = 1 << 32
MAX_FILES = 0xFFFF

# The three structures of sections 4.3.7, 4.3.12 and 4.3.16 of PKWARE's APPNOTE.TXT.
_LOCAL_HEADER = struct.Struct("<4s5H3L2H")
_CENTRAL_HEADER = struct.Struct("<4s6H3L5H2L")
_END_RECORD = struct.Struct("<4s4H2LH")
_LOCAL_MARK, _CENTRAL_MARK, _END_MARK = b"PK\3\4", b"PK\1\2", b"PK\5\6"
_VERSION = 20  # ZIP 2.0, in tenths
_UNIX = 3 << 8
_UTF8_NAME = 1 << 11
_TIME, _DATE = 0, 1 << 5 | 1  # 1980-01-01 00:00, the earliest that ZIP can express
_REGULAR_FILE = 0o100644 << 16

_CAUSE = "the file is damaged, was changed, or was packed by another program than `freeze`"


def write(files: Mapping[str, bytes], target: str | os.PathLike[str] | BinaryIO) -> None:
    """Write a bundle's file; the same files always give the same bytes.

    Args:
        files: The content of each file of the bundle, by name.
        target: The path to write to, or a binary stream.

    Raises:
        BundleError: A name is invalid, there are too many files, or the result would have 4 GiB
            or more.
    """
    parts: list[bytes] = []
    records: dict[str, bytes] = {}
    offset = 0
    for name in sorted(files, key=_order):
        content = files[name]
        header, records[name] = _headers(name, zlib.crc32(content), len(content), offset)
        parts += [header, content]
        offset += len(header) + len(content)
    parts += _directory(records, offset).values()
    _check_size(sum(map(len, parts)))
    if isinstance(target, (str, os.PathLike)):
        with open(target, "wb") as stream:  # noqa: PTH123 - the path may be a str
            stream.writelines(parts)
    else:
        target.writelines(parts)


def read(source: str | os.PathLike[str] | BinaryIO) -> dict[str, bytes]:
    """Read all files of a bundle's file into memory, in one pass.

    Args:
        source: The path to read, or a binary stream that can seek, which is read from its start.

    Returns:
        The content of each file, by name, in the order of the archive.

    Raises:
        BundleError: `write` would not have written these bytes. The message names the damaged file
            inside the archive, if a single file is damaged.
        OSError: The path can't be read.
    """
    if isinstance(source, (str, os.PathLike)):
        with open(source, "rb") as stream:  # noqa: PTH123 - the path may be a str
            return read(stream)
    size = source.seek(0, os.SEEK_END)
    source.seek(0)
    _check_size(size)
    return _read(source, size)


def check_name(name: str) -> None:
    """Check the name of a file in a bundle: a relative path that stays inside the bundle.

    Raises:
        BundleError: The name is absolute, one of its parts is empty, `.` or `..`, or it contains a
            character that is not allowed in a name or separates names on some operating system.
    """
    parts_are_names = not any(part in ("", ".", "..") for part in name.split("/"))
    if not parts_are_names or PurePosixPath(name).is_absolute() or set("\\:\0") & set(name):
        raise BundleError(
            f"{name!r:.80} is not a valid file name in a bundle: it must be a relative path that "
            "stays inside the bundle, with / between its parts"
        )


def _read(stream: BinaryIO, size: int) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    records: dict[str, bytes] = {}
    offset, previous = 0, ""
    while (start := stream.read(_LOCAL_HEADER.size)).startswith(_LOCAL_MARK):
        # Until the name has been read, errors name the file before it.
        where = f"the file after {previous}" if previous else "the first file"
        if len(start) < _LOCAL_HEADER.size:
            raise BundleError(f"cut off in the header of {where}")
        crc, _, length, name_length = _LOCAL_HEADER.unpack(start)[6:10]
        raw_name = stream.read(name_length)
        if len(raw_name) < name_length:
            raise BundleError(f"cut off in the name of {where}, or the length of the name is wrong")
        try:
            name = raw_name.decode()
        except UnicodeDecodeError:
            raise BundleError(f"the name of {where} is not UTF-8: {_CAUSE}") from None
        check_name(name)
        if name in files:
            raise BundleError(f"{name} is in the bundle twice")
        if previous and _order(name) < _order(previous):
            raise BundleError(f"{name} comes after {previous}, out of order: {_CAUSE}")
        header, record = _headers(name, crc, length, offset)
        if start + raw_name != header:
            raise BundleError(f"the header of {name} is wrong: {_CAUSE}")
        left = size - offset - len(header)
        if length > left:  # checked before memory for the content is allocated
            raise BundleError(f"{name} is cut off, or its size is wrong: {left} of {length} bytes")
        content = stream.read(length)
        if len(content) < length or zlib.crc32(content) != crc:
            raise BundleError(f"{name} is not the file that was packed: its checksum is wrong")
        files[name], records[name], previous = content, record, name
        offset += len(header) + length
    expected = _directory(records, offset)
    directory = b"".join(expected.values())
    found = start + stream.read(max(0, len(directory) + 1 - len(start)))
    if found != directory:
        raise BundleError(_directory_problem(found, expected, size - offset))
    return files


def _headers(name: str, crc: int, size: int, offset: int) -> tuple[bytes, bytes]:
    """Return the header that precedes a file's content, and its record in the directory."""
    check_name(name)
    try:
        raw_name = name.encode()
    except UnicodeEncodeError:
        raise BundleError(f"{name!r:.80} can't be a file name in a bundle: not Unicode") from None
    if len(raw_name) > 0xFFFF:
        raise BundleError(f"{name:.40}… is too long for a file name in a bundle")
    _check_size(size + offset)
    flags = 0 if name.isascii() else _UTF8_NAME
    shared = (_VERSION, flags, 0, _TIME, _DATE, crc, size, size, len(raw_name), 0)
    local = _LOCAL_HEADER.pack(_LOCAL_MARK, *shared)
    central = (_CENTRAL_MARK, _UNIX | _VERSION, *shared, 0, 0, 0, _REGULAR_FILE, offset)
    return local + raw_name, _CENTRAL_HEADER.pack(*central) + raw_name


def _directory(records: Mapping[str, bytes], offset: int) -> dict[str, bytes]:
    """Build the central directory, which follows the last file.

    Args:
        records: The record of each file in the directory, by the file's name.
        offset: The number of bytes before the directory.

    Returns:
        The parts of the directory in their order, each by a description for error messages.
    """
    count, size = len(records), sum(map(len, records.values()))
    if count > MAX_FILES:
        raise BundleError(f"{count} files are more than a bundle can hold, {MAX_FILES}")
    end = _END_RECORD.pack(_END_MARK, 0, 0, count, count, size, offset, 0)
    parts = {f"the record of {name} in the directory": each for name, each in records.items()}
    return {**parts, "the end of the directory": end}


def _directory_problem(found: bytes, expected: Mapping[str, bytes], left: int) -> str:
    """Say what is wrong with the bytes after the last file.

    Args:
        found: The first of these bytes, at most one more than the directory has.
        expected: What `_directory` returns.
        left: The number of all these bytes.
    """
    if len(expected) == 1 and not found.startswith(_END_MARK):
        return "damaged, or not a bundle: it doesn't begin as a bundle does"
    if not any(mark.startswith(found[:4]) for mark in (_CENTRAL_MARK, _END_MARK)):
        return f"what follows the last file is neither a file nor the directory: {_CAUSE}"
    offset = 0
    for place, part in expected.items():
        there = found[offset : offset + len(part)]
        if there != part:
            return (
                f"cut off at {place}" if part.startswith(there) else f"{place} is wrong: {_CAUSE}"
            )
        offset += len(part)
    return f"{left - offset} bytes follow the end of the bundle"


def _order(name: str) -> tuple[bool, bool, str]:
    return name != MANIFEST, name != SIGNATURE, name


def _check_size(size: int) -> None:
    if size >= SIZE_LIMIT:
        raise BundleError(f"{size / (1 << 30):.1f} GiB: a bundle's file must be below 4 GiB")
