"""Crops of lines of text from the pictures of the tests, cut out by hand."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.support.paths import IMAGES

# Left, top, right and bottom of lines in sample.jpg.
LINES = [
    (167, 51, 465, 137),
    (113, 160, 526, 198),
    (60, 215, 194, 255),
    (367, 216, 593, 254),
    (59, 267, 447, 305),
    (60, 316, 288, 352),
    (588, 583, 895, 617),
]


def line_crops(
    *, grey: bool = False, short: bool = False, size: tuple[int, int] | None = None
) -> list[NDArray[np.uint8]]:
    """Return crops of lines, uint8 [H, W, 3] BGR.

    Args:
        grey: Make the three channels equal.
        short: Take only as much of a line's beginning as makes it twice as wide as high.
        size: Width and height to which crops are resized; None leaves them as they are.
    """
    picture = cv2.imread(str(IMAGES / "sample.jpg"))
    assert picture is not None
    if grey:
        picture = cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    cut = [picture[top:bottom, left:right] for left, top, right, bottom in LINES]
    if short:
        cut = [crop[:, : 2 * crop.shape[0]] for crop in cut]
    if size is not None:
        cut = [cv2.resize(crop, size, interpolation=cv2.INTER_AREA) for crop in cut]
    return [np.ascontiguousarray(crop, np.uint8) for crop in cut]
