"""Detection: find the regions of a picture that hold text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .bundle.manifest import Detection, EASTDetection
from .bundle.postprocess_settings import DBSettings, EASTSettings, SASTSettings
from .errors import EdgeOCRError
from .images import Image
from .lines import Region
from .postprocess import db, east, sast
from .postprocess.geometry import Float32, enclosing
from .resize import PictureStage, in_image
from .runtime.placement import Placement
from .runtime.stopwatch import Stopwatch

Found: TypeAlias = "tuple[Float32 | list[Float32], Float32]"

# Regions whose shorter side has fewer pixels in the picture can't be read (PaddleOCR's filters).
MINIMUM_IMAGE_SIDE = {"DB": 4.0, "EAST": 5.0, "SAST": 4.0}
# The number of points along a center line when a SAST bundle that was made for quads is asked for
# polygons (PaddleOCR's number for Total-Text).
POLYGON_SAMPLE_POINTS = 6
# The outputs of each algorithm's graph, in the order in which its decoder takes them.
MAPS = {
    "DB": ("probability",),
    "EAST": ("score", "geometry"),
    "SAST": ("tcl", "border", "tvo", "tco"),
}


class Detector(PictureStage):
    """The detection stage of a bundle. Threads may share it."""

    def __init__(
        self, stage: Detection, graph: bytes, *, placement: Placement, threads: int
    ) -> None:
        """Open the stage.

        Args:
            stage: The stage as the manifest describes it.
            graph: Content of its ONNX file.
            placement: The execution provider that is wanted.
            threads: CPU threads for one run.

        Raises:
            GraphError: The graph can't be loaded or is not a detection graph.
            ProviderUnavailableError: The provider does not start.
        """
        outputs = MAPS[stage.algorithm]
        super().__init__("detection", stage, graph, outputs, placement=placement, threads=threads)
        self._stage = stage

    def detect(self, image: Image, watch: Stopwatch | None = None) -> list[Region]:
        """Find the regions of an image.

        Args:
            image: uint8 [H, W, 3] BGR.
            watch: Records the time of each step.

        Returns:
            Regions whose points lie in the image, in no particular order.

        Raises:
            GraphError: The network failed.
        """
        watch = watch or Stopwatch()
        maps, scale = self.maps(image, watch)
        with watch("postprocess"):
            return self._regions(maps, scale, image)

    def _regions(self, maps: Sequence[NDArray[Any]], scale: Float32, image: Image) -> list[Region]:
        found, scores = _decode(maps, self._stage.postprocess)
        polygons: Sequence[Float32 | None]
        if isinstance(found, list):
            quads = in_image(enclosing(found), scale, image)
            polygons = [in_image(polygon, scale, image) for polygon in found]
        else:
            quads, polygons = in_image(found, scale, image), [None] * len(found)
        sides = np.linalg.norm(quads - np.roll(quads, -1, axis=1), axis=2)
        large = sides[:, :2].min(axis=1) >= MINIMUM_IMAGE_SIDE[self._stage.algorithm]
        return [
            Region(quads[i], float(scores[i]), polygons[i]) for i in np.flatnonzero(large).tolist()
        ]


def with_shape(stage: Detection, shape: Literal["quad", "polygon"]) -> Detection:
    """Return the stage with its post-processing set to find quads or polygons.

    Raises:
        EdgeOCRError: The bundle's algorithm can't find regions of this shape.
    """
    if isinstance(stage, EASTDetection):
        if shape != "quad":
            raise EdgeOCRError(
                "EAST finds quads only: for polygons use a bundle with DB, SAST or PGNet"
            )
        return stage
    settings: Any = replace(stage.postprocess, shape=shape)
    if isinstance(settings, SASTSettings) and shape == "polygon" and settings.sample_points == 2:
        settings = replace(settings, sample_points=POLYGON_SAMPLE_POINTS)
    return replace(stage, postprocess=settings)


def _decode(
    maps: Sequence[NDArray[Any]], settings: DBSettings | EASTSettings | SASTSettings
) -> Found:
    """Return quads, or a list of polygons, in pixels of the network's input, and their scores."""
    numbers = asdict(settings)
    if isinstance(settings, EASTSettings):
        return east.quads(*maps, **numbers)
    shape = numbers.pop("shape")
    if isinstance(settings, SASTSettings):
        return (sast.quads if shape == "quad" else sast.polygons)(*maps, **numbers)
    if shape == "quad":
        return db.quads(*maps, **numbers)
    del numbers["score"]  # the score of a polygon is always the mean over its own pixels
    return db.polygons(*maps, **numbers)
