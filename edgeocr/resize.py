"""The size that an image is given for detection and spotting."""

from __future__ import annotations

import math

import cv2
import numpy as np

from .images import Image
from .manifest import Resize
from .postprocess.geometry import Float32


def resize(image: Image, rule: Resize) -> tuple[Image, Float32]:
    """uint8 [H, W, 3] → the network's input [h, w, 3], and what x and y of a point in it have to
    be multiplied by in the image, float32 [2].
    """
    height, width = image.shape[:2]
    inside_height, inside_width = network_size(height, width, rule)
    resized = cv2.resize(image, (inside_width, inside_height)).astype(np.uint8, copy=False)
    return resized, np.array([width / inside_width, height / inside_height], np.float32)


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
