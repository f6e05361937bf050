"""Detection: an image → regions with text, in image coordinates."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np

from .images import Image
from .manifest import Detection, Resize
from .page import Region
from .postprocess import db
from .postprocess.geometry import Float32, clockwise
from .session import Session

# A region smaller than this in the image can't be read (PaddleOCR's filter).
MINIMUM_IMAGE_SIDE = 3


class Detector:
    """Runs a bundle's detection stage. Safe to share by threads."""

    def __init__(self, stage: Detection, graph: bytes, *, provider: str, threads: int) -> None:
        self._stage = stage
        self._session = Session(
            graph, ["probability"], provider=provider, threads=threads, concurrent=False
        )
        self.provider, self.passed_over = self._session.provider, self._session.passed_over

    def detect(self, image: Image) -> list[Region]:
        """uint8 [H, W, 3] BGR → regions with corners inside the image, in no order."""
        height, width = image.shape[:2]
        inside_height, inside_width = network_size(height, width, self._stage.resize)
        resized = cv2.resize(image, (inside_width, inside_height))
        (probability,) = self._session.run(resized[None].astype(np.uint8, copy=False))
        scale = np.array([width / inside_width, height / inside_height], np.float32)
        limit = np.array([width - 1, height - 1], np.float32)

        def to_image(points: Float32) -> Float32:
            return np.asarray(np.clip(points * scale, 0, limit), np.float32)

        numbers = self._stage.postprocess
        settings: dict[str, Any] = {
            "threshold": numbers.threshold,
            "box_threshold": numbers.box_threshold,
            "unclip_ratio": numbers.unclip_ratio,
            "max_candidates": numbers.max_candidates,
            "dilation": numbers.dilation,
            "score": numbers.score,
        }
        polygons: list[Float32 | None]
        if numbers.shape == "polygon":
            outlines, scores = db.polygons(probability[0], **settings)
            polygons = [to_image(outline) for outline in outlines]
            rectangles = [cv2.boxPoints(cv2.minAreaRect(outline)) for outline in outlines]
            quads = clockwise(np.array(rectangles, np.float32).reshape(-1, 4, 2))
        else:
            quads, scores = db.quads(probability[0], **settings)
            polygons = [None] * len(quads)
        quads = to_image(quads)
        regions = []
        for quad, polygon, score in zip(quads, polygons, scores.tolist(), strict=True):
            sides = np.linalg.norm(quad - np.roll(quad, -1, axis=0), axis=1)
            if min(sides[0], sides[1]) > MINIMUM_IMAGE_SIDE:
                regions.append(Region(quad, score, polygon))
        return regions


def network_size(height: int, width: int, rule: Resize) -> tuple[int, int]:
    """Height and width that an image of this size is given for the network."""
    short, long = sorted((height, width))
    scale = 1.0
    if rule.limit == "min" and short < rule.limit_side:
        scale = rule.limit_side / short
    elif rule.limit == "max" and long > rule.limit_side:
        scale = rule.limit_side / long
    scale = min(scale, math.sqrt(rule.max_pixels / (height * width)))

    def rounded(side: float) -> int:
        return max(rule.multiple, round(side / rule.multiple) * rule.multiple)

    sides = [rounded(height * scale), rounded(width * scale)]
    # A strip's short side may have been rounded up by much; the long side makes up for it.
    longer = int(sides[1] > sides[0])
    most = rule.max_pixels // sides[1 - longer] // rule.multiple * rule.multiple
    sides[longer] = max(rule.multiple, min(sides[longer], most))
    return sides[0], sides[1]
