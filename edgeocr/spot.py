"""Spotting: an image → lines with their texts, by one network."""

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
from .resize import bounded, job, resize, with_sizes
from .runtime.placement import Placement
from .runtime.session import Session
from .runtime.stopwatch import Stopwatch

MAPS = ("tcl", "border", "direction", "characters")


class Spotter:
    """Runs a bundle's spotting stage. Safe to share by threads."""

    def __init__(
        self,
        stage: Spotting,
        graph: bytes,
        characters: Sequence[str],
        *,
        placement: Placement,
        threads: int,
    ) -> None:
        self._stage = stage
        self._charset = np.array(characters, object)
        (self._blank,) = stage.charset.special  # the manifest is checked
        self.session = Session(
            graph,
            job("spotting", stage.resize, stage.providers, stage.precision),
            MAPS,
            placement=placement,
            threads=threads,
        )
        self._resize = with_sizes(stage.resize, self.session.shapes)

    def bound(self, max_pixels: int) -> None:
        """Size images to at most so many pixels from now on."""
        self._resize = bounded(self._resize, max_pixels)
        wanted = job("spotting", self._resize, None)
        self.session.restrict_shapes(wanted.shapes, wanted.usual_shape)

    def spot(self, image: Image, watch: Stopwatch | None = None) -> list[Line]:
        """uint8 [H, W, 3] BGR → lines with polygons inside the image, in no order."""
        watch = watch or Stopwatch()
        with watch("resize"):
            resized = resize(image, self._resize, finite=self.session.fixed_shapes)
        with watch("spotting"):
            outputs = self.session.run(resized.pixels[None])
        with watch("postprocess"):
            maps = [resized.of_image(output[0]) for output in outputs]
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
