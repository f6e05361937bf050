"""Orientation: tell which crops are upside down."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from .bundle.manifest import Orientation
from .crops import Crop
from .postprocess.geometry import Float32
from .runtime.job import Job
from .runtime.outputs import Output, checked
from .runtime.placement import Placement
from .runtime.run_sizes import RunSizes
from .runtime.session import Session
from .runtime.stopwatch import Stopwatch
from .runtime.threads import ThreadPool

# The number of crops in a run where the network takes any number: few enough that the eight crops
# by which a page is judged keep two cores busy.
BATCH = 4
# A line may be squeezed to a width this many times smaller. Of lines 27 times as long as high, the
# classifier recognized one upside-down line in four by the whole line, and all by its beginning.
MOST_SQUEEZED = 2


class Orienter:
    """The orientation stage of a bundle. Threads may share it.

    Attributes:
        session: The ONNX Runtime session.
        run_sizes: How large the stage's runs are.
    """

    def __init__(
        self, stage: Orientation, graph: bytes, *, placement: Placement, pool: ThreadPool
    ) -> None:
        """Open the stage.

        Args:
            stage: The stage as the manifest describes it.
            graph: Content of its ONNX file.
            placement: The execution provider that is wanted.
            pool: The threads that do runs side by side.

        Raises:
            GraphError: The graph can't be loaded or is not an orientation graph.
            ProviderUnavailableError: The provider does not start.
        """
        self._stage = stage
        self.run_sizes = run_sizes(stage)
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
                fixed_height=True,
            ),
            ["probability"],
            placement=placement,
            threads=pool.threads,
            pool=pool,
        )
        self._batches = stage.batches if self.session.fixed_shapes else None
        self._largest_batch = BATCH

    def limit_pixels(self, pixels: int) -> str | None:
        """Give the network no more than this many pixels in one run, but at least one crop.

        Returns:
            None, since this changes no result.
        """
        each = self._stage.height * self._stage.width
        self._largest_batch = max(1, min(BATCH, pixels // each))
        if self._batches:
            self._batches = [n for n in self._batches if n * each <= pixels] or self._batches[:1]
        shape = (self._stage.height, self._stage.width, 3)
        self.session.restrict_shapes(
            [(n, *shape) for n in self._batches or ()], (self._largest_batch, *shape)
        )
        return None

    def rotations(self, probability: Float32) -> list[int]:
        """Return by how many degrees each crop is turned.

        Args:
            probability: float32 [N, classes], what `probabilities` returned for N crops.

        Returns:
            Multiples of 90 degrees, counter-clockwise; 0 where the network is not sure enough.
        """
        degrees = np.array(self._stage.degrees)[probability.argmax(axis=1)]
        sure = probability.max(axis=1) >= self._stage.threshold
        return [int(turn) for turn in np.where(sure, degrees, 0)]

    def upside_down(self, probability: Float32) -> Float32:
        """Return the probability, float32 [N], that each crop is upside down.

        Args:
            probability: float32 [N, classes], what `probabilities` returned for N crops.
        """
        if 180 not in self._stage.degrees:
            return np.zeros(len(probability), np.float32)
        return probability[:, self._stage.degrees.index(180)]

    def probabilities(self, crops: Sequence[Crop], watch: Stopwatch | None = None) -> Float32:
        """Return how probable each rotation of each crop is.

        Args:
            crops: Crops of any size.
            watch: Records the time of each step.

        Returns:
            float32 [N, classes], with a class for each of the manifest's `degrees`.

        Raises:
            GraphError: The network failed, or returned something else than probabilities of the
                manifest's classes.
        """
        watch = watch or Stopwatch()
        if not crops:
            watch.add("orientation", 0)
            return np.zeros((0, len(self._stage.degrees)), np.float32)
        largest = self._batches[-1] if self._batches else self._largest_batch
        batches = [crops[i : i + largest] for i in range(0, len(crops), largest)]
        results = self.session.run_each(
            batches, self._batch, watch, ("crops", "orientation"), self._needs
        )
        expected = [Output("probability", ("N", len(self._stage.degrees)))]
        parts = []
        for batch, outputs in zip(batches, results, strict=True):
            sides = {"N": self._number(batch)}
            (rows,) = checked("orientation", expected, outputs, sides)
            parts.append(rows[: len(batch)])
        # Values that are not finite count as 0, so that they turn no crop.
        probability: Float32 = np.concatenate(parts)
        return np.nan_to_num(probability, copy=False, posinf=0.0, neginf=0.0)

    def _needs(self, crops: Sequence[Crop]) -> tuple[int, int]:
        """Return the pixels of a batch, and the bytes for making one crop at a time."""
        largest = max(crop.peak_bytes for crop in crops)
        return len(crops) * self._stage.height * self._stage.width, largest

    def _number(self, crops: Sequence[Crop]) -> int:
        """Return the number of crops in the network's input, some of which may be padding."""
        return next((each for each in self._batches or () if each >= len(crops)), len(crops))

    def _batch(self, crops: Sequence[Crop]) -> NDArray[np.uint8]:
        """Resize crops to the network's height, in their own proportions as far as they fit.

        A network that was trained on lines in their own proportions sees the beginning of a line
        that would have to be squeezed to less than half of its width.
        """
        height, width = self._stage.height, self._stage.width
        batch = np.full((self._number(crops), height, width, 3), self._stage.padding, np.uint8)
        for row, crop in zip(batch, crops, strict=False):
            natural = int(np.ceil(height * crop.width / crop.height))
            fitted = width if self._stage.stretch else min(width, natural)
            pixels = crop.pixels
            if not self._stage.stretch and natural > MOST_SQUEEZED * width:
                pixels = pixels[:, : -(-crop.width * width // natural)]
            row[:, :fitted] = cv2.resize(pixels, (fitted, height))
        return batch


def run_sizes(stage: Orientation) -> RunSizes:
    """Return the sizes of the stage's runs, which can be as small as one crop."""
    crop = stage.height * stage.width
    return RunSizes("crops", crop, crop, stage.activation_bytes)
