"""Remove folders from messages, so that a result that is published names no user."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path


def without_folders(text: str, known: Iterable[str] = ()) -> str:
    """Shorten absolute paths in a text to their last part.

    Args:
        text: A message.
        known: Paths to shorten even where they contain blanks, which no pattern can tell from the
            end of a path.

    Returns:
        The message with file names only.
    """
    for path in sorted({str(Path(each)) for each in known}, key=len, reverse=True):
        for spelling in (str(Path(path).absolute()), path):
            text = text.replace(spelling, Path(path).name or spelling)
    # Relative paths, words with a slash, and what follows the colon of a URL are kept.
    text = re.sub(r"(?<![\w./])(?!(?<=:)//)/(?:[^\s:'\",;()/]+/)+(?=[^\s/])", "", text)
    return re.sub(r"\b[A-Za-z]:\\(?:[^\s:'\",;()\\]+\\)+", "", text)
