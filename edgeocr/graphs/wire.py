"""Read the wire format of Protocol Buffers, within limits and without recursion.

Only what ONNX files need is read: varints, values of four and eight bytes, and values with a
length. https://protobuf.dev/programming-guides/encoding/ describes the format.
"""

from __future__ import annotations

from typing import TypeAlias

from ..errors import BundleError

VARINT, EIGHT_BYTES, LENGTH, FOUR_BYTES = 0, 1, 2, 5

# The most fields and packed integers in a file. The largest edge graph of the networks in tests/zoo
# has 9 535; reading this many takes a fifth of a second.
MAX_FIELDS = 200_000
# A varint holds 64 bits, 7 in each byte.
_MAX_VARINT = 10

# A field's key, which is its number · 8 + its wire type; and for a varint its value and 0, for all
# other types where its content starts and where it ends.
Field: TypeAlias = tuple[int, int, int]


class Wire:
    """The bytes of one file. Positions count from its first byte, and nothing is copied.

    Attributes:
        data: The file.
    """

    def __init__(self, data: bytes) -> None:
        """Begin to read a file; nothing is read yet."""
        self.data = data
        self._fields_left = MAX_FIELDS

    def fields(self, start: int, end: int) -> list[Field]:
        """Read the fields of one message, but not those of the messages inside it.

        Args:
            start: Position of the message's first byte.
            end: Position after its last byte, at most the size of the file.

        Raises:
            BundleError: The message is not in the wire format, or the file has too many fields.
        """
        data, position, left = self.data, start, self._fields_left
        found: list[Field] = []
        try:
            while position < end:
                left -= 1
                if left < 0:
                    raise _too_many()
                key = data[position]
                position += 1
                if key > 0x7F:
                    key, position = self._varint(position - 1)
                kind = key & 7
                if kind == LENGTH:
                    length = data[position]
                    position += 1
                    if length > 0x7F:
                        length, position = self._varint(position - 1)
                    found.append((key, position, position + length))
                    position += length
                elif kind == VARINT:
                    value = data[position]
                    position += 1
                    if value > 0x7F:
                        value, position = self._varint(position - 1)
                    found.append((key, value, 0))
                elif kind in (FOUR_BYTES, EIGHT_BYTES):
                    size = 4 if kind == FOUR_BYTES else 8
                    found.append((key, position, position + size))
                    position += size
                else:
                    raise BundleError(f"a field has the wire type {kind}, which ONNX doesn't use")
        except IndexError:
            position = end + 1
        if position > end:
            raise BundleError("a field reaches beyond the end of its message: the file is damaged")
        self._fields_left = left
        return found

    def packed(self, start: int, end: int) -> list[int]:
        """Read varints that follow each other, as signed integers.

        Raises:
            BundleError: The bytes are not varints, or the file has too many fields.
        """
        found: list[int] = []
        try:
            while start < end:
                value, start = self._varint(start)
                found.append(signed(value))
                if len(found) > self._fields_left:
                    raise _too_many()
        except IndexError:
            start = end + 1
        if start > end:
            raise BundleError("an integer reaches beyond the end of its field")
        self._fields_left -= len(found)
        return found

    def _varint(self, position: int) -> tuple[int, int]:
        """Return the value of a varint, from 0 to 2^64 - 1, and the position after it."""
        data, value = self.data, 0
        for shift in range(0, 7 * _MAX_VARINT, 7):
            byte = data[position]
            position += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                if value >> 64 or (not byte and shift):
                    break
                return value, position
        raise BundleError("an integer is longer than its value needs, or than 64 bits")


def signed(value: int) -> int:
    """Return the int64 that a varint stands for."""
    return value - (1 << 64) if value >> 63 else value


def _too_many() -> BundleError:
    return BundleError(f"the graph has more than {MAX_FIELDS} fields, the most that edgeocr reads")
