"""Which part of a crop each input of the recognition network shows: all of it, or a piece."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..bundle.manifest import Recognition

# The widest piece of a line that is read in pieces, in heights of the line. Wider pieces are not
# read better, and more pieces keep all threads busy.
WIDEST = 34
# By how much a line that is read in pieces is stretched. Detectors' boxes are higher around long
# lines than around short ones, which makes the letters narrower, and letters that repeat run
# together: of 3.2 % of them that were lost, 0.3 % remain (10 drawn lines, the package's bundle).
STRETCH = 1.15
# How far neighbouring pieces overlap, in heights; a third of a piece if that is less.
OVERLAP = 4
# The least width of the network's widest input, in heights, with which lines are read in pieces:
# narrower pieces show too little between their ends.
NARROWEST = 4
# How long the ends of a piece are, in heights, in which time steps see too little of what is beside
# them. A letter that is cut through lies within an end, as no letter is much wider than high.
EDGE = 1
# The longest line, in heights, that keeps its proportions: about 10 000 letters. A longer one is
# squeezed to it, so that no picture keeps the network busy for minutes.
LONGEST = 4096
# A crop of fewer rows than this is one input however long it is: it shows a rule or a border, or
# text that is too small to be read.
LEAST_ROWS = 6


@dataclass(frozen=True)
class Input:
    """What one input of the network shows: a crop, or a piece of one.

    Attributes:
        crop: Index of the crop.
        begin: The first of the crop's columns that the input shows.
        end: The column after the last one.
        width: The width to which these columns are resized, in pixels.
        start: Where the piece begins in the resized line, in pixels.
    """

    crop: int
    begin: int
    end: int
    width: int
    start: int = 0


def joins_pieces(stage: Recognition) -> bool:
    """Tell whether a line may be read in pieces: whether each time step shows a known place.

    This holds for CTC networks that take inputs of any width. Attention and SRN networks write one
    character after the other. CTC networks of a fixed width straighten the picture first (TPS), so
    the place that a time step shows depends on the picture. A network whose stride is more than its
    height would have too few steps in a piece; no real one has.
    """
    any_width = stage.width is None and stage.max_width >= NARROWEST * stage.height
    return stage.algorithm == "CTC" and any_width and stage.multiple <= stage.height


def inputs_of(index: int, size: tuple[int, int], stage: Recognition) -> list[Input]:
    """Return the inputs that are run for a crop: one, or the pieces of a line that is too wide.

    Args:
        index: Index of the crop.
        size: Height and width of the crop in pixels.
        stage: The recognition stage.
    """
    height, width = size
    natural = math.ceil(stage.height * width / height)
    if stage.stretch_widths is not None:
        steps = stage.stretch_widths
        natural = steps[min(bisect_left(steps, natural), len(steps) - 1)]
    most = stage.width or stage.max_width
    if natural <= most or height < LEAST_ROWS or not joins_pieces(stage):
        return [Input(index, 0, width, min(natural, most))]
    length = min(math.ceil(STRETCH * natural), LONGEST * stage.height)
    return _pieces(index, width, length, stage)


def _pieces(index: int, columns: int, length: int, stage: Recognition) -> list[Input]:
    """Cut the columns of a crop, resized to `length` pixels, into overlapping pieces.

    The pieces begin every `hop` pixels, a multiple of the network's stride, so that the time steps
    of neighbouring pieces show the same places. A piece consists of whole columns of the crop; the
    line is stretched a little so that `hop` is a whole number of columns.
    """
    unit, height = stage.multiple, stage.height
    most = min(stage.max_width, WIDEST * height) // unit * unit
    overlap = min(OVERLAP * height, most // 3) // unit * unit
    number = math.ceil((length - overlap) / (most - overlap))
    hop = math.ceil((length - overlap) / number / unit) * unit
    apart = max(1, round(hop * columns / length))
    scale = hop / apart
    shown = int((hop + overlap) / scale)
    pieces: list[Input] = []
    while not pieces or pieces[-1].end < columns:
        begin, start = len(pieces) * apart, len(pieces) * hop
        end = min(begin + shown, columns)
        pieces.append(Input(index, begin, end, max(1, round((end - begin) * scale)), start))
    return pieces


def columns_per_pixel(pieces: Sequence[Input]) -> float:
    """Return how many columns of a crop each pixel of its resized line shows.

    Args:
        pieces: The inputs that show the crop, from left to right.
    """
    if len(pieces) > 1:
        return pieces[1].begin / pieces[1].start
    return (pieces[0].end - pieces[0].begin) / pieces[0].width


def input_widths(inputs: Sequence[Input], stage: Recognition) -> NDArray[np.int64]:
    """Return the width in pixels of each input: room for its crop or piece, and for a margin."""
    drawn = np.array([each.width for each in inputs], np.int64)
    if stage.width is not None:
        return np.full_like(drawn, stage.width)
    needed = np.maximum(drawn + stage.margin, stage.min_width)
    return -(-needed // stage.multiple) * stage.multiple


def groups_of(widths: NDArray[np.int64], largest: int) -> list[list[int]]:
    """Group the indices of equal widths, at most `largest` in a group, the widest first."""
    groups: list[list[int]] = []
    for i in np.argsort(-widths, kind="stable").tolist():
        if groups and len(groups[-1]) < largest and widths[groups[-1][0]] == widths[i]:
            groups[-1].append(i)
        else:
            groups.append([i])
    return groups
