"""Turn a map that has the number of a text for each pixel into regions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from .geometry import Float32
from .maps import MAX_REGIONS

# The number of the text that each pixel belongs to, int32 [h, w]; 0 where there is none.
Numbers: TypeAlias = NDArray[np.int32]
# The number of pixels that are counted at a time.
AT_ONCE = 1 << 18


class Rows(NamedTuple):
    """Where texts lie in the rows of a map, sorted by text and then by row; int64 [M] each.

    Attributes:
        text: The number of the text.
        row: The row.
        first: The text's first column in this row.
        last: The text's last column in this row.
    """

    text: NDArray[np.int64]
    row: NDArray[np.int64]
    first: NDArray[np.int64]
    last: NDArray[np.int64]

    def of(self, text: int) -> Rows:
        """Return the rows of one text."""
        begin, end = np.searchsorted(self.text, [text, text + 1]).tolist()
        return Rows(*(values[begin:end] for values in self))

    def rectangle(self) -> Float32:
        """Return the smallest rectangle around all of the pixels: float32 [4, 2], x before y."""
        ends = np.concatenate(
            [np.stack([self.first, self.row], 1), np.stack([self.last, self.row], 1)]
        )
        return np.asarray(cv2.boxPoints(cv2.minAreaRect(ends.astype(np.float32))), np.float32)

    def outline(self, numbers: Numbers, scale: int) -> Float32:
        """Return the outline of the text's largest piece: float32 [K, 2], x before y.

        Args:
            numbers: The map of which these are the rows of one text.
            scale: The side of the square of pixels that each pixel of the map stands for.
        """
        left, right = int(self.first.min()), int(self.last.max())
        piece = numbers[self.row[0] : self.row[-1] + 1, left : right + 1] == self.text[0]
        mask = piece.view(np.uint8).repeat(scale, 0).repeat(scale, 1)
        contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        longest = max(contours, key=cv2.contourArea)[:, 0]
        return np.asarray(longest + np.array([left, self.row[0]]) * scale, np.float32)


def rows(numbers: Numbers, texts: NDArray[np.intp]) -> Rows:
    """Find where some of the texts of a map lie in its rows.

    Args:
        numbers: The map.
        texts: intp [N], the numbers of these texts.

    Returns:
        For each text and each row that it is in, the first and the last column.
    """
    wanted = np.zeros(int(numbers.max(initial=0)) + 1, bool)
    wanted[texts] = True
    shown = wanted[numbers]
    # Where runs of neighbouring pixels of a text begin and end in a row.
    begins, ends = shown.copy(), shown
    differ = numbers[:, 1:] != numbers[:, :-1]
    begins[:, 1:] &= differ
    ends[:, :-1] &= differ
    row, first = np.nonzero(begins)
    last = np.nonzero(ends)[1]
    text = numbers[row, first].astype(np.int64)
    order = np.argsort(text, kind="stable")
    text, row, first, last = text[order], row[order], first[order], last[order]
    # A text may be in several pieces in a row.
    opens, closes = np.ones(len(text), bool), np.ones(len(text), bool)
    opens[1:] = closes[:-1] = (text[1:] != text[:-1]) | (row[1:] != row[:-1])
    return Rows(text[opens], row[opens], first[opens], last[closes])


def sizes(numbers: Numbers, most: int) -> NDArray[np.int64]:
    """Count the pixels of each text.

    Args:
        numbers: The map.
        most: The largest number that a text may have.

    Returns:
        int64 [most + 1], the pixels that belong to no text, and then those of each text.
    """
    counts = np.zeros(most + 1, np.int64)
    for part in _parts(numbers):
        counts += np.bincount(part, minlength=most + 1)
    return counts


def means(numbers: Numbers, values: Float32, counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the mean of `values` [h, w] over the pixels of each text.

    Args:
        numbers: The map.
        values: float32 [h, w].
        counts: The number of pixels of each text, as `sizes` returns them.
    """
    sums = np.zeros(len(counts))
    for part, weights in zip(_parts(numbers), _parts(values), strict=True):
        sums += np.bincount(part, weights=weights, minlength=len(counts))
    return np.asarray(sums / np.maximum(counts, 1))


def _parts(array: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """Divide a map into parts that `bincount` can copy, because it takes 8 bytes per value."""
    flat = array.reshape(-1)
    return (flat[start : start + AT_ONCE] for start in range(0, flat.size, AT_ONCE))


def largest(kept: NDArray[np.bool_], counts: NDArray[np.int64]) -> NDArray[np.intp]:
    """Return the numbers of the texts to keep, ascending, and no more than `MAX_REGIONS`."""
    chosen = np.flatnonzero(kept)
    if len(chosen) > MAX_REGIONS:
        order = np.argsort(-counts[chosen], kind="stable")[:MAX_REGIONS]
        chosen = np.sort(chosen[order])
    return chosen
