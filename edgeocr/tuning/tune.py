"""`tune`: measure which way of running a bundle is right and the fastest on this device."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from time import monotonic

from ..bench.cell_process import CellError
from ..bench.pictures import PictureSource, inspect, samples
from ..bundle.bundle import Bundle
from ..bundle.manifest import Stage
from ..device.cpus import physical_cores, usable_cpus
from ..device.machine import fast_cpus
from ..errors import EdgeOCRError
from ..runtime.options import RuntimeOptions
from ..runtime.providers import PROVIDERS, provider_named
from ..runtime.start import built_in
from ..stages.opening import open_bundle
from ..tuned.files import content_of, update
from ..tuned.keys import key_of_this_device
from ..tuned.record import Entry, Key, TunedStage
from .candidates import candidates, references_of, usual
from .choosing import left_to_auto, stage_choice
from .deadline import Deadline
from .gate import Reference, References, numbers_within
from .lock import only_tuning
from .preparing import Readiness, now, request_for
from .process import Reader, Readers
from .result import Tuning
from .together import Together
from .trial import OnProgress, Trial, try_stage
from .way import Request

SECONDS = 120.0
# Each picture is read many times. So many are timed as are read within this share of all the time.
TIMED_SHARE = 1 / 60


def tune(
    bundle: str | os.PathLike[str] | Bundle | None = None,
    *,
    images: Sequence[PictureSource] | None = None,
    providers: Sequence[str] | None = None,
    seconds: float = SECONDS,
    threads: int | None = None,
    max_pixels: int | None = None,
    memory_limit: int | str | None = None,
    require_signature: str | os.PathLike[str] | None = None,
    expect_digest: str | None = None,
    runtime: RuntimeOptions | None = None,
    on_progress: OnProgress = lambda _: None,
) -> Tuning:
    """Find out which way of running a bundle is right and the fastest, for every later `OCR`.

    Every candidate has to read what the CPU reads in float32. The result is kept in a file
    `NAME.tuned.json` beside a bundle `NAME.edgeocr`, or in the user's cache, and `OCR` with the
    provider "auto" obeys it. docs/tuning.md says what is measured and by which rules.

    Args:
        bundle: As for `OCR`.
        images: Paths of the pictures to read, where an error stands for a source that has none; by
            default three that come with the package.
        providers: The execution providers to try; by default all of the installed ONNX Runtime,
            TensorRT only if its engines have been built.
        seconds: The time that it may take. What can't be measured in this time is listed as such.
        threads: CPU threads; by default several numbers are tried.
        max_pixels: As for `OCR`.
        memory_limit: As for `OCR`.
        require_signature: As for `OCR`, but only a path.
        expect_digest: As for `OCR`.
        runtime: As for `OCR`, without `variant` and `batch`, which are found out, and with
            `fixed_shapes` for all stages or none.
        on_progress: Called with what is being measured.

    Raises:
        BundleError: The bundle can't be opened, or is not the expected one; a `SignatureError` if
            it is not signed as required.
        EdgeOCRError: The pictures can't be read, or another process tunes on this device.
        ValueError: An argument has an impossible value.
    """
    runtime = runtime or RuntimeOptions()
    if runtime.variant is not None or runtime.batch is not None:
        raise ValueError("tune chooses variant and batch: leave them out of the runtime options")
    if not seconds > 0:
        raise ValueError(f"seconds must be positive, not {seconds}")
    for name in providers or ():
        provider_named(name)
    opened = open_bundle(bundle, require_signature, expect_digest)
    pictures = inspect(samples() if images is None else images)
    request = request_for(
        opened,
        runtime,
        pictures,
        max_pixels=max_pixels,
        memory_limit=memory_limit,
        require_signature=require_signature,
    )
    with only_tuning(), Readers(request) as readers, ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="edgeocr-tune-")))
        tuner = Tuner(opened, request, readers, runtime, providers, threads, folder, on_progress)
        try:
            tuning = tuner.tune(Deadline(seconds))
        except CellError as error:
            raise EdgeOCRError(
                f"nothing can be compared, because reading on the CPU failed: {error}"
            ) from None
    failed = {each.name: each.error for each in pictures.failed} | dict(tuning.failed)
    return kept(replace(tuning, failed=failed), opened, tuner.key)


def kept(tuning: Tuning, bundle: Bundle, key: Key) -> Tuning:
    """Keep a result beside the bundle or in the user's cache."""
    entry = Entry(
        key,
        now(),
        dict(tuning.stages),
        tuning.threads,
        tuning.batch,
        tuning.default_ms,
        tuning.tuned_ms,
        tuning.images,
        tuning.lines,
    )
    try:
        return replace(tuning, path=update(bundle, key, lambda _: entry))
    except EdgeOCRError as error:
        return replace(tuning, problem=str(error))


class Tuner:
    """A tuning of one bundle.

    Attributes:
        key: What the result depends on.
    """

    def __init__(
        self,
        bundle: Bundle,
        request: Request,
        readers: Readers,
        runtime: RuntimeOptions,
        providers: Sequence[str] | None,
        threads: int | None,
        folder: Path,
        on_progress: OnProgress,
    ) -> None:
        """Prepare to tune.

        Args:
            bundle: The bundle.
            request: What the processes open.
            readers: Starts them.
            runtime: The caller's options.
            providers: The execution providers that the caller wants to try; None for all.
            threads: The number of CPU threads that the caller wants; None for no wish.
            folder: A folder for files that are only needed while this tunes.
            on_progress: Called with what is being measured.
        """
        self.key = key_of_this_device(bundle.digest, runtime)
        self._stages: Mapping[str, Stage] = bundle.manifest.stages.present
        self._request = request
        self._readers = readers
        self._available = built_in()
        self._providers = self._available if providers is None else providers
        self._readiness = Readiness(bundle, runtime, providers or ())
        self._threads = threads
        self._cpus = runtime.cpus
        self._folder = folder
        self._on_progress = on_progress

    def tune(self, deadline: Deadline) -> Tuning:
        """Tune until a deadline at most.

        Raises:
            CellError: The reference failed.
            EdgeOCRError: The pictures can't be read.
        """
        references = references_of(self._stages)
        self._on_progress("the CPU in float32")
        began = monotonic()
        reference_reader = self._readers.open_reference(references, self._threads)
        opening = monotonic() - began
        try:
            images = len(self._request.images)
            Reference.of(reference_reader, images)  # the first time takes longer
            reference = Reference.of(reference_reader, images)
            trial = Trial(
                self._readers.open,
                reference,
                references,
                numbers_within(reference.pages, deadline.seconds * TIMED_SHARE),
                opening,
                self._threads,
                deadline,
                self._on_progress,
                References(reference, self._read_fixed),
            )
            order = self._in_order(reference)
            # After the stages, numbers of threads and of lines get a share of the time, too.
            found = {
                name: self._stage(trial, name, reference_reader, len(order) - place + 1)
                for place, name in enumerate(order, 1)
            }
            stages = {name: found[name] for name in self._stages}
            usual_threads = reference_reader.threads
        finally:
            reference_reader.close()
        together = Together(trial, stages, self._write)
        threads, tried = together.settings("threads", self._thread_counts(usual_threads))
        batch, batches_tried = together.settings("batch", self._batches(stages))
        outcome = together.outcome()
        chosen = any(stage.choice is not None for stage in stages.values())
        changed = threads is not None or batch is not None
        if not outcome.kept and chosen and changed and deadline.left > trial.reserve:
            # Perhaps it was only the number of threads or of lines that made it slower.
            together.use_usual_settings()
            threads = batch = None
            outcome = together.outcome()
        if not outcome.kept:
            stages = {
                name: left_to_auto(stage, f"the default is the best: {outcome.reason}")
                for name, stage in stages.items()
            }
            threads = batch = None
        return Tuning(
            stages=stages,
            settings=tried + batches_tried,
            threads=threads,
            batch=batch,
            kept=outcome.kept,
            reason=outcome.reason,
            ratio=outcome.ratio,
            default_ms=outcome.default_ms,
            tuned_ms=outcome.tuned_ms,
            images=len(reference.pages),
            lines=reference.lines,
            failed={self._request.images[i]: error for i, error in reference.failed.items()},
            seconds=round(deadline.used, 1),
        )

    def _read_fixed(self, stages: frozenset[str]) -> Reference:
        """Read as the reference does, with fixed shapes in some stages."""
        reader = self._readers.open_reference(
            references_of(self._stages), self._threads, fixed=stages
        )
        try:
            return Reference.of(reader, len(self._request.images))
        finally:
            reader.close()

    def _in_order(self, reference: Reference) -> list[str]:
        """Return the stages, those that take the most time first, in case not all are measured."""
        return sorted(
            self._stages,
            key=lambda name: -sum(page.stages.get(name, 0.0) for page in reference.pages.values()),
        )

    def _stage(self, trial: Trial, name: str, reference: Reader, left: int) -> TunedStage:
        stage, ready = self._stages[name], self._readiness.of(name)
        wanted = candidates(stage, self._providers, ready)
        tried = try_stage(trial, name, wanted, reference, left)
        return stage_choice(tried, usual(stage, self._available, ready))

    def _thread_counts(self, usual_number: int) -> list[int]:
        """Return the numbers of threads to try beside the usual one."""
        if self._threads is not None:
            return []
        cpus = usable_cpus() if self._cpus is None else tuple(self._cpus)
        count = len(cpus) or usual_number
        fast = set(fast_cpus() or ()) & set(cpus)
        wanted = [physical_cores(cpus) or count, len(fast), count, count // 2, 1]
        return [each for each in dict.fromkeys(wanted) if each > 0 and each != usual_number]

    def _batches(self, stages: Mapping[str, TunedStage]) -> list[int]:
        """Return the numbers of lines in a run to try, where recognition has fixed shapes."""
        recognition = self._stages.get("recognition")
        batches: list[int] = getattr(recognition, "batches", [])
        if recognition is None or len(batches) < 2:
            return []
        taken = stages["recognition"].choice or next(
            usual(recognition, self._available, self._readiness.of("recognition"))
        )
        fixed = self._request.fixed_shapes
        takes_any = PROVIDERS[taken.provider].any_shape if fixed is None else not fixed
        return [] if takes_any else batches[:-1]

    def _write(self, stages: Mapping[str, TunedStage]) -> str:
        descriptor, path = tempfile.mkstemp(suffix=".tuned.json", dir=self._folder)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content_of([Entry(self.key, now(), dict(stages))]))
        return path
