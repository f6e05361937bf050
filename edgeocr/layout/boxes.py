"""Level boxes, from which the reading order is decided once the page's slant is removed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..postprocess.geometry import Float32

Float64 = NDArray[np.float64]
Indices = NDArray[np.intp]


def median(values: Float64) -> float:
    """Return the median of values [N]; of two middle values, it is the upper one."""
    return float(np.sort(values)[len(values) // 2])


@dataclass(frozen=True, eq=False)
class Boxes:
    """Boxes of lines, cells or words; all arrays are [N], in pixels.

    Attributes:
        left: Where each begins: its left end, or, on a page that is read from right to left, the
            negative of its right end.
        right: Where each ends.
        top: The upper sides.
        bottom: The lower sides.
        solid: Boxes that stand for a whole block, such as one of vertical text.
    """

    left: Float64
    right: Float64
    top: Float64
    bottom: Float64
    solid: NDArray[np.bool_]

    def __len__(self) -> int:
        """Return the number of boxes."""
        return len(self.left)

    @property
    def width(self) -> Float64:
        """The widths."""
        return self.right - self.left

    @property
    def height(self) -> Float64:
        """The heights."""
        return self.bottom - self.top

    @property
    def middle(self) -> Float64:
        """The vertical middles."""
        return (self.top + self.bottom) / 2

    def take(self, chosen: Indices | NDArray[np.bool_]) -> Boxes:
        """Return the chosen boxes."""
        return Boxes(
            self.left[chosen],
            self.right[chosen],
            self.top[chosen],
            self.bottom[chosen],
            self.solid[chosen],
        )

    def line_height(self) -> float:
        """Return the usual height of a line: the median of the boxes that are not solid."""
        heights = self.height[~self.solid]
        return max(median(heights if len(heights) else self.height), 1.0)

    def mirrored(self) -> Boxes:
        """Return the boxes as seen in a mirror, for pages that are read from right to left."""
        return Boxes(-self.right, -self.left, self.top, self.bottom, self.solid)

    def fallen(self) -> Boxes:
        """Turn the boxes so that lines that run downwards, the first at the right, lie level."""
        return Boxes(self.top, self.bottom, -self.right, -self.left, self.solid)

    def risen(self) -> Boxes:
        """Turn the boxes so that lines that run upwards, the first at the left, lie level."""
        return Boxes(-self.bottom, -self.top, self.left, self.right, self.solid)

    def joined(self, groups: list[list[int]]) -> Boxes:
        """Return one box around each group of boxes."""
        starts = np.cumsum([0, *map(len, groups)])[:-1]
        flat = self.take(np.array([i for group in groups for i in group], np.intp))
        return Boxes(
            np.minimum.reduceat(flat.left, starts),
            np.maximum.reduceat(flat.right, starts),
            np.minimum.reduceat(flat.top, starts),
            np.maximum.reduceat(flat.bottom, starts),
            np.logical_or.reduceat(flat.solid, starts),
        )


def of_quads(quads: Float32) -> Boxes:
    """Return the boxes of quads [N, 4, 2] that stand level.

    Each side is put at the middle of its two corners, so that a box that leans because of the
    letters at its ends is no higher than one that doesn't lean.
    """
    points = quads.astype(np.float64)
    x = np.sort(np.stack([points[:, [0, 3], 0].mean(1), points[:, [1, 2], 0].mean(1)]), axis=0)
    y = np.sort(np.stack([points[:, :2, 1].mean(1), points[:, 2:, 1].mean(1)]), axis=0)
    return Boxes(x[0], x[1], y[0], y[1], np.zeros(len(quads), bool))


def from_top_left(quads: Float32) -> Float32:
    """Return quads [N, 4, 2] that begin at the corner that is at the top left of upright text.

    Detectors begin at the upper one of the two leftmost corners, which is a different corner where
    a tall region leans. From the wanted corner, the way to the next one runs to the right, within
    45 degrees.
    """
    sides = quads[:, [1, 2, 3, 0]] - quads
    # The mean of two opposite sides, so that only one of the four choices points to the right.
    along = sides - sides[:, [2, 3, 0, 1]]
    first = np.argmax(along[..., 0] / np.maximum(np.linalg.norm(along, axis=2), 1e-6), axis=1)
    places = (first[:, None] + np.arange(4)) % 4
    return np.take_along_axis(quads, places[..., None], axis=1)
