"""Find and read the lines of a picture, with the networks that a bundle has for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import radians

from ..crops import Move, crop_region
from ..images import Image, Picture
from ..layout import Layout
from ..results.lines import Block, Line, Region, blocks_of, moved, quads_of
from ..runtime.stopwatch import Stopwatch
from .opening import OpenStages
from .page import PreparedPage, prepare
from .upright import UprightLines, UprightReader
from .words import Detail, with_words


@dataclass(frozen=True)
class FoundLines:
    """The lines of a page, and how it was prepared.

    Attributes:
        page: The page as it was prepared.
        upright: The lines in pixels of the page's image, turned further if it wasn't upright yet.
    """

    page: PreparedPage
    upright: UprightLines

    @property
    def rotation(self) -> int:
        """By how many degrees, 0 to 270, the picture had to be turned clockwise in all."""
        return (self.page.rotation + self.upright.rotation) % 360


def read_lines(
    stages: OpenStages,
    picture: Picture,
    watch: Stopwatch,
    *,
    turn_pages: bool,
    keep_pixels: bool,
    detail: Detail | None,
    split_gaps: bool = True,
) -> FoundLines:
    """Find and read the lines of a picture.

    Args:
        stages: The open stages: one that spots, or one that detects and one that recognizes.
        picture: The picture.
        watch: Records the time of each step.
        turn_pages: Find out which way up a page is; without a stage for that, spotting takes pages
            as they are.
        keep_pixels: Keep the pixels of crops from one use to the next.
        detail: What lines are given beside their texts: words, or words and characters.
        split_gaps: Divide regions that run over several columns or cells.

    Raises:
        StageMissingError: The bundle lacks a stage for reading.
        GraphError: A network failed.
    """
    # Turn the page upright and make it flat, if the bundle has networks for that.
    page = prepare(stages, picture, watch, turn_pages=turn_pages)
    image = page.image
    if stages.spotting is not None:
        # Find and read with one network.
        lines = [line for line in stages.spotting.spot(image, watch) if line.text.strip()]
        if detail is not None:
            with watch("words"):
                lines = [
                    with_words(line, crop_region(image, outline_of(line)), None, detail)
                    for line in lines
                ]
        return FoundLines(page, UprightLines(lines, 0, None))
    # Detect, crop, orient and recognize, the right way up.
    reader = UprightReader(
        stages.detector,
        stages.recognizer,
        stages.orientation,
        turn_pages=turn_pages and not page.is_upright,
        keep_pixels=keep_pixels,
        split_gaps=split_gaps,
    )
    return FoundLines(page, reader.read(image, watch, detail=detail))


def find_regions(stages: OpenStages, image: Image, watch: Stopwatch) -> list[Region]:
    """Find the regions of an image, uint8 [H, W, 3] BGR, in no particular order.

    Raises:
        StageMissingError: The bundle lacks a stage for detection.
        GraphError: A network failed.
    """
    if stages.spotting is not None:
        return [outline_of(line) for line in stages.spotting.spot(image, watch)]
    return stages.detector.detect(image, watch)


def outline_of(line: Line) -> Region:
    """Return the region of a line, with the score of its text."""
    return Region(line.quad, line.score, line.polygon)


def blocks_in_order(read: FoundLines, analyse: Callable[..., Layout]) -> tuple[Block, ...]:
    """Put lines into reading order, in blocks.

    Args:
        read: The lines of a page.
        analyse: Finds the order of quads, as `layout.analyse` does.

    Returns:
        The blocks in pixels of the source.
    """
    found = read.upright
    texts = [line.text for line in found.lines]
    layout = analyse(quads_of(found.lines), texts=texts, upwards=found.upwards)
    lines = [read.page.in_source(line, found.rotation) for line in found.lines]
    return blocks_of(lines, layout.blocks, layout.slant - radians(read.rotation))


def regions_in_order(
    regions: Sequence[Region], analyse: Callable[..., Layout], in_source: Move
) -> tuple[Region, ...]:
    """Move regions to pixels of the source, and put them into reading order.

    Args:
        regions: The regions in pixels of the image.
        analyse: Finds the order of quads, as `layout.analyse` does.
        in_source: Moves points from the image to the source.
    """
    moved_regions = [moved(region, in_source) for region in regions]
    return tuple(moved_regions[i] for i in analyse(quads_of(moved_regions)).order)
