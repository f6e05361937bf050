"""Regions → upright crops."""

from __future__ import annotations

import cv2
import numpy as np

from .images import Image
from .postprocess.geometry import Float32

# A region at least this much taller than wide holds text that runs down (PaddleOCR's value).
TALL = 1.5


def crop(image: Image, quad: Float32) -> Image:
    """Cut one quad out of an image and lay it level.

    image: uint8 [H, W, 3].
    quad: float32 [4, 2], clockwise from the top left, in image pixels.

    Returns uint8 [h, w, 3] at the image's scale; a tall region is turned 90° counter-clockwise,
    so that text which runs down reads from the left.
    """
    sides = np.linalg.norm(np.roll(quad, -1, axis=0) - quad, axis=1)
    width = max(1, round(float(max(sides[0], sides[2]))))
    height = max(1, round(float(max(sides[1], sides[3]))))
    level = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    transform = cv2.getPerspectiveTransform(quad, level)
    cut = cv2.warpPerspective(
        image, transform, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    upright = cut.astype(np.uint8, copy=False)
    return turn(upright, 90) if height >= width * TALL else upright


def turn(image: Image, degrees: int) -> Image:
    """Turn uint8 [H, W, 3] counter-clockwise by a multiple of 90 degrees."""
    return np.ascontiguousarray(np.rot90(image, degrees // 90))
