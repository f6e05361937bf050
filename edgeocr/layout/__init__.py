"""Put regions into reading order, and group them into blocks.

The page is levelled (`slant.py`) and its columns are made upright (`upright.py`). On the level page
(`level_page.py`) turned labels and vertical text are set apart (`tall.py`), pieces of one line are
joined (`rows.py`), and columns are separated (`columns.py`, by the rule in `running.py`). What is
left is read row by row, and its rows make blocks (`blocks.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

from ..postprocess.geometry import Float32
from . import boxes as level_boxes
from . import slant
from .level_page import LevelPage, ReadingOrder
from .upright import straightened

__all__ = ["READING_ORDERS", "Layout", "ReadingOrder", "analyse"]

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
    upwards: Sequence[bool] | None = None,
) -> Layout:
    """Find out in which order quads are read, and which of them form a block.

    Args:
        quads: float32 [N, 4, 2], clockwise from the top left, of a page whose text stands upright
            or slants by up to 45 degrees.
        reading_order: "rows" reads across the whole page, "columns" reads the two sides of every
            gutter one after the other, "auto" does so only where the lines form columns of text.
        texts: What is written in each quad, if that is known: the script tells in which direction
            lines and columns are read, and the words tell whether lines go on.
        upwards: Which quads are read from the bottom up, if that is known. Without it, a label at
            the right of the other text is taken to be read downwards, any other label upwards.

    Returns:
        The blocks in reading order, and the direction of the text.
    """
    if not len(quads):
        return Layout([], 0.0)
    quads = level_boxes.from_top_left(quads)
    found = slant.find(quads, texts)
    boxes = level_boxes.of_quads(found.levelled(quads))
    if found.angle or found.convergence:
        boxes = straightened(boxes)
    page = LevelPage(boxes, texts, upwards, wanted=reading_order)
    return Layout([block for part in page.parts() for block in part], found.angle)
