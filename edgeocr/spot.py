"""Spotting: find and read the lines of a picture with one network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .bundle.manifest import Spotting
from .images import Image
from .page import Line
from .postprocess import pgnet
from .postprocess.geometry import Float32, enclosing
from .resize import job, limited, resize, run_sizes, with_sizes
from .runtime.placement import Placement
from .runtime.run_sizes import RunSizes
from .runtime.session import Session
from .runtime.stopwatch import Stopwatch

# The outputs of the graph, in the order in which the decoder takes them.
MAPS = ("tcl", "border", "direction", "characters")


class Spotter:
    """The spotting stage of a bundle. Threads may share one.

    Attributes:
        session: The ONNX Runtime session.
        run_sizes: How large the stage's runs are.
        max_pixels: Pixels at which a picture is spotted, at most.
    """

    def __init__(
        self,
        stage: Spotting,
        graph: bytes,
        characters: Sequence[str],
        *,
        placement: Placement,
        threads: int,
    ) -> None:
        """Open the stage.

        Args:
            stage: The stage as the manifest describes it.
            graph: Content of its ONNX file.
            characters: The character of each class; the blank's is empty.
            placement: The execution provider that is wanted.
            threads: CPU threads for one run.

        Raises:
            GraphError: The graph can't be loaded or is not a spotting graph.
            ProviderUnavailableError: The provider does not start.
        """
        self._stage = stage
        self._charset = np.array(characters, object)
        (self._blank,) = stage.charset.special  # a parsed manifest has exactly one here
        self.run_sizes: RunSizes = run_sizes(stage.resize, stage.activation_bytes)
        self.session = Session(
            graph,
            job("spotting", stage.resize, stage.providers, stage.precision),
            MAPS,
            placement=placement,
            threads=threads,
        )
        self._resize = with_sizes(stage.resize, self.session.shapes)

    @property
    def max_pixels(self) -> int:
        """Pixels at which a picture is spotted, at most."""
        return self._resize.max_pixels

    def limit_pixels(self, pixels: int) -> str | None:
        """Spot pictures at no more than this many pixels from now on.

        Returns:
            What has changed, as a sentence, or None where no picture is spotted at more anyway.
        """
        if pixels >= self.max_pixels:
            return None
        self._resize = limited(self._resize, pixels)
        limited_job = job("spotting", self._resize, None)
        self.session.restrict_shapes(limited_job.shapes, limited_job.usual_shape)
        return f"pictures are spotted at {pixels} pixels at most"

    def spot(self, image: Image, watch: Stopwatch | None = None) -> list[Line]:
        """Find and read the lines of an image.

        Args:
            image: uint8 [H, W, 3] BGR.
            watch: Takes the times of the steps.

        Returns:
            Lines whose polygons lie in the image, in no particular order.

        Raises:
            GraphError: The network failed.
        """
        watch = watch or Stopwatch()
        with watch("resize"):
            resized = resize(image, self._resize, fixed=self.session.fixed_shapes)
        with watch("spotting"):
            outputs = self.session.run(resized.pixels[None])
        with watch("postprocess"):
            maps = [resized.crop_map(output[0]) for output in outputs]
            return self._lines(maps, resized.scale, image)

    def _lines(self, maps: Sequence[NDArray[Any]], scale: Float32, image: Image) -> list[Line]:
        polygons, texts, scores = pgnet.lines(
            *maps,
            charset=self._charset,
            blank=self._blank,
            **asdict(self._stage.postprocess),
        )
        limit = np.array(image.shape[1::-1], np.float32) - 1
        polygons = [
            np.asarray(np.clip(polygon * scale, 0, limit), np.float32) for polygon in polygons
        ]
        return [
            Line(text, score, quad, polygon)
            for text, score, quad, polygon in zip(
                texts, scores.tolist(), enclosing(polygons), polygons, strict=True
            )
        ]
