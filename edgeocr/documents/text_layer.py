"""The text that a PDF page holds as characters, and whether that is the page's whole text."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from ctypes import byref, c_double, c_float
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DocumentError
from .pdf import PdfPage
from .pdfium import OpenPage, opened_page

# The most characters of a page that are looked at. A page of a dictionary has 10 000.
MOST_CHARACTERS = 200_000
# A line ends where the next character stands farther away than GAP along the line or RISE across
# it, in font sizes, or where the cosine of the angle between the directions of both is below
# SAME_DIRECTION. A word space of justified text is below 1, a superscript is raised by half a font
# size.
GAP, RISE, SAME_DIRECTION = 2.0, 0.7, 0.98
# How far a font reaches above and below its baseline, in font sizes, where the text slants and
# PDFium gives upright boxes only.
ASCENT, DESCENT = 0.8, 0.2
# A text layer is taken for the whole text of its page if no more than these shares of its
# characters are wrong or invisible, and if pictures, which may show further text, cover no more
# than this share of the page.
MOST_WRONG, MOST_INVISIBLE, MOST_PICTURES = 0.01, 0.01, 0.1
# The most objects of a page among which pictures are looked for.
MOST_OBJECTS = 20_000
# PDFium's code for a hyphen at the end of a line.
HYPHEN = 2
# Modes of drawing text that leave it invisible: neither filled nor stroked.
INVISIBLE_MODES = (3, 7)
Float64 = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Glyph:
    """A character where it stands on the rendered page.

    Attributes:
        text: The character.
        quad: float64 [4, 2], the corners in pixels, clockwise from the top left of the character
            as it is read; None for a space.
    """

    text: str
    quad: Float64 | None


@dataclass(frozen=True, eq=False)
class GlyphLine:
    """A line of a page's text.

    Attributes:
        glyphs: The characters in the order of reading, without spaces at the ends.
        along: float64 [2], the direction of the line in pixels, with length 1.
    """

    glyphs: tuple[Glyph, ...]
    along: Float64

    @property
    def text(self) -> str:
        """The text of the line."""
        return "".join(glyph.text for glyph in self.glyphs)


@dataclass(frozen=True, eq=False)
class TextLayer:
    """The text of a page.

    Attributes:
        width: Width of the rendered page in pixels.
        height: Its height in pixels.
        lines: The lines in the order in which the file has them.
        doubt: Why this may not be the page's whole text, or not its right text; None where nothing
            speaks against it.
    """

    width: int
    height: int
    lines: tuple[GlyphLine, ...]
    doubt: str | None


@dataclass(frozen=True, eq=False)
class _Characters:
    """The characters of a page other than spaces, in the order of the file, in pixels.

    Attributes:
        texts: The characters.
        origins: float64 [N, 2], where their baselines begin.
        along, up: float64 [N, 2], directions of length 1 in which the text runs, and in which
            letters stand up.
        sizes: float64 [N], the font sizes.
        boxes: float64 [N, 4, 2], corners of upright boxes around them.
    """

    texts: list[str]
    origins: Float64
    along: Float64
    up: Float64
    sizes: Float64
    boxes: Float64


def read(page: PdfPage) -> TextLayer:
    """Return the text layer of a page.

    Raises:
        DocumentError: The page can't be opened, or has too many characters.
    """
    with opened_page(page.file, page.number, page.options.password) as opened:
        raw = opened.raw
        width, height = page.size_of(opened)
        to_pixels = _to_pixels(opened, width, height)
        text = raw.FPDFText_LoadPage(opened.handle)
        if not text:
            raise DocumentError("PDFium can't read the text of the page: the document is damaged")
        try:
            rows, texts, numbers, doubtful = _characters_of(raw, text)
        finally:
            raw.FPDFText_ClosePage(text)
        found = _in_pixels(texts, numbers, to_pixels)
        centres = found.boxes.mean(axis=1)
        inside = ((centres >= 0) & (centres <= (width, height))).all(axis=1)
        doubt = _doubt(doubtful[inside]) or _doubt_of_page(opened)
    rows = [[each for each in row if each is None or inside[each]] for row in rows]
    joined = _joined(found, rows)
    lines = tuple(_line(found, part) for row in rows for part in _parts(row, joined))
    return TextLayer(width, height, lines, doubt)


def _characters_of(
    raw: Any, text: Any
) -> tuple[list[list[int | None]], list[str], Float64, NDArray[np.bool_]]:
    """Ask PDFium for the characters of a page.

    Returns:
        The rows, as indices of characters, None for a space; the characters; float64 [N, 11], the
        numbers of each one's matrix (4), its origin (2), its box (4) and its font size in units of
        the page; bool [N, 2], whether it is not drawn, and whether its meaning isn't known.

    Raises:
        DocumentError: There are too many.
    """
    count = raw.FPDFText_CountChars(text)
    if count > MOST_CHARACTERS:
        raise DocumentError(f"the page has more than {MOST_CHARACTERS} characters")
    matrix, loose = raw.FS_MATRIX(), raw.FS_RECTF()
    x, y, left, right, bottom, top = (c_double() for _ in range(6))
    rows: list[list[int | None]] = [[]]
    texts: list[str] = []
    numbers: list[tuple[float, ...]] = []
    doubtful: list[tuple[bool, bool]] = []
    for index in range(count):
        code = raw.FPDFText_GetUnicode(text, index)
        if code in (10, 13):
            rows.append([])
            continue
        character = _character(code)
        if character.isspace():
            rows[-1].append(None)
            continue
        raw.FPDFText_GetMatrix(text, index, matrix)
        raw.FPDFText_GetCharOrigin(text, index, x, y)
        # The loose box has the height of the font, which some files state too low.
        raw.FPDFText_GetLooseCharBox(text, index, loose)
        raw.FPDFText_GetCharBox(text, index, left, right, bottom, top)
        shown = raw.FPDFText_GetTextObject(text, index)
        mode = raw.FPDFTextObj_GetTextRenderMode(shown) if shown else 0
        wrong = raw.FPDFText_HasUnicodeMapError(text, index) == 1 or _is_wrong(character)
        rows[-1].append(len(texts))
        texts.append(character)
        doubtful.append((mode in INVISIBLE_MODES, wrong))
        numbers.append(
            (
                *(matrix.a, matrix.b, matrix.c, matrix.d),
                *(x.value, y.value),
                *(min(loose.left, left.value), min(loose.bottom, bottom.value)),
                *(max(loose.right, right.value), max(loose.top, top.value)),
                raw.FPDFText_GetFontSize(text, index),
            )
        )
    return (
        rows,
        texts,
        np.array(numbers, np.float64).reshape(-1, 11),
        np.array(doubtful, bool).reshape(-1, 2),
    )


def _to_pixels(page: OpenPage, width: int, height: int) -> Float64:
    """Return the matrix, float64 [2, 3], from units of the page to pixels."""
    corners = []
    for x, y in ((0, 0), (width, 0), (0, height)):
        found = c_double(), c_double()
        page.raw.FPDF_DeviceToPage(
            page.handle, 0, 0, width, height, 0, x, y, *(byref(each) for each in found)
        )
        corners.append([each.value for each in found])
    start, right, below = np.array(corners)
    back = np.stack([(right - start) / width, (below - start) / height], axis=1)
    if not np.isfinite(back).all() or not np.linalg.det(back):
        raise DocumentError("the page has no size: the document is damaged")
    linear = np.linalg.inv(back)
    return np.column_stack([linear, -linear @ start])


def _in_pixels(texts: list[str], numbers: Float64, to_pixels: Float64) -> _Characters:
    """Return characters in pixels, from the numbers that `_characters_of` returns."""
    linear, moved = to_pixels[:, :2], to_pixels[:, 2]
    up = numbers[:, 2:4] @ linear.T
    left, bottom, right, top = numbers[:, 6:10].T
    corners = np.stack([(left, top), (right, top), (right, bottom), (left, bottom)])
    return _Characters(
        texts,
        numbers[:, 4:6] @ linear.T + moved,
        _unit(numbers[:, :2] @ linear.T, (1.0, 0.0)),
        _unit(up, (0.0, -1.0)),
        np.maximum(numbers[:, 10] * np.hypot(*up.T), 1e-3),
        corners.transpose(2, 0, 1) @ linear.T + moved,
    )


def _unit(vectors: Float64, default: tuple[float, float]) -> Float64:
    """Return vectors [N, 2] with length 1; a default in place of those without a direction."""
    lengths = np.hypot(*vectors.T)
    usable = np.isfinite(lengths) & (lengths > 0)
    return np.where(usable[:, None], vectors / np.where(usable, lengths, 1)[:, None], default)


def _character(code: int) -> str:
    """Return the character for PDFium's code, without control characters and halves of pairs."""
    if code == HYPHEN:
        return "-"
    character = chr(code)
    unusable = unicodedata.category(character) in ("Cc", "Cs") and not character.isspace()
    return "\N{REPLACEMENT CHARACTER}" if unusable else character


def _is_wrong(character: str) -> bool:
    """Tell whether a character has no known meaning: a private or a replacement character."""
    return character == "\N{REPLACEMENT CHARACTER}" or unicodedata.category(character) in (
        "Co",
        "Cn",
    )


def _doubt(doubtful: NDArray[np.bool_]) -> str | None:
    """Say what speaks against characters, bool [N, 2]: not drawn, without a known meaning."""
    if not len(doubtful):
        return "it has no text"
    invisible, wrong = doubtful.mean(axis=0)
    if wrong > MOST_WRONG:
        return "characters of its text have no known meaning"
    if invisible > MOST_INVISIBLE:
        return "its text is invisible, as over a scanned picture"
    return None


def _doubt_of_page(page: OpenPage) -> str | None:
    """Say what else on a page may show text that its text layer lacks."""
    raw, handle = page.raw, page.handle
    for index in range(min(raw.FPDFPage_GetAnnotCount(handle), MOST_OBJECTS)):
        annotation = raw.FPDFPage_GetAnnot(handle, index)
        if annotation:
            kind = raw.FPDFAnnot_GetSubtype(annotation)
            raw.FPDFPage_CloseAnnot(annotation)
            if kind not in (raw.FPDF_ANNOT_LINK, raw.FPDF_ANNOT_POPUP):
                return "it has annotations or form fields"
    if raw.FPDFPage_CountObjects(handle) > MOST_OBJECTS:
        return "it has too many objects"
    width, height = page.size
    covered = 0.0
    for index in range(raw.FPDFPage_CountObjects(handle)):
        object_ = raw.FPDFPage_GetObject(handle, index)
        if _shows_picture(raw, object_):
            sides = [c_float() for _ in range(4)]
            raw.FPDFPageObj_GetBounds(object_, *(byref(each) for each in sides))
            left, bottom, right, top = (each.value for each in sides)
            covered += abs((right - left) * (top - bottom))
    if not covered <= MOST_PICTURES * width * height:
        return "pictures cover a part of it"
    return None


def _shows_picture(raw: Any, object_: Any, depth: int = 8) -> bool:
    kind = raw.FPDFPageObj_GetType(object_)
    if kind == raw.FPDF_PAGEOBJ_IMAGE:
        return True
    if kind != raw.FPDF_PAGEOBJ_FORM:
        return False
    count = raw.FPDFFormObj_CountObjects(object_)
    if not depth or count > MOST_OBJECTS:
        return True
    return any(
        _shows_picture(raw, raw.FPDFFormObj_GetObject(object_, index), depth - 1)
        for index in range(count)
    )


def _joined(found: _Characters, rows: Sequence[Sequence[int | None]]) -> NDArray[np.bool_]:
    """Return which characters [N] belong to the same line as the one before them in their row."""
    before = np.full(len(found.texts), -1)
    for row in rows:
        characters = [each for each in row if each is not None]
        before[characters[1:]] = characters[:-1]
    after = np.flatnonzero(before >= 0)
    one = before[after]
    along, up = found.along[one], found.up[one]
    sizes = np.maximum(found.sizes[one], found.sizes[after])
    apart = _gaps(found.boxes[one], found.boxes[after], along)
    rise = np.abs(((found.origins[after] - found.origins[one]) * up).sum(axis=1))
    # Characters of vertical text stand under each other.
    steps = found.boxes[after].mean(axis=1) - found.boxes[one].mean(axis=1)
    under = (np.abs((steps * along).sum(axis=1)) < sizes / 4) & (
        _gaps(found.boxes[one], found.boxes[after], up) < sizes
    )
    joined = np.where(rise > RISE * sizes, under, apart < GAP * sizes)
    result = np.zeros(len(found.texts), bool)
    result[after] = joined & ((along * found.along[after]).sum(axis=1) >= SAME_DIRECTION)
    return result


def _gaps(one: Float64, other: Float64, directions: Float64) -> Float64:
    """Return how far boxes [N, 4, 2] are apart in directions [N, 2]; 0 where they overlap."""
    a, b = (np.einsum("nij,nj->ni", boxes, directions) for boxes in (one, other))
    gaps = np.maximum(b.min(axis=1) - a.max(axis=1), a.min(axis=1) - b.max(axis=1))
    return np.asarray(np.maximum(gaps, 0.0), np.float64)


def _parts(row: Sequence[int | None], joined: NDArray[np.bool_]) -> Iterator[list[int | None]]:
    """Divide a row where characters stand apart; yield lines without spaces at their ends."""
    part: list[int | None] = []
    for each in row:
        if each is None:
            if part and part[-1] is not None:  # neither at the beginning nor after another space
                part.append(None)
            continue
        if part and not joined[each]:
            yield _stripped(part)
            part = []
        part.append(each)
    if part:
        yield _stripped(part)


def _stripped(part: list[int | None]) -> list[int | None]:
    return part[:-1] if part[-1] is None else part


def _line(found: _Characters, part: Sequence[int | None]) -> GlyphLine:
    places = [each for each in part if each is not None]
    along, up = found.along[places[0]], found.up[places[0]]
    slants = min(abs(along[0]), abs(along[1])) > 0.02 * max(abs(along[0]), abs(along[1]))
    quads = iter(_slanted(found, places) if slants else _upright(found.boxes[places], along, up))
    glyphs = tuple(
        Glyph(" ", None) if each is None else Glyph(found.texts[each], next(quads)) for each in part
    )
    return GlyphLine(glyphs, along)


def _upright(boxes: Float64, along: Float64, up: Float64) -> Float64:
    """Return the corners [N, 4, 2] of characters whose text runs along the sides of the page."""
    across = np.array([-along[1], along[0]])  # clockwise, so downwards where text runs to the right
    if across @ up > 0:  # mirrored text
        across = -across
    x, y = boxes @ along, boxes @ across
    left, right, top, bottom = x.min(axis=1), x.max(axis=1), y.min(axis=1), y.max(axis=1)
    x, y = np.stack([left, right, right, left], 1), np.stack([top, top, bottom, bottom], 1)
    return np.asarray(x[..., None] * along + y[..., None] * across, np.float64)


def _slanted(found: _Characters, places: Sequence[int]) -> Float64:
    """Return the corners [N, 4, 2] of characters whose text slants, from their origins."""
    starts, sizes = found.origins[places], found.sizes[places]
    steps = 0.5 * sizes
    advances = (np.diff(starts, axis=0) * found.along[places][:-1]).sum(axis=1)
    steps[:-1] = np.where(advances > 0, np.minimum(advances, sizes[:-1]), steps[:-1])
    ends = starts + found.along[places] * steps[:, None]
    above = found.up[places] * (ASCENT * sizes)[:, None]
    below = found.up[places] * (DESCENT * sizes)[:, None]
    return np.stack([starts + above, ends + above, ends - below, starts - below], axis=1)
