"""Find cheaply where a frame differs from what was read before.

Frames are compared as small grey pictures. Changes of brightness, noise, and movements of the whole
picture do not count as differences.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from ..images import Image
from ..postprocess.geometry import Float32

Grey = NDArray[np.uint8]
Mask = NDArray[np.bool_]

# Frames are reduced by a whole factor to a width of at least this many pixels. Letters that the
# networks can read are still a few pixels high then.
WIDTH = 640
# The side of a tile in pixels of the small picture.
TILE = 16
# A difference counts if it is larger than LEAST levels of grey, and larger than TIMES_NOISE times
# the noise. Differences are averages over 3 × 3 pixels of the small picture. The noise is the value
# that a quarter of them stays below, since in most frames less than half of the picture moves.
LEAST, TIMES_NOISE, QUIET_SHARE = 10.0, 3.0, 0.25
# The estimate of the noise grows at most by this factor from one frame to the next, so that a
# picture that moves everywhere is not taken for noise. It is at most MOST_NOISE levels of grey:
# poor sensors stay below that, and unrelated pictures differ by more.
NOISE_GROWTH, MOST_NOISE = 1.1, 12.0
# If at least this share of the tiles differs, the frame shows another scene.
CUT = 0.6
# Brightness and contrast are compared within squares of this many pixels of the small picture.
SURROUNDINGS = 31
# The contrast of one frame may be this many times that of the other.
CONTRASTS = (0.5, 2.0)
# A movement of the whole picture may be at most FARTHEST of its sides, and counts only if at most
# AGREEING of the tiles that differed still differ when it is taken into account.
FARTHEST, AGREEING = 0.25, 0.5
# Pictures may differ at an edge by this share of its step in brightness.
UNSURE_EDGE, SQUARE = 0.2, np.ones((3, 3), np.uint8)
# Pictures with a side shorter than this many pixels are not checked for movement.
SMALLEST = 8
# The most steps in which a movement is refined to a fraction of a pixel.
REFINEMENTS = 3


@dataclass(frozen=True, eq=False)
class Change:
    """The difference between a frame and what was read before.

    Attributes:
        tiles: bool [rows, columns], the tiles that differ.
        side: The side of a tile in pixels of the frame.
        moved: By how many pixels of the frame, in x and y, the whole picture has moved.
        is_cut: Whether the frame shows another scene.
    """

    tiles: Mask = field(repr=False)
    side: int
    moved: tuple[float, float] = (0.0, 0.0)
    is_cut: bool = False

    def __bool__(self) -> bool:
        """Tell whether any tile differs."""
        return bool(self.tiles.any())

    def touches(self, quad: Float32) -> bool:
        """Tell whether a tile within the rectangle around a quad, float32 [4, 2], differs."""
        return bool(self.tiles[self._within(quad)].any())

    def add(self, quad: Float32) -> None:
        """Let the tiles within the rectangle around a quad, float32 [4, 2], count as different."""
        self.tiles[self._within(quad)] = True

    def _within(self, quad: Float32) -> tuple[slice, slice]:
        rows, columns = self.tiles.shape
        left, top = (np.floor(quad.min(axis=0) / self.side)).astype(int).tolist()
        right, bottom = (np.ceil(quad.max(axis=0) / self.side)).astype(int).tolist()
        top, left = max(0, min(top, rows - 1)), max(0, min(left, columns - 1))
        return slice(top, max(bottom, top + 1)), slice(left, max(right, left + 1))


class ChangeDetector:
    """Compares each frame with what the caller has accepted of the frames before."""

    def __init__(self) -> None:
        """Start without a frame."""
        self._seen: Grey | None = None
        self._size = (0, 0)
        self._factor = 1
        self._noise = MOST_NOISE
        self._current: Grey | None = None
        # 255 where a moving picture shows something that has not been accepted yet, 0 elsewhere.
        self._new: Grey | None = None
        self._moved_new: Grey | None = None

    def compare(self, image: Image) -> Change:
        """Find where a frame differs from what was accepted.

        Args:
            image: uint8 [H, W, 3] BGR. A frame of another size counts as another scene.
        """
        height, width = image.shape[:2]
        if self._size != (height, width):
            self._size, self._seen, self._new = (height, width), None, None
            self._factor = max(1, width // WIDTH)
        self._current, self._moved_new = self._small(image), None
        side = TILE * self._factor
        if self._seen is None:
            return Change(np.ones(_tiles(self._current).shape, np.bool_), side, is_cut=True)
        apart = cv2.blur(cv2.absdiff(self._current, self._seen), (3, 3))
        difference = np.asarray(apart, np.uint8)
        self._learn_noise(difference)
        tiles = _tiles(difference) > self._threshold
        if not tiles.any():
            return Change(tiles, side)
        # Perhaps only brightness and contrast have changed, which cameras adjust, or the whole
        # picture has moved.
        tiles &= _tiles(_unlike(self._seen, self._current)) > self._threshold
        moved = (0.0, 0.0)
        if tiles.any():
            tiles, moved = self._after_moving(tiles)
        return Change(tiles, side, moved, is_cut=bool(tiles.mean() >= CUT))

    def accept(self, change: Change | None = None) -> None:
        """Accept the frame that was compared last, so that later ones are compared with it.

        Args:
            change: How the frame differs. Only the tiles that differ, and a movement, are accepted,
                so that slow changes add up until they are found. None to accept the whole frame.
        """
        assert self._current is not None, "compare comes first"
        if self._seen is None or change is None or change.is_cut:
            self._seen, self._new = self._current, None
            return
        rows, columns = self._current.shape
        mask = np.repeat(np.repeat(change.tiles, TILE, axis=0), TILE, axis=1)[:rows, :columns]
        if self._moved_new is not None and any(change.moved):
            self._seen, self._new = self._current, self._moved_new
            self._new[mask] = 0
        else:
            np.copyto(self._seen, self._current, where=mask)

    @property
    def _threshold(self) -> float:
        return max(LEAST, TIMES_NOISE * self._noise)

    def _small(self, image: Image) -> Grey:
        grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
        if self._factor > 1:
            height, width = grey.shape
            size = (max(1, width // self._factor), max(1, height // self._factor))
            grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
        return np.asarray(grey, np.uint8)

    def _learn_noise(self, difference: Grey) -> None:
        some = difference[::4, ::4]
        counts = np.cumsum(np.bincount(some.ravel(), minlength=256))
        quiet = float(np.searchsorted(counts, QUIET_SHARE * some.size))
        self._noise = min(max(1.0, quiet), self._noise * NOISE_GROWTH, MOST_NOISE)

    def _after_moving(self, tiles: Mask) -> tuple[Mask, tuple[float, float]]:
        """Return the tiles that differ apart from a movement of the whole picture, and that."""
        assert self._seen is not None and self._current is not None
        x, y = _motion(self._seen, self._current)
        rows, columns = self._seen.shape
        if max(abs(x) / columns, abs(y) / rows) > FARTHEST or abs(x) + abs(y) < 0.05:
            return tiles, (0.0, 0.0)
        move = np.array([[1, 0, x], [0, 1, y]], np.float32)
        there = cv2.warpAffine(self._seen, move, (columns, rows), borderMode=cv2.BORDER_REPLICATE)
        before = np.zeros_like(self._seen) if self._new is None else self._new
        new = np.asarray(
            cv2.warpAffine(
                before, move, (columns, rows), borderMode=cv2.BORDER_CONSTANT, borderValue=(255,)
            ),
            np.uint8,
        )
        unlike = _unlike(np.asarray(there, np.uint8), self._current)
        unlike[new > 0] = 0
        still = _tiles(unlike) > self._threshold
        fresh = cv2.resize(new, tiles.shape[::-1], interpolation=cv2.INTER_AREA) >= 128
        if still[~fresh].sum() > AGREEING * tiles[~fresh].sum():
            return tiles, (0.0, 0.0)
        self._moved_new = new
        return still | fresh, (x * self._factor, y * self._factor)


def _motion(before: Grey, after: Grey) -> tuple[float, float]:
    """Return by how many pixels, in x and y, a whole picture has moved."""
    if min(before.shape) < SMALLEST:
        return 0.0, 0.0
    # Correlation finds the movement in steps of two pixels, and the gradient finds the rest.
    one, other = (each[::2, ::2].astype(np.float32) for each in (before, after))
    window = cv2.createHanningWindow(one.shape[::-1], cv2.CV_32F)
    (x, y), _ = cv2.phaseCorrelate(one, other, window)
    x, y = 2.0 * round(x), 2.0 * round(y)
    rows, columns = before.shape
    if max(abs(x) / columns, abs(y) / rows) > FARTHEST:
        return x, y
    for _ in range(REFINEMENTS):
        move = np.array([[1, 0, x], [0, 1, y]], np.float32)
        there = cv2.warpAffine(before, move, (columns, rows), borderMode=cv2.BORDER_REPLICATE)
        left = cv2.blur(np.subtract(after, there, dtype=np.float32), (3, 3))
        smooth = cv2.blur(there, (3, 3))
        along = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, scale=1 / 8)
        down = cv2.Sobel(smooth, cv2.CV_32F, 0, 1, scale=1 / 8)
        matrix = np.array(
            [
                [np.vdot(along, along), np.vdot(along, down)],
                [np.vdot(along, down), np.vdot(down, down)],
            ]
        )
        if np.linalg.det(matrix) < 1:
            break
        step = -np.linalg.solve(matrix, [np.vdot(along, left), np.vdot(down, left)])
        x, y = x + float(step[0]), y + float(step[1])
        if np.abs(step).max() < 0.05:
            break
    return x, y


def _tiles(picture: Grey) -> Grey:
    """Return the largest value of each tile, uint8 [rows, columns]."""
    by_rows = np.maximum.reduceat(picture, np.arange(0, picture.shape[0], TILE), axis=0)
    return np.maximum.reduceat(by_rows, np.arange(0, picture.shape[1], TILE), axis=1)


def _unlike(one: Grey, other: Grey) -> Grey:
    """Return how two pictures differ apart from brightness and contrast, uint8 [H, W].

    Each pixel of the first picture is adjusted to the mean and the contrast that the second one has
    around it. The differences are averages over 3 × 3 pixels, less the amount by which edges may
    differ.
    """
    size, depth = (SURROUNDINGS, SURROUNDINGS), cv2.CV_32F
    first, second = one.astype(np.float32), other.astype(np.float32)
    mean, other_mean = cv2.boxFilter(first, depth, size), cv2.boxFilter(second, depth, size)
    variance = cv2.boxFilter(first * first, depth, size) - mean * mean
    shared = cv2.boxFilter(first * second, depth, size) - mean * other_mean
    contrast = np.clip(shared / np.maximum(variance, 1.0), *CONTRASTS)
    left = second - other_mean - contrast * (first - mean)
    apart = cv2.blur(cv2.convertScaleAbs(left), (3, 3))
    # Interpolation puts an edge between two pixels at a slightly different place, and weakens it.
    edges = cv2.blur(cv2.morphologyEx(other, cv2.MORPH_GRADIENT, SQUARE), (3, 3))
    return np.asarray(cv2.subtract(apart, cv2.convertScaleAbs(edges, alpha=UNSURE_EDGE)), np.uint8)
