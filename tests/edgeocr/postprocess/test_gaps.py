"""Test how gaps are measured, beside a plain loop over the steps and the columns of each line."""

from __future__ import annotations

from itertools import groupby

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeocr.postprocess import gaps

STRIDE, BLANK, SPACE = 4, 0, 1


def plainly_measured(
    indices: NDArray[np.int32], empty: dict[int, NDArray[np.bool_]]
) -> list[tuple[object, ...]]:
    found: list[tuple[object, ...]] = []
    for row, classes in enumerate(indices.tolist()):
        runs = [(key, [i for i, _ in group]) for key, group in _grouped(classes)]
        runs = [(key, steps) for key, steps in runs if key != BLANK]
        last = None
        has_space = False
        for key, steps in runs:
            if key == SPACE:
                has_space = True
                continue
            if last is not None:
                begin, end = ((2 * step + 1) * STRIDE // 2 for step in (last[1][-1], steps[0]))
                shown = empty.get(row, np.zeros(0, np.bool_))
                flags = [i < len(shown) and bool(shown[i]) for i in range(begin, end)]
                width, first = _longest(flags)
                found.append(
                    (
                        row,
                        (last[0], key),
                        (last[1][-1], steps[0]),
                        ((last[1][0] + last[1][-1]) / 2, (steps[0] + steps[-1]) / 2),
                        width,
                        begin + first if width else None,
                        has_space,
                        steps[0] > last[1][-1] + 1,
                    )
                )
            last, has_space = (key, steps), False
    return found


def _grouped(classes: list[int]) -> list[tuple[int, list[tuple[int, int]]]]:
    return [(key, list(group)) for key, group in groupby(enumerate(classes), lambda pair: pair[1])]


def _longest(flags: list[bool]) -> tuple[int, int]:
    """Return the length and the place of the first longest run of True."""
    best, place = 0, 0
    for i in range(len(flags)):
        length = next((j for j, flag in enumerate(flags[i:]) if not flag), len(flags) - i)
        if length > best:
            best, place = length, i
    return best, place


@pytest.mark.parametrize("seed", range(8))
def test_gaps_of_random_lines(seed: int) -> None:
    rng = np.random.default_rng(seed)
    number, steps = int(rng.integers(1, 2 * gaps.TOGETHER)), int(rng.integers(1, 30))
    choices, odds = [BLANK, SPACE, 2, 3], [0.5, 0.1, 0.2, 0.2]
    indices = rng.choice(choices, (number, steps), p=odds).astype(np.int32)
    empty = {
        row: np.repeat(rng.random(steps * STRIDE) < 0.7, 2)[: rng.integers(0, steps * STRIDE + 9)]
        for row in range(number)
        if rng.random() < 0.9
    }
    found = gaps.measure(indices, empty, stride=STRIDE, blank=BLANK, space=SPACE)
    expected = plainly_measured(indices, empty)
    assert len(found) == len(expected)
    for i, gap in enumerate(expected):
        begin = int(found.begin[i]) if found.width[i] else None
        assert gap == (
            int(found.row[i]),
            tuple(found.classes[i].tolist()),
            tuple(found.steps[i].tolist()),
            tuple(found.middles[i].tolist()),
            int(found.width[i]),
            begin,
            bool(found.has_space[i]),
            bool(found.has_blank[i]),
        )


def test_lines_without_steps_have_no_gaps() -> None:
    for shape in ((0, 5), (3, 0)):
        indices = np.zeros(shape, np.int32)
        found = gaps.measure(indices, {}, stride=STRIDE, blank=BLANK, space=None)
        assert len(found) == 0
        assert found.classes.shape == (0, 2)
