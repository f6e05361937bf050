"""Lines as labels of PaddleOCR: a `Label.txt`, or a `Cache.cach`, as PPOCRLabel opens it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from typing import IO, TYPE_CHECKING

from ..outputs.encoding import encoded
from ..results.lines import Line
from ..results.read_page import ReadPage
from .places import finite_points

if TYPE_CHECKING:
    from ..images import Source

# PPOCRLabel replaces these words in a row before it evaluates the row as Python, even inside texts.
# An escape that means the same in JSON and in Python hides them.
_JSON_WORDS = {"false": "\\u0066alse", "true": "\\u0074rue", "null": "\\u006eull"}
# A tab or a newline in a name would make the whole file unreadable.
_ESCAPES = str.maketrans({"\t": "\\t", "\n": "\\n", "\r": "\\r"})


class Writer:
    """A row for each picture: its name, a tab, and its lines as JSON."""

    def __init__(self, stream: IO[bytes]) -> None:
        """Begin with no rows.

        Args:
            stream: Where to write them.
        """
        self._stream = stream

    def add(self, page: ReadPage, picture: Source | None = None) -> None:
        """Add a page; the picture is not needed."""
        labels = ", ".join(_label(line) for line in page.lines)
        self._stream.write(encoded(f"{name_of(page.source)}\t[{labels}]\n"))

    def close(self) -> None:
        """Do nothing: the rows are complete after each picture."""


def write(pages: Iterable[ReadPage], stream: IO[bytes]) -> None:
    """Write a row for each page."""
    writer = Writer(stream)
    for page in pages:
        writer.add(page)


def is_ours(start: bytes) -> bool:
    """Return False: labels that a person has corrected look the same."""
    return False


def name_of(source: str) -> str:
    """Return what PPOCRLabel calls a picture: the names of its folder and of its file.

    Args:
        source: The picture's path, or another name that a page has.
    """
    path = os.path.abspath(source)  # noqa: PTH100 - a link keeps its own name
    folder = os.path.basename(os.path.dirname(path))  # noqa: PTH119, PTH120
    return f"{folder}/{os.path.basename(path)}".translate(_ESCAPES)  # noqa: PTH119


def _label(line: Line) -> str:
    outline = line.quad if line.polygon is None else line.polygon
    points = [[round(x), round(y)] for x, y in finite_points(outline)]
    return (
        f'{{"transcription": {_quoted(line.text)}, "points": {json.dumps(points)}, '
        '"difficult": false}'
    )


def _quoted(text: str) -> str:
    written = json.dumps(text, ensure_ascii=False)
    for word, hidden in _JSON_WORDS.items():
        written = written.replace(word, hidden)
    return written
