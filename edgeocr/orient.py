"""Orientation: finds crops that are probably upside down."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from .errors import GraphError
from .manifest import Orientation
from .rectify import Crop
from .session import Session
from .stopwatch import Stopwatch
from .workers import Workers

# Crops per run: enough to keep a core busy, few enough to share them out.
BATCH = 8


class Orienter:
    """Runs a bundle's orientation stage. Safe to share by threads."""

    def __init__(
        self, stage: Orientation, graph: bytes, *, provider: str, workers: Workers
    ) -> None:
        self._stage = stage
        self._session = Session(
            graph, ["probability"], provider=provider, threads=workers.threads, workers=workers
        )
        self.provider = self._session.provider

    def rotations(self, crops: Sequence[Crop], watch: Stopwatch | None = None) -> list[int]:
        """The degrees that each crop is turned by, 0 where that isn't sure."""
        watch = watch or Stopwatch()
        if not crops:
            watch.add("orientation", 0)
            return []
        batches = [crops[i : i + BATCH] for i in range(0, len(crops), BATCH)]
        results = self._session.run_each(batches, self._batch, watch, ("crops", "orientation"))
        probability = np.concatenate([rows for (rows,) in results])
        if probability.shape[1] != len(self._stage.degrees):
            raise GraphError(
                f"the orientation graph has {probability.shape[1]} classes, "
                f"the manifest {len(self._stage.degrees)}"
            )
        degrees = np.array(self._stage.degrees)[probability.argmax(axis=1)]
        sure = probability.max(axis=1) >= self._stage.threshold
        return [int(turn) for turn in np.where(sure, degrees, 0)]

    def _batch(self, crops: Sequence[Crop]) -> NDArray[np.uint8]:
        """Each crop at the network's height: in its own proportions as far as they fit."""
        height, width = self._stage.height, self._stage.width
        batch = np.full((len(crops), height, width, 3), self._stage.padding, np.uint8)
        for row, crop in zip(batch, crops, strict=True):
            natural = int(np.ceil(height * crop.width / crop.height))
            fitted = width if self._stage.stretch else min(width, natural)
            row[:, :fitted] = cv2.resize(crop.pixels, (fitted, height))
        return batch
