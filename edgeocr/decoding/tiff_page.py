"""One page of a TIFF file as a file of its own, so that only this page is in memory."""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from .tiff import COMPRESSION, DirectoryError, Layout

# The size in bytes of a value of each type.
SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
SIZES |= {16: 8, 17: 8, 18: 8}
NUMBERS = {3: "H", 4: "I", 16: "Q"}
# Pairs of tags that say where the pieces of the pixels are, and how many bytes each piece has.
PIECES = ((0x0111, 0x0117), (0x0144, 0x0145))
_POINTERS = tuple(where for where, _ in PIECES)
# The most pieces of a page that are copied one by one; above it, the whole file is taken. A page of
# 179 megapixels has 44 000 tiles of 64 × 64, and Python takes 200 bytes for each.
MOST_PIECES = 100_000
# Tags that lead to further directories, which aren't needed to decode the pixels of the page.
LEFT_OUT = frozenset({0x8769, 0x8825, 0xA005})
# A compression for which further tags lead to places in the file.
OLD_JPEG = 6


@dataclass(frozen=True)
class _Entry:
    """An entry of a directory, with its values as the file has them."""

    tag: int
    kind: int
    number: int
    values: bytes

    def numbers(self, layout: Layout) -> tuple[int, ...]:
        if self.kind not in NUMBERS or self.number > MOST_PIECES:
            raise DirectoryError(f"tag {self.tag} has no numbers")
        return struct.unpack(f"{layout.order}{self.number}{NUMBERS[self.kind]}", self.values)


@dataclass(frozen=True)
class Page:
    """A page of a TIFF file.

    Attributes:
        file: The path of the file, or its content.
        offset: Where the directory of the page begins.
    """

    file: str | os.PathLike[str] | bytes | bytearray | memoryview
    offset: int

    @contextmanager
    def opened(self) -> Iterator[IO[bytes]]:
        """Open the file that has the page."""
        if isinstance(self.file, (str, os.PathLike)):
            with Path(self.file).open("rb") as file:
                yield file
        else:
            yield io.BytesIO(self.file)

    def content(self) -> bytes:
        """Return a TIFF file that holds this page alone.

        Where the page can't be cut out, because it is damaged or in an unusual form, the whole file
        is returned, with a header that makes this page the first.

        Raises:
            OSError: The file can't be read.
            DirectoryError: The file has changed and is no TIFF file any more.
        """
        with self.opened() as stream:
            layout = _layout(stream)
            try:
                entries, pieces = self._found(stream, layout)
            except (DirectoryError, struct.error):
                return _pointing_to(stream, layout, self.offset)
            return _file_of(stream, layout, entries, pieces)

    def loading_bytes(self) -> int:
        """Return the bytes that `content` takes at the worst moment.

        Raises:
            OSError: The file can't be read.
            DirectoryError: The file has changed and is no TIFF file any more.
        """
        with self.opened() as stream:
            layout = _layout(stream)
            try:
                entries, pieces = self._found(stream, layout)
            except (DirectoryError, struct.error):
                return 2 * _size(stream)
            return 2 * sum(count for _, count in pieces) + sum(
                40 + 2 * len(entry.values) for entry in entries
            )

    def _found(
        self, stream: IO[bytes], layout: Layout
    ) -> tuple[list[_Entry], list[tuple[int, int]]]:
        """Return the entries of the page, and the offset and length of each piece of its pixels."""
        entries = _entries(stream, layout, self.offset)
        by_tag = {entry.tag: entry for entry in reversed(entries)}  # libtiff uses the first of two
        if len(by_tag) < len(entries):
            raise DirectoryError("a tag stands twice")
        if COMPRESSION in by_tag and by_tag[COMPRESSION].numbers(layout) == (OLD_JPEG,):
            raise DirectoryError("the page is compressed as old JPEG")
        for where, length in PIECES:
            if where in by_tag and length in by_tag:
                offsets = by_tag[where].numbers(layout)
                counts = by_tag[length].numbers(layout)
                size = _size(stream)
                inside = max((*offsets, sum(counts))) <= size
                if len(offsets) == len(counts) and inside:
                    return entries, list(zip(offsets, counts, strict=True))
        raise DirectoryError("it isn't said where the pixels are")


def _layout(stream: IO[bytes]) -> Layout:
    layout = Layout.of(stream.read(4))
    if layout is None:
        raise DirectoryError("the file is no TIFF file any more")
    return layout


def _size(stream: IO[bytes]) -> int:
    return stream.seek(0, os.SEEK_END)


def _pointing_to(stream: IO[bytes], layout: Layout, offset: int) -> bytes:
    """Return the whole file with its header pointing to another first directory."""
    stream.seek(0)
    whole = memoryview(stream.read())
    pointer, start = struct.pack(layout.pointer, offset), layout.first_pointer
    return b"".join((whole[:start], pointer, whole[start + len(pointer) :]))


def _entries(stream: IO[bytes], layout: Layout, offset: int) -> list[_Entry]:
    """Read all entries of a directory, with the values that are stored elsewhere."""
    size = _size(stream)
    counter, row = layout.order + ("Q" if layout.big else "H"), _row(layout)
    stream.seek(min(offset, size))
    (number,) = struct.unpack(counter, stream.read(struct.calcsize(counter)))
    if number > 0xFFFF:
        raise DirectoryError("a directory has too many entries")
    rows = stream.read(struct.calcsize(row) * number)
    found, total = [], 0
    for tag, kind, count, data in struct.iter_unpack(row, rows):
        if kind not in SIZES:
            raise DirectoryError(f"tag {tag} has the unknown type {kind}")
        length = SIZES[kind] * count
        if length > len(data):
            total += length
            (at,) = struct.unpack(layout.pointer, data)
            if total > size or at > size:  # values may overlap, but not be more than the file
                raise DirectoryError(f"tag {tag} has too many values")
            stream.seek(at)
            data = stream.read(length)
        found.append(_Entry(tag, kind, count, data[:length]))
        if len(found[-1].values) < length:
            raise DirectoryError(f"the values of tag {tag} are cut short")
    if len(found) < number:
        raise DirectoryError("the directory is cut short")
    return found


def _row(layout: Layout) -> str:
    return layout.order + ("HHQ8s" if layout.big else "HHI4s")


def _file_of(
    stream: IO[bytes], layout: Layout, entries: Sequence[_Entry], pieces: Sequence[tuple[int, int]]
) -> bytes:
    """Write a TIFF file with one directory: header, directory, its long values, the pixels."""
    stream.seek(0)
    head = stream.read(layout.first_pointer)
    pointer = struct.calcsize(layout.pointer)
    kept = [entry for entry in entries if entry.tag not in LEFT_OUT]
    counter = layout.order + ("Q" if layout.big else "H")
    row = _row(layout)
    start = len(head) + pointer
    at = start + struct.calcsize(counter) + len(kept) * struct.calcsize(row) + pointer
    rows: list[tuple[_Entry, int]] = []
    for entry in kept:
        if entry.tag in _POINTERS:
            # Where the pieces will be is filled in below, once it is known.
            kind = 16 if layout.big else 4
            entry = _Entry(entry.tag, kind, len(pieces), bytes(len(pieces) * pointer))
        at += at & 1
        rows.append((entry, at))
        if len(entry.values) > pointer:
            at += len(entry.values)
    # Pieces begin at even offsets, as the standard requires.
    contents = [_read(stream, *piece) for piece in pieces]
    place, places = at + (at & 1), []
    body = bytearray(place - start)
    for content in contents:
        places.append(place)
        place += len(content) + (len(content) & 1)
    offsets = struct.pack(f"{layout.order}{len(places)}{layout.pointer[-1]}", *places)
    struct.pack_into(counter, body, 0, len(rows))
    for i, (entry, place) in enumerate(rows):
        data = offsets if entry.tag in _POINTERS else entry.values
        if len(data) > pointer:
            body[place - start : place - start + len(data)] = data
            data = struct.pack(layout.pointer, place)
        position = struct.calcsize(counter) + i * struct.calcsize(row)
        struct.pack_into(row, body, position, entry.tag, entry.kind, entry.number, data)
    padded = [content + b"\0" * (len(content) & 1) for content in contents]
    return b"".join((head, struct.pack(layout.pointer, start), body, *padded))


def _read(stream: IO[bytes], offset: int, length: int) -> bytes:
    stream.seek(offset)
    return stream.read(length)
