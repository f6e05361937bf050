"""Measure how far the characters of lines stand apart, in the pixels between their time steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import ArrayError

# A column of pixels is empty if its values differ by less than this share of the difference of the
# values of the whole line.
EMPTY = 0.15
# The share of rows at the top and at the bottom that aren't looked at: they hold parts of other
# lines, rules and frames.
RIM = 1 / 12
# A line whose grey values differ by less than this shows nothing.
LEAST_CONTRAST = 16
# The number of lines that are measured in one go: enough that NumPy's fixed costs for each call
# hardly count, and few enough that the arrays stay small even if the lines are very long.
TOGETHER = 64


@dataclass(frozen=True)
class Gaps:
    """The gaps between neighbouring characters of N lines; a space doesn't count as a character.

    Attributes:
        row: intp [G], the line of each gap; ascending.
        classes: integer [G, 2], the class of the character before and after it.
        steps: intp [G, 2], the last time step of the character before it, and the first one of the
            character after it; ascending within a line.
        middles: float64 [G, 2], the middles of the time steps of these characters, in steps.
        width: intp [G], the most columns of pixels in a row without ink between the two characters.
        begin: intp [G], the first of these columns in the network's input.
        has_space: bool [G], whether the network has read a space there.
        has_blank: bool [G], whether there is a blank or a space between the two characters.
    """

    row: NDArray[np.intp]
    classes: NDArray[np.integer]
    steps: NDArray[np.intp]
    middles: NDArray[np.float64]
    width: NDArray[np.intp]
    begin: NDArray[np.intp]
    has_space: NDArray[np.bool_]
    has_blank: NDArray[np.bool_]

    def __len__(self) -> int:
        """Return the number of gaps."""
        return len(self.row)

    def take(self, chosen: slice | NDArray[np.bool_]) -> Gaps:
        """Return some of the gaps."""
        return Gaps(**{name: values[chosen] for name, values in vars(self).items()})


def empty_columns(grey: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Tell which columns of a line show no ink.

    Args:
        grey: uint8 [H, W], the line.

    Returns:
        bool [W]; all False if the line has no contrast.
    """
    rim = round(len(grey) * RIM)
    inner = grey[rim : len(grey) - rim]
    highest, lowest = inner.max(axis=0), inner.min(axis=0)
    contrast = int(highest.max()) - int(lowest.min())
    if contrast < LEAST_CONTRAST:
        return np.zeros(grey.shape[1], np.bool_)
    return np.asarray(highest - lowest < EMPTY * contrast, np.bool_)


def measure(
    indices: NDArray[np.integer],
    empty: Mapping[int, NDArray[np.bool_]],
    *,
    stride: int,
    blank: int,
    space: int | None,
) -> Gaps:
    """Measure the gaps of N lines.

    A gap reaches from the middle of the last time step of one character to that of the first step
    of the next character.

    Args:
        indices: integer [N, T], the most probable class of each step of CTC.
        empty: For each line, by its index, bool [W]: which columns of the network's input show no
            ink. Columns from W on are padding and have no characters. Lines that are missing here
            count as lines without empty columns.
        stride: The network's pixels for each time step.
        blank: The class that CTC drops.
        space: The class of the space; None if there is none.

    Raises:
        ArrayError: `indices` doesn't have the shape [N, T].
    """
    if indices.ndim != 2:
        raise ArrayError(f"indices must be [N, T], not {indices.shape}")
    parts = list(_measured(indices, empty, stride, blank, -1 if space is None else space))
    if len(parts) == 1:
        return parts[0]
    if not parts:
        none, pairs = np.zeros(0, np.intp), np.zeros((0, 2), np.intp)
        flags = np.zeros(0, np.bool_)
        return Gaps(none, pairs, pairs, pairs.astype(np.float64), none, none, flags, flags)
    names = vars(parts[0])
    return Gaps(**{name: np.concatenate([vars(part)[name] for part in parts]) for name in names})


def _measured(
    indices: NDArray[np.integer],
    empty: Mapping[int, NDArray[np.bool_]],
    stride: int,
    blank: int,
    space: int,
) -> Iterator[Gaps]:
    """Yield the gaps of `TOGETHER` lines at a time."""
    number, steps = indices.shape
    for first in range(0, number if steps else 0, TOGETHER):
        flat = indices[first : first + TOGETHER].ravel()
        # A character lasts as many steps as its class stays the same.
        changes = np.ones(len(flat), np.bool_)
        changes[1:] = flat[1:] != flat[:-1]
        changes[::steps] = True
        begins = np.flatnonzero(changes)
        lasts = np.append(begins[1:], len(flat)) - 1
        found = flat[begins]
        spaces_before = np.cumsum(found == space)
        kept = np.flatnonzero((found != blank) & (found != space))
        pairs = np.stack([kept[:-1], kept[1:]], axis=1)
        pairs = pairs[begins[pairs[:, 0]] // steps == begins[pairs[:, 1]] // steps]
        before, after = pairs.T
        row = begins[before] // steps
        # The columns of the lines, one line behind the other, and one more column, which holds the
        # end of the last slice.
        width = steps * stride
        columns = np.zeros(len(flat) * stride + 1, np.bool_)
        for i in range(first, min(first + TOGETHER, number)):
            if (flags := empty.get(i)) is not None:
                shown = flags[:width]
                columns[(i - first) * width :][: len(shown)] = shown
        between = np.stack([lasts[before], begins[after]], axis=1)
        slices = (2 * between + 1) * stride // 2
        longest, begin = _longest_runs(columns, slices)
        yield Gaps(
            row + first,
            found[pairs],
            between - (row * steps)[:, None],
            (begins + lasts)[pairs] / 2 - (row * steps)[:, None],
            longest,
            begin - row * width,
            spaces_before[after] > spaces_before[before],
            begins[after] > lasts[before] + 1,
        )


def _longest_runs(
    flags: NDArray[np.bool_], slices: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Find the longest run of True in each of N slices [N, 2] of flags [W].

    The slices ascend, don't overlap, and end before W.

    Returns:
        intp [N] each: the length of the run, and its first place.
    """
    if not len(slices):
        return np.zeros(0, np.intp), np.zeros(0, np.intp)
    # Runs are found by their ends: the places where the flag changes, and the borders of slices.
    ends = np.zeros(len(flags), np.bool_)
    np.not_equal(flags[1:], flags[:-1], out=ends[1:])
    ends[slices] = True
    places = np.flatnonzero(ends)
    lengths = np.append(places[1:] - places[:-1], 0)
    lengths[~flags[places]] = 0
    borders = np.searchsorted(places, slices.ravel())
    longest = np.maximum.reduceat(lengths, borders)[::2]
    # The first run of each slice that is that long.
    counts = borders[1::2] - borders[::2]
    owner = np.repeat(np.arange(len(slices)), counts)
    runs = np.arange(len(owner)) + np.repeat(borders[::2] - np.cumsum(counts) + counts, counts)
    matches = np.flatnonzero(lengths[runs] == longest[owner])
    begins = np.empty(len(slices), np.intp)
    begins[owner[matches[::-1]]] = places[runs[matches[::-1]]]
    return longest, begins
