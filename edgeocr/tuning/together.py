"""Measure the choices of all stages together: threads, lines in a run, and beside the default."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from statistics import median

from ..bench.cell_process import CellError
from ..tuned.record import Candidate, TunedStage
from .choosing import STAGE_WORTH, is_kept, left_to_auto
from .deadline import NO_TIME
from .process import Reader
from .result import SettingTried
from .rounds import Race, Ratio
from .trial import LAST_ROUNDS, STAGE_ROUNDS, Trial
from .way import Way


@dataclass(frozen=True)
class Outcome:
    """What came out when the tuned stages were compared with the default.

    Attributes:
        kept: Whether the choices are kept.
        reason: Why, in words.
        ratio: The time of a page, compared with the default's; None if not measured.
        default_ms: The milliseconds of a page by default.
        tuned_ms: The milliseconds of a page with the choices.
    """

    kept: bool
    reason: str
    ratio: Ratio | None = None
    default_ms: float | None = None
    tuned_ms: float | None = None


class Together:
    """The choices of all stages, which are opened as any `OCR` opens them: from a tuned file."""

    def __init__(
        self,
        trial: Trial,
        stages: Mapping[str, TunedStage],
        write: Callable[[Mapping[str, TunedStage]], str],
    ) -> None:
        """Prepare to measure.

        Args:
            trial: What all trials have in common.
            stages: The choices.
            write: Writes a tuned file with choices, and returns its path.
        """
        self._trial = trial
        self._stages = stages
        self._tuned = Way(tuned=write(stages), threads=trial.threads)
        untuned = {name: left_to_auto(stage, "") for name, stage in stages.items()}
        # The default without what was found to be wrong: this is what "auto" would take otherwise.
        self._default = Way(tuned=write(untuned), threads=trial.threads)

    def settings(self, name: str, values: Iterable[int]) -> tuple[int | None, list[SettingTried]]:
        """Find the best number of threads, or of lines in a run.

        The number that is found is used from then on.

        Args:
            name: "threads" or "batch".
            values: The numbers to try beside the usual one.

        Returns:
            The number, None for the usual one; and what was tried.
        """
        tried: list[SettingTried] = []
        best: tuple[float, int | None] = (STAGE_WORTH, None)
        usual: Reader | None = None
        try:
            for value in values:
                # The usual number may have to be opened as well.
                if not self._trial.has_time(STAGE_ROUNDS + 1):
                    tried.append(SettingTried(name, value, problem=NO_TIME))
                    continue
                self._trial.on_progress(f"{name}: {value}")
                try:
                    if usual is None:
                        usual = self._opened(self._tuned)
                    ratio = self._compared(usual, _with(self._tuned, name, value))
                except CellError as error:
                    tried.append(SettingTried(name, value, problem=str(error)))
                    if usual is not None:
                        usual.close()
                        usual = None
                    continue
                tried.append(SettingTried(name, value, ratio))
                if ratio.middle <= best[0]:
                    best = ratio.middle, value
        finally:
            if usual is not None:
                usual.close()
        if best[1] is not None:
            self._tuned = _with(self._tuned, name, best[1])
        return best[1], tried

    def use_usual_settings(self) -> None:
        """Go back to the usual numbers of threads and of lines in a run."""
        self._tuned = replace(self._tuned, threads=self._trial.threads, batch=None)

    def outcome(self) -> Outcome:
        """Compare the choices with the default, and all of them with the reference."""
        trial = self._trial
        usual_numbers = self._tuned.threads == trial.threads and self._tuned.batch is None
        if usual_numbers and all(stage.choice is None for stage in self._stages.values()):
            return Outcome(False, "nothing else is worth it")
        trial.on_progress("the choices beside the default")
        readers: list[Reader] = []
        try:
            try:
                readers.append(tuned := trial.open_reader(self._tuned, trial.patience(0)))
                self._check_taken(tuned)
                found = trial.same_shapes.beside(tuned.providers).agreement(tuned)
            except CellError as error:
                return Outcome(False, f"the choices failed together: {error}")
            if (problem := found.refusal()) is not None:
                return Outcome(False, f"the choices are not right together: {problem}")
            try:
                readers.append(default := self._opened(self._default))
            except CellError as error:
                return Outcome(False, f"the default failed: {error}")
            return self._raced(default, tuned)
        finally:
            for reader in readers:
                reader.close()

    def _raced(self, default: Reader, tuned: Reader) -> Outcome:
        race = Race(default, tuned, self._trial.numbers, self._trial.reference.patience)
        try:
            for _ in range(LAST_ROUNDS):
                race.round()
        except CellError as error:
            return Outcome(False, f"the comparison with the default failed: {error}")
        ratio = race.ratio
        kept = is_kept(ratio)
        return Outcome(
            kept,
            f"a page takes {ratio} of the default's time",
            ratio,
            round(median(race.first_ms), 3),
            round(median(race.second_ms), 3),
        )

    def _opened(self, way: Way) -> Reader:
        """Open a reader, and let it read all pictures that are timed once.

        Raises:
            CellError: It fails.
        """
        reader = self._trial.open_reader(way, self._trial.patience(0))
        try:
            reader.read(self._trial.numbers, self._trial.reference.patience)
        except BaseException:
            reader.close()
            raise
        return reader

    def _compared(self, usual: Reader, way: Way) -> Ratio:
        other = self._opened(way)
        try:
            race = Race(usual, other, self._trial.numbers, self._trial.reference.patience)
            for _ in range(STAGE_ROUNDS):
                race.round()
                if race.is_hopeless:
                    break
            return race.ratio
        finally:
            other.close()

    def _check_taken(self, reader: Reader) -> None:
        """Check that "auto" has taken the choices.

        Raises:
            CellError: It has taken something else, since a choice does not start as a part of all.
        """
        for name, stage in self._stages.items():
            choice: Candidate | None = stage.choice
            if choice is None:
                continue
            taken = Candidate(
                reader.providers[name], reader.variants.get(name, choice.variant), choice.options
            )
            if taken != choice:
                raise CellError(f"{name} ran on {taken} instead of {choice}")


def _with(way: Way, name: str, value: int) -> Way:
    return replace(way, threads=value) if name == "threads" else replace(way, batch=value)
