"""Draw pages under many conditions: receipts, tables, forms, dense text, blur, weak contrast."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, TypeAlias

from edgeocr.accuracy.labels import DONT_CARE

from .drawn_picture import Corners, Line, Picture, corners, default_font, random_word

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont

# Pages of each condition.
COUNT = 6
CONDITIONS = (
    *("receipt", "table", "dense", "sparse", "chinese", "contrast", "blur", "jpeg", "form"),
    "large",
)
# Heights of type in pixels, and those of dense pages.
SIZES = (9, 10, 11, 12, 14, 16, 18, 20, 24, 28, 32)
DENSE_SIZES = (8, 9, 10, 11, 12, 13, 14, 16)
# Some of the most frequent Chinese characters.
CHINESE = (
    "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面"
    "而方后多定行学法所民得经十三之进着等部度家电力里如水化高自二理起小物现实加量都两体制机当使点从业本去把"
)
COLUMNS = 5

Box: TypeAlias = "tuple[float, float, float, float]"


@dataclass(frozen=True)
class Fonts:
    """The fonts to draw with.

    Attributes:
        latin: Paths of fonts to use besides the one that comes with Pillow.
        chinese: Path of a font with Chinese characters; None to draw no Chinese.
    """

    latin: Sequence[Path] = ()
    chinese: Path | None = None

    def choose(self, size: int, chinese: bool, rng: Random) -> FreeTypeFont:
        """Return a font at a size."""
        from PIL import ImageFont

        path = self.chinese if chinese else rng.choice((None, *self.latin))
        return default_font(size) if path is None else ImageFont.truetype(str(path), size)


def pages(seed: int, fonts: Fonts) -> Iterator[Picture]:
    """Draw `COUNT` pages of each condition, those with Chinese only if there is a font for it."""
    for number in range(seed, seed + COUNT):
        for condition in CONDITIONS:
            if condition != "chinese" or fonts.chinese is not None:
                yield draw(condition, number, fonts)


def draw(condition: str, number: int, fonts: Fonts) -> Picture:
    """Draw one page.

    Args:
        condition: One of `CONDITIONS`.
        number: Seed of its random numbers.
        fonts: The fonts.
    """
    from PIL import Image, ImageDraw, ImageFilter

    rng = Random(f"{number} {condition}")
    large = condition == "large"
    width, height = (
        rng.randrange(1500, 3000) if large else rng.randrange(500, 1300) for _ in range(2)
    )
    size = rng.randrange(16, 60) if large else rng.choice(SIZES)
    if condition == "sparse":
        size = rng.randrange(20, 61)
    elif condition == "dense":
        size = rng.choice(DENSE_SIZES)
    ground, ink = _colours(condition, rng)
    image = Image.new("RGB", (width, height), ground)
    mixed = condition in ("table", "sparse", "large") and rng.random() < 0.25
    chinese = fonts.chinese is not None and (condition == "chinese" or mixed)
    sheet = _Sheet(
        ImageDraw.Draw(image),
        (width, height),
        size,
        partial(fonts.choose, chinese=chinese, rng=rng),
        chinese,
        ink,
        rng,
    )
    sheet.fill(condition)
    # Scanned or photographed: a little askew, out of focus, noisy.
    degrees = rng.choice((0.0, 0.0, rng.uniform(-1.5, 1.5)))
    if condition == "sparse":
        degrees = rng.uniform(-5, 5)
    if degrees:
        image = image.rotate(degrees, resample=Image.Resampling.BICUBIC, fillcolor=ground)
    radius = rng.uniform(0.06, 0.13) * size if condition == "blur" else rng.uniform(0, 0.7)
    image = image.filter(ImageFilter.GaussianBlur(radius))
    if condition == "receipt" or rng.random() < 0.5:
        image = _noisy(image, rng)
    lines = []
    for text, box in sheet.boxes:
        outline = _turned(corners(box), degrees, width, height)
        inside = all(0 <= x <= width and 0 <= y <= height for x, y in outline)
        lines.append(Line(text if inside else DONT_CARE[0], outline))
    quality = rng.randrange(15, 35) if condition == "jpeg" else rng.randrange(60, 93)
    return Picture(f"{condition}-{number:03}.jpg", image, lines, quality, dpi=72)


class _Sheet:
    """A sheet of paper that is filled with lines from the top."""

    def __init__(
        self,
        drawing: ImageDraw,
        extent: tuple[int, int],
        size: int,
        font: Callable[[int], FreeTypeFont],
        chinese: bool,
        ink: tuple[int, int, int],
        rng: Random,
    ) -> None:
        self._drawing, self._extent, self._size, self._ink = drawing, extent, size, ink
        self._font_of, self._font = font, font(size)
        self._chinese, self._rng = chinese, rng
        self._left, self._top = rng.randrange(10, 60), rng.randrange(10, 40)
        self.boxes: list[tuple[str, Box]] = []

    def fill(self, condition: str) -> None:
        """Write lines until the sheet is full."""
        write = {
            "receipt": self._item,
            "form": self._item,
            "table": self._row,
            "sparse": self._sign,
        }.get(condition, self._text)
        while self._top < self._extent[1] - 2 * self._size:
            write()

    def _words(self, number: int) -> str:
        if self._chinese:
            return "".join(self._rng.choice(CHINESE) for _ in range(2 * number))
        return " ".join(random_word(self._rng) for _ in range(number))

    def _put(self, left: float, text: str, font: FreeTypeFont) -> None:
        """Write at the current height, unless the text would reach beyond the sheet."""
        at = (left, self._top)
        box = self._drawing.textbbox(at, text, font=font)
        if box[2] <= self._extent[0] - 4 and box[3] <= self._extent[1] - 4:
            self._drawing.text(at, text, font=font, fill=self._ink)
            self.boxes.append((text, box))

    def _price(self, most: int) -> str:
        return f"{self._rng.randrange(most)}.{self._rng.randrange(100):02}"

    def _item(self) -> None:
        """Write a label, and often a value at the right edge."""
        label, value = self._words(self._rng.randrange(1, 4)), self._price(1000)
        self._put(self._left, label, self._font)
        at = self._extent[0] - self._left - self._font.getlength(value)
        free = at - self._left - self._font.getlength(label)
        if free > 2.5 * self._size and self._rng.random() < 0.7:
            self._put(at, value, self._font)
        self._top += round(self._size * self._rng.uniform(1.35, 1.7))

    def _row(self) -> None:
        """Write a row of a table, often with a rule below."""
        width = (self._extent[0] - 2 * self._left) / COLUMNS
        for column in range(COLUMNS):
            cells = (self._words(1), str(self._rng.randrange(10000)), self._price(100))
            text = self._rng.choice(cells)
            if self._font.getlength(text) < width - 1.5 * self._size:
                self._put(self._left + column * width + 6, text, self._font)
        if self._rng.random() < 0.6:
            y = self._top + 1.6 * self._size
            self._drawing.line((self._left, y, self._extent[0] - self._left, y), fill=self._ink)
        self._top += 2 * self._size

    def _sign(self) -> None:
        """Often write a few words of another size somewhere, and leave much free."""
        if self._rng.random() < 0.6:
            font = self._font_of(self._rng.randrange(16, 61))
            left = self._rng.randrange(10, self._extent[0] // 2)
            self._put(left, self._words(self._rng.randrange(1, 3)), font)
        self._top += self._rng.randrange(70, 160)

    def _text(self) -> None:
        """Write a line of running text, sometimes the short last one of a paragraph."""
        text = self._words(1)
        while True:
            longer = text + ("" if self._chinese else " ") + self._words(1)
            if self._font.getlength(longer) > self._extent[0] - 2 * self._left:
                break
            text = longer
        if self._rng.random() < 0.1:
            text = self._words(self._rng.randrange(1, 3))
        self._put(self._left, text, self._font)
        self._top += round(self._size * self._rng.uniform(1.25, 1.7))


def _colours(condition: str, rng: Random) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """Return the colours of the ground and of the ink: dark on light, light on dark, or weak."""

    def colour(least: int, most: int) -> tuple[int, int, int]:
        return rng.randrange(least, most), rng.randrange(least, most), rng.randrange(least, most)

    ground, ink = colour(150, 256), colour(0, 90)
    if condition == "contrast":
        grey = rng.randrange(90, 220)
        other = min(255, grey + rng.choice((-1, 1)) * rng.randrange(25, 60))
        return (grey, grey, grey), (other, other, other)
    return (ink, ground) if rng.random() < 0.15 else (ground, ink)


def _noisy(image: Image, rng: Random) -> Image:
    """Add smooth noise."""
    from PIL import Image

    coarse = (image.width // 2 + 1, image.height // 2 + 1)
    noise = Image.frombytes("RGB", coarse, rng.randbytes(3 * coarse[0] * coarse[1]))
    return Image.blend(image, noise.resize(image.size), rng.uniform(0.02, 0.1))


def _turned(points: Corners, degrees: float, width: int, height: int) -> Corners:
    """Turn points counter-clockwise about the middle of a picture."""
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    centred = [(x - width / 2, y - height / 2) for x, y in points]
    return [
        (width / 2 + x * cosine + y * sine, height / 2 - x * sine + y * cosine) for x, y in centred
    ]
