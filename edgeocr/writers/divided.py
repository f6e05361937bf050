"""Words of lines that were read without words: each line's quad, divided evenly."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

import numpy as np

from ..postprocess import bidi
from ..postprocess.geometry import TALL, Float32
from ..results.lines import Line, Word

# Characters from here on are Chinese, Japanese or Korean, and so are the planes 2 and 3.
EAST_ASIAN = ((0x2E80, 0xA4D0), (0xAC00, 0xD7B0), (0xF900, 0xFB00), (0xFE30, 0xFFF0))


def words_of(line: Line) -> tuple[Word, ...]:
    """Divide the quad of a line evenly by its characters, and return its words.

    A word ends at a space, and where Chinese, Japanese or Korean characters begin or end.

    Args:
        line: A line.

    Returns:
        The words in the order of the text, with the line's score.
    """
    count, quad = len(line.text), _along_the_text(line.quad)
    reversed_ = bidi.is_right_to_left(line.text) and (
        bidi.direction_of(line.text) == "right-to-left"
    )
    words = []
    for start, end in _runs(line.text):
        left, right = (count - end, count - start) if reversed_ else (start, end)
        part = _part(quad, left / count, right / count)
        words.append(Word(line.text[start:end], line.score, part))
    return tuple(words)


def _runs(text: str) -> Iterator[tuple[int, int]]:
    """Yield where each word begins and ends."""
    start: int | None = None
    for i, character in enumerate(text):
        if character.isspace():
            if start is not None:
                yield start, i
            start = None
        elif start is None:
            start = i
        elif _is_east_asian(character) != _is_east_asian(text[i - 1]) and not (
            unicodedata.combining(character)
        ):
            yield start, i
            start = i
    if start is not None:
        yield start, len(text)


def _is_east_asian(character: str) -> bool:
    point = ord(character)
    return any(first <= point < last for first, last in EAST_ASIAN) or 0x20000 <= point < 0x40000


def _along_the_text(quad: Float32) -> Float32:
    """Turn a quad so that the text runs along its first side; in a tall quad it runs down."""
    width = np.linalg.norm(quad[1] - quad[0])
    height = np.linalg.norm(quad[3] - quad[0])
    return np.roll(quad, -1, axis=0) if height >= TALL * width else quad


def _part(quad: Float32, start: float, end: float) -> Float32:
    """Return the part of a quad between two places, from 0 to 1, along its first side."""
    top, bottom = quad[1] - quad[0], quad[2] - quad[3]
    corners = (
        quad[0] + start * top,
        quad[0] + end * top,
        quad[3] + end * bottom,
        quad[3] + start * bottom,
    )
    return np.array(corners, np.float32)
