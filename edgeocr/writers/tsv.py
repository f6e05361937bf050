"""Words as TSV, with tesseract's columns.

Each row is a page, block, paragraph, line or word (levels 1 to 5). A block has one paragraph.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import IO, TYPE_CHECKING

from ..outputs.encoding import encoded
from ..results.read_page import ReadPage
from .divided import words_of
from .places import Box, blocks_in, box_of, share

if TYPE_CHECKING:
    from ..images import Source

COLUMNS = (
    "level",
    "page_num",
    "block_num",
    "par_num",
    "line_num",
    "word_num",
    "left",
    "top",
    "width",
    "height",
    "conf",
    "text",
)


class Writer:
    """Rows of words; pages are counted from 1."""

    def __init__(self, stream: IO[bytes]) -> None:
        """Write the header.

        Args:
            stream: Where to write it and the rows.
        """
        self._stream = stream
        self._pages = 0
        self._stream.write(encoded("\t".join(COLUMNS) + "\n"))

    def add(self, page: ReadPage, picture: Source | None = None) -> None:
        """Add a page; the picture is not needed."""
        self._pages += 1
        number = self._pages
        rows = [_row(1, (number, 0, 0, 0, 0), Box(0, 0, page.width, page.height))]
        for i, block in enumerate(blocks_in(page), start=1):
            box = box_of(block.quad, page)
            rows.append(_row(2, (number, i, 0, 0, 0), box))
            rows.append(_row(3, (number, i, 1, 0, 0), box))
            for j, line in enumerate(block.lines, start=1):
                rows.append(_row(4, (number, i, 1, j, 0), box_of(line.quad, page)))
                rows += (
                    _row(
                        5,
                        (number, i, 1, j, k),
                        box_of(word.quad, page),
                        f"{100 * share(word.score):.6f}",
                        word.text,
                    )
                    for k, word in enumerate(words_of(line), start=1)
                )
        self._stream.write(encoded("".join(rows)))

    def close(self) -> None:
        """Do nothing: the rows are complete after each page."""


def write(pages: Iterable[ReadPage], stream: IO[bytes]) -> None:
    """Write the words of pages as TSV."""
    writer = Writer(stream)
    for page in pages:
        writer.add(page)


def is_ours(start: bytes) -> bool:
    """Return False: tesseract's files look the same."""
    return False


def _row(
    level: int, numbers: tuple[int, ...], box: Box, confidence: str = "-1", text: str = ""
) -> str:
    place = (box.left, box.top, box.width, box.height)
    # Tesseract's files have no way to write a tab or a newline inside a text.
    return "\t".join(map(str, (level, *numbers, *place, confidence, " ".join(text.split())))) + "\n"
