"""Pictures for a soak: of random sizes, kinds and file formats, and some that are broken."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

import cv2
import numpy as np

from edgeocr.images import Image
from tests.support import transparent, turned_pages

from .spikes import pages

# How many pictures of each kind are drawn. All others are these at other sizes.
DRAWN = 12
# The factors by which their sides are scaled.
SCALES = (0.2, 1.0)
# The shares of pictures that are broken, and of those that stay as they were drawn.
BROKEN, UNCHANGED = 0.1, 0.1
FORMATS = (".jpg", ".png", ".bmp", ".webp", ".tif")
# The most bytes of a file that are changed to break it.
MOST_CHANGES = 20


@dataclass(frozen=True)
class Sample:
    """A picture to read.

    Attributes:
        source: The picture, uint8 [H, W, 3] BGR, or the bytes of an image file.
        original: Number of the drawn picture if it is unchanged, so that its text is known; None
            if it is not.
        broken: Whether it is a damaged file, which may or may not be readable.
    """

    source: Image | bytes
    original: int | None = None
    broken: bool = False


class Samples:
    """Random pictures that are made from a number of drawn ones.

    Attributes:
        originals: The drawn pictures: arrays uint8 [H, W, 3] BGR, and bytes of image files.
    """

    def __init__(self, seed: int) -> None:
        """Draw the pictures.

        Args:
            seed: The same seed gives the same pictures.
        """
        self._seed = seed
        self.originals: list[Image | bytes] = list(pages(DRAWN))
        for number in range(seed, seed + DRAWN):
            drawn, _ = turned_pages.page(number)
            self.originals.append(turned_pages.turned(drawn, 90 * (number % 4)))
            see_through = transparent.draw(number)
            form = transparent.form_of(number, see_through.kind)
            self.originals.append(transparent.encode(see_through.image, form))

    def sample(self, number: int) -> Sample:
        """Make a picture.

        Args:
            number: The same number gives the same picture.
        """
        chance = Random(f"{self._seed} {number}")
        original = chance.randrange(len(self.originals))
        source = self.originals[original]
        fate = chance.random()
        if fate < UNCHANGED:
            return Sample(source, original)
        if isinstance(source, bytes):
            content = source
        else:
            scale = chance.uniform(*SCALES)
            resized = cv2.resize(source, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            source = resized.astype(np.uint8, copy=False)
            content = cv2.imencode(chance.choice(FORMATS), source)[1].tobytes()
        if fate < UNCHANGED + BROKEN:
            return Sample(_broken(content, chance), broken=True)
        return Sample(chance.choice((source, content)))


def _broken(content: bytes, chance: Random) -> bytes:
    """Cut a file off, or change some of its bytes."""
    if chance.random() < 0.5:
        return content[: chance.randrange(len(content))]
    damaged = bytearray(content)
    for _ in range(chance.randint(1, MOST_CHANGES)):
        damaged[chance.randrange(len(damaged))] = chance.randrange(256)
    return bytes(damaged)
