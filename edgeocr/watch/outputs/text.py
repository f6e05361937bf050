"""Events as text: a line for each one, for people and for `grep`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ...errors import escaped
from ...outputs.encoding import encoded
from ..events import Event
from .stream import ByteStream

BEGINNING = re.compile(rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} +\d+\.\d{3} s  #\d+ +[acg]")


class TextWriter:
    """Writes a line for each event: local time, time in the source, track, and what happened."""

    def __init__(self, stream: ByteStream) -> None:
        """Begin without lines.

        Args:
            stream: Where to write them, UTF-8.
        """
        self._stream = stream

    def add(self, event: Event, more: Mapping[str, Any] | None = None) -> None:
        """Write a line; further fields are left out."""
        self._stream.write(encoded(line(event)) + b"\n")

    def close(self, seconds: float | None = None) -> None:
        """Do nothing, because the lines are complete after each event."""


def line(event: Event) -> str:
    """Return an event as a line, in local time, without a newline at its end."""
    moment = datetime.fromtimestamp(event.time).isoformat(" ", "milliseconds")
    what = f"#{event.track:<4} {event.kind:8}  {escaped(event.text)}"
    before = "" if event.previous is None else f"  (before: {escaped(event.previous)})"
    return f"{moment} {event.seconds:10.3f} s  {what}{before}"


def is_ours(start: bytes) -> bool:
    """Tell from the first bytes of a file whether `TextWriter` wrote it."""
    return BEGINNING.match(start) is not None
