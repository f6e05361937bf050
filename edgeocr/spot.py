"""Spotting: find and read the lines of a picture with one network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .bundle.manifest import Spotting
from .images import Image
from .postprocess import pgnet
from .postprocess.geometry import Float32, enclosing
from .resize import PictureStage, in_image
from .results.lines import Line
from .runtime.outputs import Output
from .runtime.placement import Placement
from .runtime.stopwatch import Stopwatch
from .runtime.threads import ThreadPool


def outputs_for(classes: int) -> tuple[Output, ...]:
    """Return the outputs of a graph with this many classes, in the order of the decoder."""
    return (
        Output("tcl", (1, "h", "w")),
        Output("border", (1, 4, "h", "w")),
        Output("direction", (1, 2, "h", "w")),
        Output("characters", (1, classes, "h", "w")),
    )


class Spotter(PictureStage):
    """The spotting stage of a bundle. Threads may share it."""

    def __init__(
        self,
        stage: Spotting,
        graph: bytes,
        characters: Sequence[str],
        *,
        placement: Placement,
        pool: ThreadPool,
    ) -> None:
        """Open the stage.

        Args:
            stage: The stage as the manifest describes it.
            graph: Content of its ONNX file.
            characters: The character of each class; the blank's is empty.
            placement: The execution provider that is wanted.
            pool: The CPU threads.

        Raises:
            GraphError: The graph can't be loaded or is not a spotting graph.
            ProviderUnavailableError: The provider does not start.
        """
        outputs = outputs_for(len(characters))
        super().__init__("spotting", stage, graph, outputs, placement=placement, pool=pool)
        self._stage = stage
        self._charset = np.array(characters, object)
        (self._blank,) = stage.charset.special  # a parsed manifest has exactly one here

    def spot(self, image: Image, watch: Stopwatch | None = None) -> list[Line]:
        """Find and read the lines of an image.

        Args:
            image: uint8 [H, W, 3] BGR.
            watch: Records the time of each step.

        Returns:
            Lines whose polygons lie in the image, in no particular order.

        Raises:
            GraphError: The network failed.
        """
        watch = watch or Stopwatch()
        maps, scale = self.maps(image, watch)
        with watch("postprocess"):
            return self._lines(maps, scale, image)

    def _lines(self, maps: Sequence[NDArray[Any]], scale: Float32, image: Image) -> list[Line]:
        polygons, texts, scores = pgnet.lines(
            *maps,
            charset=self._charset,
            blank=self._blank,
            **asdict(self._stage.postprocess),
        )
        polygons = [in_image(polygon, scale, image) for polygon in polygons]
        return [
            Line(text, score, quad, polygon)
            for text, score, quad, polygon in zip(
                texts, scores.tolist(), enclosing(polygons), polygons, strict=True
            )
        ]
