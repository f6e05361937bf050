"""Write the outcomes of a command as text, JSON or JSON lines, to standard output or a file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from ..errors import OutputError
from ..outputs.devices import DeviceFile, is_device
from ..outputs.encoding import encoded
from ..outputs.guard import OutputGuard
from ..outputs.replacement import GrowingFile, Replacement
from .outcomes import Outcome
from .streams import write_out

# The format of `--output` by the ending of its name, where `--format` is not given.
FORMATS = {".json": "json", ".jsonl": "jsonl"}


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

    def write(self, content: bytes) -> None:
        """Write content, which is valid UTF-8."""
        write_out(content.decode())

    def commit(self) -> None:
        """Do nothing: everything has been written."""

    def discard(self) -> None:
        """Do nothing: what has been written can't be taken back."""


class Results:
    """The output of a command, to which outcomes are added.

    Text and JSON lines are written outcome by outcome, and JSON at the end, since it is one
    document. However the command ends, what has been added until then is kept, unless nothing has
    been added or the output itself failed.
    """

    def __init__(
        self, path: Path | None, format_: str | None, *, several: bool, keep: int = 0
    ) -> None:
        """Open the output.

        Args:
            path: A file, or None for standard output.
            format_: "text", "json" or "jsonl"; None to choose by the ending of the path.
            several: Whether there are several sources, or a folder: JSON is a list then, and texts
                have headings. That is also so if the first source has several frames.
            keep: How many bytes of an older file with JSON lines stay; the lines follow them.

        Raises:
            OutputError: The output can't be written.
        """
        self._format = format_of(path, format_)
        self._several = several
        self._records: list[Mapping[str, Any]] = []
        self._added = self._failed = False
        self._sink = _sink(path, self._format, keep)

    def __enter__(self) -> Results:
        """Return the output itself."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Write what is left to write, and close the output."""
        try:
            if self._added and not self._failed:
                if self._records:
                    from ..writers import json

                    document = self._records if self._several else self._records[0]
                    self._sink.write(encoded(json.document(document)))
                self._sink.commit()
        finally:
            self._sink.discard()

    def add(self, outcome: Outcome) -> None:
        """Add an outcome.

        Raises:
            OutputError: It can't be written.
            BrokenPipeError: The program that reads the output has ended.
        """
        from ..writers import json, text

        if not self._added:
            self._several = self._several or outcome.source.frames > 1
        if self._format == "json":
            self._records.append(outcome.record)
        elif self._format == "jsonl":
            self._write(json.line(outcome.record))
        else:
            with_heading = self._several and outcome.error is None
            heading = text.heading(outcome.source.name) if with_heading else ""
            self._write(heading + outcome.text)
        self._added = True

    def _write(self, written: str) -> None:
        try:
            self._sink.write(encoded(written))
        except (OutputError, BrokenPipeError):
            self._failed = True
            raise


def check_output(path: Path, format_: str | None, guard: OutputGuard) -> None:
    """Check that a file may be written.

    Args:
        path: The file.
        format_: As for `Results`.
        guard: Knows what must not be written to.

    Raises:
        OutputError: It must not be written to, or can't be.
    """
    from ..writers import json

    ours = json.is_ours if format_of(path, format_) != "text" else _never
    guard.check(path, ours, "--output")


def format_of(path: Path | None, format_: str | None) -> str:
    """Return the format of an output: the one that was asked for, or the one of its ending."""
    if format_ is not None:
        return format_
    return FORMATS.get(path.suffix, "text") if path is not None else "text"


def _sink(path: Path | None, format_: str, keep: int) -> Sink:
    if path is None:
        return StandardOutput()
    if is_device(path):
        return DeviceFile(path)
    return GrowingFile(path, keep=keep) if format_ == "jsonl" else Replacement(path)


def _never(start: bytes) -> bool:
    """Return False: text does not show who wrote it, so no file with text may be replaced."""
    return False
