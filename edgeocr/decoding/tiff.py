"""The pages of a TIFF file: directories, the first of which its header points to."""

from __future__ import annotations

import os
import struct
from collections.abc import Collection
from dataclasses import dataclass
from typing import IO

# First bytes of a TIFF file, little and big endian, with 32-bit and with 64-bit offsets.
CLASSIC = (b"II*\0", b"MM\0*")
BIG = (b"II+\0", b"MM\0+")
MAGIC = CLASSIC + BIG
# Types of whole numbers in a directory, with their `struct` format.
KINDS = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}
WIDTH, HEIGHT, BITS, SAMPLES = 0x0100, 0x0101, 0x0102, 0x0115
SUBFILE, PHOTOMETRIC, EXTRA_SAMPLES = 0x00FE, 0x0106, 0x0152
COMPRESSION, PLANES, PREDICTOR = 0x0103, 0x011C, 0x013D
TILE_WIDTH, TILE_HEIGHT = 0x0142, 0x0143
SUB_DIRECTORIES, DNG_VERSION = 0x014A, 0xC612
# Bits of the tag SUBFILE: the picture is a smaller copy of another one, or a mask for one.
COPY_OR_MASK = 1 | 4
ASSOCIATED_ALPHA = 1
WHITE_IS_ZERO = 0
SEPARATE_PLANES = 2
# Compressions that don't depend on what the bytes mean: none, LZW, Deflate (under two numbers),
# PackBits, Zstandard.
BYTEWISE = frozenset({1, 5, 8, 32946, 32773, 50000})
DIFFERENCES = 2
# The most entries of all directories together that are looked at while pages are counted: 10 000
# pages with 100 entries each. Directories of a hostile file overlap, and would take days to read.
MOST_ENTRIES = 1_000_000


class DirectoryError(ValueError):
    """A directory is damaged or cut short."""


@dataclass(frozen=True)
class Layout:
    """How a TIFF file writes its numbers.

    Attributes:
        order: The byte order, "<" or ">", for `struct`.
        big: Whether offsets have 64 bits.
    """

    order: str
    big: bool

    @classmethod
    def of(cls, start: bytes) -> Layout | None:
        """Return the layout of a file with these first four bytes; None if it is no TIFF file."""
        if start[:4] not in MAGIC:
            return None
        return cls("<" if start[:2] == b"II" else ">", start[:4] in BIG)

    @property
    def pointer(self) -> str:
        """The format of an offset."""
        return self.order + ("Q" if self.big else "I")

    @property
    def first_pointer(self) -> int:
        """Where in the file the offset of the first directory stands."""
        return 8 if self.big else 4


@dataclass(frozen=True)
class Tag:
    """A whole number in a directory.

    Attributes:
        value: The number, or the first of several.
        kind: Its type, a key of `KINDS`.
        row: Where in the file the directory's entry stands.
    """

    value: int
    kind: int
    row: int


@dataclass(frozen=True)
class Directory:
    """What a directory says about one picture of a file.

    Attributes:
        tags: The tags that were asked for and hold a whole number, by tag number.
        next: Offset of the next directory; 0 for the last one.
        entries: How many entries the directory has.
    """

    tags: dict[int, Tag]
    next: int
    entries: int = 0

    def value(self, tag: int, default: int = 0) -> int:
        """Return the value of a tag, or a default if the directory lacks the tag."""
        return self.tags[tag].value if tag in self.tags else default


def read_directory(
    stream: IO[bytes], layout: Layout, offset: int, wanted: Collection[int]
) -> Directory:
    """Read some tags of a directory.

    Args:
        stream: The file; its position is changed.
        layout: The file's layout.
        offset: Where the directory begins.
        wanted: Numbers of the tags.

    Raises:
        DirectoryError: The directory is not within the file, or a tag has a type that is not one of
            whole numbers.
    """
    counter, row = ("Q", "HHQ8s") if layout.big else ("H", "HHI4s")
    width = struct.calcsize(layout.order + row)
    try:
        stream.seek(offset)
        entries = _number(stream, layout.order + counter)
        if entries > 0xFFFF:
            raise DirectoryError("a directory has too many entries")
        start = stream.tell()
        rows = stream.read(width * entries)
        found: dict[int, Tag] = {}
        for i in range(entries):
            tag, kind, number, data = struct.unpack_from(layout.order + row, rows, width * i)
            if tag not in wanted or tag in found:  # libtiff uses the first of two
                continue
            if kind not in KINDS or not number:
                raise DirectoryError(f"tag {tag} has no number")
            format_ = layout.order + KINDS[kind]
            value = struct.unpack_from(format_, data)[0]
            if number * struct.calcsize(format_) > len(data):  # the values are stored elsewhere
                stream.seek(struct.unpack(layout.pointer, data)[0])
                value = _number(stream, format_)
            found[tag] = Tag(value, kind, start + width * i)
        stream.seek(start + width * entries)
        last = stream.read(struct.calcsize(layout.pointer))
    except (struct.error, ValueError, OverflowError, OSError) as error:
        raise DirectoryError(str(error)) from error
    # Some writers end the file instead of writing that there is no further directory.
    complete = len(last) == struct.calcsize(layout.pointer)
    following = struct.unpack(layout.pointer, last)[0] if complete else 0
    return Directory(found, following, entries)


def _number(stream: IO[bytes], format_: str) -> int:
    """Read a number; raise `struct.error` if the file ends before it."""
    number: int = struct.unpack(format_, stream.read(struct.calcsize(format_)))[0]
    return number


def first_directory(stream: IO[bytes], layout: Layout) -> int:
    """Return the offset of the first directory, or 0 if the file is too short to have one."""
    stream.seek(layout.first_pointer)
    data = stream.read(struct.calcsize(layout.pointer))
    return struct.unpack(layout.pointer, data)[0] if len(data) > 3 else 0


def pages(stream: IO[bytes], most: int) -> list[int]:
    """Return the offsets of the directories that hold pages.

    Smaller copies of pages, and masks, are left out. A damaged directory counts as a page and ends
    the list. A directory that leads back to an earlier one ends the list, too.

    Args:
        stream: A TIFF file.
        most: The most offsets to return.
    """
    stream.seek(0)
    layout = Layout.of(stream.read(4))
    if layout is None:
        return []
    size = stream.seek(0, os.SEEK_END)
    found: list[int] = []
    seen: set[int] = set()
    entries = 0
    offset = first_directory(stream, layout)
    # Copies count, too, so that the loop ends even for a file of nothing else.
    while offset and offset not in seen and len(found) < most and len(seen) < 8 * most:
        seen.add(offset)
        try:
            if offset >= size:
                raise DirectoryError("a directory lies behind the end of the file")
            directory = read_directory(stream, layout, offset, (SUBFILE,))
            entries += directory.entries
            if entries > MOST_ENTRIES:
                raise DirectoryError("the directories have too many entries")
        except DirectoryError:
            found.append(offset)
            break
        # The first picture is the main one, whatever its tags say.
        if not found or not directory.value(SUBFILE) & COPY_OR_MASK:
            found.append(offset)
        offset = directory.next
    return found


def replace_value(content: bytearray, layout: Layout, tag: Tag, value: int) -> None:
    """Replace the value of a tag of the type BYTE, SHORT or LONG by one number."""
    struct.pack_into(layout.order + ("Q" if layout.big else "I"), content, tag.row + 4, 1)
    at = tag.row + (12 if layout.big else 8)
    struct.pack_into(layout.order + KINDS[tag.kind], content, at, value)
