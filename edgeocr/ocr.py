"""OCR: the one place where the stages meet."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, TypeVar

import cv2
import numpy as np

from . import crops as rectify
from . import images
from .bundle.bundle import Bundle
from .bundle.manifest import Stages
from .crops import Crop
from .detect import Detector, shaped
from .device.cpus import available_threads, checked, confined
from .errors import EdgeOCRError, ImageError, StageMissingError, printable
from .images import Image, Source
from .memory import limit as memory
from .memory.budget import Budget
from .memory.loading import loaded, room
from .orient import Orienter
from .page import Line, Page, Placed, Reading, Region, reading_order
from .recognize import Recognizer
from .resize import bounded_stages
from .runtime.options import RuntimeOptions
from .runtime.placement import Placement
from .runtime.session import Session, WarmUpResult
from .runtime.stopwatch import Stopwatch
from .runtime.stream import in_order
from .runtime.threads import ThreadPool
from .spot import Spotter

# Pages of a stream in work at a time: one more would gain nothing and needs its memory.
PAGES_AT_ONCE = 2

Result = TypeVar("Result")
Stage = TypeVar("Stage")


class OCR:
    """Reads pictures with one bundle. Safe to share between threads.

    bundle: path of a bundle, an opened `Bundle`, or None for the one in the package.
    provider: a name of `providers.NAMES` such as "cpu", "cuda" or "tensorrt", or "auto" for the
        best that works here; or a mapping of stages to such names, as in {"recognition": "cpu"}.
    provider_options: provider → option → value, over those that edgeocr sets, as in {"cuda":
        {"device_id": 1}}.
    fp16: allow lower precision where the provider can: TensorRT computes in float16, CUDA
        multiplies in TF32.
    few_shapes: pad inputs to the bundle's sets of shapes, so that after `warm_up` none is new. By
        default on all providers but those that take any shape as it comes (cpu, xnnpack).
    cache: folder with TensorRT's engines; by default `NAME.engines` beside a bundle `NAME.edgeocr`
        where there is one, else a folder in the user's cache.
    threads: CPU threads to use, by default the bundle's number, or as many as the process may keep
        busy.
    cpus: CPUs to use, such as (4, 5, 6, 7); `threads` is their number then, unless it is given.
    orientation: turn crops that are upside down, when the bundle has a classifier for it.
    require_signature: path of a public key in PEM, or its bytes: no graph is loaded unless the
        bundle is signed by this key.
    shape: find "quad"s, or "polygon"s, which are straightened before they are read; by default what
        the bundle says. EAST finds quads only, PGNet polygons only.
    memory_limit: what the process may hold in memory at a time, as bytes or as in "300MB", "300MiB"
        or "1.5GB"; by default the bundle's, 0 or "none" for no limit. Pictures are detected at
        smaller sizes and fewer lines read at a time so as to stay below; see `budget` for how. It
        is kept on Linux and the provider "cpu", of one `OCR` in a process, with what else the
        process held when it was opened counted in.
    runtime: instead of provider_options, fp16, few_shapes, cache and cpus.
    max_pixels: pixels that a picture is detected or spotted at, by default the bundle's number.

    `providers` says which provider each stage runs on, `skipped_providers` why "auto" took no
    better one, and `engine_folders` where TensorRT's engines are kept.

    `memory` says what the limit left: its `max_pixels`, `max_width`, `runs` and `pictures`.

    Raises `BundleError`, which `SignatureError` is one of, `ProviderUnavailableError` or
    `GraphError`, `MemoryLimitError` when the limit is too low for the bundle, and `EdgeOCRError`
    for a shape that the bundle's detection doesn't have.
    """

    def __init__(
        self,
        bundle: str | os.PathLike[str] | Bundle | None = None,
        *,
        provider: str | Mapping[str, str] = "auto",
        provider_options: Mapping[str, Mapping[str, Any]] | None = None,
        fp16: bool = False,
        few_shapes: bool | None = None,
        cache: str | os.PathLike[str] | None = None,
        threads: int | None = None,
        cpus: Sequence[int] | None = None,
        orientation: bool = True,
        require_signature: str | os.PathLike[str] | bytes | None = None,
        shape: Literal["quad", "polygon"] | None = None,
        memory_limit: int | str | None = None,
        max_pixels: int | None = None,
        runtime: RuntimeOptions | None = None,
    ) -> None:
        if runtime is None:
            runtime = RuntimeOptions(provider_options or {}, fp16, few_shapes, cache, cpus)
        self._cpus = None if runtime.cpus is None else checked(runtime.cpus)
        if threads is not None and threads < 1:
            raise ValueError(f"threads must be at least 1, not {threads}")
        limit = memory.parse(memory_limit)
        if shape not in (None, "quad", "polygon"):
            raise ValueError(f"shape must be 'quad' or 'polygon', not {shape!r}")
        if bundle is None:
            bundle = Bundle.default(require_signature=require_signature)
        elif not isinstance(bundle, Bundle):
            bundle = Bundle.open(bundle, require_signature=require_signature)
        elif require_signature is not None:
            bundle.check_signature(require_signature)
        self.bundle_digest = bundle.digest
        self._name = printable(bundle.manifest.name)
        profile = bundle.manifest.profile
        if threads is None:
            threads = available_threads() if self._cpus is None else len(self._cpus)
            if profile is not None and profile.threads is not None and self._cpus is None:
                threads = min(threads, profile.threads)
        if limit is None and profile is not None:
            limit = profile.memory_limit
        self._pool = ThreadPool(threads)
        stages = vars(bundle.manifest.stages)
        placement = Placement.for_bundle(
            provider,
            runtime,
            path=bundle.path,
            digest=bundle.digest,
            stages=[name for name, stage in stages.items() if stage is not None],
        )
        wanted = bounded_stages(bundle.manifest.stages, max_pixels)
        if not orientation:
            wanted = replace(wanted, orientation=None)
        self.memory: Budget | None = None
        if limit:
            self.memory = Budget.of(limit, bundle, wanted)
            placement = replace(placement, arena_limit=self.memory.arena)
        try:
            with confined(self._cpus):  # which the sessions' threads inherit
                self._open(bundle, wanted, placement, shape)
                if self.memory is not None:
                    self.memory.settle(
                        self._detector, self._orienter, self._recognizer, self._spotter
                    )
        except (EdgeOCRError, MemoryError) as error:
            if self.memory is None:
                raise
            typed = self.memory.explained(error, self._name)
            raise typed from (None if typed is error else error)
        sessions = self._sessions()
        self.providers = {name: session.provider for name, session in sessions.items()}
        reasons = (reason for session in sessions.values() for reason in session.skipped_providers)
        self.skipped_providers = tuple(dict.fromkeys(reasons))
        folders = {session.engine_folder for session in sessions.values()}
        self.engine_folders = sorted(folder for folder in folders if folder is not None)

    def _open(
        self,
        bundle: Bundle,
        stages: Stages,
        placement: Placement,
        shape: Literal["quad", "polygon"] | None,
    ) -> None:
        self._detector: Detector | None = None
        self._orienter: Orienter | None = None
        self._recognizer: Recognizer | None = None
        self._spotter: Spotter | None = None
        whole: Any = {"placement": placement, "threads": self._pool.threads}
        pieces: Any = {"placement": placement, "pool": self._pool}
        if (detection := stages.detection) is not None:
            if shape is not None:
                detection = shaped(detection, shape)
            self._detector = Detector(detection, bundle.read(detection.graph), **whole)
        if (recognition := stages.recognition) is not None:
            self._minimum_score = recognition.minimum_score
            self._recognizer = Recognizer(
                recognition, bundle.read(recognition.graph), bundle.characters, **pieces
            )
        if stages.orientation is not None:
            self._orienter = Orienter(
                stages.orientation, bundle.read(stages.orientation.graph), **pieces
            )
        if (spotting := stages.spotting) is not None:
            if shape == "quad":
                raise EdgeOCRError("PGNet finds polygons only")
            self._spotter = Spotter(
                spotting, bundle.read(spotting.graph), bundle.characters, **whole
            )

    def warm_up(self) -> dict[str, WarmUpResult]:
        """Run each stage on every input shape that it can get, so that no later page waits for an
        algorithm to be chosen or an engine to be built; stages that take any shape run once.

        With TensorRT this builds the engines, which takes minutes, and keeps them in `cache`; from
        then on "auto" takes TensorRT. Returns what was done, by stage. Raises `GraphError`.
        """
        with confined(self._cpus):
            return {name: session.warm_up() for name, session in self._sessions().items()}

    def read(self, source: Source) -> Page:
        """Find and read all lines of a picture; see `images.load` for what a source may be.

        Raises `ImageError` when the source is no image, `GraphError` when a network fails on it,
        `MemoryLimitError` when it can't be read within the limit, `StageMissingError` when the
        bundle has no stages for it.
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
                return _without_frames(error)

        return in_order(outcome, sources, min(PAGES_AT_ONCE, self._pool.threads))

    def detect(self, source: Source) -> list[Region]:
        """Find the regions with text, in reading order, without reading them.

        What a spotting stage can't read, it doesn't find either, and its regions have the score of
        their texts.
        """
        return self.detect_sized(source)[0]

    def detect_sized(self, source: Source) -> tuple[list[Region], int, int]:
        """What `detect` finds, and width and height of the picture."""

        def work(source: Source) -> tuple[list[Region], int, int]:
            with loaded(source, self.memory, Stopwatch()) as picture:
                regions = list(picture.of_source(self._detect(picture.image)))
                return regions, picture.width, picture.height

        return self._guarded(work, source)

    def recognize(self, crops: Sequence[Source]) -> list[Reading]:
        """Read crops that hold one upright line each; texts and scores in the same order.

        Raises `ImageError`, with the crop's name, when one of them is no image,
        `StageMissingError` when the bundle has no recognition stage, and `MemoryLimitError` when
        there is no room for all of them together.
        """
        _refuse_one(crops, "recognize", "recognize([crop])")
        recognizer = self._needed(self._recognizer, "recognition")
        with room(crops, self.memory) as taken, confined(self._cpus):
            pictures = []
            for crop, each in zip(crops, taken, strict=True):
                pictures.append(Crop.of(self._guarded(each.load, crop)))
            return recognizer.recognize(pictures)

    def _sessions(self) -> dict[str, Session]:
        stages = {
            "detection": self._detector,
            "orientation": self._orienter,
            "recognition": self._recognizer,
            "spotting": self._spotter,
        }
        return {name: stage.session for name, stage in stages.items() if stage is not None}

    def _read(self, source: Source) -> Page:
        watch = Stopwatch()
        read = self._spot if self._spotter else self._detect_and_read
        with loaded(source, self.memory, watch) as picture:
            lines = tuple(picture.of_source(read(picture.image, watch)))
        return Page(
            images.name_of(source),
            picture.width,
            picture.height,
            lines,
            watch.milliseconds,
            dict(self.providers),
        )

    def _spot(self, image: Image, watch: Stopwatch) -> tuple[Line, ...]:
        lines = self._needed(self._spotter, "spotting").spot(image, watch)
        return tuple(_in_reading_order([line for line in lines if line.text.strip()]))

    def _detect_and_read(self, image: Image, watch: Stopwatch) -> tuple[Line, ...]:
        recognizer = self._needed(self._recognizer, "recognition")
        regions = self._detect(image, watch)
        with watch("crops"):
            keep = self.memory is None
            crops = [rectify.upright(image, region, keep=keep) for region in regions]
        turned: list[int] = []
        if self._orienter is not None:
            rotations = self._orienter.rotations(crops, watch)
            turned = [i for i, degrees in enumerate(rotations) if degrees]
            crops += [crops[i].turned(rotations[i]) for i in turned]
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
            with confined(self._cpus):
                return work(source)
        except (EdgeOCRError, cv2.error, MemoryError) as error:
            name = images.name_of(source)
            typed = error if isinstance(error, EdgeOCRError) else EdgeOCRError(f"{name}: {error}")
            if self.memory is not None:
                typed = self.memory.explained(typed, name)
            typed.source = name
            try:
                raise typed from (None if typed is error else error)
            finally:
                # This frame would keep the error, which keeps the frame, and both the picture.
                del typed


def _in_reading_order(found: Sequence[Placed]) -> list[Placed]:
    quads = np.array([each.quad for each in found], np.float32).reshape(-1, 4, 2)
    return [found[i] for i in reading_order(quads)]


def _without_frames(error: EdgeOCRError) -> EdgeOCRError:
    """The error, which is a result now: the frames in its traceback would keep the picture, and
    themselves, until Python looks for such circles.
    """
    each: BaseException | None = error
    while each is not None:
        each.__traceback__ = None
        each = each.__cause__ or each.__context__
    return error


def _refuse_one(sources: object, called: str, instead: str) -> None:
    """A path or an array is iterable too, but not into sources."""
    if isinstance(sources, (str, bytes, os.PathLike, np.ndarray)):
        raise ImageError(
            f"{called} takes several sources, this is one {type(sources).__name__}: use {instead}"
        )
