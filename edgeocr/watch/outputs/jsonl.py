"""Events as JSON Lines: one object for each event, in a line of its own."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from ...outputs.encoding import encoded
from ..events import Event
from .stream import ByteStream

# The beginning of a line that `JsonLinesWriter` wrote; the keys are always in this order.
BEGINNING = re.compile(rb'\{"event": "(?:appeared|changed|gone)", "track": \d+, "text": "')


class JsonLinesWriter:
    """Writes JSON Lines, each line in one piece, so that a reader never sees half of one."""

    def __init__(self, stream: ByteStream) -> None:
        """Begin without lines.

        Args:
            stream: Where to write them, UTF-8.
        """
        self._stream = stream

    def add(self, event: Event, more: Mapping[str, Any] | None = None) -> None:
        """Write a line.

        Args:
            event: The event.
            more: Further fields of the line.
        """
        self._stream.write(encoded(record(event, more)) + b"\n")

    def close(self, seconds: float | None = None) -> None:
        """Do nothing, because the lines are complete after each event."""


def record(event: Event, more: Mapping[str, Any] | None = None) -> str:
    """Return an event as a JSON object in one line, without a newline at its end.

    Args:
        event: The event.
        more: Further fields of the object.
    """
    return json.dumps({**event.to_dict(), **(more or {})}, ensure_ascii=False)


def is_ours(start: bytes) -> bool:
    """Tell from the first bytes of a file whether `JsonLinesWriter` wrote it."""
    return BEGINNING.match(start) is not None
