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
# Pixels between two equal characters, so that a line of touching pixels does not step over them.
GAP = 1.5
# Pixels that a narrow character has, and at most of its share.
NARROW, NARROW_SHARE = 2.0, 0.7


class Maps(NamedTuple):
    """A quarter of the input's size and in its own pixels, float32.

    score: [h, w], 1 on the texts' centre lines.
    border: [4, h, w], from the pixel to the upper side (y, x) and to the lower one (y, x).
    direction: [2, h, w], in the whole text its direction (x, y), as long as a character is wide.
    characters: [37, h, w], in the whole text 1 for its character in CHARACTERS, else for the blank,
        which is the last.
    """

    score: Float32
    border: Float32
    direction: Float32
    characters: Float32


def alike(character: str) -> float:
    return 1.0


def maps(
    polygons: Float32 | Sequence[Float32],
    texts: Sequence[str],
    height: int,
    width: int,
    advance: Callable[[str], float] = alike,
    narrow: bool = False,
) -> Maps:
    """Polygons [N, 2 K, 2] in pixels of an input of this size, and their texts → the maps.

    Polygons are as `tests.ideal.sast.maps` takes them. Characters share the centre line as their
    advances are; the first and the last have what is before and after it, too. Those that are not
    in CHARACTERS are blanks.
    narrow: as after training with CTC: a character only in the middle of its share, else blanks.
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
    """For each pixel [h, w] the class of the character whose share of the line it is in."""
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
