"""Draw lines of text and tell where each word and each character stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from edgeocr.images import Image as Pixels
from edgeocr.postprocess.geometry import Float32
from edgeocr.results.lines import Word


@dataclass(frozen=True)
class Placed:
    """A drawn word or character.

    Attributes:
        text: The text.
        quad: float32 [4, 2], the corners clockwise from the top left of the word as it is read.
        glyph: The mean width of a glyph in the picture, in pixels.
    """

    text: str
    quad: Float32
    glyph: float


@dataclass(frozen=True)
class Drawn:
    """A picture, uint8 [H, W, 3], and its words in the order in which they were drawn."""

    picture: Pixels
    words: list[Placed]

    def turned(self, quarters: int) -> Drawn:
        """Return the picture and its words turned counter-clockwise by quarters of a circle."""
        drawn = self
        for _ in range(quarters % 4):
            width = drawn.picture.shape[1]
            words = [
                replace(word, quad=np.stack([word.quad[:, 1], width - word.quad[:, 0]], axis=1))
                for word in drawn.words
            ]
            drawn = Drawn(np.ascontiguousarray(np.rot90(drawn.picture)), words)
        return drawn

    def characters(self) -> list[Placed]:
        """Return the characters of words that were drawn with one width for all characters."""
        return [
            Placed(character, part_of(word.quad, i, i + 1, len(word.text)), word.glyph)
            for word in self.words
            for i, character in enumerate(word.text)
        ]


def part_of(quad: Float32, begin: float, end: float, number: float) -> Float32:
    """Return the quad of one part of a word of `number` equal parts."""
    shares = np.array([begin, end, end, begin], np.float32)[:, None] / number
    along = np.stack([quad[1] - quad[0], quad[1] - quad[0], quad[2] - quad[3], quad[2] - quad[3]])
    origin = np.stack([quad[0], quad[0], quad[3], quad[3]])
    return np.asarray(origin + shares * along, np.float32)


def face(size: int, path: str | Path | None = None) -> ImageFont.FreeTypeFont:
    """Return Pillow's own font, or another one, whose glyphs stand where their widths add up."""
    if path is not None:
        return ImageFont.truetype(str(path), size, layout_engine=ImageFont.Layout.BASIC)
    own = ImageFont.load_default(size)
    assert isinstance(own, ImageFont.FreeTypeFont)
    return own.font_variant(layout_engine=ImageFont.Layout.BASIC)


def draw(
    lines: Sequence[str], font: ImageFont.FreeTypeFont, margin: int = 24, leading: float = 1.7
) -> Drawn:
    """Draw lines one below the other, black on white.

    Args:
        lines: The lines. A word ends at a space.
        font: The font.
        margin: Width of the margin in pixels.
        leading: Distance of the lines, in heights of the text.
    """
    _, above, _, below = font.getbbox("Ágjpy|")
    pitch = round((below - above) * leading)
    width = round(max(map(font.getlength, lines))) + 2 * margin
    height = pitch * (len(lines) - 1) + round(below - above) + 2 * margin
    picture = Image.new("RGB", (width, height), "white")
    glyph = float(
        np.mean([font.getlength(character) for character in "".join(lines).replace(" ", "")])
    )
    words: list[Placed] = []
    for i, line in enumerate(lines):
        top = margin + i * pitch
        ImageDraw.Draw(picture).text((margin, top - above), line, "black", font)
        begin = 0
        for text in line.split(" "):
            end = begin + len(text)
            left, right = (margin + font.getlength(line[:place]) for place in (begin, end))
            corners = [[left, top], [right, top], [right, top + below - above]]
            corners.append([left, top + below - above])
            if text:  # between two spaces there is no word
                words.append(Placed(text, np.array(corners, np.float32), glyph))
            begin = end + 1
    return Drawn(np.asarray(picture)[..., ::-1].copy(), words)


def distance(found: Word, placed: Placed) -> tuple[float, float, float]:
    """Return how far a word's begin and end, and the middle of its height, are from a drawn word.

    All three are in widths of a glyph. The first two are measured along the drawn word, and the
    third across.
    """
    (begin, end), (right_begin, right_end) = (
        ((quad[0] + quad[3]) / 2, (quad[1] + quad[2]) / 2) for quad in (found.quad, placed.quad)
    )
    along = (right_end - right_begin) / np.linalg.norm(right_end - right_begin)
    across = np.array([-along[1], along[0]])
    middle = (begin + end - right_begin - right_end) / 2
    return (
        float((begin - right_begin) @ along) / placed.glyph,
        float((end - right_end) @ along) / placed.glyph,
        float(middle @ across) / placed.glyph,
    )


def is_read_like(found: Word, placed: Placed) -> bool:
    """Tell whether two quads are read in the same direction, clockwise from the top left."""
    return all(
        (found.quad[i] - found.quad[0]) @ (placed.quad[i] - placed.quad[0]) > 0 for i in (1, 2, 3)
    )


def nearest(found: Sequence[Word], placed: Placed) -> Word:
    """Return the word with the drawn word's text that is nearest to it."""
    same = [word for word in found if word.text == placed.text]
    assert same, (placed.text, [word.text for word in found])
    middle = placed.quad.mean(axis=0)
    return min(same, key=lambda word: float(np.linalg.norm(word.quad.mean(axis=0) - middle)))


def bent(drawn: Drawn, radius: float, middle: float) -> tuple[Drawn, Float32]:
    """Lay a picture along a circle.

    Args:
        drawn: The picture.
        radius: Radius of the circle in pixels; a negative one lies above the picture.
        middle: Where the middle of the picture goes, in degrees clockwise from the circle's top, or
            from its bottom if the radius is negative.

    Returns:
        The bent picture, and the outline of the bent strip, float32 [K, 2]. The quad of a word is
        the rectangle around it that is parallel to the line from its begin to its end.
    """
    height, width = drawn.picture.shape[:2]
    side = round(2 * (abs(radius) + height))

    def place(points: Float32) -> Float32:
        """Return where points [..., 2] of the picture go."""
        angles = (points[..., 0] - width / 2) / radius + np.deg2rad(middle)
        reach = radius - (points[..., 1] - height / 2)
        moved = np.stack([np.sin(angles) * reach, -np.cos(angles) * reach], axis=-1)
        return (moved + side / 2).astype(np.float32)

    y, x = np.mgrid[:side, :side] - side / 2
    x, y = np.sign(radius) * x, np.sign(radius) * y
    turn = np.arctan2(x, -y) - np.deg2rad(middle)
    around = (turn + np.pi) % (2 * np.pi) - np.pi
    picture = cv2.remap(
        drawn.picture,
        (around * radius + width / 2).astype(np.float32),
        (np.sign(radius) * (abs(radius) - np.hypot(x, y)) + height / 2).astype(np.float32),
        cv2.INTER_CUBIC,
        borderValue=(255, 255, 255),
    )
    outline = place(_outline(np.array([0, 0, width, height], np.float32)))
    words = []
    for word in drawn.words:
        points = place(_outline(np.concatenate([word.quad[0], word.quad[2]])))
        begin, end = (points[0] + points[-1]) / 2, (points[8] + points[9]) / 2
        along = (end - begin) / np.linalg.norm(end - begin)
        turned = points @ np.stack([along, [-along[1], along[0]]]).T
        (left, top), (right, bottom) = turned.min(axis=0), turned.max(axis=0)
        corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
        quad = corners @ np.stack([along, [-along[1], along[0]]])
        words.append(replace(word, quad=quad.astype(np.float32)))
    return Drawn(np.asarray(picture, np.uint8), words), outline


def _outline(box: Float32) -> Float32:
    """Return nine points on the upper and nine on the lower side of a box, clockwise."""
    left, top, right, bottom = box.tolist()
    along = np.linspace(left, right, 9, dtype=np.float32)
    upper, lower = (np.stack([along, np.full_like(along, edge)], axis=1) for edge in (top, bottom))
    return np.concatenate([upper, lower[::-1]])
