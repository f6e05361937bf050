"""A labelled line of a picture: where it stands, what it says, and whether it counts."""

from __future__ import annotations

from dataclasses import dataclass

from .places import Polygon

# Transcriptions of lines that are there but must not count.
DONT_CARE = ("###", "*")


@dataclass(frozen=True)
class LabelledLine:
    """A labelled line of a picture, or a labelled word, whichever the set's labels outline.

    Attributes:
        polygon: The line's outline, float64 [K, 2] with K >= 3, in pixels.
        text: The line's text.
        care: False for a line that is there but must not count.
    """

    polygon: Polygon
    text: str
    care: bool
