"""Orientation: finds crops that are upside down and turns them."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from .images import Image
from .manifest import Orientation
from .session import Session

# Crops per run: enough to keep a core busy, few enough to share them out.
BATCH = 8


class Orienter:
    """Runs a bundle's orientation stage. Safe to share by threads."""

    def __init__(self, stage: Orientation, graph: bytes, *, provider: str, threads: int) -> None:
        self._stage = stage
        self._session = Session(
            graph, ["probability"], provider=provider, threads=threads, concurrent=True
        )
        self.provider = self._session.provider

    def upright(self, crops: Sequence[Image]) -> list[Image]:
        """Crops uint8 [h, w, 3] → the same, those turned that the network is sure about."""
        batches = [crops[i : i + BATCH] for i in range(0, len(crops), BATCH)]
        results = self._session.run_each(batches, self._batch)
        turned = []
        for crop, probability in zip(
            crops, (row for (rows,) in results for row in rows), strict=True
        ):
            best = int(probability.argmax())
            sure = probability[best] >= self._stage.threshold
            turned.append(_turn(crop, self._stage.degrees[best]) if sure else crop)
        return turned

    def _batch(self, crops: Sequence[Image]) -> NDArray[np.uint8]:
        """Each crop at the network's height in its own proportions, cut off by squeezing."""
        height, width = self._stage.height, self._stage.width
        batch = np.full((len(crops), height, width, 3), self._stage.padding, np.uint8)
        for row, crop in zip(batch, crops, strict=True):
            natural = int(np.ceil(height * crop.shape[1] / crop.shape[0]))
            fitted = min(width, natural)
            row[:, :fitted] = cv2.resize(crop, (fitted, height))
        return batch


def _turn(crop: Image, degrees: int) -> Image:
    return np.ascontiguousarray(np.rot90(crop, degrees // 90)) if degrees else crop
