"""Write the outcomes of a command in one format, to standard output or a file."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from ..batch.document import Document
from ..batch.outcomes import Outcome
from ..errors import OutputError
from ..outputs.devices import DeviceFile, is_device
from ..outputs.guard import OutputGuard
from ..outputs.replacement import GrowingFile, Replacement
from ..writers.formats import Format
from .signals import signals_deferred
from .streams import write_out

if TYPE_CHECKING:
    from typing_extensions import Buffer

# What a writer has written is passed on to the sink once it exceeds this many bytes, so that a PDF,
# which is written when it is complete, is not held in memory twice.
MOST_PENDING = 1 << 23


class Sink(Protocol):
    """Where results go."""

    def write(self, content: bytes) -> None:
        """Write content; raise an `OutputError` if that fails."""

    def commit(self) -> None:
        """Keep what was written."""

    def discard(self) -> None:
        """Throw away what was written since the last `commit`."""


class StandardOutput:
    """Standard output as a sink."""

    def __init__(self, *, is_text: bool) -> None:
        """Create the sink; what is written to it is valid UTF-8 if `is_text`."""
        self._is_text = is_text

    def write(self, content: bytes) -> None:
        """Write content."""
        write_out(content.decode() if self._is_text else content)

    def commit(self) -> None:
        """Do nothing: everything has been written."""

    def discard(self) -> None:
        """Do nothing: what has been written can't be taken back."""


class Pending(io.RawIOBase):
    """What a writer has written and the sink hasn't got yet."""

    def __init__(self, pass_on: Callable[[], None]) -> None:
        """Begin with nothing; `pass_on` is called where more than `MOST_PENDING` bytes wait."""
        self._parts: list[bytes] = []
        self._position = self._taken = 0
        self._pass_on = pass_on

    def writable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return how many bytes have been written so far."""
        return self._position

    def write(self, content: Buffer) -> int:
        """Keep content until `take` fetches it for the output, and return its length."""
        self._parts.append(bytes(content))
        length = len(self._parts[-1])
        self._position += length
        if self._position - self._taken > MOST_PENDING:
            self._pass_on()
        return length

    def take(self) -> bytes:
        """Return what has been written since the last call."""
        content = b"".join(self._parts)
        self._parts.clear()
        self._taken = self._position
        return content


class Results:
    """The output of a command, to which outcomes are added.

    However the command ends, what has been added until then is kept as a complete document, unless
    nothing has been added or the output itself failed.
    """

    def __init__(self, path: Path | None, format_: Format, *, several: bool, keep: int = 0) -> None:
        """Open the output.

        Args:
            path: A file, or None for standard output.
            format_: The format.
            several: Whether there are several sources, or a folder: JSON is a list then, and texts
                have headings. That is also so if the first source has several frames.
            keep: How many bytes of an older file with JSON lines stay; the lines follow them.

        Raises:
            OutputError: The output can't be written.
        """
        self._format = format_
        self._pending = Pending(self._pass_on)
        self._failed = False
        self._document = Document(format_, cast(io.BytesIO, self._pending), several=several)
        self._sink = _sink(path, format_, keep)

    def __enter__(self) -> Results:
        """Return the output itself."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Write what is left to write, and close the output."""
        try:
            if not self._document.is_empty and not self._failed:
                self._complete()
        finally:
            self._sink.discard()

    @property
    def needs_words(self) -> bool:
        """Whether the format has a place for each word."""
        return self._format.needs_words

    def add(self, outcome: Outcome) -> None:
        """Add an outcome; most formats leave failures out.

        Raises:
            OutputError: It can't be written.
            BrokenPipeError: The program that reads the output has ended.
            EdgeOCRError: The format contains the picture, which can't be loaded again.
        """
        if not self._document.holds(outcome):
            return
        # A signal in between would leave half of a page in the document.
        with signals_deferred():
            self._document.add(outcome)
        self._pass_on()

    def _complete(self) -> None:
        """Complete the document and keep it, also if a signal asks to end meanwhile."""
        closed = False
        try:
            with signals_deferred():
                self._document.close()
                closed = True
        finally:
            if closed:
                self._pass_on()
                self._sink.commit()

    def _pass_on(self) -> None:
        """Give the sink what the writer has written."""
        content = self._pending.take()
        if not content:
            return
        try:
            self._sink.write(content)
        except (OutputError, BrokenPipeError):
            self._failed = True
            raise


def check_output(path: Path, format_: Format, guard: OutputGuard) -> None:
    """Check that a file may be written.

    Args:
        path: The file.
        format_: The format in which it will be written.
        guard: Knows what must not be written to.

    Raises:
        OutputError: It must not be written to, or can't be.
    """
    guard.check(path, format_.is_ours, "--output")


def _sink(path: Path | None, format_: Format, keep: int) -> Sink:
    if path is None:
        return StandardOutput(is_text=format_.is_text)
    if is_device(path):
        return DeviceFile(path)
    return GrowingFile(path, keep=keep) if format_.name == "jsonl" else Replacement(path)
