"""Regions → upright crops."""

from __future__ import annotations

import cv2
import numpy as np

from .images import Image
from .postprocess.geometry import Float32

# A region at least this much taller than wide holds text that runs down (PaddleOCR's value).
TALL = 1.5
# OpenCV before 5 warps nothing longer than 32 766 pixels.
LONGEST = 32_000


def crop(image: Image, quad: Float32) -> Image:
    """Cut one quad out of an image and lay it level.

    image: uint8 [H, W, 3].
    quad: float32 [4, 2], clockwise from the top left, in image pixels.

    Returns uint8 [h, w, 3] at the image's scale; a tall region is turned 90° counter-clockwise,
    so that text which runs down reads from the left.
    """
    # Cut out first what is needed, with the two pixels around it that cubic interpolation looks at.
    size = np.array(image.shape[1::-1])
    first = np.clip(np.floor(quad.min(axis=0)).astype(int) - 2, 0, size - 1)
    last = np.clip(np.ceil(quad.max(axis=0)).astype(int) + 2, first, size - 1)
    image = image[first[1] : last[1] + 1, first[0] : last[0] + 1]
    quad = (quad - first).astype(np.float32)
    if (longest := max(image.shape)) > LONGEST:
        fitted = np.maximum(np.array(image.shape[1::-1]) * LONGEST // longest, 1)
        quad *= (fitted / image.shape[1::-1]).astype(np.float32)
        image = cv2.resize(image, fitted.tolist()).astype(np.uint8)
    sides = np.linalg.norm(np.roll(quad, -1, axis=0) - quad, axis=1)
    width, height = (
        min(max(1, round(float(max(sides[i], sides[i + 2])))), LONGEST) for i in (0, 1)
    )
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
