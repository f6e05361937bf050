"""OCR: the one place where the stages meet."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from time import perf_counter
from typing import Any, TypeVar

import cv2
import numpy as np

from . import images, rectify
from .bundle import Bundle
from .detect import Detector
from .errors import EdgeOCRError, ImageError
from .images import Image, Source
from .orient import Orienter
from .page import Line, Page, Reading, Region, reading_order
from .providers import available_threads
from .recognize import Recognizer

Result = TypeVar("Result")


class OCR:
    """Reads pictures with one bundle. Safe to share between threads.

    bundle: path of a bundle, an opened `Bundle`, or None for the one in the package.
    provider: "cpu", "cuda", "tensorrt", or "auto" for the best that works here.
    threads: CPU threads to use, by default all that the process may run on.
    orientation: turn crops that are upside down, when the bundle has a classifier for it.

    `providers` says which provider each stage runs on, and `passed_over` why "auto" did not take a
    better one.

    Raises `BundleError`, `ProviderUnavailableError` or `GraphError`.
    """

    def __init__(
        self,
        bundle: str | os.PathLike[str] | Bundle | None = None,
        *,
        provider: str = "auto",
        threads: int | None = None,
        orientation: bool = True,
    ) -> None:
        if threads is None:
            threads = available_threads()
        if threads < 1:
            raise ValueError(f"threads must be at least 1, not {threads}")
        if bundle is None:
            bundle = Bundle.default()
        elif not isinstance(bundle, Bundle):
            bundle = Bundle.open(bundle)
        self.bundle_digest = bundle.digest
        stages = bundle.manifest.stages
        self._minimum_score = stages.recognition.minimum_score
        self._detector = Detector(
            stages.detection,
            bundle.read(stages.detection.graph),
            provider=provider,
            threads=threads,
        )
        self._recognizer = Recognizer(
            stages.recognition,
            bundle.read(stages.recognition.graph),
            bundle.characters,
            provider=provider,
            threads=threads,
        )
        self._orienter = None
        self.passed_over = self._detector.passed_over
        self.providers = {
            "detection": self._detector.provider,
            "recognition": self._recognizer.provider,
        }
        if orientation and stages.orientation is not None:
            self._orienter = Orienter(
                stages.orientation,
                bundle.read(stages.orientation.graph),
                provider=provider,
                threads=threads,
            )
            self.providers["orientation"] = self._orienter.provider

    def read(self, source: Source) -> Page:
        """Find and read all lines of a picture; see `images.load` for what a source may be.

        Raises `ImageError` when the source is no image, `GraphError` when a network fails on it.
        """
        return self._guarded(self._read, source)

    def read_many(self, sources: Iterable[Source]) -> Iterator[Page | EdgeOCRError]:
        """Read one source after the other; a source that fails gives its error in its place.

        Raises `ImageError` at once when it is given one source instead of several.
        """
        _refuse_one(sources, "read_many", "read")

        def results() -> Iterator[Page | EdgeOCRError]:
            for source in sources:
                try:
                    yield self.read(source)
                except EdgeOCRError as error:
                    yield error

        return results()

    def detect(self, source: Source) -> list[Region]:
        """Find the regions with text, in reading order, without reading them."""
        return self._guarded(lambda source: self._detect(images.load(source)), source)

    def recognize(self, crops: Sequence[Source]) -> list[Reading]:
        """Read crops that hold one upright line each; texts and scores in the same order.

        Raises `ImageError`, with the crop's name, when one of them is no image.
        """
        _refuse_one(crops, "recognize", "recognize([crop])")
        return self._recognizer.recognize(
            [self._guarded(lambda crop: images.load(crop), crop) for crop in crops]
        )

    def _read(self, source: Source) -> Page:
        watch = _Stopwatch()
        with watch("load"):
            image = images.load(source)
        with watch("detection"):
            regions = self._detect(image)
        with watch("crops"):
            crops = [rectify.crop(image, region.quad) for region in regions]
        turned: list[int] = []
        if self._orienter is not None:
            with watch("orientation"):
                rotations = self._orienter.rotations(crops)
                turned = [i for i, degrees in enumerate(rotations) if degrees]
                crops += [rectify.turn(crops[i], rotations[i]) for i in turned]
        with watch("recognition"):
            readings = self._recognizer.recognize(crops)
            # The classifier errs on short crops, so such crops are read both ways and the
            # recognizer decides.
            for i, reading in zip(turned, readings[len(regions) :], strict=True):
                readings[i] = max(readings[i], reading, key=lambda reading: reading.score)
            del readings[len(regions) :]
        lines = tuple(
            Line(text, score, region.quad, region.polygon)
            for region, (text, score) in zip(regions, readings, strict=True)
            if text.strip() and score >= self._minimum_score
        )
        height, width = image.shape[:2]
        return Page(
            images.name_of(source), width, height, lines, watch.milliseconds, dict(self.providers)
        )

    def _detect(self, image: Image) -> list[Region]:
        regions = self._detector.detect(image)
        quads = np.array([region.quad for region in regions], np.float32).reshape(-1, 4, 2)
        return [regions[i] for i in reading_order(quads)]

    def _guarded(self, work: Callable[[Any], Result], source: Source) -> Result:
        """Do the work; whatever a picture can cause comes out as an error that names it."""
        try:
            return work(source)
        except EdgeOCRError as error:
            error.source = images.name_of(source)
            raise
        except (cv2.error, MemoryError) as error:
            wrapped = EdgeOCRError(f"{images.name_of(source)}: {error}")
            wrapped.source = images.name_of(source)
            raise wrapped from error


def _refuse_one(sources: object, called: str, instead: str) -> None:
    """A path or an array is iterable too, but not into sources."""
    if isinstance(sources, (str, bytes, os.PathLike, np.ndarray)):
        raise ImageError(
            f"{called} takes several sources, this is one {type(sources).__name__}: use {instead}"
        )


class _Stopwatch:
    """Wall time of named stages in milliseconds."""

    def __init__(self) -> None:
        self.milliseconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        start = perf_counter()
        yield
        self.milliseconds[stage] = (perf_counter() - start) * 1000
