"""Pages as hOCR 1.2: XHTML with the place of each block, line and word.

The format is described at https://kba.github.io/hocr-spec/1.2/.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import IO, TYPE_CHECKING

from ..outputs.encoding import encoded
from ..results.lines import Block, Line
from ..results.read_page import ReadPage
from ..version import __version__
from . import xml
from .divided import spaced_words
from .places import Box, baseline_of, blocks_in, box_of, percent, runs_leftwards

if TYPE_CHECKING:
    from ..images import Source

SYSTEM = '<meta name="ocr-system" content="edgeocr '
BEGINNING = f"""\
<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" \
"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">
<html xmlns="http://www.w3.org/1999/xhtml">
 <head>
  <title>Text read by edgeocr</title>
  <meta http-equiv="Content-Type" content="text/html; charset=utf-8"/>
  {SYSTEM}{__version__}"/>
  <meta name="ocr-capabilities" content="ocr_page ocr_carea ocr_par ocr_line ocrx_word ocrp_dir"/>
 </head>
 <body>
"""
END = " </body>\n</html>\n"


class Writer:
    """An hOCR document with a page for each picture."""

    def __init__(self, stream: IO[bytes]) -> None:
        """Write the beginning of the document.

        Args:
            stream: Where to write the document.
        """
        self._stream = stream
        self._pages = 0
        self._stream.write(encoded(BEGINNING))

    def add(self, page: ReadPage, picture: Source | None = None) -> None:
        """Add a page; the picture is not needed."""
        self._pages += 1
        self._stream.write(encoded("\n".join(_page(page, self._pages)) + "\n"))

    def close(self) -> None:
        """Write the end of the document."""
        self._stream.write(encoded(END))


def write(pages: Iterable[ReadPage], stream: IO[bytes]) -> None:
    """Write pages as one hOCR document."""
    writer = Writer(stream)
    for page in pages:
        writer.add(page)
    writer.close()


def is_ours(start: bytes) -> bool:
    """Tell whether a file is an hOCR document that edgeocr wrote.

    Args:
        start: The first bytes of the file, or all of it.
    """
    return SYSTEM.encode() in start


def _page(page: ReadPage, number: int) -> Iterator[str]:
    # hOCR has no escape for a quotation mark inside a quoted name.
    picture = page.source.replace('"', "%22")
    title = f'image "{picture}"; {_bbox(Box(0, 0, page.width, page.height))}; ppageno {number - 1}'
    yield f'  <div class="ocr_page" id="page_{number}" title={xml.quoted(title)}>'
    for i, block in enumerate(blocks_in(page), start=1):
        yield from _block(page, block, f"{number}_{i}")
    yield "  </div>"


def _block(page: ReadPage, block: Block, name: str) -> Iterator[str]:
    title = xml.quoted(_bbox(box_of(block.quad, page)))
    direction = _direction(" ".join(line.text for line in block.lines))
    yield f'   <div class="ocr_carea" id="block_{name}" title={title}>'
    yield f'    <p class="ocr_par" id="par_{name}" title={title}{direction}>'
    for i, line in enumerate(block.lines, start=1):
        yield _line(page, line, f"{name}_{i}")
    yield "    </p>"
    yield "   </div>"


def _line(page: ReadPage, line: Line, name: str) -> str:
    base = baseline_of(line)
    # As tesseract writes it: some readers want a whole number of pixels, and no exponent.
    title = f"{_bbox(box_of(line.quad, page))}; baseline {base.slope:.3f} {base.offset:.0f}"
    title += f"; x_size {base.size:.1f}"
    if base.quarter_turns:
        # hOCR's angle is counter-clockwise.
        title += f"; textangle {360 - 90 * base.quarter_turns}"
    words = []
    for i, (word, spaced) in enumerate(spaced_words(line), start=1):
        place = xml.quoted(f"{_bbox(box_of(word.quad, page))}; x_wconf {percent(word.score)}")
        words.append(f'<span class="ocrx_word" id="word_{name}_{i}" title={place}>')
        words.append(f"{xml.text(word.text)}</span>{' ' if spaced else ''}")
    return (
        f'     <span class="ocr_line" id="line_{name}" title={xml.quoted(title)}'
        f"{_direction(line.text)}>{''.join(words)}</span>"
    )


def _bbox(box: Box) -> str:
    return f"bbox {box.left} {box.top} {box.right} {box.bottom}"


def _direction(text: str) -> str:
    return ' dir="rtl"' if runs_leftwards(text) else ""
