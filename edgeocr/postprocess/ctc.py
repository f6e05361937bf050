"""CTC greedy decoding (Graves et al. 2006): merge repeats, then drop blanks."""

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
    """Best classes per time step → texts and their scores.

    indices: integer [N, T], the most probable class of each step. Rows of shorter sequences
        are filled with `blank`.
    scores: float [N, T], that class's probability.
    characters: object [classes] of str, by class; the blank's entry is never used.

    Returns N texts and float32 [N]: the mean probability of the steps that gave a character,
    0 where there is none. Raises `ArrayError` for arrays that don't fit together and for a
    class that `characters` doesn't have.
    """
    sequences.check(indices, scores, characters)
    kept = indices != blank
    kept[:, 1:] &= indices[:, 1:] != indices[:, :-1]
    return sequences.spell(indices[kept], scores[kept], kept.sum(axis=1), characters)
