"""Detection: an image → regions with text, in image coordinates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .bundle.manifest import DBSettings, Detection, EASTDetection, EASTSettings, SASTSettings
from .errors import EdgeOCRError
from .images import Image
from .page import Region
from .postprocess import db, east, sast
from .postprocess.geometry import Float32, enclosing
from .resize import bounded, job, resize, with_sizes
from .runtime.placement import Placement
from .runtime.session import Session
from .runtime.stopwatch import Stopwatch

Found: TypeAlias = "tuple[Float32 | list[Float32], Float32]"

# A region with a shorter side in the image can't be read (PaddleOCR's filters, in pixels).
MINIMUM_IMAGE_SIDE = {"DB": 4.0, "EAST": 5.0, "SAST": 4.0}
# Points along the center line of a SAST bundle that is made for quads, when polygons are asked for
# (PaddleOCR's number for Total-Text).
POLYGON_SAMPLE_POINTS = 6
# What each algorithm's graph gives, in the order in which its decoder takes it.
MAPS = {
    "DB": ("probability",),
    "EAST": ("score", "geometry"),
    "SAST": ("tcl", "border", "tvo", "tco"),
}


class Detector:
    """Runs a bundle's detection stage. Safe to share by threads."""

    def __init__(
        self, stage: Detection, graph: bytes, *, placement: Placement, threads: int
    ) -> None:
        self._stage = stage
        self.session = Session(
            graph,
            job("detection", stage.resize, stage.providers, stage.precision),
            MAPS[stage.algorithm],
            placement=placement,
            threads=threads,
        )
        self._resize = with_sizes(stage.resize, self.session.shapes)

    def bound(self, max_pixels: int) -> None:
        """Size images to at most so many pixels from now on."""
        self._resize = bounded(self._resize, max_pixels)
        wanted = job("detection", self._resize, None)
        self.session.restrict_shapes(wanted.shapes, wanted.usual_shape)

    def detect(self, image: Image, watch: Stopwatch | None = None) -> list[Region]:
        """uint8 [H, W, 3] BGR → regions with corners inside the image, in no order."""
        watch = watch or Stopwatch()
        with watch("resize"):
            resized = resize(image, self._resize, finite=self.session.fixed_shapes)
        with watch("detection"):
            outputs = self.session.run(resized.pixels[None])
        with watch("postprocess"):
            maps = [resized.of_image(output[0]) for output in outputs]
            return self._regions(maps, resized.scale, image)

    def _regions(self, maps: Sequence[NDArray[Any]], scale: Float32, image: Image) -> list[Region]:
        found, scores = _decode(maps, self._stage.postprocess)
        limit = np.array(image.shape[1::-1], np.float32) - 1

        def to_image(points: Float32) -> Float32:
            return np.asarray(np.clip(points * scale, 0, limit), np.float32)

        polygons: Sequence[Float32 | None]
        if isinstance(found, list):
            quads, polygons = to_image(enclosing(found)), [to_image(each) for each in found]
        else:
            quads, polygons = to_image(found), [None] * len(found)
        sides = np.linalg.norm(quads - np.roll(quads, -1, axis=1), axis=2)
        large = sides[:, :2].min(axis=1) >= MINIMUM_IMAGE_SIDE[self._stage.algorithm]
        return [
            Region(quads[i], float(scores[i]), polygons[i]) for i in np.flatnonzero(large).tolist()
        ]


def shaped(stage: Detection, shape: Literal["quad", "polygon"]) -> Detection:
    """The stage with regions of another shape; raises `EdgeOCRError` when it has none such."""
    if isinstance(stage, EASTDetection):
        if shape != "quad":
            raise EdgeOCRError(
                "EAST finds quads only: polygons need a bundle with DB, SAST or PGNet"
            )
        return stage
    numbers: Any = replace(stage.postprocess, shape=shape)
    if isinstance(numbers, SASTSettings) and shape == "polygon" and numbers.sample_points == 2:
        numbers = replace(numbers, sample_points=POLYGON_SAMPLE_POINTS)
    return replace(stage, postprocess=numbers)


def _decode(
    maps: Sequence[NDArray[Any]], settings: DBSettings | EASTSettings | SASTSettings
) -> Found:
    """Quads, or polygons as a list, in pixels of the network's input, and their scores."""
    numbers = asdict(settings)
    if isinstance(settings, EASTSettings):
        return east.quads(*maps, **numbers)
    shape = numbers.pop("shape")
    if isinstance(settings, SASTSettings):
        return (sast.quads if shape == "quad" else sast.polygons)(*maps, **numbers)
    if shape == "quad":
        return db.quads(*maps, **numbers)
    del numbers["score"]  # always of their own pixels
    return db.polygons(*maps, **numbers)
