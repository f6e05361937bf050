"""A line on a terminal that shows the progress of a command."""

from __future__ import annotations

import shutil
import sys
import time

from .streams import tell, write_error

BAR_WIDTH = 24
# The rate and the time left are shown once this many pictures are done: the first one takes longer.
LEAST_DONE = 3


class ProgressLine:
    """A line of progress at the end of a terminal; without a terminal, nothing is written."""

    def __init__(self, *, enabled: bool = True) -> None:
        """Create the line without showing anything.

        Args:
            enabled: Whether to show the line if standard error is a terminal.
        """
        self._shown = enabled and sys.stderr.isatty()
        self._drawn = False
        self._began = time.monotonic()

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
            self._drawn = True

    def show_bar(self, done: int, total: int, text: str, *, skipped: int = 0) -> None:
        """Replace the line by a bar, the numbers that it stands for, the pace, and a text.

        Args:
            done: How many are done.
            total: How many there will be, as far as is known.
            text: What has just been done.
            skipped: How many of those that are done took no time.
        """
        bar = "█" * (done * BAR_WIDTH // total)
        pace = self._pace(done - skipped, total - done)
        self.show(f"{bar:·<{BAR_WIDTH}} {done}/{total} {pace}{text}")

    def print(self, text: str) -> None:
        """Print a text in a line of its own, above the progress."""
        self.clear()
        tell(text)

    def clear(self) -> None:
        """Leave the terminal's last line empty."""
        if self._drawn:
            write_error("\r\x1b[K")
            self._drawn = False

    def _pace(self, done: int, left: int) -> str:
        """Return the rate so far, and the time that is left at this rate."""
        seconds = time.monotonic() - self._began
        if done < LEAST_DONE or seconds <= 0:
            return ""
        rate = done / seconds
        shown = f"{rate:.1f}/s" if rate >= 1 else f"{1 / rate:.1f} s each"
        return f"{shown}, {duration(left / rate)} left " if left else f"{shown} "


def duration(seconds: float) -> str:
    """Return a duration as people say it, such as "40 s", "12 min" or "3 h 5 min"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
