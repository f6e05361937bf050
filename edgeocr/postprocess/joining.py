"""Join what a CTC network reads in overlapping pieces of a line.

Pieces are joined on the time axis and not by their texts: where a digit repeats, any shift of a
text would match, whereas each time step shows a known place of the line.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..errors import ArrayError

# Two pieces agree at a place if they agree in this many steps on either side of it; more steps
# don't make the place better. In a network with a stride of 8 pixels and a height of 48, a
# character takes two to six steps.
ENOUGH = 3


def join(
    indices: Sequence[NDArray[np.integer]],
    scores: Sequence[NDArray[np.floating]],
    starts: Sequence[int],
    *,
    blank: int = 0,
    edge: int = 0,
) -> tuple[NDArray[np.integer], NDArray[np.floating]]:
    """Join the time steps of overlapping pieces of one line.

    Args:
        indices: The most probable class of each step: integer [T] for each piece.
        scores: The probability of that class: float [T] for each piece.
        starts: The step of the line at which each piece begins. The first start is 0, starts
            ascend, and no piece begins after the end of the piece before it.
        blank: The class that CTC drops.
        edge: The number of steps at each end of a piece, except at the line's own ends, that see
            too little of what surrounds them. They are used only if the overlap has no others.

    Returns:
        Classes and probabilities of the whole line, [T] each.

    Raises:
        ArrayError: The arrays do not fit together, or the pieces do not.
    """
    _check(indices, scores, starts)
    begin = 0  # the first step, within the piece, that is taken from it
    parts: list[slice] = []
    for i in range(len(indices) - 1):
        apart = starts[i + 1] - starts[i]
        # This piece can't end before the step from which it is used.
        first = max(begin - apart, 0)
        length = min(len(indices[i]) - apart, len(indices[i + 1]))
        ours, theirs = indices[i][apart:][first:length], indices[i + 1][first:length]
        cut = first + best_cut(ours, theirs, blank=blank, edge=edge)
        parts.append(slice(begin, apart + cut))
        begin = cut
    parts.append(slice(begin, None))
    return (
        np.concatenate([piece[part] for piece, part in zip(indices, parts, strict=True)]),
        np.concatenate([piece[part] for piece, part in zip(scores, parts, strict=True)]),
    )


def best_cut(
    left: NDArray[np.integer], right: NDArray[np.integer], *, blank: int = 0, edge: int = 0
) -> int:
    """Find the step at which to change over from one piece to the next.

    Four things count, the first one most. As many characters have begun before the step in one
    piece as in the other, except for a constant difference, which comes from characters that are
    cut through at the overlap's ends. The pieces agree on both sides of the step. The step lies
    between two blanks. The step is near the middle.

    Args:
        left: The classes that the first piece gives to the steps of the overlap, integer [T].
        right: The classes that the second piece gives to them, integer [T].
        blank: The class that CTC drops.
        edge: The number of steps at each end of the overlap that are avoided if there are others.

    Returns:
        The number of steps, 0 to T, that are taken from the first piece.
    """
    number = len(left)
    edge = min(edge, max(number - 1, 0) // 2)
    first, last = edge, number - edge
    places = np.arange(first, last + 1)
    if number < 2:
        return number // 2

    def begun(classes: NDArray[np.integer]) -> NDArray[np.integer]:
        """Count the characters that begin between `first` and each place."""
        begins = classes != blank
        begins[1:] &= classes[1:] != classes[:-1]
        return np.append(0, np.cumsum(begins[first:last]))

    ahead = begun(left) - begun(right)
    values, counts = np.unique(ahead, return_counts=True)
    even = ahead == values[np.argmax(counts)]

    differ = first + np.flatnonzero(left[first:last] != right[first:last])
    differ = np.concatenate([[first - 1], differ, [last]])
    following = np.searchsorted(differ, places)  # the first difference that is not before a place
    agreed = np.minimum(places - 1 - differ[following - 1], differ[following] - places)

    blanks = np.pad((left == blank).astype(int) + (right == blank), 1)  # none beyond the ends
    quiet = blanks[places] + blanks[places + 1]
    order = np.lexsort((-np.abs(2 * places - number), quiet, np.minimum(agreed, ENOUGH), even))
    return int(places[order[-1]])


def _check(
    indices: Sequence[NDArray[np.integer]],
    scores: Sequence[NDArray[np.floating]],
    starts: Sequence[int],
) -> None:
    if not len(indices) == len(scores) == len(starts) or not len(starts):
        raise ArrayError(
            f"a line has at least one piece, each with indices, scores and a start, not "
            f"{len(indices)}, {len(scores)} and {len(starts)} of them"
        )
    for classes, probabilities in zip(indices, scores, strict=True):
        if classes.ndim != 1 or classes.shape != probabilities.shape:
            raise ArrayError(
                f"indices and scores of a piece must both be [T], not {classes.shape} and "
                f"{probabilities.shape}"
            )
    reached = 0
    for start, classes, before in zip(starts, indices, [0, *starts], strict=False):
        if not before <= start <= reached:
            raise ArrayError(
                f"a piece begins at step {start}, but must begin at {before} to {reached}"
            )
        if start + len(classes) < reached:
            raise ArrayError(
                f"a piece ends at step {start + len(classes)}, before the one ahead of it, which "
                f"ends at step {reached}"
            )
        reached = start + len(classes)
