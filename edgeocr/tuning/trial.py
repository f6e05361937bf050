"""Try the candidates of a stage: through the gate first, then against the clock."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import TypeAlias

from ..bench.cell_process import CellError
from ..tuned.record import Candidate, Tried
from .deadline import NO_TIME, Deadline
from .gate import OPENING_PATIENCE, OpenReader, Reference, References, checked, failed, way_of
from .process import Reader
from .rounds import Race
from .way import Way

logger = logging.getLogger(__name__)

# Takes what is being measured, in words.
OnProgress: TypeAlias = "Callable[[str], None]"

# The rounds in which a candidate takes turns with the reference, and those of the last comparison.
STAGE_ROUNDS = 3
LAST_ROUNDS = 5
# A process gets this number of seconds at least, however little time is left.
LEAST_PATIENCE = 5.0
# How much longer than the reference a candidate is expected to take when it reads for the first
# time, since some providers compile something at new shapes.
FIRST_TIME = 1.5
# How much longer the last comparison may take than expected, on a machine that has other work.
CAUTION = 1.2


@dataclass(frozen=True)
class Trial:
    """What all trials of a tuning have in common.

    Attributes:
        open_reader: Starts what reads in a way.
        reference: What the CPU reads in float32.
        references: How each stage runs in it.
        numbers: The numbers of the pictures that are timed.
        opening: The seconds in which the reference was opened.
        threads: The number of CPU threads that the caller wants; None for no wish.
        deadline: When the tuning has to end.
        on_progress: Called whenever something new is measured.
        same_shapes: The reference in the shapes that other providers get, for the gate.
    """

    open_reader: OpenReader
    reference: Reference
    references: Mapping[str, Candidate]
    numbers: Sequence[int]
    opening: float
    threads: int | None
    deadline: Deadline
    on_progress: OnProgress
    same_shapes: References

    @property
    def reading(self) -> float:
        """The seconds in which the reference reads all pictures."""
        return sum(page.ms for page in self.reference.pages.values()) / 1000

    @property
    def timed_reading(self) -> float:
        """The seconds in which it reads those that are timed."""
        return sum(self.reference.pages[number].ms for number in self.numbers) / 1000

    def cost(self, rounds: int) -> float:
        """Return about how many seconds a process takes that is opened, read with and timed."""
        return self.opening + FIRST_TIME * self.reading + 2 * rounds * self.timed_reading

    @property
    def reserve(self) -> float:
        """The seconds that the last comparison needs, which nothing before it may use."""
        # The default reads only those pictures that are timed: it is not compared.
        first_time = FIRST_TIME * (self.reading + self.timed_reading)
        rounds = 2 * LAST_ROUNDS * self.timed_reading
        return CAUTION * (2 * self.opening + first_time + rounds)

    def has_time(self, rounds: int, kept: float = 0.0) -> bool:
        """Return whether there is time for a process, before the last comparison.

        Args:
            rounds: The rounds in which it takes turns with another one.
            kept: Seconds that are kept for something else as well.
        """
        return self.deadline.left > self.reserve + kept + self.cost(rounds)

    def kept_for(self, stages: int) -> float:
        """Return the seconds that a stage has to leave to the stages after it: an equal share.

        Args:
            stages: The number of stages after it.
        """
        return max(0.0, self.deadline.left - self.reserve) * stages / (stages + 1)

    def patience(self, reserve: float | None = None) -> float:
        """Return the seconds after which a process that is being opened counts as hung.

        Args:
            reserve: The seconds to keep; None for `reserve`.
        """
        left = self.deadline.left - (self.reserve if reserve is None else reserve)
        return max(LEAST_PATIENCE, min(OPENING_PATIENCE, left))


def try_stage(
    trial: Trial,
    stage: str,
    candidates: Sequence[Candidate],
    reference: Reader,
    stages_left: int = 0,
) -> list[Tried]:
    """Try the candidates of a stage.

    Each of them passes the gate, or is refused. Those that pass take turns with the reference.

    Args:
        trial: What all trials have in common.
        stage: The stage's name.
        candidates: The candidates, the reference first.
        reference: Runs all stages as in the reference.
        stages_left: The number of stages that are tried afterwards.

    Returns:
        What was found out about each candidate, in the same order.

    Raises:
        CellError: The reference failed.
    """
    kept = trial.kept_for(stages_left)
    own, *others = candidates
    results: list[Tried] = []
    first_ms: list[float] = []
    ratios: dict[str, float] = {}
    for candidate in others:
        base = Candidate(candidate.provider, candidate.variant)
        failure = next((each for each in results if each.candidate == base), None)
        if candidate.options and failure is not None and failure.verdict == "failed":
            results.append(Tried(candidate, "unmeasured", problem=f"{base} failed"))
            continue
        if not trial.has_time(STAGE_ROUNDS, kept):
            results.append(Tried(candidate, "unmeasured", problem=NO_TIME))
            continue
        trial.on_progress(f"{stage} on {candidate}")
        found, race = _tried(trial, stage, candidate, reference)
        results.append(found)
        if race is not None and race.ratios:
            first_ms += race.first_ms
            ratios[str(candidate)] = race.ratio.middle
    usual = [page.stages.get(stage, 0.0) for page in trial.reference.pages.values()]
    middle = median(first_ms) if first_ms else sum(usual) / len(usual)
    # Times are the reference's, multiplied by ratios of times in turn, so that they can be compared
    # although the machine was faster at one moment than at another.
    times = {str(own): middle, **{each: ratio * middle for each, ratio in ratios.items()}}
    results.insert(0, Tried(own, "right", agreement=trial.reference.own_agreement))
    return [
        replace(each, milliseconds=round(max(times[str(each.candidate)], 1e-3), 3))
        if str(each.candidate) in times
        else each
        for each in results
    ]


def _tried(
    trial: Trial, stage: str, candidate: Candidate, reference: Reader
) -> tuple[Tried, Race | None]:
    """Let a candidate through the gate, and time it.

    Raises:
        CellError: The reference failed.
    """
    way: Way = way_of(stage, candidate, trial.references, trial.threads)
    comparable = trial.same_shapes.beside(way.provider)
    found, reader = checked(comparable, trial.open_reader, candidate, way, trial.patience())
    if reader is None:
        if found.verdict == "failed" and trial.deadline.left < trial.reserve:
            return Tried(candidate, "unmeasured", problem=NO_TIME), None  # it may have been hurried
        return found, None
    race = Race(reference, reader, trial.numbers, trial.reference.patience, stage)
    try:
        for _ in range(STAGE_ROUNDS):
            try:
                race.round()
            except CellError as error:
                # If the reference has failed, this raises an error again.
                reference.read(trial.numbers[:1], trial.reference.patience)
                return failed(candidate, error, found.agreement), None
            if race.is_hopeless or trial.deadline.left < trial.reserve:
                break
    finally:
        reader.close()
    return found, race
