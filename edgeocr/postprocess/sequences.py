"""Check the classes that a network chose, and spell them out as texts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..errors import ArrayError


def check(
    indices: NDArray[np.integer], scores: NDArray[np.floating], characters: NDArray[np.object_]
) -> None:
    """Check the arrays of a decoder.

    Args:
        indices: The chosen classes, integer [N, T].
        scores: Their probabilities, float [N, T].
        characters: object [classes], the character of each class.

    Raises:
        ArrayError: The shapes differ, or an index is not a class.
    """
    if indices.ndim != 2 or indices.shape != scores.shape:
        raise ArrayError(
            f"indices and scores must both be [N, T], not {indices.shape} and {scores.shape}"
        )
    if not np.issubdtype(indices.dtype, np.integer):
        raise ArrayError(f"indices must be integers, not {indices.dtype}")
    if indices.size and not 0 <= int(indices.min()) <= int(indices.max()) < len(characters):
        raise ArrayError(
            f"indices reach from {indices.min()} to {indices.max()}, "
            f"the charset has {len(characters)} classes"
        )


def spell(
    indices: NDArray[np.integer],
    scores: NDArray[np.floating],
    lengths: NDArray[np.integer],
    characters: NDArray[np.object_],
) -> tuple[list[str], NDArray[np.float32]]:
    """Spell out the classes of several texts that follow each other.

    Args:
        indices: integer [K], the classes of all texts together.
        scores: float [K], their probabilities; one that is not finite counts as 0.
        lengths: integer [N], the number of classes of each text.
        characters: object [classes], the character of each class.

    Returns:
        N texts, and float32 [N], their mean scores; 0 for an empty text.
    """
    ends = np.cumsum(lengths)
    flat = characters[indices].tolist()
    texts = [
        "".join(flat[start:end])
        for start, end in zip((ends - lengths).tolist(), ends.tolist(), strict=True)
    ]
    owner = np.repeat(np.arange(len(lengths)), lengths)
    weights = np.nan_to_num(scores, posinf=0.0, neginf=0.0)
    sums = np.bincount(owner, weights=weights, minlength=len(lengths))
    return texts, (sums / np.maximum(lengths, 1)).astype(np.float32)
