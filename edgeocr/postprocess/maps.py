"""Check the maps of decoders that take several of them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ..errors import ArrayError
from .geometry import Float32

# A decoder looks at no more regions of a picture than this: a dense page has a few thousand words,
# and a map that is noise may have one region for each pixel.
MAX_REGIONS = 3000
# In pixels: no picture has longer sides, so offsets that lead farther away are noise.
FARTHEST = 1e6
# The maps of EAST, SAST, PSE, CT and PGNet have a quarter of the input's size.
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


def stacked(algorithm: str, name: str, array: NDArray[np.floating], channels: range) -> Float32:
    """Check maps that come as one array.

    Args:
        algorithm: Name of the algorithm, for the error.
        name: Name of the array, for the error.
        array: The maps.
        channels: The numbers of maps that there may be.

    Returns:
        The maps, float32 [C, h, w].

    Raises:
        ArrayError: The array is not [C, h, w] with one of these numbers, or not of floats.
    """
    if array.ndim != 3 or len(array) not in channels:
        most = f" to {channels[-1]}" if len(channels) > 1 else ""
        raise ArrayError(
            f"{algorithm}'s {name} must be maps [{channels[0]}{most}, h, w], not "
            f"{list(array.shape)}"
        )
    if not np.issubdtype(array.dtype, np.floating):
        raise ArrayError(f"{algorithm}'s {name} must be floats, not {array.dtype}")
    with np.errstate(over="ignore"):  # a float64 map may exceed float32
        return np.ascontiguousarray(array, np.float32)
