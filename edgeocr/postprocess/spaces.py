"""Find the spaces between words in the pixels of a line, for networks that leave them out."""

from __future__ import annotations

from collections.abc import Collection

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
# The gap of empty columns between two words is at least WIDTH line heights wide, and at least TIMES
# times as wide as the median gap between neighbouring characters of the line, which is wide in
# letter-spaced and in monospaced type. Chosen for PP-OCRv4 mobile on the 1269 labelled lines of
# ten receipts (SROIE) and nine drawn pages, cut out by their labels: the word F1 rises from 0.860
# to 0.901 and from 0.540 to 0.575. WIDTH from 0.26 to 0.34 and TIMES from 0 to 3 change the word
# F1 of the receipts by less than a point.
WIDTH = 0.26
TIMES = 2.0


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


def mark(
    indices: NDArray[np.integer],
    scores: NDArray[np.floating],
    empty: NDArray[np.bool_],
    *,
    height: int,
    stride: int,
    spaced: NDArray[np.bool_],
    space: int,
    blank: int,
) -> None:
    """Put a space, in place of a blank, where two characters of a line stand apart.

    Args:
        indices: integer [T], the most probable class of each step of CTC; changed in place.
        scores: float [T], the probability of that class; changed in place. A space gets the mean of
            its neighbours' probabilities, so that it hardly changes the score of the text.
        empty: bool [W], which columns of the network's input show no ink; columns beyond W are
            padding and have no characters.
        height: Height of the network's input in pixels.
        stride: The network's pixels for each time step.
        spaced: bool [classes], the characters between which there can be a space: not those of
            scripts that are written without spaces.
        space: The class of the space.
        blank: The class that CTC drops.

    Raises:
        ArrayError: `indices` and `scores` don't have the same shape [T].
    """
    if indices.ndim != 1 or indices.shape != scores.shape:
        raise ArrayError(
            f"indices and scores must have one shape [T], not {indices.shape} and {scores.shape}"
        )
    if len(indices) < 3:
        return
    # A character lasts as many steps as its class stays the same.
    changes = np.flatnonzero(indices[1:] != indices[:-1])
    begins = np.concatenate([[0], changes + 1])
    lasts = np.concatenate([changes, [len(indices) - 1]])
    characters = indices[begins]
    kept = characters != blank
    begins, lasts, characters = begins[kept], lasts[kept], characters[kept]
    if len(begins) < 2:
        return
    between = np.flatnonzero(
        spaced[characters[:-1]] & spaced[characters[1:]] & (begins[1:] > lasts[:-1] + 1)
    )
    if not len(between):
        return
    # From the middle of the first character's last step to that of the second one's first step.
    places = np.stack([lasts[between], begins[between + 1]], axis=1)
    gaps = _longest_runs(empty, (2 * places + 1) * stride // 2)
    ascending, middle = np.sort(gaps), len(gaps) // 2
    median = (int(ascending[middle]) + int(ascending[-1 - middle])) / 2
    wide = gaps >= max(WIDTH * height, TIMES * median)
    steps = places[wide].sum(axis=1) // 2
    indices[steps] = space
    left = between[wide]
    scores[steps] = (scores[begins[left]] + scores[begins[left + 1]]) / 2


def spaced_classes(characters: Collection[str]) -> NDArray[np.bool_]:
    """Tell between which characters there can be a space: those of ASCII.

    Args:
        characters: The character of each class.

    Returns:
        bool [classes]; False for the space itself, and for classes that are not one character.
    """
    return np.array([len(c) == 1 and c.isascii() and not c.isspace() for c in characters], np.bool_)


def _longest_runs(flags: NDArray[np.bool_], slices: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the length of the longest run of True in each of N slices [N, 2] of flags [W].

    The slices ascend and don't overlap.
    """
    padded = np.zeros(max(len(flags), int(slices.max()) + 1) + 1, np.bool_)
    padded[1 : len(flags) + 1] = flags  # column i stands at i + 1
    padded[slices[:, 0]] = False  # a run begins with the slice
    places = np.arange(len(padded))
    runs = places - np.maximum.accumulate(np.where(padded, 0, places))
    return np.asarray(np.maximum.reduceat(runs, (slices + 1).ravel())[::2], np.int64)
