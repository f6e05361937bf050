"""Recognize pictures that a decoder has filled because data was missing.

A decoder starts from a picture in which luma and chroma are zero, or in the middle of their range,
and what it doesn't receive stays like this: green or grey, exactly the same in every pixel, from
some row down to the bottom.
"""

from __future__ import annotations

import numpy as np

from ...images import Image

# BGR of luma and chroma 0, and of luma and chroma 128, by the matrices of BT.601 and BT.709, in
# limited and in full range.
FILLS = np.array(
    [(0, 135, 0), (0, 154, 0), (0, 77, 0), (0, 84, 0), (128, 128, 128), (130, 130, 130)], np.int16
)
# How far a pixel may be from a fill, because conversions round in different ways.
TOLERANCE = 2
# The smallest part of a picture's height that counts as damage if it is filled.
LEAST_PART = 0.25
# One of this many rows and columns is looked at.
STEP = 8
# Pictures that look damaged for this many seconds are taken as what the camera sees.
PERSISTENCE = 3.0


class DamageCheck:
    """Finds damaged pictures, which are left out unless nothing else arrives for some seconds."""

    def __init__(self) -> None:
        """Start before the first picture."""
        self._since: float | None = None

    def reason(self, image: Image, seconds: float) -> str | None:
        """Return why a picture has to be left out, or None if it can be used.

        Args:
            image: uint8 [H, W, 3] BGR.
            seconds: When it was shown, in seconds of the source.
        """
        part = filled_part(image)
        if part < LEAST_PART:
            self._since = None
            return None
        if self._since is None:
            self._since = seconds
        if seconds - self._since >= PERSISTENCE:
            return None
        return f"{part:.0%} of the picture is missing (green or grey, from the bottom up)"


def filled_part(image: Image) -> float:
    """Return the part of a picture's height, from 0 to 1, that is filled from the bottom up.

    Args:
        image: uint8 [H, W, 3] BGR.
    """
    rows = image[::-STEP, ::STEP].astype(np.int16)
    bottom = rows[0]
    distance = np.abs(bottom[:, None] - FILLS).max((0, 2))
    fill = FILLS[int(distance.argmin())]
    if distance.min() > TOLERANCE:
        return 0.0
    whole = (np.abs(rows - fill) <= TOLERANCE).all((1, 2))
    count = len(whole) if whole.all() else int(whole.argmin())
    return count / len(whole)
