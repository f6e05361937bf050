"""Read and write a bundle's file: a ZIP archive that has exactly one valid form.

Every file is stored uncompressed; `manifest.json` comes first, then `signature.json` if there is
one, then the other files sorted by name. Every header follows from the file's name and content, and
nothing stands between the parts or after them. Any ZIP program can unpack such an archive.
`Archive` builds the headers again and compares all bytes, so that a byte that was changed, added,
moved or removed anywhere is an error. docs/bundle-format.md specifies the form.

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
from . import limits

MANIFEST = "manifest.json"
SIGNATURE = "signature.json"

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
        BundleError: A name is invalid, or there are more files or bytes than a bundle may have.
    """
    parts: list[bytes] = []
    records: dict[str, bytes] = {}
    offset = 0
    for name in sorted(files, key=_order):
        content = files[name]
        limits.check_total(offset + len(content))
        header, records[name] = _headers(name, zlib.crc32(content), len(content), offset)
        parts += [header, content]
        offset += len(header) + len(content)
    parts += _directory(records, offset).values()
    limits.check_total(sum(map(len, parts)))
    if isinstance(target, (str, os.PathLike)):
        with open(target, "wb") as stream:  # noqa: PTH123 - the path may be a str
            stream.writelines(parts)
    else:
        target.writelines(parts)


class Archive:
    """The files in a bundle's file; a file is read when its content is asked for.

    Attributes:
        sizes: The number of bytes of each file, by name, in the order of the archive.
    """

    def __init__(self, stream: BinaryIO) -> None:
        """Read and check everything in the archive except the contents of the files.

        Args:
            stream: The archive, which can seek. It must stay open as long as files are read.

        Raises:
            BundleError: `write` would not have written these headers, or there are more files or
                bytes than a bundle may have.
            OSError: The stream can't be read.
        """
        self.sizes: dict[str, int] = {}
        self._stream = stream
        self._places: dict[str, tuple[int, int]] = {}  # where a content begins, and its checksum
        size = stream.seek(0, os.SEEK_END)
        limits.check_total(size)
        stream.seek(0)
        self._scan(size)

    def read(self, name: str) -> bytes:
        """Return the content of a file.

        Raises:
            BundleError: It is not the content that was packed.
            OSError: The stream can't be read.
        """
        offset, crc = self._places[name]
        self._stream.seek(offset)
        content = self._stream.read(self.sizes[name])
        if len(content) < self.sizes[name] or zlib.crc32(content) != crc:
            raise BundleError(f"{name} is not the file that was packed: its checksum is wrong")
        return content

    def _scan(self, size: int) -> None:
        """Find the files in an archive of this many bytes, and check its headers."""
        stream, records = self._stream, dict[str, bytes]()
        offset, previous = 0, ""
        while (start := stream.read(_LOCAL_HEADER.size)).startswith(_LOCAL_MARK):
            # Until the name has been read, errors name the file before it.
            where = f"the file after {previous}" if previous else "the first file"
            if len(start) < _LOCAL_HEADER.size:
                raise BundleError(f"cut off in the header of {where}")
            crc, _, length, name_length = _LOCAL_HEADER.unpack(start)[6:10]
            raw_name = stream.read(name_length)
            if len(raw_name) < name_length:
                raise BundleError(
                    f"cut off in the name of {where}, or the length of the name is wrong"
                )
            name = _decoded(raw_name, where)
            if name in records:
                raise BundleError(f"{name} is in the bundle twice")
            if previous and _order(name) < _order(previous):
                raise BundleError(f"{name} comes after {previous}, out of order: {_CAUSE}")
            header, records[name] = _headers(name, crc, length, offset)
            limits.check_number(len(records))
            if start + raw_name != header:
                raise BundleError(f"the header of {name} is wrong: {_CAUSE}")
            left = size - offset - len(header)
            if length > left:
                raise BundleError(
                    f"{name} is cut off, or its size is wrong: {left} of {length} bytes"
                )
            self.sizes[name] = length
            self._places[name] = offset + len(header), crc
            previous = name
            offset = stream.seek(length, os.SEEK_CUR)
        expected = _directory(records, offset)
        directory = b"".join(expected.values())
        found = start + stream.read(max(0, len(directory) + 1 - len(start)))
        if found != directory:
            raise BundleError(_directory_problem(found, expected, size - offset))


def check_name(name: str) -> None:
    """Check the name of a file in a bundle: a relative path that stays inside the bundle.

    Raises:
        BundleError: The name is absolute, one of its parts is empty, `.` or `..`, it contains a
            character that is not allowed in a name or separates names on some operating system, or
            it is too long.
    """
    parts_are_names = not any(part in ("", ".", "..") for part in name.split("/"))
    if not parts_are_names or PurePosixPath(name).is_absolute() or set("\\:\0\t\n") & set(name):
        raise BundleError(
            f"{name!r:.80} is not a valid file name in a bundle: it must be a relative path that "
            "stays inside the bundle, with / between its parts"
        )
    if limits.STEERING.search(name):
        raise BundleError(
            f"{name!r:.80} is not a valid file name in a bundle: it has control characters or is "
            "not Unicode"
        )
    if len(name.encode()) > limits.NAME_BYTES:
        raise BundleError(
            f"{name:.40}… is too long for a file name in a bundle: it has more than "
            f"{limits.NAME_BYTES} bytes"
        )


def _decoded(raw_name: bytes, where: str) -> str:
    """Return the name of a file in an archive, checked; errors say `where` the file is."""
    try:
        name = raw_name.decode()
    except UnicodeDecodeError:
        raise BundleError(f"the name of {where} is not UTF-8: {_CAUSE}") from None
    check_name(name)
    return name


def _headers(name: str, crc: int, size: int, offset: int) -> tuple[bytes, bytes]:
    """Return the header that precedes a file's content, and its record in the directory."""
    check_name(name)
    raw_name = name.encode()
    flags = 0 if name.isascii() else _UTF8_NAME
    shared = (_VERSION, flags, 0, _TIME, _DATE, crc, size, size, len(raw_name), 0)
    local = _LOCAL_HEADER.pack(_LOCAL_MARK, *shared)
    central = (_CENTRAL_MARK, _UNIX | _VERSION, *shared, 0, 0, 0, _REGULAR_FILE, offset)
    return local + raw_name, _CENTRAL_HEADER.pack(*central) + raw_name


def _directory(records: Mapping[str, bytes], offset: int) -> dict[str, bytes]:
    """Return the bytes of the archive's central directory, which stands after the last file.

    Args:
        records: The record of each file in the directory, by the file's name.
        offset: The number of bytes before the directory.

    Returns:
        The parts of the directory in their order, each by a description for error messages.
    """
    count, size = len(records), sum(map(len, records.values()))
    limits.check_number(count)
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
