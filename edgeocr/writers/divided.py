"""The words of a line: those that were read, or else the line's quad divided by its characters."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..postprocess.geometry import Float32
from ..postprocess.words import is_cjk, spans_of_words
from ..results.lines import Line, Word
from .places import reading_quad, runs_leftwards


def words_of(line: Line) -> tuple[Word, ...]:
    """Return the words of a line.

    Where words were not asked for, the line is divided evenly by its characters, of which Chinese,
    Japanese and Korean ones count twice. Words of other directions inside a line, such as a Latin
    name in a line of Arabic, are then placed as if they had the line's direction.

    Args:
        line: A line with or without words.
    """
    if line.words:
        return line.words
    spans = spans_of_words(line.text)
    if not spans:
        return ()
    widths = [2 if is_cjk(each) else 1 for each in line.text]
    places = np.concatenate([[0], np.cumsum(widths)]) / sum(widths)
    if runs_leftwards(line.text):
        places = 1 - places
    quad = reading_quad(line)
    words = []
    for start, end in spans:
        first, last = sorted((places[start], places[end]))
        words.append(Word(line.text[start:end], line.score, part_of(quad, first, last)))
    return tuple(words)


def spaced_words(line: Line) -> Iterator[tuple[Word, bool]]:
    """Yield each word of a line, and whether a space follows it within the line."""
    words, place = words_of(line), 0
    for i, word in enumerate(words):
        found = line.text.find(word.text, place)
        place = place if found < 0 else found + len(word.text)
        # A word that isn't in the text, which a caller may make, is treated as one between spaces.
        spaced = found < 0 or line.text[place : place + 1].isspace()
        yield word, spaced and i + 1 < len(words)


def part_of(quad: Float32, first: float, last: float) -> Float32:
    """Return a part of a quad, float32 [4, 2]: from the share `first` of its length to `last`."""
    top, bottom = quad[1] - quad[0], quad[2] - quad[3]
    corners = [quad[0] + top * first, quad[0] + top * last]
    corners += [quad[3] + bottom * last, quad[3] + bottom * first]
    return np.array(corners, np.float32)
