"""Crops as pixels, with a look at what was said of their sizes before."""

from __future__ import annotations

from edgeocr import crops as rectify
from edgeocr.crops import Crop
from edgeocr.images import Image
from edgeocr.page import Region
from edgeocr.postprocess.geometry import Float32


def crop(image: Image, quad: Float32) -> Image:
    """`rectify.crop`, cut out."""
    return pixels(rectify.crop(image, quad))


def upright(image: Image, region: Region) -> Image:
    """`rectify.upright`, cut out."""
    return pixels(rectify.upright(image, region))


def pixels(made: Crop) -> Image:
    """The pixels of a crop, which are as many as it said, and the same ones each time."""
    cut = made.pixels
    assert cut.shape == (made.height, made.width, 3)
    assert made.pixels is cut
    return cut
