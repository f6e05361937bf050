"""Check the maps of decoders that take several of them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ..errors import ArrayError
from .geometry import Float32

# No picture has sides of this many pixels: offsets that lead farther away are noise.
FARTHEST = 1e6
# The maps of EAST, SAST and PGNet have a quarter of the input's size.
STRIDE = 4


def check(
    algorithm: str,
    score: NDArray[np.floating],
    others: Mapping[str, tuple[NDArray[np.floating], int | None]],
) -> Float32:
    """Check the maps of an algorithm, and clean its score map.

    Args:
        algorithm: Name of the algorithm, for the error.
        score: The score map.
        others: The other maps by name, each with its number of channels; None for any number.

    Returns:
        The score map, float32 [h, w], clipped to 0…1, and 0 where it is not finite.

    Raises:
        ArrayError: The score is not [h, w], another map is not [channels, h, w], or one of them is
            not of floats.
    """
    fitting = score.ndim == 2 and all(
        array.ndim == 3 and array.shape[1:] == score.shape and channels in (None, len(array))
        for array, channels in others.values()
    )
    if not fitting:
        wanted = ", ".join(f"{name} [{n or 'C'}, h, w]" for name, (_, n) in others.items())
        given = ", ".join(str(array.shape) for array in (score, *(a for a, _ in others.values())))
        raise ArrayError(f"{algorithm}'s maps are score [h, w], {wanted}, not {given}")
    for array in (score, *(array for array, _ in others.values())):
        if not np.issubdtype(array.dtype, np.floating):
            raise ArrayError(f"{algorithm}'s maps are floats, not {array.dtype}")
    with np.errstate(over="ignore"):  # a float64 map may exceed float32
        score = score.astype(np.float32, copy=False)
    sound: Float32 = np.clip(np.nan_to_num(score, posinf=0.0, neginf=0.0), 0, 1)
    return sound
