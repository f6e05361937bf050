"""Orientation: finds crops that are probably upside down."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from .bundle.manifest import Orientation
from .crops import Crop
from .errors import GraphError
from .runtime.job import Job
from .runtime.placement import Placement
from .runtime.session import Session
from .runtime.stopwatch import Stopwatch
from .runtime.threads import ThreadPool

# Crops per run where any number can be: enough to keep a core busy, few enough to share them out.
BATCH = 8


class Orienter:
    """Runs a bundle's orientation stage. Safe to share by threads."""

    def __init__(
        self, stage: Orientation, graph: bytes, *, placement: Placement, pool: ThreadPool
    ) -> None:
        self._stage = stage
        shape = (stage.height, stage.width, 3)
        shapes = [(number, *shape) for number in stage.batches]
        self.session = Session(
            graph,
            Job(
                "orientation",
                "crops",
                (BATCH, *shape),
                shapes,
                stage.providers,
                stage.precision,
            ),
            ["probability"],
            placement=placement,
            threads=pool.threads,
            pool=pool,
        )
        self._batches = stage.batches if self.session.fixed_shapes else None
        self._most = BATCH

    def bound(self, pixels: int) -> None:
        """Look at crops of at most so many pixels together from now on, but at one at the least."""
        each = self._stage.height * self._stage.width
        self._most = max(1, min(BATCH, pixels // each))
        batches = [n for n in self._stage.batches if n * each <= pixels]
        if self._batches:
            self._batches = batches or self._batches[:1]
        shape = (self._stage.height, self._stage.width, 3)
        self.session.restrict_shapes(
            [(n, *shape) for n in self._batches or ()], (self._most, *shape)
        )

    def rotations(self, crops: Sequence[Crop], watch: Stopwatch | None = None) -> list[int]:
        """The degrees that each crop is turned by, 0 where that isn't sure."""
        watch = watch or Stopwatch()
        if not crops:
            watch.add("orientation", 0)
            return []
        most = self._batches[-1] if self._batches else self._most
        batches = [crops[i : i + most] for i in range(0, len(crops), most)]
        results = self.session.run_each(
            batches, self._batch, watch, ("crops", "orientation"), self._needs
        )
        probability = np.concatenate(
            [rows[: len(batch)] for batch, (rows,) in zip(batches, results, strict=True)]
        )
        if probability.shape[1] != len(self._stage.degrees):
            raise GraphError(
                f"the orientation graph has {probability.shape[1]} classes, "
                f"the manifest {len(self._stage.degrees)}"
            )
        degrees = np.array(self._stage.degrees)[probability.argmax(axis=1)]
        sure = probability.max(axis=1) >= self._stage.threshold
        return [int(turn) for turn in np.where(sure, degrees, 0)]

    def _needs(self, crops: Sequence[Crop]) -> tuple[int, int]:
        """Pixels of the batch, and bytes of one crop at a time."""
        largest = max(crop.taking for crop in crops)
        return len(crops) * self._stage.height * self._stage.width, largest

    def _batch(self, crops: Sequence[Crop]) -> NDArray[np.uint8]:
        """Each crop at the network's height: in its own proportions as far as they fit."""
        height, width = self._stage.height, self._stage.width
        number = len(crops)
        if self._batches:
            number = next(each for each in self._batches if each >= number)
        batch = np.full((number, height, width, 3), self._stage.padding, np.uint8)
        for row, crop in zip(batch, crops, strict=False):
            natural = int(np.ceil(height * crop.width / crop.height))
            fitted = width if self._stage.stretch else min(width, natural)
            row[:, :fitted] = cv2.resize(crop.pixels, (fitted, height))
        return batch
