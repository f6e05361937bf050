"""Put a picture with transparency onto a ground that shows its text.

The ground is the colour that is put under transparent pixels. What it was meant to be is unknown:
white letters on a transparent background are made for a dark page, black ones for a light page. So
the ground is chosen by the pixels that border on it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Colour = tuple[int, int, int]
Image = NDArray[np.uint8]
Float32 = NDArray[np.float32]

# Grounds in BGR, from the most to the least ordinary: of grounds that show the text equally well,
# the first is taken. Colours are for pictures with white, black and grey text at once.
GROUNDS: tuple[Colour, ...] = (
    (255, 255, 255),
    (0, 0, 0),
    (128, 128, 128),
    (64, 64, 64),
    (192, 192, 192),
    (255, 0, 0),
    (0, 160, 0),
    (0, 0, 255),
    (255, 0, 255),
)
WHITE = GROUNDS[0]
# How bright blue, green and red look (ITU-R BT.601).
LUMA = np.array([0.114, 0.587, 0.299], np.float32)
# The weight of a difference of hue alone, which is harder to read than one of lightness.
HUE = 0.5
# With this many levels between text and ground, out of 255, text is as good as black on white.
ENOUGH = 96.0
# The share of the rating that depends on contrast beyond ENOUGH.
BEYOND = 0.05
# An ordinary ground is kept unless another one shows this share of the edges more.
MARGIN = 0.02
# Steps of opacity below this are gradients, such as those of soft shadows, and not outlines.
LEAST_STEP = 0.1
# The most pixels and edges that are looked at, along rows and along columns each: more would not
# change the choice. These numbers limit the memory that choosing takes.
PIXELS, EDGES = 400_000, 30_000
MOST_BYTES = 10_000_000
# About as many pixels are blended at a time, so that wide intermediate values take little memory.
BAND = 1 << 17


def flatten(pixels: Image, *, premultiplied: bool = False) -> Image:
    """Blend a picture with transparency onto the ground that shows its text best.

    Args:
        pixels: uint8 [H, W, 4] BGRA.
        premultiplied: The colours have been multiplied by the alpha already.

    Returns:
        uint8 [H, W, 3] BGR, contiguous.
    """
    if pixels[..., 3].min() == 255:
        return np.ascontiguousarray(pixels[..., :3])
    ground = np.array(choose_ground(pixels, premultiplied=premultiplied), np.uint16)
    blended = np.empty((*pixels.shape[:2], 3), np.uint8)
    for rows in bands(pixels):
        colours = pixels[rows, :, :3].astype(np.uint16)
        alpha = pixels[rows, :, 3:].astype(np.uint16)
        shining = ground * (255 - alpha)
        if premultiplied:  # a damaged file may hold colours above its alpha
            blend = np.minimum(colours + (shining + np.uint16(127)) // 255, 255)
        else:
            blend = (colours * alpha + shining + np.uint16(127)) // 255
        blended[rows] = blend
    return blended


def bands(pixels: Image) -> Iterator[slice]:
    """Yield the rows of an image in slices of about `BAND` pixels, and of one row at least."""
    height, width = pixels.shape[:2]
    step = max(1, BAND // max(1, width))
    for top in range(0, height, step):
        yield slice(top, top + step)


def choose_ground(pixels: Image, *, premultiplied: bool = False) -> Colour:
    """Choose the colour to put under transparent pixels.

    Every place where the opacity jumps from one pixel to the next is an edge that the ground makes
    visible or hides. The ground that shows most of the edges is chosen. An edge is weighted by the
    square of its step: a soft shadow has many small steps, a letter has few large ones.

    Args:
        pixels: uint8 [H, W, 4] BGRA.
        premultiplied: The colours have been multiplied by the alpha already.

    Returns:
        Blue, green and red.
    """
    found = list(_edges(pixels, premultiplied))
    paint = np.concatenate([colours for colours, _ in found])
    weights = np.concatenate([step for _, step in found]) ** 2
    total = float(weights.sum())
    if not total:
        return WHITE
    best, most = WHITE, -1.0
    for ground in GROUNDS:
        shown = float(_visibility(paint, ground) @ weights) / total
        if shown > most + (MARGIN if most >= 0 else 0):
            best, most = ground, shown
    return best


def _visibility(paint: Float32, ground: Colour) -> Float32:
    """Return how well each colour, float32 [N, 3], is seen on a ground, from 0 to 1, [N]."""
    difference = np.abs(paint - np.array(ground, np.float32))
    lightness = np.abs((paint - np.array(ground, np.float32)) @ LUMA)
    contrast = np.maximum(lightness, HUE * difference.max(1))
    enough: Float32 = np.minimum(contrast / ENOUGH, 1.0) * (1 - BEYOND)
    enough += np.minimum(contrast / 255, 1.0) * BEYOND
    return enough


def _edges(pixels: Image, premultiplied: bool) -> Iterator[tuple[Float32, Float32]]:
    """Yield the edges between neighbours in rows, and those in columns.

    Yields:
        The colour of what stands out at each edge, float32 [N, 3], and the step of opacity there,
        float32 [N], above 0. The difference of two neighbours on a ground is the step times the
        difference between that colour and the ground, whatever the ground.
    """
    stride = -(-pixels.shape[0] * pixels.shape[1] // PIXELS)
    rows, columns = pixels[::stride], pixels[:, ::stride]
    pairs: tuple[tuple[Any, Any], ...] = (
        (rows[:, :-1], rows[:, 1:]),
        (columns[:-1], columns[1:]),
    )
    for one, other in pairs:
        step = np.abs(one[..., 3].astype(np.int16) - other[..., 3])
        places = np.flatnonzero(step > LEAST_STEP * 255)
        y, x = np.unravel_index(places[:: -(-len(places) // EDGES) or 1], step.shape)
        first, second = one[y, x].astype(np.float32), other[y, x].astype(np.float32)
        for each in (first, second):
            each[:, 3] /= 255
            if not premultiplied:
                each[:, :3] *= each[:, 3:]
        change = first - second
        opaque = change[:, 3:]
        yield change[:, :3] / opaque, np.abs(opaque[:, 0])
