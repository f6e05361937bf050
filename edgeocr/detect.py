"""Detection: find the regions of a picture that hold text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from copy import copy
from dataclasses import asdict, replace
from functools import partial
from itertools import accumulate
from types import ModuleType
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from .bundle.manifest import Detection, EASTDetection
from .bundle.postprocess_settings import DBSettings, DetectionSettings, SASTSettings, Shape
from .images import Image
from .postprocess import ct, db, east, fce, pse, sast
from .postprocess.geometry import Float32, enclosing
from .resize import FCE_STRIDES, PictureStage, in_image, network_size
from .results.lines import Region, moved
from .runtime.outputs import Output
from .runtime.placement import Placement
from .runtime.stopwatch import Stopwatch
from .runtime.threads import ThreadPool
from .tiling import small_text
from .tiling.tiles import Place

# A part of an image: its first column and row, and the column and row after the last.
Box: TypeAlias = tuple[int, int, int, int]
Found: TypeAlias = "tuple[Float32 | list[Float32], Float32]"

# Regions whose shorter side has fewer pixels in the picture can't be read (PaddleOCR's filters).
MINIMUM_IMAGE_SIDE = {"DB": 4.0, "EAST": 5.0, "SAST": 4.0, "PSE": 4.0, "FCE": 4.0, "CT": 4.0}
# The number of points along a center line when a SAST bundle that was made for quads is asked for
# polygons (PaddleOCR's number for Total-Text).
POLYGON_SAMPLE_POINTS = 6
# The outputs of each algorithm's graph, in the order in which its decoder takes them.
MAPS = {
    "DB": (Output("probability", (1, "H", "W")),),
    "EAST": (Output("score", (1, "h", "w")), Output("geometry", (1, 8, "h", "w"))),
    "SAST": (
        Output("tcl", (1, "h", "w")),
        Output("border", (1, 4, "h", "w")),
        Output("tvo", (1, 8, "h", "w")),
        Output("tco", (1, 2, "h", "w")),
    ),
    "PSE": (Output("kernels", (1, 7, "h", "w")),),
    "FCE": tuple(
        Output(f"level_{stride}", (1, 26, f"h{stride}", f"w{stride}")) for stride in FCE_STRIDES
    ),
    "CT": (Output("kernel_and_offsets", (1, 3, "h", "w")),),
}
# The modules whose `quads` and `polygons` decode the maps.
DECODERS: dict[str, ModuleType] = {
    "DB": db,
    "EAST": east,
    "SAST": sast,
    "PSE": pse,
    "FCE": fce,
    "CT": ct,
}

# All tiles of a picture together have no more pixels than this many runs at `max_pixels`: beyond
# that they see it at a smaller scale, which is found in no more than so many steps.
MOST_RUNS, MOST_REDUCTIONS = 32, 20
# The same where memory is limited. The map of a place takes a byte for each pixel, and decoding it
# a few more, beside the memory of a run, which is at least fifty bytes for each of its pixels.
MOST_RUNS_WITHIN_MEMORY = 8
# A picture so long that its shorter side would have fewer pixels in one run is seen in tiles, with
# this many pixels if that doesn't enlarge it by more than the second number.
STRIP, LARGEST_SCALE = 64, 4.0


class Detector(PictureStage):
    """The detection stage of a bundle. Threads may share it."""

    def __init__(
        self, stage: Detection, graph: bytes, *, placement: Placement, pool: ThreadPool
    ) -> None:
        """Open the stage.

        Args:
            stage: The stage as the manifest describes it.
            graph: Content of its ONNX file.
            placement: The execution provider that is wanted.
            pool: The CPU threads.

        Raises:
            GraphError: The graph can't be loaded or is not a detection graph.
            ProviderUnavailableError: The provider does not start.
        """
        outputs = MAPS[stage.algorithm]
        super().__init__("detection", stage, graph, outputs, placement=placement, pool=pool)
        self._stage = stage

    def finding(self, shape: Shape) -> Detector:
        """Return this stage, with the same session, set to find regions of a shape.

        Raises:
            ValueError: The bundle's algorithm can't find regions of this shape.
        """
        other = copy(self)
        other._stage = with_shape(self._stage, shape)
        return other

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
        strip = self._strip(image)
        if strip is not None:
            regions, scale = self._look(image, strip, watch), strip.scale
        else:
            maps, factors = self.maps(image, watch)
            scale = 1 / float(factors.mean())
            with watch("postprocess"):
                regions = self._regions(maps, factors, image)
        for place in self._second_looks(regions, scale, image, watch):
            second = self._look(image, place, watch)
            with watch("postprocess"):
                regions = small_text.merged(regions, second, place)
        return regions

    def detect_in(
        self, image: Image, boxes: Sequence[Box], watch: Stopwatch | None = None
    ) -> list[Region]:
        """Find the regions in some boxes of an image, at the scale at which all of it is seen.

        Args:
            image: uint8 [H, W, 3] BGR.
            boxes: The boxes, which lie in the image.
            watch: Records the time of each step.

        Returns:
            Regions in no particular order. Those of an algorithm other than DB, or in a long strip,
            are found in the whole image, and have their centers in a box.

        Raises:
            GraphError: The network failed.
        """
        watch = watch or Stopwatch()
        height, width = image.shape[:2]
        if self._stage.algorithm != "DB" or self._strip(image) is not None:
            found = self.detect(image, watch)
            return [each for each in found if any(_holds(box, each.quad) for box in boxes)]
        seen = self.size(height, width)
        # A size that is padded to one of the fixed sizes says nothing about the scale.
        inside = network_size(height, width, self._resize) if self.session.fixed_shapes else seen
        scale = (inside[0] / height + inside[1] / width) / 2
        regions: list[Region] = []
        for left, top, right, bottom in boxes:
            part = image[top:bottom, left:right]
            first = Place(0, 0, right - left, bottom - top, scale)
            found = self._look(part, first, watch)
            for place in self._second_looks(found, scale, part, watch):
                second = self._look(part, place, watch)
                with watch("postprocess"):
                    found = small_text.merged(found, second, place)
            corner = np.array([left, top], np.float32)
            regions += [moved(each, partial(_shifted, by=corner)) for each in found]
        return regions

    def _strip(self, image: Image) -> Place | None:
        """Return the whole image as a place if it is too long to be seen in one run."""
        height, width = image.shape[:2]
        short = min(height, width)
        if self._stage.algorithm != "DB" or min(self.size(height, width)) >= STRIP:
            return None
        place = Place(0, 0, width, height, min(STRIP / short, LARGEST_SCALE))
        return next(iter(self._affordable([place])), None)

    def _second_looks(
        self, regions: Sequence[Region], scale: float, image: Image, watch: Stopwatch
    ) -> list[Place]:
        """Return the places where text is too small for the first look."""
        settings = self._stage.postprocess
        if not isinstance(settings, DBSettings):
            return []
        samples = Stopwatch()
        with watch("postprocess"):
            places = small_text.places(
                image, regions, scale, lambda place: self._look(image, place, samples)
            )
        for step, milliseconds in samples.milliseconds.items():
            watch.add(step, milliseconds / 1000)
            watch.add("postprocess", -milliseconds / 1000)
        least = scale * small_text.LEAST_GAIN
        return [place for place in self._affordable(places) if place.scale >= least]

    def _affordable(self, places: Sequence[Place]) -> list[Place]:
        """Return the places at scales at which they take no more than `MOST_RUNS` together.

        Each place takes a tile at least, so of very many the last are left out.
        """
        affordable = list(places)
        limited = self.session.admission is not None
        most = (MOST_RUNS_WITHIN_MEMORY if limited else MOST_RUNS) * self.max_pixels
        needed = [self.tiles(place).pixels for place in affordable]
        for _ in range(MOST_REDUCTIONS):
            if sum(needed) <= most:
                break
            share = 0.95 * math.sqrt(most / sum(needed))
            affordable = [replace(place, scale=place.scale * share) for place in affordable]
            needed = [self.tiles(place).pixels for place in affordable]
        return [
            place
            for place, total in zip(affordable, accumulate(needed), strict=True)
            if total <= most
        ]

    def _look(self, image: Image, place: Place, watch: Stopwatch) -> list[Region]:
        """Find the regions of a place of the image at its scale."""
        joined = self.stitched(image, place, watch)
        with watch("postprocess"):
            factors = np.full(2, 1 / place.scale, np.float32)
            tiles = len(self.tiles(place))
            return self._regions([joined], factors, image, (place.left, place.top), tiles)

    def _regions(
        self,
        maps: Sequence[NDArray[Any]],
        scale: Float32,
        image: Image,
        corner: tuple[int, int] = (0, 0),
        tiles: int = 1,
    ) -> list[Region]:
        settings = self._stage.postprocess
        if isinstance(settings, DBSettings):
            settings = replace(settings, max_candidates=settings.max_candidates * tiles)
        found, scores = _decode(maps, self._stage.algorithm, settings)
        polygons: Sequence[Float32 | None]
        if isinstance(found, list):
            quads = in_image(enclosing(found), scale, image, corner)
            polygons = [in_image(polygon, scale, image, corner) for polygon in found]
        else:
            quads, polygons = in_image(found, scale, image, corner), [None] * len(found)
        sides = np.linalg.norm(quads - np.roll(quads, -1, axis=1), axis=2)
        large = sides[:, :2].min(axis=1) >= MINIMUM_IMAGE_SIDE[self._stage.algorithm]
        return [
            Region(quads[i], float(scores[i]), polygons[i]) for i in np.flatnonzero(large).tolist()
        ]


def _holds(box: Box, quad: Float32) -> bool:
    """Tell whether the center of a quad lies in a box."""
    x, y = quad.mean(axis=0).tolist()
    return bool(box[0] <= x < box[2] and box[1] <= y < box[3])


def _shifted(points: Float32, by: Float32) -> Float32:
    return points + by


def with_shape(stage: Detection, shape: Shape) -> Detection:
    """Return the stage with its post-processing set to find quads or polygons.

    Raises:
        ValueError: The bundle's algorithm can't find regions of this shape.
    """
    if isinstance(stage, EASTDetection):
        if shape != "quad":
            raise ValueError(
                "EAST finds quads only: for polygons use a bundle of another algorithm, such as DB"
            )
        return stage
    settings: Any = replace(stage.postprocess, shape=shape)
    if isinstance(settings, SASTSettings) and shape == "polygon" and settings.sample_points == 2:
        settings = replace(settings, sample_points=POLYGON_SAMPLE_POINTS)
    return replace(stage, postprocess=settings)


def _decode(maps: Sequence[NDArray[Any]], algorithm: str, settings: DetectionSettings) -> Found:
    """Return quads, or a list of polygons, in pixels of the network's input, and their scores."""
    numbers = asdict(settings)
    shape = numbers.pop("shape", "quad")
    if algorithm == "DB" and shape == "polygon":
        del numbers["score"]  # the score of a polygon is always the mean over its own pixels
    if algorithm == "FCE":
        numbers["strides"] = FCE_STRIDES
    decoder = DECODERS[algorithm]
    found: Found = (decoder.quads if shape == "quad" else decoder.polygons)(*maps, **numbers)
    return found
