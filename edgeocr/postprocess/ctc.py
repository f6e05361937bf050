"""CTC greedy decoding (Graves et al. 2006): merge repeats, then drop blanks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..errors import ArrayError


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
    if indices.ndim != 2 or indices.shape != scores.shape:
        raise ArrayError(
            f"indices and scores must both be [N, T], got {indices.shape} and {scores.shape}"
        )
    if not np.issubdtype(indices.dtype, np.integer):
        raise ArrayError(f"indices must be integers, got {indices.dtype}")
    if indices.size and not 0 <= int(indices.min()) <= int(indices.max()) < len(characters):
        raise ArrayError(
            f"indices reach from {indices.min()} to {indices.max()}, "
            f"the charset has {len(characters)} classes"
        )
    kept = indices != blank
    kept[:, 1:] &= indices[:, 1:] != indices[:, :-1]
    lengths = kept.sum(axis=1)
    ends = np.cumsum(lengths)
    flat = characters[indices[kept]].tolist()
    texts = [
        "".join(flat[start:end])
        for start, end in zip((ends - lengths).tolist(), ends.tolist(), strict=True)
    ]
    sums = np.where(kept, scores, 0).sum(axis=1, dtype=np.float64)
    return texts, (sums / np.maximum(lengths, 1)).astype(np.float32)
