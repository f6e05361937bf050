"""The process in which a cell stays open, and what it says when it can't do what it is asked."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from edgeocr.bench.redact import without_folders
from edgeocr.errors import printable
from edgeocr.results.lines import Line

from ..line_process import LineProcess, ProcessEndedError

WORKER = f"{__package__}.child"
# Seconds that a process may take for a picture before it counts as hanging.
PATIENCE_S = 60.0
# The most characters of a process's last words that are kept.
LAST_WORDS = 500


class CellFailedError(Exception):
    """A cell's process crashed, hung, or ended with an error; the message has its last words."""


class CellUnavailableError(Exception):
    """A cell can't be tried on this machine; the message gives the reason."""


class OutOfTimeError(Exception):
    """The time of the claim is over."""


def brief(text: str) -> str:
    """Return a message in one line, without folders and control characters, and not too long."""
    line = printable(" ".join(without_folders(text).split()))
    return (
        line
        if len(line) <= LAST_WORDS
        else f"{line[: LAST_WORDS // 2]} … {line[-LAST_WORDS // 2 :]}"
    )


class CellProcess:
    """A process with an `OCR`; a context manager that kills the process at its end.

    Attributes:
        name: The cell's name.
        providers: What each stage runs on, once an `OCR` is open.
    """

    def __init__(
        self,
        name: str,
        *,
        python: Path = Path(sys.executable),
        variables: Mapping[str, str] | None = None,
    ) -> None:
        """Start the process.

        Args:
            name: The cell's name, for errors.
            python: The Python that runs it.
            variables: Its environment variables; by default those of this process.
        """
        self.name = name
        self.providers: dict[str, str] = {}
        environment = os.environ if variables is None else variables
        self._lines = LineProcess([str(python), "-m", WORKER], environment)

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._lines.process.pid

    def __enter__(self) -> CellProcess:
        """Return the process."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Kill the process."""
        self._lines.kill()

    def ask(self, do: str, patience_s: float = PATIENCE_S, **arguments: Any) -> Any:
        """Let the process do something.

        Args:
            do: The name of the action.
            patience_s: Seconds after which the process is killed.
            arguments: The action's arguments.

        Returns:
            What the action returns.

        Raises:
            CellUnavailableError: The provider doesn't start.
            CellFailedError: The process ended, took too long or reported another error.
        """
        try:
            self._lines.send({"do": do, **arguments})
            answer = self._lines.receive(patience_s)
        except ProcessEndedError as error:
            raise CellFailedError(self._last_words(error, patience_s)) from None
        if "error" in answer:
            kind = CellUnavailableError if answer["unavailable"] else CellFailedError
            raise kind(brief(answer["error"]))
        return answer["done"]

    def ask_within(self, do: str, left_s: float, **arguments: Any) -> Any:
        """Let the process do something that takes as long as it takes, while there is time.

        Args:
            do: The name of the action.
            left_s: Seconds that are left.
            arguments: The action's arguments.

        Raises:
            OutOfTimeError: The time is over, and the process has been killed.
            CellUnavailableError: As for `ask`.
            CellFailedError: The process ended or reported another error.
        """
        try:
            return self.ask(do, left_s, **arguments)
        except CellFailedError as error:
            if self._lines.was_killed:
                words = do.replace("_", "-")
                raise OutOfTimeError(f"{words} took longer than the {left_s:.0f} s left") from error
            raise

    def read(self, picture: str) -> tuple[list[Line], dict[str, Any]]:
        """Let the process read a picture.

        Returns:
            The lines, and the answer with the times.

        Raises:
            CellFailedError: As for `ask`.
        """
        answer = self.ask("read", path=picture)
        return [Line.from_dict(each) for each in answer["lines"]], answer

    def read_all(self, pictures: Sequence[str]) -> list[list[Line]]:
        """Let the process read pictures one after the other, and return the lines of each."""
        return [self.read(each)[0] for each in pictures]

    def _last_words(self, error: ProcessEndedError, patience_s: float) -> str:
        if error.too_slow:
            said = error.ended.output.strip()
            return brief(
                f"it did not answer within {patience_s:g} s and was killed"
                + (f"; it printed: {said[-LAST_WORDS:]}" if said else "")
            )
        return brief(f"the process {error}")
