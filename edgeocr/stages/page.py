"""Prepare a page before its text is found: turn it upright, and make it flat."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from ..crops import turn
from ..images import Image, Picture
from ..page_stages.unwarping import Grid
from ..postprocess.geometry import TALL, Float32, rectangles_around, side_lengths
from ..results.lines import Line, moved
from ..runtime.stopwatch import Stopwatch
from .opening import OpenStages

# The number of points on each long side of a line by which its bend is judged.
PLACES = 9
# A line is bent if a point of its long sides is farther from straight than this share of its
# height. The quad of a line that is bent less holds its characters all the same.
BENT = 0.15


@dataclass(frozen=True)
class PreparedPage:
    """A picture as its text is looked for: upright and flat, as far as the bundle can make it so.

    Attributes:
        image: uint8 [H, W, 3] BGR.
        picture: The picture that the image was made of.
        rotation: By how many degrees the picture was turned clockwise.
        is_upright: Whether a network has told which way up the page is.
        grid: Where the flat page lies in the turned picture; None if it was not unwarped.
    """

    image: Image
    picture: Picture
    rotation: int = 0
    is_upright: bool = False
    grid: Grid | None = None

    def in_source(self, line: Line, rotation: int) -> Line:
        """Return a line of the page as it is in the source.

        A line that is straight on the flat page and bent in the picture gets a polygon.

        Args:
            line: The line in pixels of the image, or of the image turned further.
            rotation: By how many degrees the image was turned further, clockwise.
        """
        move = partial(self._points_in_source, rotation=rotation)
        found = moved(line, move)
        if self.grid is None or line.polygon is not None:
            return found
        # Follow the two long sides. In a line that runs down, they are the second and the fourth.
        top, left = side_lengths(line.quad[None])
        first = 1 if left[0] >= TALL * top[0] else 0
        corners = np.roll(line.quad, -first, axis=0)
        shares = np.linspace(0, 1, PLACES, dtype=np.float32)[:, None]
        begins, ends = corners[[0, 3]][:, None], corners[[1, 2]][:, None]
        sides = move(begins + shares * (ends - begins))
        if _bend(sides) <= BENT * np.linalg.norm(sides[1] - sides[0], axis=1).mean():
            return found
        quad = np.roll(rectangles_around(sides[None])[0], first, axis=0)
        return replace(found, quad=quad, polygon=np.concatenate([sides[0], sides[1, ::-1]]))

    def _points_in_source(self, points: Float32, rotation: int) -> Float32:
        """Return where points, float32 [..., 2], are in the source; see `in_source`."""
        if self.grid is not None:
            points = self.grid.in_picture(Picture.whole(self.image).in_source(points, rotation))
            rotation = 0
        return self.picture.in_source(points, (self.rotation + rotation) % 360)


def prepare(
    stages: OpenStages, picture: Picture, watch: Stopwatch, *, turn_pages: bool
) -> PreparedPage:
    """Turn a picture upright and make it flat, with the networks that the bundle has for that.

    Args:
        stages: The open stages.
        picture: The picture.
        watch: Records the time of each step.
        turn_pages: Whether to ask the page orientation stage, if there is one.

    Returns:
        The page; its image is the picture's own if nothing was changed.

    Raises:
        GraphError: A network failed.
    """
    page = PreparedPage(picture.image, picture)
    if turn_pages and stages.page_orientation is not None:
        rotation = stages.page_orientation.rotation(page.image, watch)
        if rotation is not None:
            image = turn(page.image, -rotation) if rotation else page.image
            page = replace(page, image=image, rotation=rotation, is_upright=True)
    if stages.unwarping is not None:
        unwarped = stages.unwarping.unwarp(page.image, watch)
        if unwarped is not None:
            flat, grid = unwarped
            page = replace(page, image=flat, grid=grid)
    return page


def _bend(sides: Float32) -> float:
    """Return how far points, float32 [2, K, 2], of two sides are from straight, in pixels."""
    begins, ends = sides[:, :1], sides[:, -1:]
    along = ends - begins
    lengths = np.maximum(np.linalg.norm(along, axis=2), 1e-6)
    offsets = sides - begins
    areas = along[..., 0] * offsets[..., 1] - along[..., 1] * offsets[..., 0]
    return float((np.abs(areas) / lengths).max())
