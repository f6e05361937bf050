"""Thin areas to lines with a width of one pixel.

The algorithm is from Guo and Hall 1989, "Parallel Thinning with Two-Subiteration Algorithms".
"""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.uint8]

# The bit of each neighbour in a pixel's code, clockwise from the left: W NW N NE E SE S SW.
NEIGHBOURS = np.array([[2, 4, 8], [1, 0, 16], [128, 64, 32]], np.float32)


def thin(mask: Mask) -> Mask:
    """Remove pixels from the edges of a mask until only lines of one pixel remain.

    Args:
        mask: uint8 [H, W] of 0 and 1; it is not changed.

    Returns:
        uint8 [H, W] of 0 and 1, in which everything that was connected is still connected.
    """
    mask = mask.copy()
    if not mask.size:
        return mask
    settled = False
    while not settled:
        settled = True
        for removable in _removable():
            codes = cv2.filter2D(mask, cv2.CV_8U, NEIGHBOURS, borderType=cv2.BORDER_CONSTANT)
            peeled = cv2.LUT(codes, removable).astype(np.uint8, copy=False) & mask
            if peeled.any():
                mask -= peeled
                settled = False
    return mask


@cache
def _removable() -> tuple[Mask, Mask]:
    """Return for each code whether the pixel is removed, in the first and second subiteration."""
    codes = np.arange(256)
    w, nw, n, ne, e, se, s, sw = ((codes >> bit & 1).astype(bool) for bit in range(8))
    around = [e, ne, n, nw, w, sw, s, se]
    pairs = [(around[i], around[i + 1], around[(i + 2) % 8]) for i in range(0, 8, 2)]
    crossings = sum((~side & (corner | beyond)).astype(int) for side, corner, beyond in pairs)
    one = sum((side | corner).astype(int) for side, corner, _ in pairs)
    other = sum((corner | beyond).astype(int) for _, corner, beyond in pairs)
    fewer = np.minimum(one, other)
    loose = (crossings == 1) & (fewer >= 2) & (fewer <= 3)
    first = loose & ~((n | ne | ~se) & e)
    second = loose & ~((s | sw | ~nw) & w)
    return first.astype(np.uint8), second.astype(np.uint8)
