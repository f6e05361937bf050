"""The size that an image is given for detection and spotting."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from .bundle.manifest import Resize, Stages
from .images import Image
from .postprocess.geometry import Float32
from .runtime.job import Job, Shape

# Height and width of a photograph in landscape.
USUAL = (1200, 1600)


class Resized(NamedTuple):
    """An image as a network is given it.

    pixels: uint8 [H, W, 3].
    height, width: the part of it, from the top left, that is the image; the rest repeats its edges.
    scale: what x and y of a point in it have to be multiplied by in the image, float32 [2].
    """

    pixels: Image
    height: int
    width: int
    scale: Float32

    def of_image(self, map_: NDArray[Any]) -> NDArray[Any]:
        """The part [..., h', w'] of a network's output [..., H', W'] that is of the image."""
        rows, columns = (
            part * side // whole
            for part, side, whole in zip(
                (self.height, self.width), map_.shape[-2:], self.pixels.shape, strict=False
            )
        )
        return map_[..., :rows, :columns]


def job(stage: str, rule: Resize, preferred: Sequence[str] | None, precision: str = "fp32") -> Job:
    """The job of a stage whose network is given whole images."""
    shapes = [(1, height, width, 3) for height, width in rule.sizes]
    return Job(stage, "image", (1, *network_size(*USUAL, rule), 3), shapes, preferred, precision)


def with_sizes(rule: Resize, shapes: Sequence[Shape]) -> Resize:
    """The rule with the sizes of these shapes [N, H, W, 3] only."""
    return replace(rule, sizes=[list(shape[1:3]) for shape in shapes])


def bounded(rule: Resize, max_pixels: int) -> Resize:
    """The rule with another `max_pixels`, and those of its sizes that are within it, or else the
    largest square that is.
    """
    within = [size for size in rule.sizes if math.prod(size) <= max_pixels]
    side = max(1, math.isqrt(max_pixels) // rule.multiple) * rule.multiple
    square = [[side, side]] if rule.sizes else []
    return replace(rule, max_pixels=max_pixels, sizes=within or square)


def bounded_stages(stages: Stages, max_pixels: int | None) -> Stages:
    """The stages with a caller's bound of detection's or spotting's pixels; None for the bundle's.

    Raises `ValueError` for less than the smallest input that the network takes.
    """
    if max_pixels is None:
        return stages
    found = {
        name: stage
        for name in ("detection", "spotting")
        if (stage := getattr(stages, name)) is not None
    }
    least = max([1, *(stage.resize.multiple**2 for stage in found.values())])
    if max_pixels < least:
        raise ValueError(f"max_pixels must be at least {least}, not {max_pixels}")
    changed: Any = {
        name: replace(stage, resize=bounded(stage.resize, max_pixels))
        for name, stage in found.items()
    }
    return replace(stages, **changed)


def resize(image: Image, rule: Resize, *, finite: bool = False) -> Resized:
    """uint8 [H, W, 3] → the network's input; with `finite` of one of the rule's sizes."""
    height, width = image.shape[:2]
    inside = outside = network_size(height, width, rule)
    if finite:
        inside, outside = finite_size(*inside, rule)
    pixels = cv2.resize(image, inside[::-1]).astype(np.uint8, copy=False)
    if outside != inside:
        below, right = outside[0] - inside[0], outside[1] - inside[1]
        pixels = cv2.copyMakeBorder(pixels, 0, below, 0, right, cv2.BORDER_REPLICATE).astype(
            np.uint8, copy=False
        )
    scale = np.array([width / inside[1], height / inside[0]], np.float32)
    return Resized(pixels, *inside, scale)


def network_size(height: int, width: int, rule: Resize) -> tuple[int, int]:
    """Height and width that an image of this size is given for the network."""
    scale = min(_scale(height, width, rule), math.sqrt(rule.max_pixels / (height * width)))
    round_to = math.ceil if rule.rounding == "up" else round

    def rounded(side: float) -> int:
        # "up" is of whole pixels, as PaddleOCR does it.
        side = int(side) if rule.rounding == "up" else side
        return max(rule.multiple, round_to(side / rule.multiple) * rule.multiple)

    sides = [rounded(height * scale), rounded(width * scale)]
    # A strip's short side may have been rounded up by much; the long side makes up for it.
    longer = int(sides[1] > sides[0])
    most = rule.max_pixels // sides[1 - longer] // rule.multiple * rule.multiple
    sides[longer] = max(rule.multiple, min(sides[longer], most))
    return sides[0], sides[1]


def finite_size(height: int, width: int, rule: Resize) -> tuple[tuple[int, int], tuple[int, int]]:
    """The size of the image inside an input, and of the input: the smallest of the rule's sizes
    that holds height × width, or else the one that it has to be scaled down the least for.
    """
    holding = [size for size in rule.sizes if size[0] >= height and size[1] >= width]
    if holding:
        high, wide = min(holding, key=math.prod)
        return (height, width), (high, wide)

    def fit(size: list[int]) -> float:
        return min(size[0] / height, size[1] / width)

    high, wide = max(rule.sizes, key=lambda size: (fit(size), -math.prod(size)))
    scale, step = fit([high, wide]), rule.multiple
    inside = [max(step, int(side * scale) // step * step) for side in (height, width)]
    return (inside[0], inside[1]), (high, wide)


def _scale(height: int, width: int, rule: Resize) -> float:
    short, long = sorted((height, width))
    if rule.limit == "long":
        return rule.limit_side / long
    if rule.limit == "height":
        return min(rule.enlarge, rule.limit_side / height)
    if rule.limit == "min" and short < rule.limit_side:
        return rule.limit_side / short
    if rule.limit == "max" and long > rule.limit_side:
        return rule.limit_side / long
    return 1.0
