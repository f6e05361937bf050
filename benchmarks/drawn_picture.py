"""What the benchmarks' pictures of text are drawn from, and what a drawn picture states."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFont import FreeTypeFont

VOCABULARY = """
about above across action after again against almost along always animal answer around autumn
balance basket because before begin behind believe between bottle bread bridge bright brother
build business butter camera careful carry center certain change children choose circle city
clear climb close coffee cold color common corner country cover cross daughter decide different
dinner distance doctor double dream early earth enough evening every example family famous
farmer fast field figure final finger fire floor flower follow forest forward fresh friend front
garden gentle glass gold grass great green ground half happen harbor heavy history hotel house
hundred ice idea important inside island join jump just kind kitchen know language large later
learn leave letter light little machine market meet middle minute money month morning mountain
music narrow nature night north number office open orange order paper people picture plant point
quick quiet rain ready river road school second shoulder simple south summer table ticket travel
under village visit water window winter yellow young zero
"""
WORDS = VOCABULARY.split()

Corners: TypeAlias = list[tuple[float, float]]


class Line(NamedTuple):
    """A line of text.

    Attributes:
        text: The text; `DONT_CARE[0]` if the line must not count.
        corners: The corners (x, y) in pixels, clockwise from the top left of the text.
    """

    text: str
    corners: Corners


class Picture(NamedTuple):
    """A picture to be saved as JPEG.

    Attributes:
        name: Name of the file.
        image: The picture.
        lines: Its lines.
        quality: JPEG's quality, from 0 to 100.
        dpi: Dots per inch.
    """

    name: str
    image: Image
    lines: list[Line]
    quality: int
    dpi: int


def random_word(rng: Random) -> str:
    """Return a word in lower, upper or title case, or a number."""
    style = rng.random()
    if style < 0.1:
        return rng.choice(
            (
                f"{rng.randrange(1, 10**6)}",
                f"{rng.randrange(100)}.{rng.randrange(100):02}",
                f"{rng.randrange(24)}:{rng.randrange(60):02}",
            )
        )
    word = rng.choice(WORDS)
    return word.upper() if style < 0.2 else word.title() if style < 0.45 else word


def corners(box: tuple[float, float, float, float]) -> Corners:
    """Return the corners of a box (left, top, right, bottom), clockwise from the top left."""
    left, top, right, bottom = box
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


def default_font(size: int) -> FreeTypeFont:
    """Return the TrueType font that comes with Pillow, which is the same everywhere."""
    from PIL import ImageFont

    font = ImageFont.load_default(size)
    assert isinstance(font, ImageFont.FreeTypeFont)
    return font
