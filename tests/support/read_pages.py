"""Pages as they are read, made by hand: several scripts, directions and shapes."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from edgeocr import Character, Line, Page, Word
from edgeocr.postprocess.geometry import Float32
from edgeocr.results.lines import blocks_of
from tests.support.quads import level

# Texts that formats have to escape, and characters that XML can't hold.
ODD = (
    """<b> & "quoted" 'too' ]]> --> {x}""",
    "# not a heading",
    "1. no list",
    "- * _a_ `code` [l](u) ~~s~~ |",
    "ctrl\x01\x02\ufffe end",
    "false true null",
    "tab\tin it",
    "next\x85line\u2028separator",
)


def line(text: str, quad: Float32, score: float = 0.875, **parts: Any) -> Line:
    """Return a line without words."""
    return replace(Line(text, score, quad), **parts)


def page_of(*blocks: Sequence[Line], source: str = "scans/a.png", rotation: int = 0) -> Page:
    """Return a page of 400 × 300 pixels."""
    lines = [each for block in blocks for each in block]
    ends = np.cumsum([0, *map(len, blocks)]).tolist()
    groups = [range(a, b) for a, b in itertools.pairwise(ends)]
    return Page(
        source,
        400,
        300,
        tuple(lines),
        blocks=blocks_of(lines, groups, -np.radians(rotation)),
        rotation=rotation,
    )


def turned(points: Float32, degrees: float) -> Float32:
    """Turn points clockwise around the middle of the page."""
    radians = np.deg2rad(degrees)
    rotation = np.array([[np.cos(radians), np.sin(radians)], [-np.sin(radians), np.cos(radians)]])
    middle = np.array([200, 150])
    return np.asarray((points - middle) @ rotation + middle, np.float32)


def plain() -> Page:
    """Two blocks of Latin text: two lines, and one."""
    return page_of(
        [line("Hello wide world", level(20, 10, 160, 20)), line("again", level(20, 40, 50, 20))],
        [line("The end", level(20, 200, 70, 20))],
    )


def odd() -> Page:
    """A block of lines with characters that formats have to escape."""
    return page_of([line(text, level(20, 10 + 30 * i, 300, 20)) for i, text in enumerate(ODD)])


def chinese() -> Page:
    """A level line of Chinese and Latin, and a column of Chinese."""
    return page_of(
        [line("今日特价 ABC很好", level(20, 10, 130, 20))],
        [line("请勿停车", level(360, 40, 20, 80))],
    )


def right_to_left() -> Page:
    """A line of Hebrew."""
    return page_of([line("שלום עולם טוב", level(100, 10, 130, 20))])


def turned_page() -> Page:
    """The page `plain`, turned clockwise by 90 degrees: its text runs downwards."""
    page = plain()
    turn = [replace(each, quad=turned(each.quad, 90)) for each in page.lines]
    return page_of(turn[:2], turn[2:], rotation=270)


def curved() -> Page:
    """A curved line with a polygon and three words."""
    x = np.linspace(40, 340, 7)
    upper = np.stack([x, 100 - 40 * np.sin(np.linspace(0, np.pi, 7))], 1)
    lower = upper + np.array([0, 24])
    polygon = np.concatenate([upper, lower[::-1]]).astype(np.float32)
    words = tuple(
        Word(text, 0.5, np.array([*upper[[i, i + 2]], *lower[[i + 2, i]]], np.float32))
        for i, text in ((0, "round"), (2, "and"), (4, "round"))
    )
    quad = level(40, 60, 300, 64)
    return page_of([line("round and round", quad, polygon=polygon, words=words)])


def spelled() -> Page:
    """A line with a word and its characters."""
    quad = level(10, 10, 40, 20)
    letters = tuple(
        Character(each, 0.5, level(10 + 20 * i, 10, 20, 20)) for i, each in enumerate("合计")
    )
    return page_of([line("合计", quad, words=(Word("合计", 0.5, quad),), characters=letters)])


def not_finite() -> Page:
    """A line whose score and corners are not numbers."""
    quad = np.full((4, 2), np.nan, np.float32)
    return page_of([Line("lost words", float("nan"), quad)])


def empty() -> Page:
    """A page without text."""
    return Page("scans/empty.png", 400, 300, ())


PAGES = {
    each.__name__: each
    for each in (
        plain,
        odd,
        chinese,
        right_to_left,
        turned_page,
        curved,
        spelled,
        not_finite,
        empty,
    )
}
