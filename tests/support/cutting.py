"""Crops as pixels, checked against the sizes that they announce."""

from __future__ import annotations

from edgeocr import crops
from edgeocr.crops import Crop
from edgeocr.images import Image
from edgeocr.postprocess.geometry import Float32
from edgeocr.results.lines import Region


def crop(image: Image, quad: Float32) -> Image:
    """Cut out a quad with `crops.crop_quad`."""
    return pixels(crops.crop_quad(image, quad))


def upright(image: Image, region: Region) -> Image:
    """Cut out a region with `crops.crop_region`."""
    return pixels(crops.crop_region(image, region))


def straightened(image: Image, polygon: Float32) -> Image | None:
    """Cut out a curved region with `crops.straighten`; return None where it refuses."""
    made = crops.straighten(image, polygon)
    return None if made is None else pixels(made)


def pixels(made: Crop) -> Image:
    """Return the pixels of a crop, after checking its size and that they are kept."""
    cut = made.pixels
    assert cut.shape == (made.height, made.width, 3)
    assert made.pixels is cut
    return cut
