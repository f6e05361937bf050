"""Put regions into reading order, and group them into blocks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np

from .postprocess.geometry import Float32

ReadingOrder: TypeAlias = Literal["auto", "rows", "columns"]
READING_ORDERS: tuple[ReadingOrder, ...] = get_args(ReadingOrder)


@dataclass(frozen=True)
class Layout:
    """The order in which quads are read, and which of them belong together.

    Attributes:
        blocks: Indices of the quads of each block, in reading order.
        slant: The direction of the text, in radians clockwise from the x axis.
    """

    blocks: list[list[int]]
    slant: float

    @property
    def order(self) -> list[int]:
        """The indices of all quads in reading order."""
        return [i for block in self.blocks for i in block]


def analyse(
    quads: Float32,
    *,
    reading_order: ReadingOrder = "auto",
    texts: Sequence[str] | None = None,
) -> Layout:
    """Find out in which order quads are read, and which of them form a block.

    A region belongs to a row if its vertical centre lies within the middle half of the row's first
    region, or the other way round, so that an uneven row stays together. Rows may slant: the page
    is first levelled by the median direction of its wide regions.

    Args:
        quads: float32 [N, 4, 2], clockwise from the top left, of a page that stands upright.
        reading_order: "rows", "columns", or "auto" to decide by where the quads stand.
        texts: What is written in each quad, if that is known: the script says in which direction
            lines and columns are read.
    """
    if not len(quads):
        return Layout([], 0.0)
    slant = _slant(quads)
    quads = _levelled(quads, slant)
    top, bottom = quads[..., 1].min(axis=1), quads[..., 1].max(axis=1)
    middle, left = (top + bottom) / 2, quads[..., 0].min(axis=1)
    # A tall region (vertical text) would swallow all rows beside it, so only its top counts.
    width = quads[..., 0].max(axis=1) - left
    tall = bottom - top > 2 * width
    height = np.where(tall, width, bottom - top)
    middle = np.where(tall, top + height / 2, middle)

    order: list[int] = []
    rest = np.argsort(middle, kind="stable")
    while len(rest):
        first = rest[0]
        reach = np.maximum(height[first], height[rest]) / 4
        near = np.abs(middle[rest] - middle[first]) <= np.maximum(reach, 1)
        row = rest[near]
        order.extend(row[np.argsort(left[row], kind="stable")].tolist())
        rest = rest[~near]
    return Layout([order], slant)


def _slant(quads: Float32) -> float:
    """Return the median direction of the wide quads [N, 4, 2] in radians."""
    along = quads[:, 1] - quads[:, 0]
    wide = np.linalg.norm(along, axis=1) > 2 * np.linalg.norm(quads[:, 3] - quads[:, 0], axis=1)
    if not wide.any():
        return 0.0
    return float(np.median(np.arctan2(along[wide, 1], along[wide, 0])))


def _levelled(quads: Float32, slant: float) -> Float32:
    """Turn quads [N, 4, 2] so that text of the given slant becomes horizontal."""
    cos, sin = np.cos(slant), np.sin(slant)
    return np.asarray(quads @ np.array([[cos, -sin], [sin, cos]]), np.float32)
