"""Put regions into reading order, and group them into blocks.

The page is levelled (`slant.py`); turned labels and vertical text are set apart (`tall.py`); pieces
of one line are joined (`rows.py`); columns are parted (`columns.py`, by the rule in `running.py`);
what is left is read row by row, and its rows make blocks (`blocks.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np

from ..postprocess.geometry import Float32
from . import blocks as row_blocks
from . import boxes as level_boxes
from . import scripts, slant, tall
from .boxes import Boxes, Indices
from .columns import Partition
from .rows import joined_pieces, rows

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

    Args:
        quads: float32 [N, 4, 2], clockwise from the top left, of a page whose text stands upright
            or slants by up to 45 degrees.
        reading_order: "rows" reads across the whole page, "columns" reads on both sides of every
            gutter one after the other, "auto" only where the lines form columns of text.
        texts: What is written in each quad, if that is known: the script says in which direction
            lines and columns are read, and words whether lines go on.
    """
    if not len(quads):
        return Layout([], 0.0)
    found = slant.find(quads, texts)
    boxes = level_boxes.of_quads(found.levelled(quads))
    return Layout(_Page(boxes, reading_order, texts).blocks(), found.angle)


@dataclass(frozen=True)
class _Page:
    """The boxes and texts of a level page, and the order that is wanted."""

    boxes: Boxes
    wanted: ReadingOrder
    texts: Sequence[str] | None

    def blocks(self) -> list[list[int]]:
        down = tall.runs_down(self.boxes, self.texts)
        upright, labels = tall.groups(self.boxes, np.flatnonzero(down).tolist(), self.texts)
        # From the right: scripts that are written so, and pages that are mostly vertical.
        mirrored = bool(self.texts is not None and scripts.from_the_right(self.texts))
        columns = sum(map(len, upright))
        mirrored |= 2 * columns > len(self.boxes) - len(labels)
        boxes = self.boxes.mirrored() if mirrored else self.boxes
        level = np.flatnonzero(~down)
        pieces = [[int(level[i]) for i in line] for line in joined_pieces(boxes.take(level))]
        lines = pieces + upright
        parts: list[Indices] = []
        if lines:
            joined = boxes.joined(lines)
            joined.solid[len(pieces) :] = True
            texts = None if self.texts is None else [self._text(line) for line in lines]
            partition = Partition(joined, texts, every=self.wanted == "columns")
            everything = np.arange(len(lines))
            parts = [everything] if self.wanted == "rows" else [*partition.parts(everything)]
        found = []
        for part in parts:
            these = joined.take(part)
            for block in row_blocks.of_rows(these, rows(these)):
                found.append([lines[int(part[i])] for row in block for i in row])
        ordered = []
        for block in found:
            flat: list[int] = []
            for line in block:
                if down[line[0]]:
                    if flat:
                        ordered.append(flat)
                    ordered.extend(self._vertical(line))
                    flat = []
                else:
                    flat.extend(self._line(line, mirrored))
            if flat:
                ordered.append(flat)
        return self._with_labels(ordered, labels)

    def _text(self, line: list[int]) -> str:
        assert self.texts is not None
        return " ".join(self.texts[i] for i in line)

    def _line(self, line: list[int], mirrored: bool) -> list[int]:
        """Return the pieces of a line in the direction of its own script."""
        if len(line) > 1 and self.texts is not None:
            own = scripts.from_the_right([self.texts[i] for i in line])
            if own is not None and own != mirrored:
                return line[::-1]
        return line

    def _vertical(self, block: list[int]) -> list[list[int]]:
        """Return the order of vertical text: from the right, one tier below the other."""
        boxes = self.boxes.take(np.array(block)).fallen()
        parts = [np.arange(len(block))]
        if self.wanted != "rows":
            parts = [*Partition(boxes, None, every=True, least=2).parts(parts[0])]
        return [
            [block[int(part[k])] for row in rows(boxes.take(part)) for k in row] for part in parts
        ]

    def _with_labels(self, ordered: list[list[int]], labels: list[int]) -> list[list[int]]:
        """Put each label before or behind what it stands beside."""
        boxes = self.boxes
        for label in sorted(labels, key=lambda i: (boxes.left[i], boxes.top[i])):
            beside = [
                k
                for k, block in enumerate(ordered)
                for i in block
                if min(boxes.bottom[i], boxes.bottom[label]) > max(boxes.top[i], boxes.top[label])
            ]
            middle = (boxes.left[label] + boxes.right[label]) / 2
            centre = [
                float((boxes.left[i] + boxes.right[i]).mean() / 2)
                for k in beside
                for i in [ordered[k]]
            ]
            if not beside:
                place = sum(boxes.top[b[0]] < boxes.top[label] for b in ordered)
            elif middle < np.median(centre):
                place = min(beside)
            else:
                place = max(beside) + 1
            ordered.insert(place, [label])
        return ordered
