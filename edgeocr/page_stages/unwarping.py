"""Unwarping: flatten a page that was bent in front of a camera."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from ..bundle.manifest import Unwarping
from ..errors import GraphError
from ..images import Image
from ..postprocess.geometry import Float32
from ..runtime.outputs import Output
from ..runtime.placement import Placement
from ..runtime.stopwatch import Stopwatch
from ..runtime.threads import ThreadPool
from .network import PageNetwork

# The number of rows and of columns that a grid may have, as a range: UVDoc's has 45 and 31. The
# upper limit bounds the memory that `Grid.flatten` takes, which is 8 bytes for each row of the grid
# and column of the picture.
POINTS = range(2, 257)
# The number of the page's rows that are sampled at a time, so that the coordinates of their pixels,
# 8 bytes per pixel, stay in the CPU's cache.
ROWS = 16
# The second map of `cv2.remap` where the first holds both x and y. OpenCV's type hints lack None.
NO_MAP: Any = None
# The longest side in pixels of a picture that OpenCV can resample.
LARGEST_SIDE = (1 << 15) - 2
# The farthest that a point of the grid may lie from the picture's middle, where the border is at 1.
# Points farther away are moved there: they stay outside the picture, and no network's output can
# make the coordinates between the points overflow.
FARTHEST = 1.5


@dataclass(frozen=True)
class Grid:
    """Where a flat page lies in a picture of it.

    The flat page has the size of the picture.

    Attributes:
        points: float32 [rows, columns, 2]: where the points of a regular grid over the flat page,
            from corner to corner, are in the picture, as (x, y) in pixels.
        height: The picture's height in pixels.
        width: The picture's width in pixels.
    """

    points: Float32
    height: int
    width: int

    def in_picture(self, points: Float32) -> Float32:
        """Return where points of the flat page are in the picture.

        Args:
            points: float32 [..., 2], x and y in pixels.

        Returns:
            float32 [..., 2], within the picture.
        """
        rows, columns = self.points.shape[:2]
        x = points[..., 0] * ((columns - 1) / max(1, self.width - 1))
        y = points[..., 1] * ((rows - 1) / max(1, self.height - 1))
        left, right_share = _cell(x, columns)
        top, lower_share = _cell(y, rows)
        upper = _between(self.points[top, left], self.points[top, left + 1], right_share)
        lower = _between(self.points[top + 1, left], self.points[top + 1, left + 1], right_share)
        last = np.array([self.width - 1, self.height - 1], np.float32)
        return np.asarray(np.clip(_between(upper, lower, lower_share), 0, last), np.float32)

    def flatten(self, image: Image) -> Image:
        """Return the flat page, black where it lies outside the picture.

        Args:
            image: The picture, uint8 [height, width, 3].
        """
        flat = np.empty_like(image)
        rows, columns = self.points.shape[:2]
        # A point for each column of the page, float32 [rows, width, 2].
        x = np.arange(self.width) * ((columns - 1) / max(1, self.width - 1))
        left, right_share = _cell(x, columns)
        wide = _between(self.points[:, left], self.points[:, left + 1], right_share)
        y = np.arange(self.height) * ((rows - 1) / max(1, self.height - 1))
        top, lower_share = _cell(y, rows)
        for begin in range(0, self.height, ROWS):
            part = slice(begin, begin + ROWS)
            places = _between(wide[top[part]], wide[top[part] + 1], lower_share[part, None])
            # OpenCV writes into this part of the page.
            cv2.remap(image, places, NO_MAP, cv2.INTER_LINEAR, flat[part], cv2.BORDER_CONSTANT)
        return flat


class Unwarper(PageNetwork):
    """The unwarping stage of a bundle. Threads may share it."""

    def __init__(
        self, stage: Unwarping, graph: bytes, *, placement: Placement, pool: ThreadPool
    ) -> None:
        """Open the stage.

        Args:
            stage: The stage as the manifest describes it.
            graph: Content of its ONNX file.
            placement: The execution provider that is wanted.
            pool: The CPU threads.

        Raises:
            GraphError: The graph can't be loaded or is not an unwarping graph.
            ProviderUnavailableError: The provider does not start.
        """
        output = Output("grid", (1, 2, "rows", "columns"))
        sides = {"rows": POINTS, "columns": POINTS}
        super().__init__("unwarping", stage, graph, output, sides, placement=placement, pool=pool)
        self._size = (stage.width, stage.height)

    def grid(self, image: Image) -> Grid:
        """Return where the flat page lies in an image.

        Args:
            image: uint8 [H, W, 3] BGR.

        Raises:
            GraphError: The network failed, or returned something else than a grid.
        """
        height, width = image.shape[:2]
        found = self._run(stretched(image, self._size))
        if not np.isfinite(found).all():
            raise GraphError(
                "the output 'grid' of the unwarping graph must be finite numbers, but has NaN or "
                "infinity: the bundle's graph is not one of this stage"
            )
        middle = np.array([width - 1, height - 1], np.float32) / 2
        places = np.clip(found.transpose(1, 2, 0), -FARTHEST, FARTHEST)
        return Grid(np.asarray((places + 1) * middle, np.float32), height, width)

    def unwarp(self, image: Image, watch: Stopwatch) -> tuple[Image, Grid] | None:
        """Return the flat page of an image, and where it lies in the image.

        Args:
            image: uint8 [H, W, 3] BGR.
            watch: Records the time.

        Returns:
            The flat page, uint8 [H, W, 3], and its grid; None for an image with a side of more than
            `LARGEST_SIDE` pixels, which can't be resampled.

        Raises:
            GraphError: As for `grid`.
        """
        if max(image.shape) > LARGEST_SIDE:
            return None
        with watch("unwarping"):
            grid = self.grid(image)
            return grid.flatten(image), grid


def stretched(image: Image, size: tuple[int, int]) -> Image:
    """Stretch an image to a size (width, height), so that corner pixels stay corner pixels.

    This is how UVDoc samples its input, bilinearly between the four nearest pixels.
    """
    (width, height), (high, wide) = size, image.shape[:2]
    x, y = (wide - 1) / max(1, width - 1), (high - 1) / max(1, height - 1)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    matrix = np.array([[x, 0, 0], [0, y, 0]], np.float64)
    sampled = cv2.warpAffine(image, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return sampled.astype(np.uint8, copy=False)


def _cell(places: np.ndarray, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Find the cell of a grid that each place lies in; the grid has `number` points, 1 apart.

    Returns:
        The index of the last point before each place, and float32 [..., 1], the share of the way
        from there to the next point.
    """
    first = np.clip(np.floor(places), 0, number - 2).astype(np.intp)
    return first, (places - first).astype(np.float32)[..., None]


def _between(first: Float32, second: Float32, share: Float32) -> Float32:
    """Return the points at a share of the way from the first to the second."""
    return np.asarray(first + share * (second - first), np.float32)
