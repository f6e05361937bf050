"""Measure where a picture has detail as fine and as strong as small letters have."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from .images import Image
from .postprocess.geometry import Float32

# Side in pixels of the picture of the blocks in which detail is measured.
BLOCK = 16
# Rows of pixels that are looked at in one go, so that their copies stay small.
BAND = 1024
# Grey levels by which neighbouring pixels differ, on average over a block, where there may be text.
DIFFERENCE = 24
# A cell with fewer such blocks has none: a speck, the end of a rule.
FEWEST = 3


def detailed(image: Image, quads: Float32, cell: float) -> NDArray[np.int64]:
    """Count the blocks with detail in each cell of a picture, outside of what was found already.

    Detail is the range of the values around a pixel. It is measured in every second row, with
    pairs of columns averaged: small letters stay distinct, and noise is lower.

    Args:
        image: uint8 [H, W, 3] BGR.
        quads: float32 [N, 4, 2], the regions that were found.
        cell: Side of a cell in pixels of the image.

    Returns:
        Numbers of blocks, int64 [ceil(H / cell), ceil(W / cell)]; 0 where there are very few.
    """
    height, width = image.shape[:2]
    blocks = (_ranges(image) >= DIFFERENCE).astype(np.uint8)
    for quad in np.rint(quads / BLOCK - 0.5).astype(np.int32):
        cv2.fillConvexPoly(blocks, quad, 0)
        cv2.polylines(blocks, [quad], True, 0, thickness=3)  # strokes that reach out of a quad
    y, x = np.nonzero(blocks)
    counts = np.zeros((int(np.ceil(height / cell)), int(np.ceil(width / cell))), np.int64)
    np.add.at(counts, ((y * BLOCK / cell).astype(int), (x * BLOCK / cell).astype(int)), 1)
    counts[counts < FEWEST] = 0
    return counts


def _ranges(image: Image) -> NDArray[np.uint8]:
    """Return the mean range of values in each whole block, uint8 [H // BLOCK, W // BLOCK]."""
    rows, columns = (side // BLOCK for side in image.shape[:2])
    ranges = np.zeros((rows, columns), np.uint8)
    square = np.ones((3, 3), np.uint8)
    step = BAND // BLOCK
    for first in range(0, rows if columns else 0, step):
        last = min(first + step, rows)
        lines = image[first * BLOCK : last * BLOCK : 2, : columns * BLOCK]
        green = cv2.extractChannel(lines, 1)
        green = cv2.resize(green, (green.shape[1] // 2, green.shape[0]))
        spread = cv2.subtract(cv2.dilate(green, square), cv2.erode(green, square))
        ranges[first:last] = cv2.resize(
            spread, (columns, last - first), interpolation=cv2.INTER_AREA
        )
    return ranges
