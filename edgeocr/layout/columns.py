"""Divide a page by its gutters into columns, until what is left is read row by row.

A gutter is an upright strip without text that has lines on both of its sides; it ends where a line
crosses it. The side that is read first is *before* the gutter, the other one *behind* it. The
longest gutter that separates columns (`running.py` says which do) divides the page into what is
above it, the columns at its two sides, and what is below it. Each of these is divided again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .boxes import Boxes, Float64, Indices, median
from .running import LEAST, LONG_IF_ON, Verdict, judge, may_run_on

# The least width of a gutter, in line heights, and how far a line may reach into it.
GUTTER, STRAY = 0.5, 0.15
# What stands above or below columns is a part of them if this share of its lines begins where lines
# of the columns do.
SAME_BEGIN = 0.7
# A line that a detector has merged from two columns is at most this many line heights high, and the
# next lines are at most this many line pitches away.
MERGED, PITCHES = 1.3, 1.4
# If more lines than this cross a gutter, none of them is taken for a merged line.
MOST_MERGED = 20
# Two lines are in one row if their middles differ by less than this many line heights.
IN_ROW = 0.3
# The most gutters of one part of a page that are judged.
MOST_JUDGED = 30
# What is above and what is below a space between lines is judged separately if the space is this
# many line heights, and this many times the usual space.
SPACE, USUAL_SPACES = 0.8, 1.8
# At most this many lines that stand above or below the whole other side of a gutter are headings,
# or a foot, and don't belong to a column.
HEADING = 2
# A heading is larger than the lines of a column by this factor.
LARGER = 1.3
# The headline of the next story, which also has space above it, is larger by this factor.
HEADLINE = 1.22
# A line across several columns is wider than their lines by this factor.
WIDER = 1.25


@dataclass(frozen=True)
class Partition:
    """Divides pages by their gutters.

    Attributes:
        boxes: The lines of a page.
        texts: Their texts, if known.
        every: Take each gutter as one that separates columns.
        least: The least number of lines on either side of a gutter.
    """

    boxes: Boxes
    texts: Sequence[str] | None
    every: bool = False
    least: int = LEAST

    def parts(self, chosen: Indices) -> Iterator[Indices]:
        """Yield the lines of each part in the order in which parts are read."""
        cut = self._cut(chosen) if len(chosen) > 1 else None
        if cut is None:
            if len(chosen):
                yield chosen
            return
        for part in cut:
            yield from self.parts(part)

    def _cut(self, chosen: Indices) -> list[Indices] | None:
        """Return what is above, before, behind and below the best gutter; None without one."""
        for left, right in self._gutters(chosen):
            found = self._columns(left, right)
            if found is not None:
                left, right = found
                both = np.concatenate([left, right])
                top, bottom = self.boxes.top[both].min(), self.boxes.bottom[both].max()
                rest = np.setdiff1d(chosen, both)
                middle = self.boxes.middle[rest]
                above = middle < (top + bottom) / 2
                return [rest[above], left, right, rest[~above]]
        return None

    def _gutters(self, chosen: Indices) -> list[tuple[Indices, Indices]]:
        """Return the lines before and behind each gutter, the longest gutter first."""
        chosen = chosen[np.argsort(self.boxes.middle[chosen], kind="stable")]
        boxes = self.boxes.take(chosen)
        height = boxes.line_height()
        solid = bool(boxes.solid.any())
        least = 1 if solid else self.least
        begins, ends = np.sort(boxes.left), np.sort(boxes.right)
        # A gutter begins where a line ends. Of gutters with the same lines behind them, the last
        # one has the most lines before it.
        behind_from = ends + (GUTTER - STRAY) * height
        behind_number = len(chosen) - np.searchsorted(begins, behind_from)
        last = np.append(behind_number[1:] != behind_number[:-1], True)
        before_number = np.searchsorted(ends, ends + STRAY * height, side="right")
        wanted = last & (np.minimum(before_number, behind_number) >= least)
        middle = boxes.middle
        sides: list[tuple[NDArray[np.bool_], NDArray[np.bool_]]] = []
        found: list[tuple[float, int, int, int]] = []
        for end in ends[wanted].tolist():
            before = boxes.right <= end + STRAY * height
            behind = (boxes.left >= end + (GUTTER - STRAY) * height) & ~before
            across = np.flatnonzero(~(before | behind))
            if 0 < len(across) <= MOST_MERGED:
                before |= _merged(boxes, before, behind, across)
                across = np.flatnonzero(~(before | behind))
            if len(across):
                # Whatever stands in one row with a line across is no part of a column either.
                places = np.searchsorted(middle[across], middle)
                above = middle - middle[across[np.maximum(places - 1, 0)]]
                below = middle[across[np.minimum(places, len(across) - 1)]] - middle
                near = np.minimum(np.abs(above), np.abs(below)) < IN_ROW * height
                before, behind = before & ~near, behind & ~near
                across = np.flatnonzero(near)
            # A line across ends one stretch of the gutter and begins the next.
            starts, stops = np.append(0, across + 1), np.append(across, len(chosen))
            lefts = np.append(0, np.cumsum(before))
            rights = np.append(0, np.cumsum(behind))
            fewest = np.minimum(lefts[stops] - lefts[starts], rights[stops] - rights[starts])
            for k in np.flatnonzero(fewest >= least).tolist():
                start, stop = int(starts[k]), int(stops[k])
                length = float(middle[stop - 1] - middle[start])
                found.append((-length, start - stop, start, len(sides)))
            sides.append((before, behind))
        longest = []
        for _, number, start, k in sorted(found)[:MOST_JUDGED]:
            stretch = slice(start, start - number)
            before, behind = (start + np.flatnonzero(side[stretch]) for side in sides[k])
            if min(len(before), len(behind)) >= self.least or boxes.solid[stretch].any():
                longest.append((chosen[before], chosen[behind]))
        return longest

    def _columns(self, left: Indices, right: Indices) -> tuple[Indices, Indices] | None:
        """Return the lines of the columns that a gutter separates; None if it separates none."""
        both = np.concatenate([left, right])
        if not self.every and not may_run_on(self.boxes, both):
            return (left, right) if self._judged(left, right) is Verdict.COLUMNS else None
        before = np.zeros(len(self.boxes), bool)
        before[left] = True
        sides = [(p[before[p]], p[~before[p]]) for p in self._pieces(both)]
        if self.every:
            verdicts = [Verdict.COLUMNS if len(a) and len(b) else Verdict.UNKNOWN for a, b in sides]
        else:
            verdicts = [
                self._judged(a, b) if min(len(a), len(b)) > self.least else Verdict.UNKNOWN
                for a, b in sides
            ]
        for run in _runs(verdicts):
            columns = [i for i, k in enumerate(run) if verdicts[k] is Verdict.COLUMNS]
            if columns:
                # Above and below the columns, there may be rows of a table that are too few to be
                # judged on their own.
                first, last = columns[0], columns[-1] + 1
                head, body, foot = (
                    _joined([sides[k] for k in part])
                    for part in (run[:first], run[first:last], run[last:])
                )
                start = first if self._is_table(head, body) else 0
                stop = last if self._is_table(foot, body) else None
                run = run[start:stop]
                break
            if self._judged(*_joined([sides[k] for k in run])) is Verdict.COLUMNS:
                break
        else:
            return None
        run = run[: self._end_of_story([sides[k] for k in run])]
        one, other = _joined([sides[k] for k in run])
        # What stands before the gutter is read first anyway, and what stands behind it last.
        other = self._without_headings(other, one, 1)
        one = self._without_headings(one, other, -1)
        return (one, other) if len(one) and len(other) else None

    def _judged(self, left: Indices, right: Indices) -> Verdict:
        if not len(left) or not len(right):
            return Verdict.UNKNOWN
        return judge(self.boxes, self.texts, left, right, self.least)

    def _is_table(self, piece: tuple[Indices, Indices], columns: tuple[Indices, Indices]) -> bool:
        """Return whether what stands above or below columns is not part of them, but cells."""
        left, right = piece
        if not len(left) or not len(right):
            return False
        both = np.concatenate(piece)
        height = median(self.boxes.height[both])
        begin = self.boxes.left
        away = np.abs(begin[right][:, None] - begin[columns[1]]).min(axis=1)
        if (away < 0.5 * height).mean() >= SAME_BEGIN:
            return False
        short = median(self.boxes.width[both]) < LONG_IF_ON * height
        return short or self._judged(left, right) is Verdict.ROWS

    def _without_headings(self, own: Indices, other: Indices, down: int) -> Indices:
        """Return the lines of one side of a gutter without headings, or a foot, over both sides.

        These are at most two lines, above (or below, where `down` is -1) all that stands on the
        other side. They are wider than the lines of the column, or begin elsewhere, or are larger
        and centred over both sides.
        """
        boxes = self.boxes
        if not len(own) or not len(other):
            return own
        order = own[np.argsort(down * boxes.middle[own], kind="stable")]
        column = order[HEADING:]
        if not len(column):
            return own
        height = median(boxes.height[column])
        if down == 1:
            outside = boxes.bottom[order] < boxes.top[other].min() + 0.3 * height
        else:
            outside = boxes.top[order] > boxes.bottom[other].max() - 0.3 * height
        usual = max(float(boxes.width[column].max()), median(boxes.width[other]))
        wider = boxes.width[order] > WIDER * usual
        begin = boxes.left[column]
        both = np.concatenate([column, other])
        centre = boxes.left[both].min() + boxes.right[both].max()
        number = 0
        while number < HEADING and outside[number]:
            line = order[number]
            elsewhere = (np.abs(begin - boxes.left[line]) > height).all()
            central = abs(boxes.left[line] + boxes.right[line] - centre) < 2 * height
            larger = boxes.height[line] > LARGER * height
            if not (wider[number] or elsewhere or (central and larger)):
                break
            number += 1
        return order[number:]

    def _end_of_story(self, sides: list[tuple[Indices, Indices]]) -> int:
        """Return the number of pieces above a line that begins something new.

        There is a space above such a line, across all columns, and columns above that space. The
        line is larger than the lines of the columns; or it stands before the gutter, below all that
        stands behind the gutter, and is wider than the lines above it.
        """
        last = max((k for k, (_, right) in enumerate(sides) if len(right)), default=-1)
        for k in range(1, len(sides)):
            left, right = _joined(sides[:k])
            if not len(left) or not len(right):
                continue
            above, piece = np.concatenate([left, right]), np.concatenate(sides[k])
            height = median(self.boxes.height[above])
            middle = self.boxes.middle[piece]
            first = piece[middle < middle.min() + 0.5 * height]
            if (self.boxes.height[first] > HEADLINE * height).all():
                return k
            if k > last and self.boxes.width[piece].max() > WIDER * self.boxes.width[left].max():
                return k
        return len(sides)

    def _pieces(self, chosen: Indices) -> list[Indices]:
        """Divide lines where the space between them, across all columns, is larger than usual."""
        boxes = self.boxes.take(chosen)
        order = np.argsort(boxes.top, kind="stable")
        lowest = np.maximum.accumulate(boxes.bottom[order])
        spaces = boxes.top[order][1:] - lowest[:-1]
        height = boxes.line_height()
        usual = spaces[spaces > -0.5 * height]
        least = max(SPACE * height, USUAL_SPACES * median(usual) if len(usual) else 0)
        return np.split(chosen[order], np.flatnonzero(spaces > least) + 1)


def _merged(
    boxes: Boxes, before: NDArray[np.bool_], behind: NDArray[np.bool_], across: Indices
) -> NDArray[np.bool_]:
    """Return which lines [N] across a gutter are lines of two columns that a detector has merged.

    Such a line is no higher than others, and one line pitch above and below it there are lines on
    both sides of the gutter. A heading across the gutter has more space around it, or is higher.

    Args:
        boxes: Lines of a page, from the top.
        before: Which lines [N] are before the gutter.
        behind: Which are behind it.
        across: Indices of the lines across it.
    """
    found = np.zeros(len(boxes), bool)
    middle = boxes.middle
    sides = [middle[before], middle[behind]]
    if min(map(len, sides)) < 2 * len(across):
        return found
    height = boxes.line_height()
    pitches = np.diff(sides[0])
    usual = pitches[pitches > 0.5 * height]
    reach = PITCHES * median(usual) if len(usual) else 0.0
    for line in across.tolist():
        if boxes.solid[line] or boxes.bottom[line] - boxes.top[line] > MERGED * height:
            continue
        others = np.abs(middle[across] - middle[line]) < reach
        found[line] = others.sum() == 1 and all(
            _between(side - middle[line], 0.5 * height, reach)
            and _between(middle[line] - side, 0.5 * height, reach)
            for side in sides
        )
    return found


def _between(values: Float64, low: float, high: float) -> bool:
    """Return whether any value is between two bounds."""
    return bool(((values > low) & (values < high)).any())


def _joined(sides: list[tuple[Indices, Indices]]) -> tuple[Indices, Indices]:
    """Return the lines before and behind a gutter of several pieces."""
    none = np.empty(0, np.intp)
    left, right = (np.concatenate([none, *(side[i] for side in sides)]) for i in (0, 1))
    return left, right


def _runs(verdicts: list[Verdict]) -> list[list[int]]:
    """Return the runs of pieces that are not judged to be rows, the longest first."""
    runs: list[list[int]] = [[]]
    for k, verdict in enumerate(verdicts):
        if verdict is Verdict.ROWS:
            runs.append([])
        else:
            runs[-1].append(k)
    return sorted((run for run in runs if run), key=len, reverse=True)
