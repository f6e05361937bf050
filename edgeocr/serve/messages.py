"""The messages between front and reader: a header in JSON, followed by bytes.

The front never unpickles or evaluates anything that comes from the reader, which has decoded
strangers' pictures.
"""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, Any

# The number of bytes of the header and of the payload.
SIZES = struct.Struct(">IQ")
# A longer message is a fault of its sender. The longest headers hold a bundle's manifest, and the
# longest payloads are searchable PDFs of many pages.
MOST_HEADER, MOST_PAYLOAD = 1 << 26, 1 << 30


class MessageError(Exception):
    """What arrived is no message."""


@dataclass(frozen=True)
class Message:
    """A message.

    Attributes:
        header: What it says.
        payload: The bytes of the files, or of the document, that it is about.
    """

    header: dict[str, Any]
    payload: bytes = b""


def start_of(header: Mapping[str, Any], payload_size: int = 0) -> bytes:
    """Return the bytes of a message before its payload."""
    encoded = json.dumps(header, ensure_ascii=True, separators=(",", ":")).encode()
    return SIZES.pack(len(encoded), payload_size) + encoded


def read(stream: IO[bytes]) -> Message | None:
    """Read a message; None at the end of the stream.

    Raises:
        MessageError: What arrived is no message.
    """
    start = stream.read(SIZES.size)
    if not start:
        return None
    header_size, payload_size = _sizes(start)
    header, payload = stream.read(header_size), stream.read(payload_size)
    if len(header) != header_size or len(payload) != payload_size:
        raise MessageError("the stream ends within a message")
    return Message(_header(header), payload)


async def receive(stream: asyncio.StreamReader) -> Message | None:
    """Receive a message; None at the end of the stream, also within a message.

    Raises:
        MessageError: What arrived is no message.
    """
    try:
        header_size, payload_size = _sizes(await stream.readexactly(SIZES.size))
        header = _header(await stream.readexactly(header_size))
        return Message(header, await stream.readexactly(payload_size))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


def _sizes(start: bytes) -> tuple[int, int]:
    if len(start) != SIZES.size:
        raise MessageError("the stream ends within a message")
    header_size, payload_size = SIZES.unpack(start)
    if header_size > MOST_HEADER or payload_size > MOST_PAYLOAD:
        raise MessageError(f"a message of {header_size} and {payload_size} bytes is too long")
    return header_size, payload_size


def _header(encoded: bytes) -> dict[str, Any]:
    try:
        header = json.loads(encoded)
    except ValueError as error:
        raise MessageError(f"the header is no JSON: {error}") from None
    if not isinstance(header, dict):
        raise MessageError("the header is no JSON object")
    return header
