"""Decode networks that give one class for each position of a text.

Some write one character after the other, such as RARE (Shi et al. 2016), SAR and NRTR; others give
all positions at once, such as SRN (Yu et al. 2020). A text ends at the first end symbol.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from . import sequences


def decode(
    indices: NDArray[np.integer],
    scores: NDArray[np.floating],
    characters: NDArray[np.object_],
    *,
    end: int,
    skipped: Sequence[int],
) -> tuple[list[str], NDArray[np.float32]]:
    """Decode the most probable class of each position.

    Args:
        indices: integer [N, T], the most probable class of each position.
        scores: float [N, T], the probability of that class.
        characters: object [classes] of str, the character of each class; the entries of `end` and
            `skipped` are never used.
        end: The class that ends a text. SRN fills the rest of a row with it; attention may write
            anything after it, which PaddleOCR's own decoder reads.
        skipped: The classes that stand for no character and don't end a text, such as padding.

    Returns:
        N texts, and float32 [N], the mean probability of each text's characters; 0 for an empty
        text.

    Raises:
        ArrayError: The arrays do not fit together, or a class is not in `characters`.
    """
    sequences.check(indices, scores, characters)
    kept = is_character(indices, end=end, skipped=skipped)
    return sequences.spell(indices[kept], scores[kept], kept.sum(axis=1), characters)


def is_character(
    indices: NDArray[np.integer], *, end: int, skipped: Sequence[int]
) -> NDArray[np.bool_]:
    """Tell which positions, integer [N, T], give a character of the text; bool [N, T]."""
    before_end = ~np.logical_or.accumulate(indices == end, axis=1)
    return np.asarray(before_end & ~np.isin(indices, skipped), np.bool_)
