"""Turn a map that says for each pixel to which text it belongs, by a number, into regions."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from .geometry import Float32
from .maps import MAX_REGIONS

# The number of the text that each pixel belongs to, int32 [h, w]; 0 where there is none.
Numbers: TypeAlias = NDArray[np.int32]


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


def rows(numbers: Numbers) -> Rows:
    """Find out where texts lie in the rows of a map."""
    y, x = np.nonzero(numbers)
    text = numbers[y, x]
    order = np.argsort(text, kind="stable")
    text, y, x = text[order], y[order], x[order]
    begins = np.ones(len(text), bool)
    begins[1:] = (text[1:] != text[:-1]) | (y[1:] != y[:-1])
    starts = np.flatnonzero(begins)
    ends = np.append(starts[1:], len(text)) - 1
    return Rows(text[starts].astype(np.int64), y[starts], x[starts], x[ends[: len(starts)]])


def sizes(numbers: Numbers, most: int) -> NDArray[np.int64]:
    """Return the number of pixels [most + 1] of each text, and of what belongs to none."""
    return np.bincount(numbers.ravel(), minlength=most + 1)


def means(numbers: Numbers, values: Float32, counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the mean of `values` [h, w] over the pixels of each text, by `counts` of `sizes`."""
    sums = np.bincount(numbers.ravel(), weights=values.ravel(), minlength=len(counts))
    return np.asarray(sums / np.maximum(counts, 1))


def largest(kept: NDArray[np.bool_], counts: NDArray[np.int64]) -> NDArray[np.intp]:
    """Return the numbers of the texts to keep, ascending, and no more than `MAX_REGIONS`."""
    chosen = np.flatnonzero(kept)
    if len(chosen) > MAX_REGIONS:
        order = np.argsort(-counts[chosen], kind="stable")[:MAX_REGIONS]
        chosen = np.sort(chosen[order])
    return chosen
