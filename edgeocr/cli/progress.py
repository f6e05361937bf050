"""A line on a terminal that shows the progress of a command."""

from __future__ import annotations

import shutil
import sys

from .streams import tell, write_error

BAR_WIDTH = 24


class ProgressLine:
    """A line of progress at the end of a terminal; without a terminal, nothing is written."""

    def __init__(self, *, enabled: bool = True) -> None:
        """Create the line without showing anything.

        Args:
            enabled: Whether to show the line if standard error is a terminal.
        """
        self._shown = enabled and sys.stderr.isatty()

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
            write_error(f"\r\x1b[K{text:.{max(1, width)}}")

    def show_bar(self, done: int, total: int, text: str) -> None:
        """Replace the line by a bar, the numbers that it stands for, and a text."""
        bar = "█" * (done * BAR_WIDTH // total)
        self.show(f"{bar:·<{BAR_WIDTH}} {done}/{total} {text}")

    def print(self, text: str) -> None:
        """Print a text in a line of its own, above the progress."""
        self.clear()
        tell(text)

    def clear(self) -> None:
        """Leave the terminal's last line empty."""
        if self._shown:
            write_error("\r\x1b[K")
