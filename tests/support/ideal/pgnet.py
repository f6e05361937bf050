"""PGNet's maps for known polygons and texts, in the convention of PaddleOCR's labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tests.support.ideal.ribbon import STRIDE, Ribbon, ribbon

Float32 = NDArray[np.float32]

CHARACTERS = "0123456789abcdefghijklmnopqrstuvwxyz"
BLANK = len(CHARACTERS)
# Blank pixels between two equal characters. Pixels that touch can't step over so many.
GAP = 1.5
# Pixels of a narrow character, and the largest part of its share that it may take.
NARROW, NARROW_SHARE = 2.0, 0.7


class Maps(NamedTuple):
    """PGNet's maps, float32, a quarter of the input's size; offsets are in pixels of the maps.

    Attributes:
        score: [h, w], 1 on the texts' centre lines.
        border: [4, h, w], from the pixel to the upper side (y, x) and to the lower one (y, x).
        direction: [2, h, w], within a text its direction (x, y), as long as a character is wide.
        characters: [37, h, w], 1 for the pixel's class: within a text that of the character in
            CHARACTERS, elsewhere the blank, which is the last class.
    """

    score: Float32
    border: Float32
    direction: Float32
    characters: Float32


def alike(character: str) -> float:
    """Give every character the same width."""
    return 1.0


def maps(
    polygons: Float32 | Sequence[Float32],
    texts: Sequence[str],
    height: int,
    width: int,
    advance: Callable[[str], float] = alike,
    narrow: bool = False,
) -> Maps:
    """Return the maps of polygons and their texts.

    Characters divide the centre line in proportion to their widths. The first and the last one also
    get what lies before and after it. Characters that are not in CHARACTERS are blanks.

    Args:
        polygons: [N, 2 K, 2], as `tests.support.ideal.sast.maps` takes them.
        texts: The N texts.
        height: Height of the input.
        width: Width of the input.
        advance: Returns the relative width of a character.
        narrow: Put a character into the middle of its share only, with blanks around it, as
            training with CTC leaves it.
    """
    shape = height // STRIDE, width // STRIDE
    score, border, direction = (np.zeros((*n, *shape), np.float32) for n in ((), (4,), (2,)))
    classes = np.full(shape, BLANK)
    for polygon, text in zip(polygons, texts, strict=True):
        place = ribbon(polygon, height, width)
        y, x = np.nonzero(place.centre())
        score[y, x] = 1
        border[:2, y, x] = place.upper[::-1, y, x]
        border[2:, y, x] = place.lower[::-1, y, x]
        y, x = np.nonzero(place.within)
        classes[y, x] = spelled(place, text, advance, narrow)[y, x]
        direction[:, y, x] = place.forward[:, y, x] * place.length / max(len(text), 1)
    characters = np.moveaxis(np.eye(BLANK + 1, dtype=np.float32)[classes], -1, 0)
    return Maps(score, border, direction, np.ascontiguousarray(characters))


def spelled(
    place: Ribbon, text: str, advance: Callable[[str], float], narrow: bool
) -> NDArray[np.intp]:
    """Return for each pixel [h, w] the class of the character in whose share of the text it is."""
    found = np.array([CHARACTERS.find(character) for character in text.lower() or " "])
    classes = np.where(found < 0, BLANK, found)
    start, end = place.ends()
    widths = np.array([advance(character) for character in text or " "], np.float64)
    widths *= (end - start) / widths.sum()
    ends = start + np.cumsum(widths)
    share = np.searchsorted(ends[:-1], place.along)
    result = classes[share]
    if narrow:
        away = np.abs(place.along - (ends - widths / 2)[share])
        result[away > np.minimum(NARROW, NARROW_SHARE * widths)[share] / 2] = BLANK
    for between in ends[:-1][classes[:-1] == classes[1:]]:
        result[np.abs(place.along - between) <= GAP / 2] = BLANK
    return result
