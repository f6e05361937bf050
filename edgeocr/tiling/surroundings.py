"""Cut out what surrounds a region, reduced where text is larger than the network reads it."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from ..images import Image
from ..postprocess.geometry import Float32

# OpenCV before version 5 can't warp an image whose side is over 32 766 pixels.
LONGEST = 32_000
# The surroundings of a quad are reduced only if they have at most this many times its pixels.
# Averaging a pixel takes a twelfth of the time of cutting one out by cubic interpolation.
ROOMIEST = 8.0


def reduction(quad: Float32, text: int, pixels: int, rows: int | None) -> int:
    """Return by what whole number the surroundings of a quad are reduced before it is cut out.

    Args:
        quad: float32 [4, 2], in pixels of the image.
        text: Height of the quad's text in pixels.
        pixels: Number of the quad's pixels.
        rows: The rows with which the text is read; None to keep them all.

    Returns:
        The largest number that leaves the text at least `rows` high; 0 if the text is to be cut out
        at its full size, because it isn't higher than that, or because the quad is long and slants
        so much that reducing its surroundings would take longer than it saves.
    """
    if rows is None or text <= rows:
        return 0
    around = np.ptp(quad, axis=0)
    if around.max() >= LONGEST - 4 * text or around.prod() > ROOMIEST * pixels:
        return 0
    return text // rows


def surroundings(
    image: Image, points: Float32, factor: int = 1
) -> tuple[Image, Float32, Callable[[Float32], Float32]]:
    """Cut the image to the surroundings of some points.

    The cut has two more pixels on each side, which cubic interpolation reads, and is scaled down
    where OpenCV could not warp it.

    Args:
        image: uint8 [H, W, 3].
        points: float32 [..., 2], in pixels of the image.
        factor: By what whole number the cut is reduced.

    Returns:
        The cut, the points within it, and a function that moves points from it to the image.
    """
    size = np.array(image.shape[1::-1])
    first = np.clip(np.floor(points.min(axis=0)).astype(int) - 2 * factor, 0, size - 1)
    last = np.clip(np.ceil(points.max(axis=0)).astype(int) + 2 * factor, first, size - 1)
    image = image[first[1] : last[1] + 1, first[0] : last[0] + 1]
    points = (points - first).astype(np.float32)
    scale, shift = np.ones(2, np.float32), np.float32(0)
    if factor > 1:
        # Rows and columns that don't fill a last pixel of the reduced cut are left out.
        reduced = np.maximum(np.array(image.shape[1::-1]) // factor, 1)
        whole = image[: reduced[1] * factor, : reduced[0] * factor]
        image = cv2.resize(whole, reduced.tolist(), interpolation=cv2.INTER_AREA).astype(np.uint8)
        # A pixel of the reduced cut lies in the middle of those whose mean it is.
        scale, shift = scale / np.float32(factor), np.float32((factor - 1) / 2)
    if (longest := max(image.shape)) > LONGEST:
        fitted = np.maximum(np.array(image.shape[1::-1]) * LONGEST // longest, 1)
        scale = (fitted / image.shape[1::-1]).astype(np.float32)
        image = cv2.resize(image, fitted.tolist()).astype(np.uint8)
    moved = (points - shift) * scale
    return image, moved, lambda some: (some / scale + shift + first).astype(np.float32)
