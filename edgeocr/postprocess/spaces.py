"""Put spaces between the words of a line where its pixels show them and the network read none."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import ArrayError
from .gaps import Gaps
from .words import is_cjk

# Latin letters, with or without accents, and digits and signs are the characters below this one.
LATIN_END = "\u0250"


@dataclass(frozen=True)
class Width:
    """How wide a gap between two words is at least.

    Attributes:
        heights: Columns of pixels without ink, in heights of the line.
        times: The same as a multiple of the median gap between neighbouring characters of the line,
            which is wide in letter-spaced and in monospaced type.
    """

    heights: float
    times: float


# UNREAD is for networks that drop most spaces. MISSED is for networks that have learned to read
# spaces, and demands wider gaps, because a space is less often missing there. The numbers were
# scored on drawn pages, on every other of 19 receipts (SROIE), on the remaining receipts and on 12
# photographs; `times` of MISSED was raised from 4 to 5 because 4 cost one word on the photographs.
# On the remaining receipts and on the photographs, the word F1 of PP-OCRv4 mobile rises by 8.6 and
# 1.6 points, that of PP-OCRv6 tiny by 0.6 and 0.0, and that of PP-OCRv6 small by 0.0 and 0.0 (0.2
# on the other receipts). Smaller numbers put spaces into words such as "Montpelier".
UNREAD = Width(0.26, 3.0)
MISSED = Width(0.30, 5.0)


@dataclass(frozen=True)
class Kinds:
    """What the characters of a charset are.

    Attributes:
        latin: bool [classes], which characters may have a space between them: letters, digits and
            signs of Latin script, other than the space itself.
        words: bool [classes], which of these are letters or digits.
        cjk: bool [classes], which characters are Chinese, Japanese or Korean, or as wide as these.
    """

    latin: NDArray[np.bool_]
    words: NDArray[np.bool_]
    cjk: NDArray[np.bool_]


def kinds(characters: Collection[str]) -> Kinds:
    """Tell what the characters of a charset are; all flags of longer or empty classes are False."""
    latin = [len(c) == 1 and c < LATIN_END and not c.isspace() for c in characters]
    words = [is_latin and c.isalnum() for is_latin, c in zip(latin, characters, strict=True)]
    cjk = [len(c) == 1 and c >= LATIN_END and is_cjk(c) for c in characters]
    return Kinds(*(np.array(flags, np.bool_) for flags in (latin, words, cjk)))


def mark(
    indices: NDArray[np.integer],
    scores: NDArray[np.floating],
    gaps: Gaps,
    *,
    height: int,
    least: Width,
    kinds: Kinds,
    space: int,
) -> None:
    """Put a space, in place of a blank, where two characters of a line stand apart.

    No space is put beside a Chinese, Japanese or Korean character. In a line that has such
    characters, no space is put beside a sign either: signs are often as wide as characters there.

    Args:
        indices: integer [N, T], the most probable class of each step of CTC; changed in place.
        scores: float [N, T], the probability of that class; changed in place. A space gets the mean
            of its neighbours' probabilities, so that it hardly changes the score of the text.
        gaps: The gaps of these lines.
        height: Height of the network's input in pixels.
        least: How wide a gap between two words is at least.
        kinds: What the characters of the charset are.
        space: The class of the space.

    Raises:
        ArrayError: `indices` and `scores` don't have the same shape [N, T].
    """
    if indices.ndim != 2 or indices.shape != scores.shape:
        raise ArrayError(
            f"indices and scores must have one shape [N, T], not {indices.shape} and {scores.shape}"
        )
    gaps = gaps.take(
        kinds.latin[gaps.classes].all(axis=1) & gaps.has_blank & ~gaps.has_space,
    )
    wide = gaps.width >= least.heights * height
    if not wide.any():
        return
    wide &= gaps.width >= least.times * _median_of_row(gaps.row, gaps.width)
    mixed = kinds.cjk[indices].any(axis=1)
    wide &= ~mixed[gaps.row] | kinds.words[gaps.classes].all(axis=1)
    gaps = gaps.take(wide)
    before, after = gaps.steps.T
    steps = (before + after) // 2
    indices[gaps.row, steps] = space
    scores[gaps.row, steps] = (scores[gaps.row, before] + scores[gaps.row, after]) / 2


def _median_of_row(row: NDArray[np.intp], values: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return for each of G values the median of the values of its row; rows ascend."""
    ascending = values[np.lexsort((values, row))]
    rows, firsts, counts = np.unique(row, return_index=True, return_counts=True)
    low, high = firsts + (counts - 1) // 2, firsts + counts // 2
    medians = (ascending[low] + ascending[high]) / 2
    return np.asarray(medians[np.searchsorted(rows, row)], np.float64)
