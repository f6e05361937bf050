"""What the writers of events write to."""

from __future__ import annotations

from typing import Protocol


class ByteStream(Protocol):
    """A binary file, or whatever else takes bytes."""

    def write(self, content: bytes, /) -> object:
        """Write all of the content."""
