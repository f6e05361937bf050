"""Warm up, and check that every stage reads what the CPU reads in float32."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..bench.cell_process import CellError
from ..errors import EdgeOCRError
from ..tuned.files import update
from ..tuned.record import Candidate, Entry, Key, Tried, TunedStage
from ..variants.taking import TUNED
from .candidates import references_of
from .gate import OPENING_PATIENCE, Reference, References, checked, refusal, way_of
from .preparing import now
from .process import Readers

if TYPE_CHECKING:
    from ..bundle.bundle import Bundle
    from ..bundle.manifest import Stage
    from ..ocr import OCR

# Seconds that a process may take to open a bundle: its provider has just been warmed up.
PATIENCE = 10 * OPENING_PATIENCE


@dataclass(frozen=True)
class Warmed:
    """What came out when a device was warmed up and checked.

    Attributes:
        taken: What each stage runs on.
        refused: What was not right, in words, and is not used from now on.
        wrong: What is not right, in words, and was asked for or can't be replaced.
    """

    taken: Mapping[str, Candidate]
    refused: Sequence[str]
    wrong: Sequence[str]

    def __str__(self) -> str:
        """Say what each stage runs on, such as "detection=cuda fp32, recognition=cpu int8"."""
        return ", ".join(f"{stage}={each}" for stage, each in self.taken.items())


class Checks:
    """Checks what stages run on, each candidate once.

    Attributes:
        stages: The bundle's stages.
    """

    def __init__(
        self, stages: Mapping[str, Stage], readers: Readers, images: int, threads: int | None
    ) -> None:
        """Prepare to check.

        Args:
            stages: The bundle's stages.
            readers: Starts the processes that read.
            images: The number of pictures.
            threads: The number of CPU threads that the caller wants; None for no wish.
        """
        self.stages = stages
        self._references = references_of(stages)
        self._readers = readers
        self._images = images
        self._threads = threads
        self._comparable: References | None = None
        self._known: dict[str, Tried] = {}

    def doubtful(self, taken: Mapping[str, Candidate]) -> dict[str, Tried]:
        """Return those that are not right, or could not be checked, by stage.

        Args:
            taken: What each stage runs on.

        Raises:
            EdgeOCRError: The CPU can't read the pictures, so that nothing can be compared.
        """
        found = {
            stage: self._check(stage, candidate)
            for stage, candidate in taken.items()
            if candidate != self._references[stage]
        }
        return {stage: tried for stage, tried in found.items() if tried.verdict != "right"}

    def _check(self, stage: str, candidate: Candidate) -> Tried:
        name = f"{stage} {candidate}"
        if name not in self._known:
            way = way_of(stage, candidate, self._references, self._threads)
            reference = self._beside(way.provider)
            tried, reader = checked(reference, self._readers.open, candidate, way, PATIENCE)
            if reader is not None:
                reader.close()
            self._known[name] = tried
        return self._known[name]

    def _beside(self, providers: Mapping[str, str]) -> Reference:
        """Return what to compare a reading with that runs its stages on some providers."""
        try:
            if self._comparable is None:
                self._comparable = References(self._read(frozenset()), self._read)
            return self._comparable.beside(providers)
        except CellError as error:
            raise EdgeOCRError(
                f"nothing can be compared, because reading on the CPU failed: {error}"
            ) from None

    def _read(self, fixed: frozenset[str]) -> Reference:
        reader = self._readers.open_reference(self._references, self._threads, fixed)
        try:
            return Reference.of(reader, self._images)
        finally:
            reader.close()


def warm(
    open_ocr: Callable[[], OCR],
    warm_up: Callable[[OCR], None],
    checks: Checks,
    is_free: Callable[[str], bool],
    keep: Callable[[Mapping[str, Tried]], object],
) -> Warmed:
    """Warm up and check, until each stage runs on something that is right.

    A candidate of "auto" that isn't right is kept as such, so that the next best is taken for its
    stage alone.

    Args:
        open_ocr: Opens an `OCR` on the execution providers that are wanted.
        warm_up: Warms it up.
        checks: Checks what the stages run on.
        is_free: Tells whether "auto" may choose another candidate for a stage.
        keep: Keeps what is not right, by stage, so that the next `OCR` does not take it.

    Returns:
        What the stages run on.

    Raises:
        EdgeOCRError: Something does not work, or what is not right can't be kept.
    """
    refused: list[str] = []
    while True:
        with open_ocr() as ocr:
            warm_up(ocr)
            taken = taken_by(ocr, checks.stages)
        doubtful = checks.doubtful(taken)
        sentences = {stage: refusal(stage, tried) for stage, tried in doubtful.items()}
        replaceable = {
            stage: tried
            for stage, tried in doubtful.items()
            if tried.unfit and is_free(stage) and sentences[stage] not in refused
        }
        if not replaceable:
            return Warmed(taken, refused, list(sentences.values()))
        keep(replaceable)
        refused += [sentences[stage] for stage in replaceable]


def taken_by(ocr: OCR, stages: Mapping[str, Stage]) -> dict[str, Candidate]:
    """Return what each stage of an `OCR` runs on, with the options that were tuned.

    Args:
        ocr: The `OCR`.
        stages: The bundle's stages.
    """
    entry = ocr.tuning.entry
    taken = {}
    for name in ocr.stages:
        variant = ocr.variants.get(name, stages[name].precision)
        candidate = Candidate(ocr.providers[name], variant)
        tuned = None if entry is None else entry.stages.get(name)
        choice = None if tuned is None else tuned.choice
        # A graph that the caller has pinned runs without the options that were tuned.
        was_tuned = TUNED in ocr.variant_reasons.get(name, "")
        if was_tuned and choice is not None and replace(choice, options={}) == candidate:
            candidate = choice
        taken[name] = candidate
    return taken


def keep_unfit(bundle: Bundle, key: Key, unfit: Mapping[str, Tried]) -> None:
    """Keep candidates that are not right in the tuned file, beside what is known already.

    Args:
        bundle: The bundle.
        key: What the result depends on.
        unfit: The candidates, by stage.

    Raises:
        EdgeOCRError: There is no place that can be written to.
    """

    def changed(entry: Entry | None) -> Entry:
        entry = entry or Entry(key, now(), {})
        stages = dict(entry.stages)
        for name, tried in unfit.items():
            before = stages.get(name, TunedStage())
            others = [each for each in before.tried if each.candidate != tried.candidate]
            lost = before.choice == tried.candidate
            stages[name] = TunedStage(
                None if lost else before.choice,
                "what was tuned is not right any more" if lost else before.reason,
                [*others, tried],
            )
        return replace(entry, when=now(), stages=stages)

    update(bundle, key, changed)
