"""Pages as Markdown: headings, paragraphs and tables where the page clearly has them, else rows.

It is CommonMark with the tables of GitHub's dialect.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import IO, TYPE_CHECKING

import numpy as np

from ..errors import escaped
from ..outputs.encoding import encoded
from ..results.lines import Line
from ..results.read_page import ReadPage
from .level_block import LevelBlock
from .paragraphs import joined, width_of
from .places import blocks_in
from .several import whether_several

if TYPE_CHECKING:
    from ..images import Source

# A block is a heading if it has one or two lines that are this many times as high as body text; at
# the second number, it is a heading of the first level.
HEADING, TITLE = 1.5, 2.2
HEADING_LINES = 2
# Body text is the largest set of lines whose heights differ by no more than the share ALIKE. If it
# has less than the share BODY of the page's characters, the page has no body text and no headings.
ALIKE, BODY = 0.25, 0.5
# A line that ends with a backslash goes on in a new line of the same paragraph.
BREAK = "\\\n"

# Characters that mean something wherever they stand, and marks that do at the beginning of a line:
# those of headings, lists and rows below a table's head, underlines, and numbers of lists.
_ANYWHERE = re.compile(r"[\\`*_\[\]<>|~]|&(?=#?\w+;)|!(?=\[)")
_FIRST = re.compile(
    r"^(?:#(?=#{0,5}(?: |$))|[+-](?= |$)|[:-](?=-*:?$)|=(?==*$)|\d{1,9}(?=[.)](?: |$)))"
)


class Writer:
    """A Markdown document; with several pictures, each has a heading with its name."""

    def __init__(self, stream: IO[bytes], *, several: bool = False) -> None:
        """Begin a document.

        Args:
            stream: Where to write it.
            several: Whether each picture gets a heading.
        """
        self._stream = stream
        self._several = several
        self._begun = False

    def add(self, page: ReadPage, picture: Source | None = None) -> None:
        """Add a page; the picture is not needed."""
        parts = [_heading(1, escaped(page.source))] if self._several else []
        parts += _blocks(page, level=2 if self._several else 1)
        if parts:
            start = "\n" if self._begun else ""
            self._stream.write(encoded(start + "\n\n".join(parts) + "\n"))
            self._begun = True

    def close(self) -> None:
        """Do nothing: the document is complete after each page."""


def write(pages: Iterable[ReadPage], stream: IO[bytes]) -> None:
    """Write pages as one Markdown document."""
    several, pages = whether_several(pages)
    writer = Writer(stream, several=several)
    for page in pages:
        writer.add(page)


def is_ours(start: bytes) -> bool:
    """Return False: text does not show who wrote it."""
    return False


def inline(text: str) -> str:
    """Escape what Markdown would interpret anywhere in a line, and put the text into one line.

    What it would interpret only at the beginning of a line stays as it is.

    Args:
        text: Any text.
    """
    return _ANYWHERE.sub(r"\\\g<0>", " ".join(text.split()))


def _blocks(page: ReadPage, level: int) -> Iterator[str]:
    """Yield each heading, paragraph and table of a page.

    Args:
        page: The page.
        level: The level of the page's most important headings, from 1.
    """
    body = _body_height(page.lines)
    for block in blocks_in(page):
        lines = [line for line in block.lines if line.text.strip()]
        size = _size(lines) / body if lines and body else 0.0
        if size >= HEADING and len(lines) <= HEADING_LINES:
            text = " ".join(line.text for line in lines)
            yield _heading(level if size >= TITLE else level + 1, text)
        elif lines:
            yield from _parts(LevelBlock.of(lines))


def _heading(level: int, text: str) -> str:
    # Number signs at the end of a heading would not be shown.
    return "#" * level + " " + inline(text).replace("#", r"\#")


def _parts(block: LevelBlock) -> Iterator[str]:
    """Yield the tables of a block, and the paragraphs between them."""
    rest: list[list[int]] = []
    for rows, table in _with_tables(block):
        if table is None:
            rest += rows
            continue
        if rest:
            yield _paragraph(block, rest)
            rest = []
        yield _table(block, table)
    if rest:
        yield _paragraph(block, rest)


def _with_tables(
    block: LevelBlock,
) -> Iterator[tuple[list[list[int]], list[list[int | None]] | None]]:
    """Yield the rows of a block in groups, each with the table that it forms, or with None."""
    rows = block.rows()
    start = 0
    while start < len(rows):
        if len(rows[start]) < 2:
            yield [rows[start]], None
            start += 1
            continue
        best, taken = _longest_table(block, rows, start)
        yield rows[start:taken], best
        start = taken


def _longest_table(
    block: LevelBlock, rows: list[list[int]], start: int
) -> tuple[list[list[int | None]] | None, int]:
    """Return the longest table that begins at a row, if there is one, and the row that ends it.

    A row with a single cell belongs to the table if a further row follows it.
    """
    ends, end = [], start + 1
    while end < len(rows) and len(rows[end]) + len(rows[end - 1]) > 2:
        end += 1
        if len(rows[end - 1]) > 1:
            ends.append(end)
    # Most tables end where their rows of cells do. Where they don't, the longest one is searched
    # for by halves: pages may have thousands of rows.
    low, high, best, taken = 0, len(ends), None, start + 1
    tried = high - 1
    while low < high:
        table = block.table(rows[start : ends[tried]])
        if table is not None:
            best, taken, low = table, ends[tried], tried + 1
        else:
            high = tried
        tried = (low + high) // 2
    return best, taken


def _table(block: LevelBlock, table: Sequence[Sequence[int | None]]) -> str:
    rows = [
        "| " + " | ".join("" if i is None else inline(block.lines[i].text) for i in row) + " |"
        for row in table
    ]
    rows.insert(1, "|" + " --- |" * len(table[0]))
    return "\n".join(rows)


def _paragraph(block: LevelBlock, rows: Sequence[Sequence[int]]) -> str:
    if all(len(row) == 1 for row in rows):
        texts = joined(block, [i for row in rows for i in row])
    else:
        texts = [" ".join(block.lines[i].text for i in row) for row in rows]
    return BREAK.join(map(_line, texts))


def _body_height(lines: Sequence[Line]) -> float | None:
    """Return the height of body text in pixels, or None if there is none."""
    if not lines:
        return None
    heights = np.array([_height(line) for line in lines])
    weights = np.array([width_of(line.text) for line in lines], np.float64)
    alike = np.abs(heights[:, None] - heights) <= ALIKE * heights[:, None]
    shares = alike @ weights / max(weights.sum(), 1.0)
    best = int(np.argmax(shares))
    if shares[best] < BODY or alike[best].sum() < 3:
        return None
    return float(np.median(heights[alike[best]])) or None


def _size(lines: Sequence[Line]) -> float:
    return float(np.median([_height(line) for line in lines]))


def _height(line: Line) -> float:
    """Return how high the text of a line is, in pixels."""
    sides = np.linalg.norm(line.quad[[1, 2]] - line.quad[[0, 1]], axis=1)
    return float(np.nan_to_num(sides.min(), posinf=0))


def _line(text: str) -> str:
    """Return a text as a line of its own, with escapes before what Markdown would interpret."""
    return _FIRST.sub(_escaped_mark, inline(text), count=1)


def _escaped_mark(found: re.Match[str]) -> str:
    """Escape a mark that begins a line; of a list's number, the dot behind it is escaped."""
    mark = found.group()
    return f"{mark}\\" if mark[0].isdecimal() else f"\\{mark}"
