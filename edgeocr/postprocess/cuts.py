"""Find where a line runs over two columns or two cells of a table, so that it can be cut in two."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from .gaps import Gaps
from .median import median


@dataclass(frozen=True)
class Wide:
    """The least width of a gap between two columns or cells.

    Attributes:
        heights: Columns of pixels without ink, in heights of the line.
        pitches: The same in multiples of the distance between the characters of the line.
    """

    heights: float
    pitches: float


# TEXT is for any text, NUMBERS for rows of numbers, whose cells stand closer. The numbers were
# scored on drawn tables of another seed than those in docs/accuracy.md, on every other of 19
# receipts (SROIE), on the remaining receipts and on 12 photographs. On the remaining receipts, the
# Hmean of PP-OCRv6 tiny, PP-OCRv4 mobile and PP-OCRv6 small rises by 1.2, 0.7 and 0.0 points, and
# on the photographs by 0.6, 0.4 and 0.0. With gaps of 1.25 pitches, words of monospaced type are
# cut apart, and 7 points are lost.
TEXT = Wide(0.8, 2.0)
NUMBERS = Wide(0.4, 1.4)
# A line is cut only at a gap that is at least this many times as wide as the line's median space:
# justified lines and letter-spaced headings have wide spaces throughout.
SPACES = 1.5
# Neighbours that are further apart than this many times the median distance are not in one word.
FAR = 1.5
# A number as it stands in a table. Groups of digits alone may be a telephone number.
NUMBER = re.compile(r"[-+]?[$€£¥]?[0-9][0-9.,]*%?")
NUMBER_SIGNS = frozenset("0123456789-+$€£¥.,%")
# The margin that is left beside a cut, and the least gap that remains between the two parts if
# possible, in heights of the line: the layout takes closer boxes for pieces of one line.
MARGIN, REMAINING = 0.3, 0.4


@dataclass(frozen=True)
class Cut:
    """Where a line is cut in two.

    Attributes:
        steps: The last time step of the character before the cut, and the first one of the
            character after it.
        columns: Where the first part ends and where the second one begins, in pixels of the
            network's input.
    """

    steps: tuple[int, int]
    columns: tuple[float, float]


def number_classes(characters: NDArray[np.object_]) -> NDArray[np.bool_]:
    """Tell which classes are digits, or signs that stand in numbers; bool [classes]."""
    return np.array([character in NUMBER_SIGNS for character in characters], np.bool_)


def find(
    gaps: Gaps,
    characters: NDArray[np.object_],
    numbers: NDArray[np.bool_],
    *,
    height: int,
    stride: int,
) -> dict[int, list[Cut]]:
    """Find where lines have to be cut.

    A line is cut at a gap that is far wider than its characters and its spaces. Rows of dots and
    underlined blanks are no gaps, because they have ink. No cut separates a single letter, because
    Chinese labels of two characters are often spaced out to the width of longer labels.

    Args:
        gaps: The gaps of N lines.
        characters: object [classes], the character of each class.
        numbers: bool [classes], as `number_classes` returns it.
        height: Height of the network's input in pixels.
        stride: The network's pixels for each time step.

    Returns:
        The cuts of each line that has some, from left to right.
    """
    # Few lines have such gaps, and only they are looked at one by one.
    near = gaps.width >= NUMBERS.heights * height
    if not near.any():
        return {}
    chosen = gaps.width >= TEXT.heights * height
    words = np.bincount(gaps.row, weights=~numbers[gaps.classes].all(axis=1)) > 0
    chosen |= near & ~words[gaps.row]
    found = {}
    for row in sorted(set(gaps.row[chosen].tolist())):
        first, last = np.searchsorted(gaps.row, [row, row + 1]).tolist()
        if cuts := _cuts(gaps.take(slice(first, last)), characters, height, stride):
            found[row] = cuts
    return found


def divided(
    indices: NDArray[np.integer], cuts: Sequence[Cut], blank: int
) -> list[NDArray[np.integer]]:
    """Return the parts of a line, integer [T] each: its steps, with blanks where other parts are.

    Args:
        indices: integer [T], the most probable class of each step.
        cuts: The cuts of the line, from left to right.
        blank: The class that CTC drops.
    """
    begins = [0, *(cut.steps[1] for cut in cuts)]
    ends = [*(cut.steps[0] + 1 for cut in cuts), len(indices)]
    steps = np.arange(len(indices))
    return [
        np.where((steps >= begin) & (steps < end), indices, blank)
        for begin, end in zip(begins, ends, strict=True)
    ]


def _cuts(gaps: Gaps, characters: NDArray[np.object_], height: int, stride: int) -> list[Cut]:
    """Return the cuts of one line, given its gaps."""
    texts = characters[np.append(gaps.classes[:1, 0], gaps.classes[:, 1])].tolist()
    distances = (gaps.middles[:, 1] - gaps.middles[:, 0]) * stride
    in_words = distances[~gaps.has_space]
    pitch = float(distances.min())
    if len(in_words):
        pitch = float(in_words[in_words <= FAR * median(in_words)].mean())

    def wider_than(least: Wide) -> NDArray[np.bool_]:
        return gaps.width >= max(least.heights * height, least.pitches * pitch)

    wide = wider_than(TEXT)
    for i in np.flatnonzero(wide).tolist():
        spaces = np.delete(gaps.width, i)[np.delete(gaps.has_space, i)]
        wide[i] = not len(spaces) or gaps.width[i] >= SPACES * median(spaces)
    close = wider_than(NUMBERS)
    cells = _parts(texts, gaps.has_space | close)
    if all(map(NUMBER.fullmatch, cells)) and not all(map(str.isdecimal, cells)):
        wide |= close
    parts = _parts(texts, wide)
    places = np.flatnonzero(wide)
    alone = np.array([len(part) == 1 and not part.isdecimal() for part in parts])
    kept = places[~(alone[:-1] | alone[1:])]
    return [_cut(gaps, i, height) for i in kept.tolist()]


def _parts(texts: list[str], ends: NDArray[np.bool_]) -> list[str]:
    """Divide the K characters of a line, without spaces, at some of its K - 1 gaps."""
    borders = [0, *(np.flatnonzero(ends) + 1).tolist(), len(texts)]
    return ["".join(texts[i:j]) for i, j in pairwise(borders)]


def _cut(gaps: Gaps, i: int, height: int) -> Cut:
    begin, width = int(gaps.begin[i]), int(gaps.width[i])
    margin = min(max((width - REMAINING * height) / 2, 0), MARGIN * height)
    before, after = gaps.steps[i].tolist()
    return Cut((before, after), (begin + margin, begin + width - margin))
