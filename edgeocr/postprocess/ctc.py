"""Decode CTC greedily (Graves et al. 2006): merge repeated classes, then drop blanks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from . import sequences


def decode(
    indices: NDArray[np.integer],
    scores: NDArray[np.floating],
    characters: NDArray[np.object_],
    blank: int = 0,
) -> tuple[list[str], NDArray[np.float32]]:
    """Decode the most probable class of each time step.

    Args:
        indices: integer [N, T], the most probable class of each step. Shorter sequences are padded
            with `blank`.
        scores: float [N, T], the probability of that class.
        characters: object [classes] of str, the character of each class; the blank's entry is never
            used.
        blank: The class that CTC drops.

    Returns:
        N texts, and float32 [N], the mean probability of the steps that gave a character; 0 for an
        empty text.

    Raises:
        ArrayError: The arrays do not fit together, or a class is not in `characters`.
    """
    sequences.check(indices, scores, characters)
    kept = indices != blank
    kept[:, 1:] &= indices[:, 1:] != indices[:, :-1]
    return sequences.spell(indices[kept], scores[kept], kept.sum(axis=1), characters)


def runs(indices: NDArray[np.integer], blank: int = 0) -> NDArray[np.intp]:
    """Find the time steps that gave each character of a line.

    Args:
        indices: integer [T], the most probable class of each step.
        blank: The class that CTC drops.

    Returns:
        intp [K, 2], for each of the K characters that `decode` returns the first step and the one
        after the last.
    """
    begins = np.flatnonzero(np.diff(indices, prepend=-1))
    ends = np.append(begins[1:], len(indices))
    kept = indices[begins] != blank
    return np.stack([begins[kept], ends[kept]], axis=1)
