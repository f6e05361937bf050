"""Results as JSON Lines: one object in a line of its own for each picture."""

from __future__ import annotations

from collections.abc import Iterable
from typing import IO, TYPE_CHECKING

from ..outputs.encoding import encoded
from . import json
from .json import is_ours

if TYPE_CHECKING:
    from ..images import Source

__all__ = ["Writer", "is_ours", "write"]


class Writer:
    """JSON Lines. Each line is written in one piece, so a reader never sees half of one."""

    def __init__(self, stream: IO[bytes]) -> None:
        """Begin with no lines.

        Args:
            stream: Where to write them.
        """
        self._stream = stream

    def add(self, page: json.HasRecord, picture: Source | None = None) -> None:
        """Add a result; the picture is not needed."""
        self._stream.write(encoded(json.line(page.to_dict())))

    def add_failure(self, source: str, error: str) -> None:
        """Add the name of a picture that can't be read, and the reason."""
        self._stream.write(encoded(json.line(json.failure(source, error))))

    def close(self) -> None:
        """Do nothing: the lines are complete after each picture."""


def write(pages: Iterable[json.HasRecord], stream: IO[bytes]) -> None:
    """Write a line for each result."""
    writer = Writer(stream)
    for page in pages:
        writer.add(page)
