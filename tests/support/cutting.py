"""Crops as pixels, with a look at what was said of their sizes before."""

from __future__ import annotations

from edgeocr import crops
from edgeocr.crops import Crop
from edgeocr.images import Image
from edgeocr.page import Region
from edgeocr.postprocess.geometry import Float32


def crop(image: Image, quad: Float32) -> Image:
    """`crops.crop_quad`, cut out."""
    return pixels(crops.crop_quad(image, quad))


def upright(image: Image, region: Region) -> Image:
    """`crops.crop_region`, cut out."""
    return pixels(crops.crop_region(image, region))


def pixels(made: Crop) -> Image:
    """The pixels of a crop, which are as many as it said, and the same ones each time."""
    cut = made.pixels
    assert cut.shape == (made.height, made.width, 3)
    assert made.pixels is cut
    return cut
