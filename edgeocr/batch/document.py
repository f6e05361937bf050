"""A document to which outcomes are added."""

from __future__ import annotations

from typing import IO, cast

from ..writers.formats import FailureWriter, Format, Writer
from .outcomes import Outcome


class Document:
    """A document in one format.

    Attributes:
        is_empty: Whether nothing has been added to it.
    """

    def __init__(self, format_: Format, stream: IO[bytes], *, several: bool) -> None:
        """Begin a document.

        Args:
            format_: The format.
            stream: Where to write it.
            several: Whether there are several sources: JSON is a list then, and texts have
                headings. That is also so if the first source has several frames.

        Raises:
            MissingLibraryError: The format needs a library that is not installed.
        """
        self._format, self._stream, self._several = format_, stream, several
        self.is_empty = True
        self._writer: Writer | None = None
        if not format_.differs_for_several:  # what the format lacks is reported before reading
            self._writer = format_.open(stream, several=True)

    def holds(self, outcome: Outcome) -> bool:
        """Tell whether the format has a place for an outcome; most formats leave failures out."""
        return outcome.result is not None or self._format.holds_failures

    def add(self, outcome: Outcome) -> None:
        """Add an outcome that the format holds.

        Raises:
            EdgeOCRError: The format contains the picture, which can't be loaded again.
        """
        if self._writer is None:
            several = self._several or outcome.source.frames > 1
            self._writer = self._format.open(self._stream, several=several)
        if outcome.result is not None:
            self._writer.add(outcome.result, outcome.source.picture)
        else:
            cast(FailureWriter, self._writer).add_failure(outcome.source.name, outcome.error or "")
        self.is_empty = False

    def close(self) -> None:
        """Complete the document, unless nothing was added to it; the stream stays open."""
        if self._writer is not None and not self.is_empty:
            self._writer.close()
