"""Draw the pictures of `benchmarks.scaling`: lines of equal length on white."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from .drawn_picture import default_font, random_word

if TYPE_CHECKING:
    from PIL.Image import Image

# A page of this size has room for 128 lines in columns. It is below the 900 000 pixels from which
# on `tiny` sees a picture smaller than it is.
PAGE = 960, 900
ROWS, COLUMNS = 32, 4
LINES = (1, 2, 4, 8, 16, 32, 64, 128)
# Lines of the series whose number of lines is fixed.
FIXED_LINES = 16
# Size of the text and length of a line, in pixels.
TEXT, LENGTH = 15, 200
# The size of the picture for 16 lines; both sides grow by these factors, with the text or without.
# Five pictures are within 900 000 pixels, and the last of them nearly has as many.
GROUND = 472, 472
FACTORS = (1.0, 1.25, 1.5, 1.75, 2.0, 3.0, 4.0, 6.0, 8.0)
SEED = 2028


@dataclass(frozen=True)
class Drawn:
    """A picture.

    Attributes:
        path: Its file.
        x: What grows: the number of lines, or megapixels.
        lines: Its number of lines.
    """

    path: str
    x: float
    lines: int


def draw(series: str, folder: Path) -> list[Drawn]:
    """Draw the pictures of a series as JPEG files.

    Args:
        series: "lines", "background", "text" or "threads".
        folder: The folder to write into.

    Returns:
        The pictures, the smallest first.
    """
    found = []
    for number, (image, x, lines) in enumerate(_images(series)):
        path = folder / f"{series}-{number}.jpg"
        image.save(path, quality=90)
        found.append(Drawn(str(path), x, lines))
    return found


def _images(series: str) -> Iterator[tuple[Image, float, int]]:
    """Yield the pictures of a series, what grows, and the number of lines."""
    if series == "lines":
        for lines in LINES:
            yield page(PAGE, lines), float(lines), lines
    elif series == "threads":
        yield page(PAGE, 2 * FIXED_LINES), 0.0, 2 * FIXED_LINES
    else:
        for factor in FACTORS:
            size = round(GROUND[0] * factor), round(GROUND[1] * factor)
            image = page(size, FIXED_LINES, factor if series == "text" else 1.0)
            yield image, round(size[0] * size[1] / 1e6, 4), FIXED_LINES


def page(size: tuple[int, int], lines: int, scale: float = 1.0) -> Image:
    """Draw lines below each other, in columns that begin at the left.

    Args:
        size: Width and height in pixels.
        lines: Number of lines.
        scale: How many times larger than `TEXT` the text is.
    """
    from PIL import Image, ImageDraw

    image = Image.new("RGB", size, (255, 255, 255))
    pen, font, rng = ImageDraw.Draw(image), default_font(round(TEXT * scale)), Random(SEED)
    rows = min(ROWS, round(size[1] * ROWS / (PAGE[1] * scale)))
    for number in range(lines):
        column, row = divmod(number, rows)
        left, top = 20 + column * PAGE[0] / COLUMNS, 10 + row * (PAGE[1] - 20) / ROWS
        text = random_word(rng)
        while font.getlength(text) < LENGTH * scale:
            text += " " + random_word(rng)
        while font.getlength(text) > LENGTH * scale:
            text = text[:-1]
        pen.text((left * scale, top * scale), text.strip(), font=font, fill=(20, 20, 20))
    return image
