"""Cut regions out of a picture and lay them level, by perspective or along a curve."""

from __future__ import annotations

from collections.abc import Callable
from math import dist
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from .images import Image
from .postprocess.geometry import TALL, Float32
from .results.lines import Region
from .tiling.surroundings import LONGEST, reduction, surroundings

Points = NDArray[np.float64]
# A function that maps points, float32 [..., 2], from one picture to another.
Move: TypeAlias = Callable[[Float32], Float32]

# Points on a polygon's outline that are tried as its two ends, and pairs of points by which the
# distance of its two sides is judged. Both are enough for three quarters of a circle.
PLACES, PAIRS = 48, 9
# Steps in which the center line of a strip is followed.
STEPS = 48
# Pixels of a strip that are warped in one call.
PIECE = 1 << 18
# At this distance from an end, in heights of the text, the points of the two sides face each other.
END = 0.75


def _same(points: Float32) -> Float32:
    return points


class Crop:
    """A piece of a picture whose size is known before its pixels are made.

    The pixels are cut out and laid level when they are first asked for, in the thread that asks, so
    that several threads can share this work.

    Attributes:
        height: Height in pixels.
        width: Width in pixels.
        keep: Whether the pixels are kept once they are made; otherwise they are made each time.
        laid_down: Whether a tall region was turned by 90 degrees to make the crop.
        curved: Whether straight lines of the crop may be curves in the image.
    """

    def __init__(
        self,
        height: int,
        width: int,
        cut: Callable[[], Image],
        *,
        in_image: Move = _same,
        keep: bool = True,
        laid_down: bool = False,
        curved: bool = False,
        copied: int = 0,
    ) -> None:
        """Describe a crop without making its pixels.

        Args:
            height: Height in pixels.
            width: Width in pixels.
            cut: Makes the pixels, uint8 [height, width, 3].
            in_image: Moves points, float32 [..., 2], from the crop to the image that it shows a
                part of. By default, the crop is the image.
            keep: Whether the pixels are kept once they are made.
            laid_down: Whether a tall region is turned by 90 degrees to make the pixels.
            curved: Whether straight lines of the crop may be curves in the image.
            copied: Pixels of the image around the crop that are copied to make its own pixels.
        """
        self.height = height
        self.width = width
        self.keep = keep
        self.laid_down = laid_down
        self.curved = curved
        self._copied = copied
        self._cut = cut
        self._in_image = in_image
        self._pixels: Image | None = None

    @classmethod
    def whole(cls, image: Image) -> Crop:
        """Take a whole image, uint8 [H, W, 3], which is level already, as a crop."""
        height, width = image.shape[:2]
        return cls(height, width, lambda: image)

    @property
    def pixels(self) -> Image:
        """The pixels, uint8 [height, width, 3]."""
        pixels = self._cut() if self._pixels is None else self._pixels
        if self.keep:
            self._pixels = pixels
        return pixels

    @property
    def peak_bytes(self) -> int:
        """Memory that making the pixels takes, in bytes, including a turned copy."""
        return self.height * self.width * 6 + self._copied * 3

    def in_image(self, points: Float32) -> Float32:
        """Move points from the crop to the image that it shows a part of.

        Args:
            points: float32 [..., 2], as (x, y); the crop reaches from (0, 0) to (width, height).

        Returns:
            float32 [..., 2], in pixels of the image.
        """
        return self._in_image(points)

    def turned(self, degrees: int) -> Crop:
        """Return the crop turned counter-clockwise by a multiple of 90 degrees."""
        size = (self.height, self.width) if degrees % 180 == 0 else (self.width, self.height)

        def in_image(points: Float32) -> Float32:
            return self.in_image(turned_back(points, degrees, self.width, self.height))

        return Crop(
            *size,
            lambda: turn(self.pixels, degrees),
            in_image=in_image,
            keep=self.keep,
            curved=self.curved,
            copied=self._copied,
        )

    def part(self, begin: int, end: int) -> Crop:
        """Return the columns of the crop from `begin` to before `end`."""
        return Crop(
            self.height,
            end - begin,
            lambda: self.pixels[:, begin:end],
            in_image=lambda points: self.in_image(points + np.array([begin, 0], np.float32)),
            curved=self.curved,
        )


def crop_region(
    image: Image, region: Region, *, keep: bool = True, rows: int | None = None
) -> Crop:
    """Lay a region level.

    A polygon of more than four points is straightened, unless it is too short to have a direction;
    any other region is cut out by its quad.

    Args:
        image: uint8 [H, W, 3].
        region: A region in pixels of the image.
        keep: Whether the crop keeps its pixels once they are made.
        rows: As for `crop_quad`.
    """
    crop = None
    if region.polygon is not None and len(region.polygon) > 4:
        crop = straighten(image, region.polygon)
    crop = crop or crop_quad(image, region.quad, rows)
    crop.keep = keep
    return crop


def crop_quad(image: Image, quad: Float32, rows: int | None = None) -> Crop:
    """Cut out a quad and lay it level, at the image's scale or smaller.

    A tall quad is turned by 90 degrees counter-clockwise, so that text which runs down reads from
    the left.

    Args:
        image: uint8 [H, W, 3].
        quad: float32 [4, 2], clockwise from the top left, in pixels of the image.
        rows: The height at which the text is read: a line that is higher in the image is cut out at
            this height. None to cut every line out at the image's scale.
    """
    corners = quad.tolist()
    full = [
        min(max(1, round(max(dist(corners[a], corners[b]), dist(corners[c], corners[d])))), LONGEST)
        for a, b, c, d in ((0, 1, 2, 3), (1, 2, 3, 0))
    ]
    is_tall = full[1] >= full[0] * TALL
    text = full[0] if is_tall else full[1]
    factor = reduction(quad, text, full[0] * full[1], rows)
    width, height = (-(-side * rows // text) for side in full) if factor and rows else full
    size = np.array([width, height], np.float32)
    level = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32) * size

    def cut() -> Image:
        around, points, _ = surroundings(image, quad, max(1, factor))
        # A pixel of a smaller crop shows the middle of the pixels that it stands for.
        shown = (level + (size / np.array(full, np.float32) - 1) / 2).astype(np.float32)
        pixels = cv2.warpPerspective(
            around,
            cv2.getPerspectiveTransform(points, shown),
            (width, height),
            flags=cv2.INTER_CUBIC,
            borderMode=cv2.BORDER_REPLICATE,
        ).astype(np.uint8, copy=False)
        return turn(pixels, 90) if is_tall else pixels

    def in_image(points: Float32) -> Float32:
        if is_tall:
            points = turned_back(points, 90, width, height)
        transform = cv2.getPerspectiveTransform(level, quad)
        moved = cv2.perspectiveTransform(points.reshape(-1, 1, 2), transform)
        return moved.reshape(points.shape).astype(np.float32, copy=False)

    sides = (width, height) if is_tall else (height, width)
    copied = int(np.ptp(quad, axis=0).prod()) // factor**2 if factor > 1 else 0
    return Crop(*sides, cut, in_image=in_image, laid_down=is_tall, copied=copied)


def straighten(image: Image, polygon: Float32) -> Crop | None:
    """Lay a curved region level, by warping the strip between its long sides.

    Args:
        image: uint8 [H, W, 3].
        polygon: float32 [K, 2], in pixels of the image, clockwise or counter-clockwise.

    Returns:
        A crop at the image's scale, which reads to the right or, for a steep strip, downwards. None
        if the polygon is less than `TALL` times as long as high: then nothing tells its long sides
        from its short ones.
    """
    image, polygon, back = surroundings(image, polygon)
    sides = np.stack(long_sides(polygon))
    # The two sides meet at the ends, so the height of the text is measured in the middle. It may
    # grow along the line, as in a photograph taken from the side.
    inner = slice(STEPS // 4, -STEPS // 4)
    apart = np.linalg.norm(sides[0] - sides[1], axis=1)
    slope, offset = np.polyfit(np.linspace(-0.5, 0.5, STEPS + 1)[inner], apart[inner], 1)
    if offset <= 0:
        return None
    slope = float(np.clip(slope, -offset, offset))
    center, place = _even(_center_line(sides, polygon, offset))
    length = place[-1]
    if length < TALL * offset:
        return None
    along = center[2:] - center[:-2]
    along = np.concatenate([along[:1], along, along[-1:]])
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
    across = np.stack([-along[:, 1], along[:, 0]], 1)
    across *= (offset + slope * (place / length - 0.5))[:, None]

    width, height = (min(max(1, round(float(side))), LONGEST) for side in (length, offset))

    def at(columns: Points) -> tuple[Points, Points]:
        """Return the center line and the way from the upper to the lower side at some columns."""
        places = columns / width * length
        line, way = (
            np.stack([np.interp(places, place, points[:, axis]) for axis in (0, 1)], -1)
            for points in (center, across)
        )
        return line, way

    line, way = at(np.arange(width, dtype=np.float64))
    down = (np.arange(height) / height - 0.5)[:, None]
    step = max(1, PIECE // width)

    def cut() -> Image:
        strip = np.empty((height, width, 3), np.uint8)
        for top in range(0, height, step):  # coordinates take more memory than pixels
            rows = slice(top, top + step)
            x, y = (
                (line[:, axis] + down[rows] * way[:, axis]).astype(np.float32) for axis in (0, 1)
            )
            strip[rows] = cv2.remap(image, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        return strip

    def in_image(points: Float32) -> Float32:
        line, way = at(points[..., 0].astype(np.float64))
        share = points[..., 1:] / height - 0.5
        return back((line + share * way).astype(np.float32))

    return Crop(height, width, cut, in_image=in_image, curved=True)


def long_sides(polygon: Float32) -> tuple[Points, Points]:
    """Split the outline of a polygon into its two long sides.

    The ends of the polygon are the two points on its outline between which the two sides stay
    closest to each other.

    Args:
        polygon: float32 [K, 2].

    Returns:
        Points that face each other on the two sides, float64 [N, 2] each, in reading direction.
    """
    closed = np.concatenate([polygon, polygon[:1]]).astype(np.float64)
    reached = np.append(0, np.cumsum(np.linalg.norm(np.diff(closed, axis=0), axis=1)))

    def at(share: Points) -> Points:
        places = share % 1 * reached[-1]
        return np.stack([np.interp(places, reached, closed[:, axis]) for axis in (0, 1)], -1)

    begins = np.arange(PLACES) / PLACES
    # One side is a quarter to a half of the outline, the other side is the rest.
    parts = np.arange(PLACES // 4, PLACES // 2 + 1) / PLACES
    steps = (np.arange(PAIRS) + 0.5) / PAIRS
    one = at(begins[:, None, None] + parts[:, None] * steps)
    other = at(begins[:, None, None] - (1 - parts[:, None]) * steps)
    apart = np.linalg.norm(one - other, axis=-1).mean(axis=-1)
    i, j = np.unravel_index(np.argmin(apart), apart.shape)
    steps = np.linspace(0, 1, STEPS + 1)
    one, other = at(begins[i] + parts[j] * steps), at(begins[i] - (1 - parts[j]) * steps)
    right, down = one[-1] - one[0]
    backwards = down < 0 if abs(down) > TALL * abs(right) else right < 0
    return (one[::-1], other[::-1]) if backwards else (one, other)


def _center_line(sides: Points, polygon: Float32, height: float) -> Points:
    """Return the line midway between two sides [2, N, 2], float64 [M, 2].

    Near the polygon's ends, where the two sides meet, the line from further inside is continued.
    """
    middle: Points = sides.mean(axis=0)
    reached = np.append(0, np.cumsum(np.linalg.norm(np.diff(middle, axis=0), axis=1)))
    margin = min(END * height, reached[-1] / 3)
    inside = np.flatnonzero((reached >= margin) & (reached <= reached[-1] - margin))
    if len(inside) < 3:
        return middle
    begin, end = int(inside[0]), int(inside[-1])
    line = _continued(middle[begin : end + 1], polygon, height)
    both: Points = _continued(line[::-1], polygon, height)[::-1]
    return both


def _continued(line: Points, polygon: Float32, height: float) -> Points:
    """Continue a line [N, 2] with the curvature of its end, to where it leaves the polygon."""
    steps = np.linalg.norm(np.diff(line, axis=0), axis=1)
    before = np.append(-np.cumsum(steps[::-1])[::-1], 0)  # negative distances from the end
    near = before >= min(-2 * END * height, before[-3])
    curve = np.polyfit(before[near], line[near], 2)
    beyond = np.arange(1, 4 * STEPS)[:, None] / STEPS * END * height
    further = line[-1] + beyond * curve[1] + beyond**2 * curve[0]
    outside = np.flatnonzero(~_inside(further, polygon))
    return np.concatenate([line, further[: outside[0] if len(outside) else len(further)]])


def _inside(points: Points, polygon: Float32) -> NDArray[np.bool_]:
    """Tell which points [N, 2] lie in a polygon [K, 2], by the even-odd rule."""
    x, y = points.T[:, :, None]
    begin, end = polygon.astype(np.float64), np.roll(polygon, -1, axis=0)
    crosses = (begin[:, 1] > y) != (end[:, 1] > y)
    rise = np.where(crosses, end[:, 1] - begin[:, 1], 1)
    at = begin[:, 0] + (y - begin[:, 1]) / rise * (end[:, 0] - begin[:, 0])
    odd: NDArray[np.bool_] = (crosses & (x < at)).sum(axis=1) % 2 == 1
    return odd


def _even(line: Points) -> tuple[Points, Points]:
    """Sample a line [N, 2] at `STEPS` + 1 equal distances; return points and distances."""
    reached = np.append(0, np.cumsum(np.linalg.norm(np.diff(line, axis=0), axis=1)))
    places = np.linspace(0, reached[-1], STEPS + 1)
    even = np.stack([np.interp(places, reached, line[:, axis]) for axis in (0, 1)], 1)
    return even, places


def turn(image: Image, degrees: int) -> Image:
    """Turn an image, uint8 [H, W, 3], counter-clockwise by a multiple of 90 degrees."""
    return np.ascontiguousarray(np.rot90(image, degrees // 90))


def turned_back(points: Float32, degrees: int, width: int, height: int) -> Float32:
    """Move points from a turned image to where they are in the image before it was turned.

    Args:
        points: float32 [..., 2], in pixels of the turned image.
        degrees: By how much it was turned counter-clockwise, a multiple of 90.
        width: Width of the image before it was turned.
        height: Height of the image before it was turned.
    """
    x, y = points[..., 0], points[..., 1]
    before = {
        0: (x, y),
        90: (width - y, x),
        180: (width - x, height - y),
        270: (y, height - x),
    }[degrees % 360]
    return np.stack(before, axis=-1).astype(np.float32, copy=False)
