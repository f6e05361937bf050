"""The stages that prepare a page before its text is found, as a manifest describes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from .fields import Range, Share
from .stage import Side, Stage


@dataclass(frozen=True, kw_only=True)
class PageStage(Stage):
    """Settings of the stages that see a whole page, in one size, before text is found on it.

    Attributes:
        height: The height of the input in pixels.
        width: The width of the input in pixels.
    """

    height: Side
    width: Side

    @property
    def schema(self) -> int:
        """The oldest schema that has these stages."""
        return 5


@dataclass(frozen=True, kw_only=True)
class PageOrientation(PageStage):
    """Settings of the stage `page_orientation`, which tells which way up a page is.

    The graph takes `image` uint8 [N, height, width, 3] BGR and gives `probability` [N, classes].

    Attributes:
        degrees: For each class, by how many degrees a page of that class is turned clockwise, a
            multiple of 90.
        threshold: The least probability with which the most probable class decides which way up the
            page is. Below it, the page's lines decide.
        short_side: The length in pixels to which the shorter side of a picture is scaled before the
            input is cut out of its middle; None if pictures are stretched to the input.
    """

    algorithm: Literal["PageCLS"]
    degrees: list[Annotated[int, Range(-360, 360)]]
    threshold: Share
    short_side: Side | None = None


@dataclass(frozen=True, kw_only=True)
class Unwarping(PageStage):
    """Settings of the stage `unwarping`, which flattens a page that was bent in front of a camera.

    The graph takes `image` uint8 [N, height, width, 3] BGR, to which pictures are stretched, and
    gives `grid` [N, 2, rows, columns]: where the points of a regular grid over the flat page, from
    corner to corner, are in the picture. The first of the 2 is x, the second y; -1 is the centre of
    the first pixel of a row or column, and 1 that of the last one.
    """

    algorithm: Literal["UVDoc"]
