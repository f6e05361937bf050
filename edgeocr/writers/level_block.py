"""A block's lines as level boxes, and the rows and tables that they form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..results.lines import Line
from .places import reading_quad, runs_leftwards

Float64 = NDArray[np.float64]

# A line continues a row unless it begins before the end of the row's last cell by more than this
# share of its height.
OVERLAP = 0.5
# How far the cells of a column may stray from a common left edge, middle or right edge, in heights
# of a line; and the least share of a table's cells that must not be empty.
STRAY, FILLED = 0.75, 0.6
# Cells with more characters than this on average, in every column, are columns of prose.
PROSE = 30


@dataclass(frozen=True, eq=False)
class LevelBlock:
    """Lines whose text runs to the right, after they have been turned if necessary.

    Attributes:
        lines: The lines in reading order.
        boxes: float64 [N, 4], the left, top, right and bottom of each line. Text that is read from
            right to left is mirrored, so that every line begins at its left.
    """

    lines: Sequence[Line]
    boxes: Float64

    @classmethod
    def of(cls, lines: Sequence[Line]) -> LevelBlock:
        """Turn lines by their mean direction.

        Args:
            lines: The lines of a block, at least one.
        """
        quads = np.array([reading_quad(line) for line in lines], np.float64)
        quads = np.nan_to_num(quads, posinf=0, neginf=0)
        right, down = (quads[:, 1] + quads[:, 2] - quads[:, 0] - quads[:, 3]).sum(axis=0)
        length = float(np.hypot(right, down))
        along = np.array([right, down]) / length if length else np.array([1.0, 0.0])
        x = quads @ along
        y = quads @ np.array([-along[1], along[0]])
        if runs_leftwards(" ".join(line.text for line in lines)):
            x = -x
        sides = [x.min(axis=1), y.min(axis=1), x.max(axis=1), y.max(axis=1)]
        return cls(lines, np.stack(sides, axis=1))

    @property
    def height(self) -> float:
        """The median height of the lines, at least 1."""
        return max(float(np.median(self.boxes[:, 3] - self.boxes[:, 1])), 1.0)

    def rows(self) -> list[list[int]]:
        """Return the rows of the block, each as the indices of its lines from left to right."""
        rows: list[list[int]] = []
        middles = self.boxes[:, [1, 3]].mean(axis=1)
        for i, (left, top, _, bottom) in enumerate(self.boxes.tolist()):
            if rows:
                last = rows[-1][-1]
                beside = (
                    self.boxes[last, 1] < middles[i] < self.boxes[last, 3]
                    and top < middles[last] < bottom
                    and left > self.boxes[last, 2] - OVERLAP * (bottom - top)
                )
                if beside:
                    rows[-1].append(i)
                    continue
            rows.append([i])
        return rows

    def table(self, rows: Sequence[Sequence[int]]) -> list[list[int | None]] | None:
        """Return rows as a table, or None unless they plainly are one.

        Args:
            rows: The indices of the lines of each row.

        Returns:
            The index of each cell's line, row by row and column by column; None for an empty cell.
        """
        cells = np.array([i for row in rows for i in row])
        places = np.repeat(np.arange(len(rows)), [len(row) for row in rows])
        columns = self._columns(cells)
        count = int(columns.max(initial=-1)) + 1
        if len(rows) < 2 or count < 2 or len(cells) < FILLED * len(rows) * count:
            return None
        places = places * count + columns
        if np.bincount(places).max() > 1:  # two cells of a row in one column
            return None
        members = [cells[columns == column] for column in range(count)]
        if not all(map(self._is_aligned, members)):
            return None
        lengths = [np.mean([len(self.lines[i].text) for i in each]) for each in members]
        if min(lengths) > PROSE:
            return None
        found: list[int | None] = [None] * (len(rows) * count)
        for place, cell in zip(places.tolist(), cells.tolist(), strict=True):
            found[place] = cell
        return [found[i : i + count] for i in range(0, len(found), count)]

    def _columns(self, cells: NDArray[np.intp]) -> NDArray[np.intp]:
        """Return the column of each cell: cells that overlap from side to side share one."""
        order = np.argsort(self.boxes[cells, 0], kind="stable")
        lefts, rights = self.boxes[cells[order]][:, [0, 2]].T
        begins = lefts[1:] >= np.maximum.accumulate(rights)[:-1]
        columns = np.empty(len(cells), np.intp)
        columns[order] = np.concatenate([[0], np.cumsum(begins)])
        return columns

    def _is_aligned(self, cells: NDArray[np.intp]) -> bool:
        left, right = self.boxes[cells][:, [0, 2]].T
        strays = [np.abs(x - np.median(x)).mean() for x in (left, right, (left + right) / 2)]
        return bool(min(strays) <= STRAY * self.height)
