"""Pages of PDF files whose own text is taken instead of being recognized."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

import numpy as np

from ..documents import text_layer
from ..documents.pdf import PdfPage
from ..documents.text_layer import Glyph, GlyphLine
from ..errors import ImageError
from ..images import Frame, Source, named
from ..layout import Layout
from ..page import Page
from ..postprocess.geometry import Float32
from ..postprocess.words import is_cjk, spans_of_words
from ..results.lines import Character, Line, Word, blocks_of, quads_of
from ..runtime.stopwatch import Stopwatch
from .words import Detail

logger = logging.getLogger(__name__)

# What `Page.providers` says of a page that was not recognized.
PROVIDERS = {"pdf": "text layer"}
# The score of a text that was not recognized.
CERTAIN = 1.0


def page_of(
    source: Source,
    analyse: Callable[..., Layout],
    detail: Detail | None = None,
) -> Page | None:
    """Return a page with the text that a page of a PDF file holds, where that is to be taken.

    Args:
        source: A source of `OCR.read`.
        analyse: Puts quads into reading order, as `layout.analyse` does.
        detail: What the lines are given: words, or characters, too.

    Returns:
        The page; None where the source must be recognized.

    Raises:
        DocumentError: The page can't be opened.
    """
    if not isinstance(source, Frame) or not isinstance(source.held, PdfPage):
        return None
    use = source.held.options.text
    if use == "never":
        return None
    watch = Stopwatch()
    try:
        with watch("load"):
            layer = text_layer.read(source.held)
    except ImageError as error:
        raise named(error, source.name) from error.__cause__
    if use == "auto" and layer.doubt is not None:
        logger.info("%s: the text layer is not taken: %s", source.name, layer.doubt)
        return None
    lines = [_line(each, detail) for each in layer.lines]
    with watch("layout"):
        layout = analyse(quads_of(lines), texts=[line.text for line in lines])
        blocks = blocks_of(lines, layout.blocks, layout.slant)
    return Page(
        source.name,
        layer.width,
        layer.height,
        tuple(line for block in blocks for line in block.lines),
        watch.milliseconds,
        dict(PROVIDERS),
        blocks,
        frames=source.count,
    )


def _line(line: GlyphLine, detail: Detail | None) -> Line:
    text, glyphs = line.text, line.glyphs
    placed = [glyph for glyph in glyphs if glyph.quad is not None]
    wanted = detail == "characters" or (detail == "words" and any(map(is_cjk, text)))
    return Line(
        text,
        CERTAIN,
        _around(placed, line),
        words=tuple(
            Word(text[begin:end], CERTAIN, _around(glyphs[begin:end], line))
            for begin, end in (spans_of_words(text) if detail else ())
        ),
        characters=tuple(
            Character(each.text, CERTAIN, _around([each], line))
            for each in (placed if wanted else ())
        ),
    )


def _around(glyphs: Sequence[Glyph], line: GlyphLine) -> Float32:
    """Return the corners of a rectangle in the line's direction around some characters."""
    points = np.concatenate([glyph.quad for glyph in glyphs if glyph.quad is not None])
    # The second corner of a character is to the right of the first one as it is read, the fourth
    # one is below it.
    along = line.along
    down = np.sum([glyph.quad[3] - glyph.quad[0] for glyph in glyphs if glyph.quad is not None], 0)
    across = np.array([-along[1], along[0]])
    if across @ down < 0:
        across = -across
    x, y = points @ along, points @ across
    corners = [(x.min(), y.min()), (x.max(), y.min()), (x.max(), y.max()), (x.min(), y.max())]
    return np.array([a * along + b * across for a, b in corners], np.float32)
