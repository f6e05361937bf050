"""Find where the characters of a line stand, from the steps at which a network gave them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from .median import median
from .words import is_cjk

# About how wide characters are in DejaVu Sans, DejaVu Serif, Pillow's own font and WenQuanYi Micro
# Hei, in multiples of the size of the font.
USUAL_WIDTHS = {
    0.26: frozenset("ijlI.,:;'|! "),
    0.36: frozenset('frt()[]{}-"/\\`'),
    0.5: frozenset("csvxyzkJ?*_"),
    0.75: frozenset("DGHNOQUw&"),
    0.9: frozenset("mM%@W"),
}
UPPER_CASE, OTHERS = 0.62, 0.58
# The next four were chosen on some 700 rendered lines of Latin, Chinese and mixed text, read by the
# package's bundle, so that words begin and end within half a glyph of where they were drawn.
# How far a character reaches beside a gap, as a multiple of its usual width: some typefaces have
# wider letters than usual.
LOOSE = 1.15
# The least usual width that is assumed beside a gap: in monospaced type, an "i" takes as much room
# as other letters.
LEAST = 0.45
# The largest size of characters, and the size of a character that stands alone, in heights of the
# crop. Characters whose distance would mean a larger size are letter-spaced.
LARGEST, LONE = 1.5, 0.9


def even(number: int, width: float) -> NDArray[np.float32]:
    """Divide a line evenly, for networks whose steps don't show where a character stands.

    Args:
        number: The number K of characters.
        width: Width of the line.

    Returns:
        float32 [K, 2], where each character begins and ends.
    """
    borders = np.linspace(0, width, number + 1, dtype=np.float32)
    return np.stack([borders[:-1], borders[1:]], axis=1)


def of_each_character(
    places: NDArray[np.float32], lengths: Sequence[int]
) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """Divide the places of classes that stand for several characters.

    Args:
        places: float32 [N, 2], where each class begins and ends.
        lengths: The number of characters of each class.

    Returns:
        float32 [K, 2], where each of the K characters of all classes begins and ends, and
        intp [K], the index of its class.
    """
    if all(length == 1 for length in lengths):
        return places, np.arange(len(places))
    owner = np.repeat(np.arange(len(places)), lengths)
    counts = np.asarray(lengths)[owner]
    nth = np.arange(len(owner)) - (np.cumsum(lengths) - lengths)[owner]
    begins, widths = places[owner, 0], places[owner, 1] - places[owner, 0]
    shares = np.stack([nth, nth + 1], axis=1) / counts[:, None]
    return (begins[:, None] + shares * widths[:, None]).astype(np.float32), owner


@cache
def usual_width(character: str) -> float:
    """Return about how wide a character is in most typefaces, in multiples of a CJK character."""
    if is_cjk(character):
        return 1.0
    for width, characters in USUAL_WIDTHS.items():
        if character in characters:
            return width
    return UPPER_CASE if character.isupper() else OTHERS


def extents(text: str, columns: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """Find from where to where the characters of a line reach.

    A network notices a character near its middle. The border of two neighbours is where their usual
    widths divide the distance of their middles. Beside a gap or an end of the line, a character
    reaches as far as its usual width says, in the size that most characters of the line have.

    Args:
        text: The K characters of the line.
        columns: float32 [K, 2], where in the crop the network begins and ends to notice each of
            them; the characters may stand in any order along the line.
        size: Height and width of the crop.

    Returns:
        float32 [K, 2], where each character begins and ends, in columns of the crop.
    """
    if not text:
        return np.empty((0, 2), np.float32)
    height, width = size
    middles = columns.mean(axis=1)
    order = np.argsort(middles, kind="stable")
    middles = middles[order]
    usual = np.array([usual_width(character) for character in text], np.float32)[order]
    apart, pairs = np.diff(middles), usual[:-1] + usual[1:]
    # The size of the font. The distance of characters with a space between them tells nothing.
    spaces = np.array([character.isspace() for character in text])[order]
    sizes = (2 * apart / pairs)[~(spaces[1:] | spaces[:-1])]
    scale = min(median(sizes), LARGEST * height) if len(sizes) else LONE * height
    reach = np.maximum(usual, LEAST) * (scale * LOOSE / 2)
    borders = middles[:-1] + apart * usual[:-1] / pairs
    begins, ends = middles - reach, middles + reach
    begins[1:] = np.maximum(begins[1:], borders)
    ends[:-1] = np.minimum(ends[:-1], borders)
    # The steps of a network may lie a little beside what they show. A detector's margins are the
    # same at both ends of a line, so its text stands in the middle.
    half_step = float((columns[:, 1] - columns[:, 0]).min()) / 2
    shift = min(max((begins[0] + ends[-1] - width) / 2, -half_step), half_step)
    found = np.empty_like(columns)
    found[order] = np.stack([begins, ends], axis=1) - shift
    return np.clip(found, 0, width)
