"""Pages as ALTO 4.4: XML with the place of each block, line, word and, if known, character.

The schema is at https://www.loc.gov/standards/alto/v4/alto-4-4.xsd.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import IO, TYPE_CHECKING

import numpy as np

from ..outputs.encoding import encoded
from ..postprocess.geometry import Float32
from ..results.lines import Block, Character, Line, Word
from ..results.read_page import ReadPage
from ..version import __version__
from . import xml
from .divided import spaced_words
from .places import (
    Box,
    angle_of,
    baseline_of,
    blocks_in,
    box_of,
    finite_points,
    outline_of,
    runs_leftwards,
    share,
)

if TYPE_CHECKING:
    from ..images import Source

NAMESPACE = "http://www.loc.gov/standards/alto/ns-v4#"
SOFTWARE = "<softwareName>edgeocr</softwareName>"
BEGINNING = f"""\
<?xml version="1.0" encoding="UTF-8"?>
<alto xmlns="{NAMESPACE}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" \
xsi:schemaLocation="{NAMESPACE} http://www.loc.gov/standards/alto/v4/alto-4-4.xsd" \
SCHEMAVERSION="4.4">
 <Description>
  <MeasurementUnit>pixel</MeasurementUnit>
  <sourceImageInformation><fileName>{{source}}</fileName></sourceImageInformation>
  <Processing ID="edgeocr">
   <processingCategory>contentGeneration</processingCategory>
   <processingSoftware>{SOFTWARE}<softwareVersion>{__version__}</softwareVersion>\
</processingSoftware>
  </Processing>
 </Description>
 <Layout>
"""
END = " </Layout>\n</alto>\n"


class Writer:
    """An ALTO document with a `Page` for each picture."""

    def __init__(self, stream: IO[bytes]) -> None:
        """Begin the document; its beginning names the first picture, and is written with it.

        Args:
            stream: Where to write the document.
        """
        self._stream = stream
        self._pages = 0

    def add(self, page: ReadPage, picture: Source | None = None) -> None:
        """Add a page; the picture is not needed."""
        if not self._pages:
            self._stream.write(encoded(BEGINNING.format(source=xml.text(page.source))))
        self._pages += 1
        # The schema has one file name for the whole document: a comment names each picture.
        rows = [f"  {xml.comment(page.source)}", *_page(page, self._pages)]
        self._stream.write(encoded("\n".join(rows) + "\n"))

    def close(self) -> None:
        """Write the end of the document.

        Raises:
            ValueError: It has no page, which the schema demands.
        """
        if not self._pages:
            raise ValueError("an ALTO document needs at least one page")
        self._stream.write(encoded(END))


def write(pages: Iterable[ReadPage], stream: IO[bytes]) -> None:
    """Write pages as one ALTO document."""
    writer = Writer(stream)
    for page in pages:
        writer.add(page)
    writer.close()


def is_ours(start: bytes) -> bool:
    """Tell whether a file is an ALTO document that edgeocr wrote.

    Args:
        start: The first bytes of the file, or all of it.
    """
    return NAMESPACE.encode() in start and SOFTWARE.encode() in start


def _page(page: ReadPage, number: int) -> Iterator[str]:
    whole = Box(0, 0, page.width, page.height)
    # How the text is turned counter-clockwise is how it has to be turned back clockwise.
    head = xml.attributes(
        ID=f"page_{number}",
        PHYSICAL_IMG_NR=number,
        WIDTH=page.width,
        HEIGHT=page.height,
        ROTATION=page.rotation or None,
        PROCESSINGREFS="edgeocr",
    )
    yield f"  <Page{head}>"
    yield f"   <PrintSpace{_place(whole)}>"
    for i, block in enumerate(blocks_in(page), start=1):
        yield from _block(page, block, f"{number}_{i}")
    yield "   </PrintSpace>"
    yield "  </Page>"


def _block(page: ReadPage, block: Block, name: str) -> Iterator[str]:
    turned = {round(-angle_of(line) / 90) * 90 % 360 for line in block.lines}
    rotation = turned.pop() if len(turned) == 1 else page.rotation
    head = xml.attributes(ROTATION=rotation if rotation != page.rotation else None)
    yield f'    <TextBlock ID="block_{name}"{_place(box_of(block.quad, page))}{head}>'
    yield from _shape(outline_of(block), "     ")
    for i, line in enumerate(block.lines, start=1):
        yield from _line(page, line, f"{name}_{i}")
    yield "    </TextBlock>"


def _line(page: ReadPage, line: Line, name: str) -> Iterator[str]:
    words = list(spaced_words(line))
    boxes = [box_of(word.quad, page) for word, _ in words]
    direction = "rtl" if runs_leftwards(line.text) else None
    head = xml.attributes(BASELINE=_points(_baseline(line)), BASEDIRECTION=direction)
    yield f'     <TextLine ID="line_{name}"{_place(box_of(line.quad, page))}{head}>'
    yield from _shape(outline_of(line), "      ")
    if not words:  # the schema demands one
        yield f'      <String CONTENT=""{_place(box_of(line.quad, page))}/>'
    characters = _characters_of_words(line, [word for word, _ in words])
    for i, ((word, spaced), box) in enumerate(zip(words, boxes, strict=True)):
        yield from _string(page, word, box, characters[i], f"{name}_{i + 1}")
        if spaced:
            yield f"      <SP{_place(_between(box, boxes[i + 1]))}/>"
    yield "     </TextLine>"


def _string(
    page: ReadPage, word: Word, box: Box, characters: list[Character], name: str
) -> Iterator[str]:
    head = xml.attributes(CONTENT=word.text, WC=f"{share(word.score):.4g}")
    inside = list(_shape(outline_of(word), "       "))
    for each in characters:
        content = xml.attributes(CONTENT=each.text, GC=f"{share(each.score):.4g}")
        inside.append(f"       <Glyph{content}{_place(box_of(each.quad, page))}/>")
    start = f'      <String ID="word_{name}"{_place(box)}{head}'
    yield f"{start}>" if inside else f"{start}/>"
    yield from inside
    if inside:
        yield "      </String>"


def _characters_of_words(line: Line, words: list[Word]) -> list[list[Character]]:
    """Divide a line's characters among its words; a word that they don't spell gets none."""
    rest, found = list(line.characters), []
    for word in words:
        own = rest[: len(word.text)]
        spelled = "".join(each.text for each in own) == word.text
        found.append(own if spelled else [])
        rest = rest[len(word.text) :]
    return found


def _baseline(line: Line) -> Float32:
    """Return the line on which the text stands; along a curved line, it follows the words."""
    if line.polygon is None or len(line.words) < 2:
        return baseline_of(line).points
    # The whole line's text tells how far the baseline is above the lower side of each word.
    straight = [
        baseline_of(Line(line.text, word.score, word.quad, words=(word,))).points
        for word in line.words
    ]
    return np.concatenate(straight)


def _between(one: Box, other: Box) -> Box:
    """Return the place of the space between two words, at least one pixel wide and high."""
    left, right = sorted((one.left, one.right, other.left, other.right))[1:3]
    top, bottom = sorted((one.top, one.bottom, other.top, other.bottom))[1:3]
    return Box(left, top, max(right, left + 1), max(bottom, top + 1))


def _place(box: Box) -> str:
    return f' HPOS="{box.left}" VPOS="{box.top}" WIDTH="{box.width}" HEIGHT="{box.height}"'


def _shape(outline: Float32 | None, indent: str) -> Iterator[str]:
    if outline is not None:
        yield f'{indent}<Shape><Polygon POINTS="{_points(outline)}"/></Shape>'


def _points(points: Float32) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in finite_points(points))
