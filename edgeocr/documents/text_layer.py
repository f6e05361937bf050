"""The text that a PDF page holds as characters, and whether that is the page's whole text."""

from __future__ import annotations

import math
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
# A line ends where the next character stands farther away than this, in font sizes, along the line
# or across it, or where the direction changes by more than this cosine. A word space of justified
# text is below 1, a superscript is raised by half a font size.
GAP, RISE, SAME_DIRECTION = 2.0, 0.7, 0.98
# How far a font reaches above and below its baseline, in font sizes, where the text slants and
# PDFium gives upright boxes only.
ASCENT, DESCENT = 0.8, 0.2
# The whole text of a page is taken from its text layer if no more than these shares are wrong or
# invisible characters, and if pictures, which may show further text, cover no more than this share.
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


@dataclass(frozen=True)
class _Character:
    """A character as PDFium gives it, in pixels.

    Attributes:
        text: The character.
        origin: Where its baseline begins.
        along, up: Directions of length 1 in which the text runs, and in which letters stand up.
        size: The font size.
        box: float64 [4, 2], corners of an upright box around it.
        invisible: Whether it is not drawn.
        wrong: Whether its meaning isn't known.
    """

    text: str
    origin: Float64
    along: Float64
    up: Float64
    size: float
    box: Float64
    invisible: bool
    wrong: bool


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
            count = raw.FPDFText_CountChars(text)
            if count > MOST_CHARACTERS:
                raise DocumentError(f"the page has more than {MOST_CHARACTERS} characters")
            rows: list[list[_Character | None]] = [[]]
            for index in range(count):
                code = raw.FPDFText_GetUnicode(text, index)
                if code in (10, 13):
                    rows.append([])
                elif chr(code).isspace():
                    rows[-1].append(None)
                else:
                    character = _character(raw, text, index, code, to_pixels)
                    centre = character.box.mean(axis=0)
                    if (centre >= 0).all() and (centre <= (width, height)).all():
                        rows[-1].append(character)
        finally:
            raw.FPDFText_ClosePage(text)
        found = [each for row in rows for each in row if each is not None]
        doubt = _doubt(found) or _doubt_of_page(opened)
    lines = tuple(_line(part) for row in rows for part in _parts(row))
    return TextLayer(width, height, lines, doubt)


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


def _character(raw: Any, text: Any, index: int, code: int, to_pixels: Float64) -> _Character:
    matrix, box = raw.FS_MATRIX(), raw.FS_RECTF()
    x, y = c_double(), c_double()
    raw.FPDFText_GetMatrix(text, index, byref(matrix))
    raw.FPDFText_GetCharOrigin(text, index, byref(x), byref(y))
    raw.FPDFText_GetLooseCharBox(text, index, byref(box))
    linear, moved = to_pixels[:, :2], to_pixels[:, 2]
    sides = [(box.left, box.top), (box.right, box.top), (box.right, box.bottom)]
    corners = np.array([*sides, (box.left, box.bottom)]) @ linear.T + moved
    up = linear @ (matrix.c, matrix.d)
    size = raw.FPDFText_GetFontSize(text, index) * math.hypot(*up)
    object_ = raw.FPDFText_GetTextObject(text, index)
    mode = raw.FPDFTextObj_GetTextRenderMode(object_) if object_ else 0
    character = "-" if code == HYPHEN else chr(code)
    return _Character(
        character,
        linear @ (x.value, y.value) + moved,
        _unit(linear @ (matrix.a, matrix.b), (1.0, 0.0)),
        _unit(up, (0.0, -1.0)),
        max(size, 1e-3),
        corners,
        mode in INVISIBLE_MODES,
        raw.FPDFText_HasUnicodeMapError(text, index) == 1 or _is_wrong(character),
    )


def _unit(vector: Float64, default: tuple[float, float]) -> Float64:
    length = math.hypot(*vector)
    return vector / length if length > 0 and math.isfinite(length) else np.array(default)


def _is_wrong(character: str) -> bool:
    """Tell whether a character has no meaning: a control, private or replacement character."""
    code = ord(character)
    return (
        code < 32
        or 0x7F <= code < 0xA0
        or 0xE000 <= code <= 0xF8FF
        or code >= 0xF0000
        or code in (0xFFFD, 0xFFFE, 0xFFFF)
    )


def _doubt(found: Sequence[_Character]) -> str | None:
    if not found:
        return "it has no text"
    if sum(each.wrong for each in found) > MOST_WRONG * len(found):
        return "characters of its text have no known meaning"
    if sum(each.invisible for each in found) > MOST_INVISIBLE * len(found):
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


def _parts(row: Sequence[_Character | None]) -> Iterator[list[_Character | None]]:
    """Divide a row where characters stand apart; yield lines without spaces at their ends."""
    part: list[_Character | None] = []
    last: _Character | None = None
    for each in row:
        if each is not None and last is not None and not _joined(last, each):
            yield _stripped(part)
            part = []
        if each is not None:
            last = each
        elif not part or part[-1] is None:  # a second space
            continue
        part.append(each)
    if part:
        yield _stripped(part)


def _stripped(part: list[_Character | None]) -> list[_Character | None]:
    return part[:-1] if part[-1] is None else part


def _joined(one: _Character, other: _Character) -> bool:
    """Tell whether two characters that follow each other belong to the same line."""
    if one.along @ other.along < SAME_DIRECTION:
        return False
    size = max(one.size, other.size)
    apart = np.abs([_gap(one, other, one.along), _gap(one, other, one.up)])
    rise = abs((other.origin - one.origin) @ one.up)
    if rise > RISE * size:  # unless they stand under each other, as in vertical text
        advance = abs((other.box.mean(axis=0) - one.box.mean(axis=0)) @ one.along)
        return bool(advance < size / 4 and apart[1] < size)
    return bool(apart[0] < GAP * size)


def _gap(one: _Character, other: _Character, direction: Float64) -> float:
    """Return how far the boxes of two characters are apart in a direction; 0 if they overlap."""
    a, b = one.box @ direction, other.box @ direction
    return float(max(0.0, b.min() - a.max(), a.min() - b.max()))


def _line(part: Sequence[_Character | None]) -> GlyphLine:
    characters = [each for each in part if each is not None]
    along, up = characters[0].along, characters[0].up
    slanted = min(abs(along[0]), abs(along[1])) > 0.02 * max(abs(along[0]), abs(along[1]))
    following = dict(zip(map(id, characters), [*characters[1:], None], strict=True))
    glyphs = []
    for each in part:
        if each is None:
            glyphs.append(Glyph(" ", None))
            continue
        next_ = following[id(each)]
        quad = _slanted(each, next_) if slanted else _upright(each, along, up)
        glyphs.append(Glyph(each.text, quad))
    return GlyphLine(tuple(glyphs), along)


def _upright(character: _Character, along: Float64, up: Float64) -> Float64:
    """Return the corners of a character whose text runs along the sides of the page."""
    across = np.array([-along[1], along[0]])  # clockwise, so downwards where text runs to the right
    if across @ up > 0:  # mirrored text
        across = -across
    x, y = character.box @ along, character.box @ across
    corners = [(x.min(), y.min()), (x.max(), y.min()), (x.max(), y.max()), (x.min(), y.max())]
    return np.array([a * along + b * across for a, b in corners])


def _slanted(character: _Character, following: _Character | None) -> Float64:
    """Return the corners of a character whose text slants, from its origin and the next one's."""
    step = 0.5 * character.size
    if following is not None:
        advance = float((following.origin - character.origin) @ character.along)
        step = min(advance, character.size) if advance > 0 else step
    right, top, bottom = (
        character.along * step,
        character.up * ASCENT * character.size,
        -character.up * DESCENT * character.size,
    )
    start = character.origin
    return np.array([start + top, start + right + top, start + right + bottom, start + bottom])
