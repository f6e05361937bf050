"""What decoders of sequences share: checking a network's choices and spelling them out."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..errors import ArrayError


def check(
    indices: NDArray[np.integer], scores: NDArray[np.floating], characters: NDArray[np.object_]
) -> None:
    """Raise `ArrayError` unless indices and scores are [N, T] and every index is a class."""
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


def spell(
    indices: NDArray[np.integer],
    scores: NDArray[np.floating],
    lengths: NDArray[np.integer],
    characters: NDArray[np.object_],
) -> tuple[list[str], NDArray[np.float32]]:
    """The chosen classes [K] of all texts one after the other, their scores [K], and the texts'
    lengths [N] → N texts, and float32 [N]: their mean scores, 0 for an empty text.
    """
    ends = np.cumsum(lengths)
    starts = ends - lengths
    flat = characters[indices].tolist()
    texts = [
        "".join(flat[start:end]) for start, end in zip(starts.tolist(), ends.tolist(), strict=True)
    ]
    summed = np.append(0, np.cumsum(scores, dtype=np.float64))
    means = (summed[ends] - summed[starts]) / np.maximum(lengths, 1)
    return texts, means.astype(np.float32)
