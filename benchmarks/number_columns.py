"""Draw tables of numbers whose columns stand close together."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from .drawn_picture import Line, Picture, corners, default_font

# The number of tables of each gap.
TABLES = 8
# The narrowest gap between two columns of a table, as a multiple of the height of its letters.
# A space is about 0.3 of that height, so even the narrowest of these is wider than two spaces.
GAPS = (0.75, 1.0, 1.5, 2.0, 3.0)
SIZES = (12, 14, 16, 18, 20, 24, 28, 36)
COLUMNS, ROWS = (3, 8), (5, 16)


def tables(seed: int) -> Iterator[Picture]:
    """Draw tables; each number is a line of its own in Label.txt."""
    for gap in GAPS:
        for number in range(TABLES):
            name = f"gap-{gap:.2f}-{number}.jpg"
            yield draw_table(name, gap, Random(f"{seed} columns {gap} {number}"))


def draw_table(name: str, gap: float, rng: Random) -> Picture:
    """Draw one table of numbers that are flush right in their columns.

    Args:
        name: Name of its file.
        gap: The gap between the widest numbers of two columns, as a multiple of the size of
            the letters.
        rng: Source of its numbers.
    """
    from PIL import Image, ImageDraw, ImageFilter

    size = rng.choice(SIZES)
    font = default_font(size)
    rows = rng.randrange(*ROWS)
    columns = [_column(rows, rng) for _ in range(rng.randrange(*COLUMNS))]
    widths = [max(font.getlength(text) for text in column) for column in columns]
    pitch = round(size * rng.uniform(1.3, 2.0))
    margin = 2 * size
    width = round(2 * margin + sum(widths) + gap * size * (len(columns) - 1))
    image = Image.new("RGB", (width, 2 * margin + rows * pitch), (250, 250, 248))
    draw = ImageDraw.Draw(image)
    lines = []
    right = float(margin)
    for column, widest in zip(columns, widths, strict=True):
        right += widest
        for row, text in enumerate(column):
            at = (right - font.getlength(text), margin + row * pitch)
            draw.text(at, text, font=font, fill=(20, 20, 20))
            lines.append(Line(text, corners(draw.textbbox(at, text, font=font))))
        right += gap * size
    image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0, 0.6)))
    return Picture(name, image, lines, quality=rng.randrange(75, 95), dpi=96)


def _column(rows: int, rng: Random) -> list[str]:
    """Return numbers of one form: whole, with decimals, with a sign, or a share."""
    digits = rng.randrange(1, 6)
    form = rng.choice(("{:d}", "{:d}.{:02d}", "{:,d}", "-{:d}.{:d}", "{:d}%"))
    if form == "{:,d}":
        digits += 3
    return [
        form.format(rng.randrange(10 ** (digits - 1), 10**digits), rng.randrange(10, 100))
        for _ in range(rows)
    ]
