"""The one byte form of a bundle's file: a ZIP in which nothing can be other than it is.

The files are stored as they are, `manifest.json` first, then `signature.json` if there is one, then
the rest by name. Each header follows from its file's name and content, and there is nothing between
and after them. Python's zipfile writes the same bytes, but would also read others: reading here
accepts this form alone, so that a changed byte is an error wherever it is.
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
# Of the whole file, in bytes: the form's numbers have 32 bits.
LIMIT = 1 << 32
MOST_FILES = 0xFFFF

# Sections 4.3.7, 4.3.12 and 4.3.16 of PKWARE's APPNOTE.TXT, with the names of their fields.
_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_LOCAL_MARK, _CENTRAL_MARK, _END_MARK = b"PK\3\4", b"PK\1\2", b"PK\5\6"
_SHARED = ("needed version", "flags", "compression method", "time", "date")
_SIZES = ("checksum", "stored size", "size", "length of the name", "length of extra data")
_LOCAL_FIELDS = ("mark", *_SHARED, *_SIZES)
_CENTRAL_FIELDS = (
    *("mark", "maker", *_SHARED, *_SIZES, "length of the comment", "disk"),
    *("internal attributes", "attributes", "place"),
)
_END_FIELDS = (
    *("mark", "disk", "disk of the table", "number of files here", "number of files"),
    *("size of the table", "place of the table", "length of the comment"),
)
_VERSION = 20
_UNIX = 3 << 8
_UTF8 = 1 << 11
_TIME, _DATE = 0, 1 << 5 | 1  # 1980-01-01 00:00, the first that ZIP can say
_ATTRIBUTES = 0o100644 << 16
_FORM = "damaged, changed, or not packed by freezing, which alone makes a bundle's file"


def write(files: Mapping[str, bytes], target: str | os.PathLike[str] | BinaryIO) -> None:
    """Write a bundle's files, by name, to a path or a binary stream; the same files give the same
    bytes.

    Raises `BundleError` for a name that leaves the bundle or is none, for too many files, and for
    4 GiB or more.
    """
    chunks: list[bytes] = []
    records: list[bytes] = []
    place = 0
    for name in sorted(files, key=_order):
        content = files[checked(name)]
        local, record = _headers(name, zlib.crc32(content), len(content), place)
        chunks += [local, content]
        records.append(record)
        place += len(local) + len(content)
    chunks.append(_table(records, place))
    if place + len(chunks[-1]) >= LIMIT:
        raise BundleError(_too_large(place + len(chunks[-1])))
    if isinstance(target, (str, os.PathLike)):
        with open(target, "wb") as stream:  # noqa: PTH123 - a str too
            stream.writelines(chunks)
    else:
        target.writelines(chunks)


def read(path: str | os.PathLike[str]) -> dict[str, bytes]:
    """The files of a bundle's file, by name, in their order; each is read once, into memory.

    Raises `BundleError`, which names the file inside and what is wrong, for whatever `write` would
    not have written; `OSError` where the path can't be read.
    """
    with open(path, "rb") as stream:  # noqa: PTH123 - a str too
        size = os.fstat(stream.fileno()).st_size
        if size >= LIMIT:
            raise BundleError(_too_large(size))
        return _read(stream, size)


def checked(name: str) -> str:
    """The name of a file in a bundle; raises `BundleError` for one that leads out of it."""
    path = PurePosixPath(name)
    parts_leave = any(part in ("", ".", "..") for part in name.split("/"))
    if path.is_absolute() or parts_leave or "\\" in name or ":" in name or "\0" in name:
        raise BundleError(f"{name!r} leaves the bundle")
    return name


def _read(stream: BinaryIO, size: int) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    records: list[bytes] = []
    place, last = 0, ""
    while (start := stream.read(_LOCAL.size)).startswith(_LOCAL_MARK):
        name, content, crc = _entry(start, stream, size - place, last)
        if name in files:
            raise BundleError(f"{name} is in the bundle twice")
        if last and _order(name) < _order(last):
            raise BundleError(f"{name} comes after {last}, out of order: {_FORM}")
        local, record = _headers(name, crc, len(content), place)
        files[name], last = content, name
        records.append(record)
        place += len(local) + len(content)
    table = _table(records, place)
    found = start + stream.read(max(0, len(table) + 1 - len(start)))
    if found != table:
        raise BundleError(_table_problem(found, table, list(files), size - place))
    return files


def _entry(start: bytes, stream: BinaryIO, left: int, last: str) -> tuple[str, bytes, int]:
    """The file whose header begins with `start`: its name, content and checksum.

    left: bytes from the header to the end. last: name of the file before, empty for the first.
    """
    # Until the name is known, the file before it says where it is.
    where = f"the file after {last}" if last else "the first file"
    if len(start) < _LOCAL.size:
        raise BundleError(f"cut off in the header of {where}")
    fields = _LOCAL.unpack(start)
    flags, method, length, name_length = fields[2], fields[3], fields[8], fields[9]
    raw = stream.read(name_length)
    if len(raw) < name_length:
        raise BundleError(f"cut off in the name of {where}, or its length is changed")
    try:
        name = raw.decode("utf-8" if flags & _UTF8 else "ascii")
    except UnicodeDecodeError:
        raise BundleError(f"the name of {where}, {raw!r:.80}, is no text: {_FORM}") from None
    checked(name.removesuffix("/"))
    if name.endswith("/"):
        raise BundleError(f"{name} is an entry for a folder: {_FORM}")
    if method or flags & 1:
        raise BundleError(f"{name} is compressed or encrypted: {_FORM}")
    wanted = _LOCAL.unpack_from(_headers(name, fields[6], length, 0)[0])
    if differs := _different(_LOCAL_FIELDS, fields, wanted):
        raise BundleError(f"{name}: its header has {differs}: {_FORM}")
    left -= _LOCAL.size + name_length
    if length > left:
        raise BundleError(f"{name} is cut off, or its size is changed: {left} of {length} bytes")
    content = stream.read(length)
    crc = zlib.crc32(content)
    if len(content) < length or crc != fields[6]:
        raise BundleError(f"{name} is not what was packed: its checksum is wrong")
    return name, content, crc


def _headers(name: str, crc: int, size: int, place: int) -> tuple[bytes, bytes]:
    """What stands before a file's content, and its record in the table at the end."""
    try:
        raw, flags = name.encode("ascii"), 0
    except UnicodeEncodeError:
        try:
            raw, flags = name.encode("utf-8"), _UTF8
        except UnicodeEncodeError:
            raise BundleError(f"{name!r} is no name for a file of a bundle") from None
    if len(raw) > 0xFFFF:
        raise BundleError(f"{name:.40}… has too long a name for a file of a bundle")
    if size >= LIMIT or place >= LIMIT:
        raise BundleError(_too_large(size + place))
    shared = (_VERSION, flags, 0, _TIME, _DATE, crc, size, size, len(raw), 0)
    local = _LOCAL.pack(_LOCAL_MARK, *shared)
    central = _CENTRAL.pack(_CENTRAL_MARK, _UNIX | _VERSION, *shared, 0, 0, 0, _ATTRIBUTES, place)
    return local + raw, central + raw


def _table(records: list[bytes], place: int) -> bytes:
    """All that follows the last file: the records and what ends them."""
    count, table = len(records), b"".join(records)
    if count > MOST_FILES:
        raise BundleError(f"{count} files are more than a bundle can hold")
    return table + _END.pack(_END_MARK, 0, 0, count, count, len(table), place, 0)


def _table_problem(found: bytes, table: bytes, names: list[str], left: int) -> str:
    """What differs in what follows the last file, in words; `left`: how much follows it."""
    if not names and not found.startswith(_END_MARK):
        return "damaged, or no bundle: it doesn't begin as one"
    after = f"after {names[-1]}" if names else "where the first file should be"
    if len(found) < len(_END_MARK):
        return f"cut off {after}"
    if not found.startswith((_CENTRAL_MARK, _END_MARK)):
        return f"{after} comes neither a file nor the table of all files: {_FORM}"
    place = 0
    for name in names:
        end = place + _CENTRAL.size
        record, wanted = found[place:end], table[place:end]
        if record.startswith(_END_MARK):
            return f"{name} is missing in the table of all files: {_FORM}"
        if len(record) < len(wanted):
            return f"cut off in the table of all files, at {name}"
        differs = _different(_CENTRAL_FIELDS, _CENTRAL.unpack(record), _CENTRAL.unpack(wanted))
        if differs:
            return f"{name}: its record in the table of all files has {differs}: {_FORM}"
        place = end + len(name.encode())
        if found[end:place] != table[end:place]:
            return f"{name} has another name in the table of all files: {_FORM}"
    record = found[place : place + _END.size]
    if len(record) < _END.size:
        return "cut off in the end of the table of all files"
    if record.startswith(_CENTRAL_MARK):
        return f"the table of all files names more than the {len(names)} that are there: {_FORM}"
    differs = _different(_END_FIELDS, _END.unpack(record), _END.unpack(table[place:]))
    if differs:
        return f"the end of the table of all files has {differs}: {_FORM}"
    return f"{left - len(table)} bytes follow the end of the bundle"


def _different(
    names: tuple[str, ...], found: tuple[object, ...], wanted: tuple[object, ...]
) -> str:
    """The first field that differs, in words; empty where none does."""
    for name, one, other in zip(names, found, wanted, strict=True):
        if one != other:
            return f"{one!r} as {name}, not {other!r}"
    return ""


def _order(name: str) -> tuple[bool, bool, str]:
    return name != MANIFEST, name != SIGNATURE, name


def _too_large(size: int) -> str:
    return f"{size / (1 << 30):.1f} GiB: a bundle's file must be smaller than 4 GiB"
