"""A line on a terminal that shows the progress of a command."""

from __future__ import annotations

import shutil
from typing import TextIO

BAR_WIDTH = 24


class ProgressLine:
    """A line of progress at the end of a terminal; without a terminal, nothing is written."""

    def __init__(self, stream: TextIO, *, enabled: bool = True) -> None:
        """Create the line without showing anything.

        Args:
            stream: Where to write, usually standard error.
            enabled: Whether to show the line if the stream is a terminal.
        """
        self._stream = stream
        self._shown = enabled and stream.isatty()

    def __enter__(self) -> ProgressLine:
        """Return the line itself."""
        return self

    def __exit__(self, *exception: object) -> None:
        """Clear the line."""
        self.clear()

    def show(self, text: str) -> None:
        """Replace the line by a text, which is cut to the terminal's width."""
        if self._shown:
            width = shutil.get_terminal_size().columns - 1
            self._stream.write(f"\r\x1b[K{text:.{max(1, width)}}")
            self._stream.flush()

    def show_bar(self, done: int, total: int, text: str) -> None:
        """Replace the line by a bar, the numbers that it stands for, and a text."""
        bar = "█" * (done * BAR_WIDTH // total)
        self.show(f"{bar:·<{BAR_WIDTH}} {done}/{total} {text}")

    def print(self, text: str) -> None:
        """Print a text in a line of its own, above the progress."""
        self.clear()
        print(text, file=self._stream)

    def clear(self) -> None:
        """Leave the terminal's last line empty."""
        if self._shown:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
