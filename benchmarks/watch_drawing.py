"""Drawing for rendered videos: letterings, backgrounds, and what a camera adds to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeocr.images import Image
from edgeocr.postprocess.geometry import Float32

from .drawn_picture import default_font
from .peers import OWN_PICTURES
from .watch_truth import Shown

WIDTH, HEIGHT = 1280, 720
Colour = tuple[int, int, int]  # blue, green, red
# Pillow's own font, the same with an outline, and two of OpenCV's: fonts that every machine has.
Face = Literal["sans", "bold", "triplex", "duplex"]
# Letterings may extend this many pixels beyond their line.
_MARGIN = 6
# A line of which less than this share is visible counts as not there.
_LEAST_VISIBLE = 0.04


@dataclass(frozen=True, eq=False)
class Lettering:
    """A line of text that can be drawn.

    Attributes:
        text: The text.
        mask: uint8 [H, W], how much of each pixel is ink.
        box: Left, top, right and bottom of the line in the mask, from the top of its capitals to
            the bottom of its descenders.
        colour: Its colour.
    """

    text: str
    mask: NDArray[np.uint8]
    box: tuple[int, int, int, int]
    colour: Colour

    @property
    def width(self) -> int:
        """The width of its line in pixels."""
        return self.box[2] - self.box[0]

    @property
    def height(self) -> int:
        """The height of its line in pixels."""
        return self.box[3] - self.box[1]


@cache
def lettering(text: str, size: int, colour: Colour, face: Face = "sans") -> Lettering:
    """Make a lettering.

    Args:
        text: The text.
        size: Size of the font in pixels.
        colour: Its colour.
        face: Its font.
    """
    if face == "triplex":
        return _opencv_lettering(text, size, colour, cv2.FONT_HERSHEY_TRIPLEX)
    if face == "duplex":
        return _opencv_lettering(text, size, colour, cv2.FONT_HERSHEY_DUPLEX)
    from PIL import Image as PillowImage
    from PIL import ImageDraw

    font, stroke = default_font(size), max(1, size // 24) if face == "bold" else 0
    left, _, right, _ = font.getbbox(text, stroke_width=stroke)
    _, top, _, bottom = font.getbbox("Hg", stroke_width=stroke)
    width, height = round(right - left), round(bottom - top)
    picture = PillowImage.new("L", (width + 2 * _MARGIN, height + 2 * _MARGIN))
    ImageDraw.Draw(picture).text(
        (_MARGIN - left, _MARGIN - top), text, fill=255, font=font, stroke_width=stroke
    )
    box = (_MARGIN, _MARGIN, _MARGIN + width, _MARGIN + height)
    return Lettering(text, np.asarray(picture), box, colour)


def _opencv_lettering(text: str, size: int, colour: Colour, font: int) -> Lettering:
    thickness = max(1, round(size / 16))
    scale = cv2.getFontScaleFromHeight(font, round(0.72 * size), thickness)
    (width, above), below = cv2.getTextSize(text, font, scale, thickness)
    below = round(0.28 * size) if below == 0 else below
    mask = np.zeros((above + below + 2 * _MARGIN, width + 2 * _MARGIN), np.uint8)
    origin = (_MARGIN, _MARGIN + above)
    cv2.putText(mask, text, origin, font, scale, 255, thickness, cv2.LINE_AA)
    return Lettering(
        text, mask, (_MARGIN, _MARGIN, _MARGIN + width, _MARGIN + above + below), colour
    )


def put(
    picture: Image, place: str, drawn: Lettering, left: float, top: float, opacity: float = 1.0
) -> Shown | None:
    """Draw a lettering into a picture.

    Args:
        picture: uint8 [H, W, 3]; it is changed.
        place: The line's name.
        drawn: What to draw.
        left: The left edge of the line, in pixels; it is rounded to whole pixels.
        top: The top edge of the line, in pixels; it is rounded to whole pixels.
        opacity: From 0, which draws nothing, to 1.

    Returns:
        The line as it is in the picture; None if nothing of it is visible.
    """
    x, y = round(left) - drawn.box[0], round(top) - drawn.box[1]
    height, width = picture.shape[:2]
    x0, x1 = max(x, 0), min(x + drawn.mask.shape[1], width)
    y0, y1 = max(y, 0), min(y + drawn.mask.shape[0], height)
    if x0 < x1 and y0 < y1:
        ink = drawn.mask[y0 - y : y1 - y, x0 - x : x1 - x, None].astype(np.float32)
        ink *= opacity / 255
        part = picture[y0:y1, x0:x1]
        part[:] = part + (np.array(drawn.colour, np.float32) - part) * ink + 0.5
    return shown(place, drawn, round(left), round(top), (width, height))


def shown(
    place: str, drawn: Lettering, left: float, top: float, size: tuple[int, int] = (WIDTH, HEIGHT)
) -> Shown | None:
    """Return a lettering as it is in a frame of a size; None if nothing of it is visible."""
    x0, x1 = max(left, 0), min(left + drawn.width, size[0])
    y0, y1 = max(top, 0), min(top + drawn.height, size[1])
    visible = max(0, x1 - x0) * max(0, y1 - y0) / (drawn.width * drawn.height)
    if visible < _LEAST_VISIBLE:
        return None
    return Shown(place, drawn.text, box_quad(x0, y0, x1, y1), visible > 0.999)


def box_quad(left: float, top: float, right: float, bottom: float) -> Float32:
    """Return the corners of a box, clockwise from the top left."""
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float32)


def standing(lines: Sequence[Shown | None]) -> tuple[Shown, ...]:
    """Leave out the lines of which nothing is visible."""
    return tuple(line for line in lines if line is not None)


def hide(line: Shown, box: tuple[float, float, float, float]) -> Shown | None:
    """Return a line as it stands behind something in a box (left, top, right, bottom)."""
    (left, top), (right, bottom) = line.quad.min(axis=0), line.quad.max(axis=0)
    wide = max(0.0, min(right, box[2]) - max(left, box[0]))
    high = max(0.0, min(bottom, box[3]) - max(top, box[1]))
    hidden = wide * high / ((right - left) * (bottom - top))
    if hidden > 1 - _LEAST_VISIBLE:
        return None
    return Shown(line.place, line.text, line.quad, line.whole and hidden < 0.001)


def own_picture(name: str) -> Image:
    """Return one of the test pictures, uint8 [H, W, 3] BGR."""
    return np.asarray(cv2.imread(str(OWN_PICTURES / name)), np.uint8)


def backdrop(name: str, size: tuple[int, int] = (WIDTH, HEIGHT), dim: float = 1.0) -> Image:
    """Return a test picture so far out of focus that its texts can't be read.

    Args:
        name: The picture.
        size: Width and height of the result.
        dim: The factor by which its brightness is multiplied.
    """
    small = cv2.GaussianBlur(cv2.resize(own_picture(name), (160, 90)), (0, 0), 7)
    return np.asarray(cv2.resize(small, size, interpolation=cv2.INTER_CUBIC) * dim, np.uint8)


class Sensor:
    """What a camera adds to each frame: noise, and bands of flickering light."""

    def __init__(self, random: np.random.Generator, noise: float) -> None:
        """Prepare the noise.

        Args:
            random: The source of randomness.
            noise: Standard deviation of the noise in levels of brightness.
        """
        self._random = random
        shape = (HEIGHT + 128, WIDTH + 128, 3)
        self._noise = (random.standard_normal(shape, np.float32) * noise).astype(np.int16)

    def take(self, picture: Image) -> Image:
        """Return a picture with another part of the noise."""
        y, x = self._random.integers(0, 128, 2)
        noise = self._noise[y : y + picture.shape[0], x : x + picture.shape[1]]
        return np.asarray(cv2.add(picture, noise, dtype=cv2.CV_8U), np.uint8)

    def light(self, picture: Image, gain: float, phase: float, depth: float) -> Image:
        """Return a picture under a lamp that flickers while the rows are exposed one by one.

        Args:
            picture: The picture.
            gain: The factor by which the whole picture is multiplied.
            phase: The position of the bands, in radians.
            depth: By which share the bands are darker and brighter.
        """
        rows = np.linspace(0, 5 * np.pi, picture.shape[0], dtype=np.float32)
        bands = gain * (1 + depth * np.sin(rows + phase))
        return np.asarray(np.clip(picture * bands[:, None, None], 0, 255), np.uint8)


def shifted(picture: Image, right: float, down: float) -> Image:
    """Return a picture moved by fractions of pixels; its edge is repeated."""
    moving = np.array([[1, 0, right], [0, 1, down]], np.float32)
    size = picture.shape[1::-1]
    return np.asarray(
        cv2.warpAffine(picture, moving, size, borderMode=cv2.BORDER_REPLICATE), np.uint8
    )
