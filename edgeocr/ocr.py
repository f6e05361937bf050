"""OCR: the one place where the stages meet."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Literal, TypeVar

import cv2
import numpy as np

from . import images, rectify
from .bundle import Bundle
from .detect import Detector, shaped
from .errors import EdgeOCRError, ImageError, StageMissingError
from .images import Image, Source
from .orient import Orienter
from .page import Line, Page, Reading, Region, reading_order
from .providers import available_threads
from .recognize import Recognizer
from .rectify import Crop
from .spot import Spotter
from .stopwatch import Stopwatch
from .stream import in_order
from .workers import Workers

# Pages of a stream in work at a time: one more would gain nothing and needs its memory.
PAGES_AT_ONCE = 2

Result = TypeVar("Result")
Stage = TypeVar("Stage")
Placed = TypeVar("Placed", Line, Region)


class OCR:
    """Reads pictures with one bundle. Safe to share between threads.

    bundle: path of a bundle, an opened `Bundle`, or None for the one in the package.
    provider: "cpu", "cuda", "tensorrt", or "auto" for the best that works here.
    threads: CPU threads to use, by default all that the process may run on.
    orientation: turn crops that are upside down, when the bundle has a classifier for it.
    shape: find "quad"s, or "polygon"s, which are straightened before they are read; by default what
        the bundle says. EAST finds quads only, PGNet polygons only.

    `providers` says which provider each stage runs on, and `passed_over` why "auto" did not take a
    better one.

    Raises `BundleError`, `ProviderUnavailableError` or `GraphError`, and `EdgeOCRError` for a shape
    that the bundle's detection doesn't have.
    """

    def __init__(
        self,
        bundle: str | os.PathLike[str] | Bundle | None = None,
        *,
        provider: str = "auto",
        threads: int | None = None,
        orientation: bool = True,
        shape: Literal["quad", "polygon"] | None = None,
    ) -> None:
        if threads is None:
            threads = available_threads()
        if threads < 1:
            raise ValueError(f"threads must be at least 1, not {threads}")
        if shape not in (None, "quad", "polygon"):
            raise ValueError(f"shape must be 'quad' or 'polygon', not {shape!r}")
        if bundle is None:
            bundle = Bundle.default()
        elif not isinstance(bundle, Bundle):
            bundle = Bundle.open(bundle)
        self.bundle_digest = bundle.digest
        self._name = bundle.manifest.name
        stages = bundle.manifest.stages
        self._detector: Detector | None = None
        self._orienter: Orienter | None = None
        self._recognizer: Recognizer | None = None
        self._spotter: Spotter | None = None
        self.providers: dict[str, str] = {}
        self.passed_over: tuple[str, ...] = ()
        self._workers = Workers(threads)
        whole: Any = {"provider": provider, "threads": threads}
        pieces: Any = {"provider": provider, "workers": self._workers}
        if (detection := stages.detection) is not None:
            if shape is not None:
                detection = shaped(detection, shape)
            self._detector = Detector(detection, bundle.read(detection.graph), **whole)
            self.providers["detection"] = self._detector.provider
            self.passed_over = self._detector.passed_over
        if (recognition := stages.recognition) is not None:
            self._minimum_score = recognition.minimum_score
            self._recognizer = Recognizer(
                recognition, bundle.read(recognition.graph), bundle.characters, **pieces
            )
            self.providers["recognition"] = self._recognizer.provider
            self.passed_over = self.passed_over or self._recognizer.passed_over
        if orientation and stages.orientation is not None:
            self._orienter = Orienter(
                stages.orientation, bundle.read(stages.orientation.graph), **pieces
            )
            self.providers["orientation"] = self._orienter.provider
        if (spotting := stages.spotting) is not None:
            if shape == "quad":
                raise EdgeOCRError("PGNet finds polygons only")
            self._spotter = Spotter(
                spotting, bundle.read(spotting.graph), bundle.characters, **whole
            )
            self.providers["spotting"] = self._spotter.provider
            self.passed_over = self._spotter.passed_over

    def read(self, source: Source) -> Page:
        """Find and read all lines of a picture; see `images.load` for what a source may be.

        Raises `ImageError` when the source is no image, `GraphError` when a network fails on it,
        `StageMissingError` when the bundle has no stages for it.
        """
        return self._guarded(self._read, source)

    def read_many(self, sources: Iterable[Source]) -> Iterator[Page | EdgeOCRError]:
        """Read sources in their order; a source that fails gives its error in its place.

        With more than one thread the next source is taken and begun, by another thread, while one
        is being read: a picture's detection fills the gaps of another's recognition.
        Raises `ImageError` at once when it is given one source instead of several.
        """
        _refuse_one(sources, "read_many", "read")

        def outcome(source: Source) -> Page | EdgeOCRError:
            try:
                return self.read(source)
            except EdgeOCRError as error:
                return error

        return in_order(outcome, sources, min(PAGES_AT_ONCE, self._workers.threads))

    def detect(self, source: Source) -> list[Region]:
        """Find the regions with text, in reading order, without reading them.

        What a spotting stage can't read, it doesn't find either, and its regions have the score of
        their texts.
        """
        return self._guarded(lambda source: self._detect(images.load(source)), source)

    def recognize(self, crops: Sequence[Source]) -> list[Reading]:
        """Read crops that hold one upright line each; texts and scores in the same order.

        Raises `ImageError`, with the crop's name, when one of them is no image, and
        `StageMissingError` when the bundle has no recognition stage.
        """
        _refuse_one(crops, "recognize", "recognize([crop])")
        return self._needed(self._recognizer, "recognition").recognize(
            [Crop.of(self._guarded(lambda crop: images.load(crop), crop)) for crop in crops]
        )

    def _read(self, source: Source) -> Page:
        watch = Stopwatch()
        with watch("load"):
            image = images.load(source)
        lines = self._spot(image, watch) if self._spotter else self._detect_and_read(image, watch)
        height, width = image.shape[:2]
        return Page(
            images.name_of(source), width, height, lines, watch.milliseconds, dict(self.providers)
        )

    def _spot(self, image: Image, watch: Stopwatch) -> tuple[Line, ...]:
        lines = self._needed(self._spotter, "spotting").spot(image, watch)
        return tuple(_in_reading_order([line for line in lines if line.text.strip()]))

    def _detect_and_read(self, image: Image, watch: Stopwatch) -> tuple[Line, ...]:
        recognizer = self._needed(self._recognizer, "recognition")
        regions = self._detect(image, watch)
        with watch("crops"):
            crops = [rectify.upright(image, region) for region in regions]
        turned: list[int] = []
        if self._orienter is not None:
            rotations = self._orienter.rotations(crops, watch)
            turned = [i for i, degrees in enumerate(rotations) if degrees]
            crops += [Crop.of(rectify.turn(crops[i].pixels, rotations[i])) for i in turned]
        readings = recognizer.recognize(crops, watch)
        # The classifier errs on short crops, so such crops are read both ways and the recognizer
        # decides.
        for i, reading in zip(turned, readings[len(regions) :], strict=True):
            readings[i] = max(readings[i], reading, key=lambda reading: reading.score)
        del readings[len(regions) :]
        return tuple(
            Line(text, score, region.quad, region.polygon)
            for region, (text, score) in zip(regions, readings, strict=True)
            if text.strip() and score >= self._minimum_score
        )

    def _detect(self, image: Image, watch: Stopwatch | None = None) -> list[Region]:
        if self._spotter is not None:
            lines = self._spotter.spot(image, watch)
            regions = [Region(line.quad, line.score, line.polygon) for line in lines]
        else:
            regions = self._needed(self._detector, "detection").detect(image, watch)
        return _in_reading_order(regions)

    def _needed(self, stage: Stage | None, name: str) -> Stage:
        if stage is None:
            raise StageMissingError(
                f"the bundle {self._name!r} has no {name} stage, only {', '.join(self.providers)}"
            )
        return stage

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


def _in_reading_order(found: Sequence[Placed]) -> list[Placed]:
    quads = np.array([each.quad for each in found], np.float32).reshape(-1, 4, 2)
    return [found[i] for i in reading_order(quads)]


def _refuse_one(sources: object, called: str, instead: str) -> None:
    """A path or an array is iterable too, but not into sources."""
    if isinstance(sources, (str, bytes, os.PathLike, np.ndarray)):
        raise ImageError(
            f"{called} takes several sources, this is one {type(sources).__name__}: use {instead}"
        )
