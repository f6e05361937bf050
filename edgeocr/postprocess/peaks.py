"""Find where the characters of a line stand, from the steps at which a network gave them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def even(number: int, width: float) -> NDArray[np.float32]:
    """Divide a line evenly, for networks whose steps don't show where a character stands.

    Args:
        number: The number K of characters.
        width: Width of the line.

    Returns:
        float32 [K, 2], where each character begins and ends.
    """
    borders = np.linspace(0, width, number + 1, dtype=np.float32)
    return np.stack([borders[:-1], borders[1:]], axis=1)


def of_each_character(
    places: NDArray[np.float32], lengths: Sequence[int]
) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """Divide the places of classes that stand for several characters.

    Args:
        places: float32 [N, 2], where each class begins and ends.
        lengths: The number of characters of each class.

    Returns:
        float32 [K, 2], where each of the K characters of all classes begins and ends, and
        intp [K], the index of its class.
    """
    owner = np.repeat(np.arange(len(places)), lengths)
    counts = np.asarray(lengths)[owner]
    nth = np.arange(len(owner)) - (np.cumsum(lengths) - lengths)[owner]
    begins, widths = places[owner, 0], places[owner, 1] - places[owner, 0]
    shares = np.stack([nth, nth + 1], axis=1) / counts[:, None]
    return (begins[:, None] + shares * widths[:, None]).astype(np.float32), owner
