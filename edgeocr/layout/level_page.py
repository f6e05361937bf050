"""The reading order of a page whose rows are level."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

import numpy as np

from . import blocks, scripts, tall
from .boxes import Boxes, Indices
from .columns import Partition
from .rows import joined_pieces, rows

ReadingOrder: TypeAlias = Literal["auto", "rows", "columns"]
# A block is a list of indices of boxes in reading order, and so is a line of one or more pieces.
Block: TypeAlias = list[int]
Line: TypeAlias = list[int]


class LevelPage:
    """The boxes and texts of a page whose rows are level."""

    def __init__(
        self,
        boxes: Boxes,
        texts: Sequence[str] | None,
        upwards: Sequence[bool] | None = None,
        wanted: ReadingOrder = "auto",
    ) -> None:
        """Find which lines are vertical, and from which side the page is read.

        Args:
            boxes: The boxes, as they stand on the page.
            texts: Their texts, if known.
            upwards: Which of them are read from the bottom up, if known.
            wanted: The reading order that is wanted.
        """
        self._boxes, self._texts, self._upwards, self._wanted = boxes, texts, upwards, wanted
        # Which boxes hold a line that runs downwards.
        self._down = [bool(each) for each in tall.runs_down(boxes, texts)]
        # The blocks of vertical text, and the labels that are turned by 90 degrees.
        self._upright, labels = tall.groups(
            boxes, [i for i, runs_down in enumerate(self._down) if runs_down], texts
        )
        self._labels = tall.completed(labels, boxes, self._down)
        self._script_from_the_right = bool(texts is not None and scripts.from_the_right(texts))
        self._from_the_right = self._script_from_the_right or self._mostly_vertical()
        # The boxes, mirrored if the page is read from right to left.
        self._seen = boxes.mirrored() if self._from_the_right else boxes
        self._pieces = self._pieces_of_lines()

    def parts(self) -> list[list[Block]]:
        """Return the blocks of each part of the page, in reading order.

        A part is a label, or lines that no gutter divides.
        """
        lines = self._pieces + self._upright
        found = []
        if lines:
            joined = self._seen.joined(lines)
            joined.solid[len(self._pieces) :] = True
            for part in self._partition(joined, lines):
                these = joined.take(part)
                in_rows = [
                    [line for row in block for line in self._row([lines[part[i]] for i in row])]
                    for block in blocks.of_rows(these, rows(these))
                ]
                found.append([whole for block in in_rows for whole in self._written(block)])
        return self._with_labels(found)

    def _mostly_vertical(self) -> bool:
        """Tell whether most lines are vertical; if so, the columns are read from the right."""
        vertical = sum(map(len, self._upright))
        return 2 * vertical > len(self._boxes) - sum(map(len, self._labels))

    def _pieces_of_lines(self) -> list[Line]:
        """Return the pieces of each horizontal line."""
        in_labels = {i for label in self._labels for i in label}
        level = np.array(
            [i for i, down in enumerate(self._down) if not down and i not in in_labels], np.intp
        )
        return [[int(level[i]) for i in line] for line in joined_pieces(self._seen.take(level))]

    def _partition(self, joined: Boxes, lines: list[Line]) -> list[Indices]:
        everything = np.arange(len(lines))
        if self._wanted == "rows":
            return [everything]
        texts = self._texts
        read = None if texts is None else [" ".join(texts[i] for i in line) for line in lines]
        return [*Partition(joined, read, every=self._wanted == "columns").parts(everything)]

    def _row(self, row: list[Line]) -> list[Line]:
        """Return the lines of a row, which has been sorted in the direction of the page's columns.

        On a page of vertical text, horizontal lines are still read from left to right.
        """
        if self._script_from_the_right or not self._from_the_right:
            return row
        return row if any(self._down[line[0]] for line in row) else row[::-1]

    def _written(self, block: list[Line]) -> list[Block]:
        """Return a block of lines as several blocks if some of its lines are vertical text."""
        found: list[Block] = [[]]
        for line in block:
            if self._down[line[0]]:
                found += [*self._vertical(line), []]
            else:
                found[-1] += self._in_own_direction(line)
        return [each for each in found if each]

    def _in_own_direction(self, line: Line) -> Line:
        """Return the pieces of a line in the direction of its own script."""
        if len(line) > 1 and self._texts is not None:
            own = scripts.from_the_right([self._texts[i] for i in line])
            if own is not None and own != self._from_the_right:
                return line[::-1]
        return line

    def _vertical(self, block: Block) -> list[Block]:
        """Return the tiers of vertical text from the top, the lines of each from the right."""
        boxes = self._boxes.take(np.array(block)).fallen()
        tiers = [np.arange(len(block))]
        if self._wanted != "rows":
            tiers = [*Partition(boxes, None, every=True, least=2).parts(tiers[0])]
        return [
            [block[int(tier[k])] for row in rows(boxes.take(tier)) for k in row] for tier in tiers
        ]

    def _label(self, label: Block, *, at_right: bool) -> Block:
        """Return the pieces of a label line by line, as they are read with the head turned.

        Args:
            label: The pieces.
            at_right: Whether the label stands at the right of what is beside it: then it mostly
                runs downwards, otherwise upwards.
        """
        upwards = not at_right
        if self._upwards is not None and self._texts is not None:
            # Long pieces are more certain.
            votes = [len(self._texts[i]) * (1 if self._upwards[i] else -1) for i in label]
            upwards = sum(votes) > 0
        boxes = self._boxes.take(np.array(label))
        turned = boxes.risen() if upwards else boxes.fallen()
        return [label[i] for row in rows(turned) for i in row]

    def _with_labels(self, parts: list[list[Block]]) -> list[list[Block]]:
        """Put each turned label before or after the parts that it stands beside."""
        seen = self._seen
        spans = [seen.joined([[i for block in part for i in block]]) for part in parts]
        for label in self._labels:
            box = seen.joined([label])
            beside = _band(spans, box, 0.5 * seen.line_height())
            middle = box.left[0] + box.right[0]
            before = [k for k in beside if spans[k].left[0] + spans[k].right[0] < middle]
            if before:
                place = max(before) + 1
            elif beside:
                place = min(beside)
            else:
                place = sum(bool(span.top[0] < box.top[0]) for span in spans)
            parts.insert(place, [self._label(label, at_right=bool(before))])
            spans.insert(place, box)
        return parts


def _band(spans: list[Boxes], label: Boxes, least: float) -> list[int]:
    """Return the indices of the parts that stand beside a label, or beside such a part.

    Args:
        spans: One box around each part.
        label: The label's box.
        least: By how many pixels two parts that stand side by side overlap at least.
    """
    found: list[int] = []
    waiting = [label]
    while waiting:
        one = waiting.pop()
        for k, span in enumerate(spans):
            overlap = min(one.bottom[0], span.bottom[0]) - max(one.top[0], span.top[0])
            if k not in found and overlap > least:
                found.append(k)
                waiting.append(span)
    return found
