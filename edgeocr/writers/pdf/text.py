"""The invisible text of a page, as operators of a PDF's content stream."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from ...postprocess import bidi
from ...postprocess.geometry import Float32
from ...results.lines import Line
from ..divided import spaced_words
from .font import ASCENT, DESCENT, WIDTH, InvisibleFont, is_shown

# The name of the font in the resources of a page. ocrmypdf looks for this one.
FONT = "/F1"
# The least height of a word in points, and the least width of a character as a share of the height:
# programs that extract text drop characters that seem to stand on top of each other.
LEAST_HEIGHT, LEAST_WIDTH = 1.0, 0.1
# The sine of the angle to the nearest side of the page from which on text slants.
LEAST_SLANT = 0.05
# Places further away than this many points are on no page.
FARTHEST = 1e6
# A space is at least LEAST_SPACE wide, as a share of the height of the word before it: pdftotext
# takes two words for one if they stand closer than 0.15. The word before the space is made narrower
# where necessary, by no more than MOST_TAKEN of its length.
LEAST_SPACE, MOST_TAKEN = 0.2, 0.25
# The baseline stands this far above the lower side of a word's quad, as a share of its height.
BASELINE = -DESCENT / (ASCENT - DESCENT)


@dataclass(frozen=True)
class Scale:
    """How pixels of a picture, from its top left, become points of a page, from its bottom left.

    A place is a complex number: its real part is x, its imaginary part is y.

    Attributes:
        across: Points per pixel of a row.
        down: Points per pixel of a column.
        height: Height of the page in points.
    """

    across: float
    down: float
    height: float

    def points(self, pixels: Float32) -> list[complex]:
        """Convert float32 [K, 2] pixels to points."""
        return [complex(x * self.across, self.height - y * self.down) for x, y in pixels.tolist()]


@dataclass(frozen=True)
class _Run:
    """Characters that stand side by side, in points.

    Attributes:
        text: The characters, from the start of the run to its end.
        start: Lower left corner.
        along: The direction of the text, of length 1; multiplied by 1j, it points up.
        length: The length along the text.
        height: The height across the text.
    """

    text: str
    start: complex
    along: complex
    length: float
    height: float

    @property
    def end(self) -> complex:
        """The lower right corner."""
        return self.start + self.length * self.along

    @classmethod
    def of(cls, text: str, corners: Sequence[complex]) -> _Run:
        """Fit a run to the four corners of a word, clockwise from the top left."""
        top_left, top_right, bottom_right, bottom_left = corners
        across = (top_right - top_left + bottom_right - bottom_left) / 2
        length = abs(across)
        along = across / length if length > 0 else 1 + 0j
        up = 1j * along
        height = abs(_dot(top_left - bottom_left + top_right - bottom_right, up)) / 2
        height = max(height, LEAST_HEIGHT)
        length = max(length, LEAST_WIDTH * height * len(text))
        start = sum(corners) / 4 - length / 2 * along - height / 2 * up
        return cls(text, start, along, length, height)

    def operators(self, font: InvisibleFont) -> str:
        """Return the operators that show the run, without drawing it.

        A run that slants gets its text as a whole, too: pdftotext would take each of its characters
        for a line of its own.
        """
        x, y = self.along.real, self.along.imag
        origin = self.start + BASELINE * self.height * 1j * self.along
        stretch = 100 * self.length / (len(self.text) * WIDTH / 1000 * self.height)
        shown = (
            f"{FONT} {self.height:.3f} Tf {stretch:.3f} Tz {x:.6f} {y:.6f} {-y:.6f} {x:.6f} "
            f"{origin.real:.3f} {origin.imag:.3f} Tm <{font.encode(self.text).hex()}> Tj"
        )
        if len(self.text) == 1 or min(abs(x), abs(y)) < LEAST_SLANT:
            return shown
        text = self.text.encode("utf-16-be").hex()
        return f"/Span <</ActualText <feff{text}>>> BDC {shown} EMC"


def content(lines: Iterable[Line], scale: Scale, font: InvisibleFont) -> bytes:
    """Return a content stream that shows the words of lines invisibly, each at its place.

    Args:
        lines: The lines in reading order.
        scale: Where pixels stand on the page.
        font: Gets the characters.

    Returns:
        The operators; nothing if there is no text.
    """
    rows = [run.operators(font) for line in lines for run in _runs(line, scale)]
    if not rows:
        return b""
    # Text rendering mode 3: neither fill nor stroke.
    return "\n".join(["BT", "3 Tr", *rows, "ET"]).encode("ascii")


def _runs(line: Line, scale: Scale) -> Iterator[_Run]:
    """Yield the words of a line, each with the space behind it, if there is one.

    Words that no space separates are made to touch each other, because programs that extract text
    take a gap for a space.
    """
    words = []
    for word, spaced in spaced_words(line):
        text = "".join(filter(is_shown, word.text))
        corners = scale.points(word.quad)
        if text and all(abs(corner) <= FARTHEST for corner in corners):
            words.append((_Run.of(_as_drawn(text), corners), spaced))
    for (run, spaced), (following, _) in pairwise(words):
        # In a line of a right-to-left script, the word that follows stands to the left.
        backwards = _dot(following.start + following.end - run.start - run.end, run.along) < 0
        gap = (
            _dot(run.start - following.end, run.along)
            if backwards
            else _dot(following.start - run.end, run.along)
        )
        if spaced:
            width = max(gap, LEAST_SPACE * run.height)
            taken = min(width - gap, MOST_TAKEN * run.length)
            run = replace(run, length=run.length - taken)
            if backwards:
                run = replace(run, start=run.start + taken * run.along)
            yield run
            start = run.start - width * run.along if backwards else run.end
            yield replace(run, text=" ", start=start, length=width)
        elif 0 < gap < run.height:
            start = run.start - gap * run.along if backwards else run.start
            yield replace(run, start=start, length=run.length + gap)
        else:
            yield run
    yield from (run for run, _ in words[-1:])


def _as_drawn(text: str) -> str:
    """Return the characters of a word from left to right, as PDFs have them."""
    return bidi.visual_order(text, "right-to-left") if bidi.is_right_to_left(text) else text


def _dot(one: complex, other: complex) -> float:
    """Return the scalar product of two vectors."""
    return one.real * other.real + one.imag * other.imag
