"""Pages of PDF files whose own text is taken instead of being recognized."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from math import radians

import numpy as np

from ..documents import text_layer
from ..documents.pdf import PdfPage
from ..documents.text_layer import Glyph, GlyphLine, TextLayer
from ..errors import ImageError
from ..images import Frame, Source, named
from ..layout import Layout
from ..page import Page
from ..postprocess.geometry import Float32, clockwise
from ..postprocess.words import is_cjk, spans_of_words
from ..results.lines import Block, Character, Line, Word, blocks_of, quads_of
from ..runtime.stopwatch import Stopwatch
from .words import Detail

logger = logging.getLogger(__name__)

# What `Page.providers` says of a page that was not recognized.
PROVIDERS = {"pdf": "text layer"}
# The score of a text that was not recognized.
CERTAIN = 1.0
# A line is read from the bottom up if its direction, of length 1, points up by more than this.
UPWARDS = 0.7


def page_of(
    source: Source,
    analyse: Callable[..., Layout],
    detail: Detail | None = None,
) -> Page | None:
    """Return the result for a page of a PDF file, if the page's own text is to be taken.

    Args:
        source: A source of `OCR.read`.
        analyse: Puts quads into reading order, as `layout.analyse` does.
        detail: What the lines are given: words, or characters, too.

    Returns:
        The result; None if the source must be recognized.

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
        rotation = _rotation(layer.lines)
        blocks = _blocks(layer, lines, analyse, rotation)
    return Page(
        source.name,
        layer.width,
        layer.height,
        tuple(line for block in blocks for line in block.lines),
        watch.milliseconds,
        dict(PROVIDERS),
        blocks,
        rotation,
        frames=source.count,
    )


def _rotation(lines: Sequence[GlyphLine]) -> int:
    """Return by how many degrees the page must be turned clockwise so that most text is upright."""
    votes = dict.fromkeys((0, 90, 180, 270), 0)
    for line in lines:
        x, y = line.along
        votes[(0 if x > 0 else 180) if abs(x) >= abs(y) else 90 if y < 0 else 270] += len(
            line.glyphs
        )
    return max(votes, key=lambda rotation: votes[rotation])


def _blocks(
    layer: TextLayer, lines: Sequence[Line], analyse: Callable[..., Layout], rotation: int
) -> tuple[Block, ...]:
    """Put lines into reading order, on the page turned upright, as is done with pictures."""
    turn = partial(_turned, rotation=rotation, width=layer.width, height=layer.height)
    sides = (layer.width, layer.height) if rotation in (0, 180) else (layer.height, layer.width)
    turn_back = partial(_turned, rotation=-rotation % 360, width=sides[0], height=sides[1])
    quads = clockwise(turn(quads_of(lines)))
    upwards = []
    for line in layer.lines:
        x, y = line.along
        upwards.append({0: y, 90: x, 180: -y, 270: -x}[rotation] < -UPWARDS)
    layout = analyse(quads, texts=[line.text for line in lines], upwards=upwards)
    placed = [replace(line, quad=turn_back(quad)) for line, quad in zip(lines, quads, strict=True)]
    return blocks_of(placed, layout.blocks, layout.slant - radians(rotation))


def _turned(points: Float32, *, rotation: int, width: int, height: int) -> Float32:
    """Return where points, float32 [..., 2], are once a page of this size is turned clockwise."""
    x, y = points[..., 0], points[..., 1]
    if rotation == 90:
        x, y = height - y, x
    elif rotation == 180:
        x, y = width - x, height - y
    elif rotation == 270:
        x, y = y, width - x
    return np.stack([x, y], axis=-1)


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
