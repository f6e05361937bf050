"""Messages between front and reader, whole, cut and wrong."""

from __future__ import annotations

import asyncio
import io

import pytest

from edgeocr.serve import messages
from edgeocr.serve.messages import Message, MessageError

HEADER = {"is": "done", "name": "é\n\ud800", "number": 3}
WHOLE = messages.start_of(HEADER, 4) + b"\x00\x01\xff\n"


def received(content: bytes) -> list[Message | None]:
    async def both() -> list[Message | None]:
        stream = asyncio.StreamReader()
        stream.feed_data(content)
        stream.feed_eof()
        return [await messages.receive(stream), await messages.receive(stream)]

    return asyncio.run(both())


def test_both_sides_read_what_was_written() -> None:
    message = Message(HEADER, b"\x00\x01\xff\n")
    assert received(WHOLE + WHOLE) == [message, message]
    assert received(WHOLE) == [message, None]
    stream = io.BytesIO(WHOLE + messages.start_of({}))
    assert messages.read(stream) == message
    assert messages.read(stream) == Message({})
    assert messages.read(stream) is None


@pytest.mark.parametrize("length", [1, 11, 12, 20, len(WHOLE) - 1])
def test_an_end_within_a_message(length: int) -> None:
    assert received(WHOLE[:length])[0] is None
    with pytest.raises(MessageError, match="ends within a message"):
        messages.read(io.BytesIO(WHOLE[:length]))


@pytest.mark.parametrize(
    "content",
    [
        b"\xff" * 12,
        messages.SIZES.pack(1, 1 << 40),
        messages.SIZES.pack(5, 0) + b"no {}",
        messages.SIZES.pack(2, 0) + b"[]",
        messages.SIZES.pack(2, 0) + b"\xff\xff",
    ],
)
def test_what_is_no_message(content: bytes) -> None:
    with pytest.raises(MessageError):
        received(content)
    with pytest.raises(MessageError):
        messages.read(io.BytesIO(content))
