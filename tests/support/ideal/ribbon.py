"""Where the pixels of a map lie within a text: how far along it, and how far down."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]
Mask = NDArray[np.bool_]

STRIDE = 4
# PaddleOCR's thickness of the centre line, and the distance of its ends from those of the text, as
# shares of the text's height.
CENTRE_RATIO = 0.3
END_RATIO = 0.15
# PaddleOCR draws a centre line with its outline, which adds about this many pixels.
OUTLINE = 0.5


class Ribbon(NamedTuple):
    """A polygon on a map; all lengths are in the map's pixels.

    Attributes:
        height: Mean height of the text.
        length: Length of its middle line.
        within: bool [h, w], the pixels in the polygon. The other arrays hold for these only.
        along: float64 [h, w], the distance from the start of the middle line.
        down: float64 [h, w], the distance from the upper side as a share of the height.
        upper: float64 [2, h, w] (x, y), from the pixel to the upper side, straight across the text.
        lower: float64 [2, h, w] (x, y), from the pixel to the lower side.
        forward: float64 [2, h, w] (x, y), the unit vector along the text.
    """

    height: float
    length: float
    within: Mask
    along: NDArray[np.float64]
    down: NDArray[np.float64]
    upper: NDArray[np.float64]
    lower: NDArray[np.float64]
    forward: NDArray[np.float64]

    def centre(self) -> Mask:
        """Return the pixels of the text's centre line, bool [h, w]."""
        start, end = self.ends()
        thin = np.abs(self.down - 0.5) * self.height <= CENTRE_RATIO / 2 * self.height + OUTLINE
        middle = (self.along >= start - OUTLINE) & (self.along <= end + OUTLINE)
        return self.within & thin & middle

    def ends(self) -> tuple[float, float]:
        """Return where the centre line begins and ends along the text."""
        cut = END_RATIO * min(self.height, self.length)
        return cut, self.length - cut


def ribbon(polygon: Float32, height: int, width: int) -> Ribbon:
    """Place a polygon on the map of an input.

    Args:
        polygon: [2 K, 2], in pixels of the input: the upper side in reading direction, then the
            lower side back.
        height: Height of the input.
        width: Width of the input.

    Returns:
        The polygon on the map, whose pixel (y, x) lies at (4 y, 4 x) of the input.
    """
    points = np.asarray(polygon, np.float64) / STRIDE
    upper, lower = points[: len(points) // 2], points[len(points) // 2 :][::-1]
    middle = (upper + lower) / 2
    steps = np.linalg.norm(np.diff(middle, axis=0), axis=1)
    rows, columns = np.indices((height // STRIDE, width // STRIDE), np.float64)
    pixels = np.stack([columns, rows], -1)
    share, down = _places(pixels, upper, lower)
    inside = (share > -1e-9) & (share < 1 + 1e-9) & (down >= 0) & (down <= 1)
    # A pixel that lies in several sections belongs to the first of them.
    section = inside.argmax(axis=0)
    share, down = (np.take_along_axis(one, section[None], 0)[0] for one in (share, down))
    across = share[..., None]
    on_upper = upper[section] + across * np.diff(upper, axis=0)[section]
    on_lower = lower[section] + across * np.diff(lower, axis=0)[section]
    forward = np.diff(middle, axis=0) / np.maximum(steps, 1e-9)[:, None]
    return Ribbon(
        float(np.linalg.norm(lower - upper, axis=1).mean()),
        float(steps.sum()),
        np.asarray(inside.any(axis=0)),
        np.append(0, np.cumsum(steps))[section] + share * steps[section],
        down,
        np.moveaxis(on_upper - pixels, -1, 0),
        np.moveaxis(on_lower - pixels, -1, 0),
        np.moveaxis(forward[section], -1, 0),
    )


def _places(
    pixels: NDArray[np.float64], upper: NDArray[np.float64], lower: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how far along and how far down each pixel is in each of the K - 1 sections.

    The line across a section through the pixel meets the upper and the lower side at the same share
    of their lengths.

    Returns:
        The shares along the section and down, each [K - 1, h, w].
    """
    across = (lower - upper)[:-1, None, None]
    turn = np.diff(lower - upper, axis=0)[:, None, None]
    step = np.diff(upper, axis=0)[:, None, None]
    start = pixels - upper[:-1, None, None]
    # (start - s step) × (across + s turn) = 0
    square = -_cross(step, turn)
    linear = _cross(start, turn) - _cross(step, across)
    constant = _cross(start, across)
    root = np.sqrt(np.maximum(linear**2 - 4 * square * constant, 0))
    divisor = -linear - np.where(linear < 0, -1, 1) * root
    along = 2 * constant / np.where(divisor == 0, 1e-9, divisor)
    line = across + along[..., None] * turn
    rest = start - along[..., None] * step
    return along, (rest * line).sum(-1) / np.maximum((line * line).sum(-1), 1e-9)


def _cross(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    product: NDArray[np.float64] = a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
    return product
