"""Tell a user what a long measurement is doing."""

from __future__ import annotations

import sys


def say(line: str) -> None:
    """Print a line of progress."""
    print(line, file=sys.stderr, flush=True)
