"""Find where the words and characters of a line stand in the picture."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, TypeAlias

import numpy as np

from ..crops import Crop
from ..postprocess.geometry import Float32, rectangles_around
from ..postprocess.peaks import even, extents
from ..postprocess.words import is_cjk, spans_of_words
from ..results.lines import Character, Line, Peaks, Word

# "words": lines get words, and lines with CJK characters also get characters. "characters": all
# lines get words and characters.
Detail: TypeAlias = Literal["words", "characters"]
# The number of points on the upper and on the lower side of a word in a curved line that its
# rectangle is put around.
PLACES = 5


def detail_of(*, words: bool, characters: bool) -> Detail | None:
    """Return what the arguments `words` and `characters` of `OCR.read` ask for."""
    if characters:
        return "characters"
    return "words" if words else None


def with_words(line: Line, crop: Crop, peaks: Peaks | None, detail: Detail) -> Line:
    """Give a line its words and characters.

    Args:
        line: The line.
        crop: The crop in which it was read.
        peaks: Where its characters were noticed; None to divide the line evenly, with its own score
            for each character.
        detail: What to give it.
    """
    text = line.text
    if peaks is None:
        scores = np.full(len(text), line.score, np.float32)
        peaks = Peaks(even(len(text), crop.width), scores, divided=True)
    spans = peaks.columns
    if not peaks.divided:
        spans = extents(text, spans, (crop.height, crop.width))
    scores = peaks.scores.tolist()
    inside = spans_of_words(text)
    places: list[int] = []
    if detail == "characters" or any(map(is_cjk, text)):
        places = [i for i, character in enumerate(text) if not character.isspace()]
    # The characters of a word may stand in any order along the line.
    begins, ends = spans.T.tolist()
    columns = [(min(begins[begin:end]), max(ends[begin:end])) for begin, end in inside]
    both = np.concatenate([np.array(columns, np.float32).reshape(-1, 2), spans[places]])
    quads = iter(quads_in_image(crop, both))
    words = tuple(
        Word(text[begin:end], sum(scores[begin:end]) / (end - begin), next(quads))
        for begin, end in inside
    )
    characters = tuple(Character(text[i], scores[i], next(quads)) for i in places)
    return replace(line, words=words, characters=characters)


def quads_in_image(crop: Crop, columns: Float32) -> Float32:
    """Return where some columns of a crop are in the picture.

    Args:
        crop: The crop.
        columns: float32 [N, 2], where each of N parts of the crop begins and ends.

    Returns:
        float32 [N, 4, 2], clockwise from the upper left corner in the crop. If the crop is curved,
        these are rectangles around the parts.
    """
    number = PLACES if crop.curved else 2
    shares = np.linspace(0, 1, number, dtype=np.float32)
    sides = np.empty((len(columns), 2, number, 2), np.float32)
    sides[..., 0] = (columns[:, :1] + shares * (columns[:, 1:] - columns[:, :1]))[:, None]
    sides[..., 1] = [[0], [crop.height]]
    sides = crop.in_image(sides)
    if crop.curved:
        return rectangles_around(sides)
    return np.concatenate([sides[:, 0], sides[:, 1, ::-1]], axis=1)
