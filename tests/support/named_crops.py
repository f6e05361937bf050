"""Stand-ins for networks that read crops, which tell them apart by a pixel."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from edgeocr.crops import Crop
from edgeocr.results.lines import Reading


class FakeRecognizer:
    """Reads the name that a crop's pixels stand for; the crops of a page are told apart by it."""

    minimum_score, height = 0.5, 48

    def __init__(self, readings: dict[int, Reading]) -> None:
        self.readings = readings

    def recognize(self, crops: Sequence[Crop], watch: object = None, **_: bool) -> list[Reading]:
        return [self.readings[int(crop.pixels[0, 0, 0])] for crop in crops]


class FakeOrienter:
    """Takes every crop for one that is upside down."""

    def probabilities(self, crops: Sequence[Crop], watch: object = None) -> np.ndarray:
        return np.tile(np.array([0, 1], np.float32), (len(crops), 1))

    def rotations(self, probability: np.ndarray) -> list[int]:
        return [180] * len(probability)
