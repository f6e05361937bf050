"""A picture as a PDF holds it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Embedded:
    """The compressed bytes of a picture, and what a reader of the PDF needs to decode them.

    Attributes:
        data: The bytes.
        width: Width of the stored picture, before its orientation is applied, in pixels.
        height: Height of the stored picture.
        entries: Entries of the stream's dictionary. Strings that begin with a slash are names,
            lists are arrays, mappings are dictionaries.
        orientation: The EXIF orientation, from 1 to 8.
        resolution: Pixels per inch along the stored rows and columns; None if unknown.
    """

    data: bytes
    width: int
    height: int
    entries: Mapping[str, object]
    orientation: int = 1
    resolution: tuple[float, float] | None = None

    @property
    def is_turned(self) -> bool:
        """Whether the stored rows are the columns of the picture that a person sees."""
        return self.orientation >= 5

    @property
    def shown_resolution(self) -> tuple[float, float] | None:
        """Pixels per inch across and down the picture that a person sees."""
        if self.resolution is None or not self.is_turned:
            return self.resolution
        return self.resolution[1], self.resolution[0]


# Where the unit square of a stored picture goes for each EXIF orientation, as the numbers
# a b c d e f of a matrix: x' = a x + c y + e and y' = b x + d y + f, in widths and heights of the
# page.
PLACES = {
    1: (1, 0, 0, 1, 0, 0),
    2: (-1, 0, 0, 1, 1, 0),
    3: (-1, 0, 0, -1, 1, 1),
    4: (1, 0, 0, -1, 0, 1),
    5: (0, -1, -1, 0, 1, 1),
    6: (0, -1, 1, 0, 0, 1),
    7: (0, 1, 1, 0, 0, 0),
    8: (0, 1, -1, 0, 1, 0),
}
