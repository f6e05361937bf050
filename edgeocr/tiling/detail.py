"""Measure how high letters are, and where a picture has detail as fine as small letters have."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ..images import Image
from ..postprocess.geometry import Float32, side_lengths
from ..postprocess.median import median

# The side of the blocks in which detail is measured, in pixels of the picture.
BLOCK = 16
# The number of rows of pixels that are processed at a time, so that their copies stay small.
BAND = 1024
# One row of pixels out of this many is looked at.
ROW_STEP = 4
# There may be text in a block where neighbouring pixels differ by this many grey levels on average.
DIFFERENCE = 24
# A cell with fewer such blocks counts as having none: they show a speck, or the end of a rule.
FEWEST = 3
# The part of a region in which letters are measured: around its middle, this many times as long as
# the region is high, and sampled in at most this many rows.
LENGTH, ROWS = 4, 48
# Grey levels by which rows with letters must differ from rows without to be told apart.
FAINT = 1.0
# The most regions that are measured; if there are more, the others are estimated from these.
MOST_MEASURED = 128


def letter_heights(image: Image, quads: Float32) -> Float32:
    """Measure the height of the letters in regions: of `x` in `extra`, of `E` in `EXTRA`.

    The height of a region is that of a shape in the network's map, made larger. The height of its
    letters, however, doesn't depend on the size at which the network saw the picture. For a block
    of several lines, it is that of the letters of one line.

    Args:
        image: uint8 [H, W, 3] BGR.
        quads: float32 [N, 4, 2], regions in pixels of the image.

    Returns:
        float32 [N], in pixels of the image.
    """
    top, left = side_lengths(quads)
    heights = np.minimum(top, left)
    if len(quads) <= MOST_MEASURED:
        return np.array([_letter_height(image, quad) for quad in quads], np.float32)
    chosen = np.linspace(0, len(quads) - 1, MOST_MEASURED).astype(int)
    measured = np.array([_letter_height(image, quad) for quad in quads[chosen]], np.float32)
    estimated = heights * median(measured / np.maximum(heights[chosen], 1))
    estimated[chosen] = measured
    return np.asarray(estimated, np.float32)


def _letter_height(image: Image, quad: Float32) -> float:
    """Return the height of the longest run of rows with contrast in a region, in image pixels."""
    top, left = (float(side[0]) for side in side_lengths(quad[None]))
    if left > top:
        quad, top, left = np.roll(quad, 1, axis=0), left, top
    along, down = quad[1] - quad[0], quad[3] - quad[0]
    length = min(top, LENGTH * left)
    rows = min(ROWS, max(4, round(left)))
    columns = max(4, round(length * rows / max(left, 1)))
    # Where the first pixel lies in the image, and the steps to the next column and row.
    start = quad[0] + along * (0.5 - length / max(top, 1) / 2)
    steps = np.stack([along / max(top, 1) * length / columns, down / rows, start], axis=1)
    part = cv2.warpAffine(
        image,
        steps,
        (columns, rows),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )[..., 1].astype(np.int16)
    contrast = np.abs(np.diff(part, axis=1)).mean(axis=1)
    if np.ptp(contrast) < FAINT:
        return left
    inside = contrast - contrast.min() > 0.5 * np.ptp(contrast)
    ends = np.flatnonzero(np.diff(np.concatenate([[False], inside, [False]]).astype(np.int8)))
    longest = int(np.diff(ends)[::2].max(initial=0))
    return longest * left / rows


def detailed(image: Image, quads: Float32, cell: float) -> NDArray[np.int64]:
    """Count the blocks with detail in each cell of a picture, outside the regions found so far.

    Detail is the range of the values around a pixel. It is measured in every fourth row, which
    takes little time, with pairs of columns averaged, which lowers noise.

    Args:
        image: uint8 [H, W, 3] BGR.
        quads: float32 [N, 4, 2], the regions that were found.
        cell: Side of a cell in pixels of the image.

    Returns:
        The number of blocks in each cell, int64 [ceil(H / cell), ceil(W / cell)]; 0 where there
        are very few.
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
        lines = image[first * BLOCK : last * BLOCK : ROW_STEP, : columns * BLOCK]
        green = cv2.extractChannel(lines, 1)
        green = cv2.resize(green, (green.shape[1] // 2, green.shape[0]))
        spread = cv2.subtract(cv2.dilate(green, square), cv2.erode(green, square))
        ranges[first:last] = cv2.resize(
            spread, (columns, last - first), interpolation=cv2.INTER_AREA
        )
    return ranges
