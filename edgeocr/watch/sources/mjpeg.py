"""Split a stream of bytes into the JPEG pictures in it.

A JPEG file is a chain of segments, which contain their lengths, and of compressed data, in which
0xFF is always followed by 0x00, by the number of a restart, or by the marker of the next segment.
Walking along this chain finds the end of a picture reliably. Searching for the end marker does not,
because EXIF data can contain a thumbnail with an end marker of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

SOI = b"\xff\xd8\xff"
SOI_MARKER, EOI_MARKER, SOS_MARKER = 0xD8, 0xD9, 0xDA
# Markers without a length: TEM and the restarts.
BARE = frozenset({0x01, *range(0xD0, 0xD8)})
# Markers of segments with any content, perhaps pictures: APPn and COM.
FREE = frozenset({*range(0xE0, 0xF0), 0xFE})
# What ends compressed data.
NEXT_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
# The largest number of bytes of a picture. A camera's picture of 50 megapixels takes 20 MB.
MOST_BYTES = 64 << 20


class Splitter:
    """Finds JPEG pictures in bytes that arrive in pieces of any size.

    What lies between pictures, such as the headers of a multipart stream, is skipped. A picture
    that is broken or cut off is left out, and the search goes on after its beginning, so that the
    next picture is found.

    Attributes:
        broken: How many pictures were left out because they were broken.
        oversized: How many were left out because they were larger than the limit.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        """Start without bytes.

        Args:
            most_bytes: The largest number of bytes of a picture, and roughly of what is held.
        """
        self.broken = self.oversized = 0
        self._most = most_bytes
        self._bytes = bytearray()  # begins with a picture, if `_at` isn't 0
        self._at = 0  # where the next marker is searched, or 0 where no picture has begun
        self._segment = 0  # where the last segment begins
        self._in_scan = False  # whether `_at` is in compressed data
        self._has_scan = False

    @property
    def held(self) -> int:
        """The number of bytes that are held."""
        return len(self._bytes)

    def feed(self, data: bytes | bytearray | memoryview) -> Iterator[bytes]:
        """Yield the pictures that end in a piece of the stream.

        Args:
            data: The piece.
        """
        self._bytes += data
        while True:
            while (picture := self._step()) is not None:
                if picture:
                    yield picture
            if len(self._bytes) <= self._most:
                return
            self.oversized += 1
            # No picture begins inside compressed data, or in bytes that were skipped before.
            self._restart(self._at)

    def _step(self) -> bytes | None:
        """Go on to the next marker.

        Returns:
            A picture if it ends here, `b""` if not, None if more bytes are needed.
        """
        if not self._at:
            return self._begin()
        if self._in_scan:
            return self._scan()
        return self._marker()

    def _begin(self) -> bytes | None:
        found = self._bytes.find(SOI)
        if found < 0:
            # The first two bytes of a picture may be there already.
            del self._bytes[: max(0, len(self._bytes) - len(SOI) + 1)]
            return None
        del self._bytes[:found]
        self._at, self._segment, self._in_scan, self._has_scan = 2, 2, False, False
        return b""

    def _scan(self) -> bytes | None:
        found = NEXT_MARKER.search(self._bytes, self._at)
        if found is None:
            # The last byte may be the first one of a marker.
            self._at = max(self._at, len(self._bytes) - 1)
            return None
        self._at, self._in_scan = found.start(), False
        return b""

    def _marker(self) -> bytes | None:
        data, at = self._bytes, self._at
        if len(data) < at + 2:
            return None
        if data[at] != 0xFF:
            return self._break()
        marker = data[at + 1]
        if marker == 0xFF:  # a fill byte
            self._at += 1
            return b""
        if marker in BARE:
            self._at += 2
            self._in_scan = self._has_scan
            return b""
        if marker == EOI_MARKER:
            return self._end()
        if marker == SOI_MARKER:  # the picture was cut off, and the next one begins
            self.broken += 1
            self._restart(at)
            return b""
        if marker == 0:
            return self._break()
        return self._skip(marker)

    def _skip(self, marker: int) -> bytes | None:
        """Skip a segment."""
        data, at = self._bytes, self._at
        self._segment = at
        if len(data) < at + 4:
            return None
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if end < at + 4:
            return self._break()
        # Lengths and tables never contain the beginning of a picture. If there is one, even if it
        # extends beyond their end, this picture was cut off.
        if data.find(SOI, at + 2, (at + 4 if marker in FREE else end) + 2) >= 0:
            return self._break()
        if len(data) < end + 2:
            return None
        self._at = end
        if marker == SOS_MARKER:
            self._in_scan = self._has_scan = True
        return b""

    def _end(self) -> bytes:
        end = self._at + 2
        picture = b""
        if not self._has_scan:
            self.broken += 1
        elif end > self._most:
            self.oversized += 1
        else:
            picture = bytes(self._bytes[:end])
        self._restart(end)
        return picture

    def _break(self) -> bytes:
        """Give up a picture, and go on after the beginning of its last segment.

        Each earlier segment ended at a marker, so its length and content are right. The last one
        may have been cut off, so that the next picture begins within its length. If it contains a
        whole thumbnail, that is taken for a picture, because nothing tells the two apart.
        """
        self.broken += 1
        self._restart(self._segment + 2)
        return b""

    def _restart(self, at: int) -> None:
        del self._bytes[:at]
        self._at = 0
