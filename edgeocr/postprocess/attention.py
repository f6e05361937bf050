"""Decoding of networks that write one character after the other: RARE's attention (Shi et al.
2016) and SRN (Yu et al. 2020). A text ends at the first end symbol.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from . import sequences


def decode(
    indices: NDArray[np.integer],
    scores: NDArray[np.floating],
    characters: NDArray[np.object_],
    *,
    begin: int,
    end: int,
) -> tuple[list[str], NDArray[np.float32]]:
    """Best classes per position → texts and their scores.

    indices: integer [N, T], the most probable class of each position.
    scores: float [N, T], that class's probability.
    characters: object [classes] of str, by class; the entries of `begin` and `end` are never used.
    begin: class that stands for no character; SRN has it too.
    end: class after which nothing counts. SRN fills the rest of a row with it; attention may say
        anything there, and PaddleOCR's own decoder reads it.

    Returns N texts and float32 [N]: the mean probability of their characters, 0 where there is
    none. Raises `ArrayError` for arrays that don't fit together and for a class that `characters`
    doesn't have.
    """
    sequences.check(indices, scores, characters)
    before_end = ~np.logical_or.accumulate(indices == end, axis=1)
    kept = before_end & (indices != begin)
    return sequences.spell(indices[kept], scores[kept], kept.sum(axis=1), characters)
