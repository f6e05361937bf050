"""What decoders of several maps share: their size, and checking them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ..errors import ArrayError
from .geometry import Float32

# No picture is so large, in pixels: what a map says of places farther away is noise.
FARTHEST = 1e6
# The maps of EAST, SAST and PGNet have a quarter of the input's size.
STRIDE = 4


def check(
    algorithm: str,
    score: NDArray[np.floating],
    others: Mapping[str, tuple[NDArray[np.floating], int | None]],
) -> Float32:
    """The score map as float32 [h, w] in 0…1, 0 where it is not finite.

    others: by name, the other maps and how many channels they have, None for any number.

    Raises `ArrayError` unless the score is [h, w], each other map [channels, h, w], and all are
    floats.
    """
    fitting = score.ndim == 2 and all(
        array.ndim == 3 and array.shape[1:] == score.shape and channels in (None, len(array))
        for array, channels in others.values()
    )
    if not fitting:
        wanted = ", ".join(f"{name} [{n or 'C'}, h, w]" for name, (_, n) in others.items())
        given = ", ".join(str(array.shape) for array in (score, *(a for a, _ in others.values())))
        raise ArrayError(f"{algorithm}'s maps are score [h, w], {wanted}, got {given}")
    for array in (score, *(array for array, _ in others.values())):
        if not np.issubdtype(array.dtype, np.floating):
            raise ArrayError(f"{algorithm}'s maps are floats, got {array.dtype}")
    with np.errstate(over="ignore"):  # of float64
        score = score.astype(np.float32, copy=False)
    sound: Float32 = np.clip(np.nan_to_num(score, posinf=0.0, neginf=0.0), 0, 1)
    return sound
