"""Let cells read the same pictures in turn, and compare their times with the CPU's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from ..peer_turns import turns
from .budget import Share
from .cell_process import CellFailedError, CellProcess, CellUnavailableError, OutOfTimeError
from .cells import Cell
from .judgement import CellVerdict, Ratio
from .trial import Trial, not_holding

# Rounds before the measured ones. A shape's run is recorded as a CUDA graph when the shape comes
# for the second time, and other libraries compile when it comes for the first time.
WARM_ROUNDS = 2
# The most rounds that are measured, and the fewest that give a ratio.
MOST_ROUNDS, FEWEST_ROUNDS = 15, 3


@dataclass
class Rounds:
    """The times of several cells.

    Attributes:
        answers: For each cell that reads to the end, and each round, the answer to each picture.
        left_out: Why the others don't take part.
        providers: What each stage of each cell runs on.
    """

    answers: dict[str, list[list[dict[str, Any]]]] = field(default_factory=dict)
    left_out: dict[str, CellVerdict] = field(default_factory=dict)
    providers: dict[str, dict[str, str]] = field(default_factory=dict)

    def seconds(self, name: str) -> list[float]:
        """Return the seconds of each round of a cell."""
        return [sum(float(each["ms"]) for each in row) / 1000 for row in self.answers[name]]

    def median_ms(self, name: str) -> float:
        """Return the median of a cell's pictures."""
        return median(float(each["ms"]) for row in self.answers[name] for each in row)

    def ratios(self, reference: str) -> dict[str, Ratio]:
        """Return the ratio of each cell to a reference among them; {} if nothing was measured."""
        if not self.answers:
            return {}
        times = self.seconds(reference)
        return {name: Ratio.of(self.seconds(name), times) for name in self.answers}


def in_turn(
    processes: Mapping[str, CellProcess],
    pictures: Sequence[str],
    time: Share,
    failed: Callable[[str, CellFailedError], object],
    most: int = MOST_ROUNDS,
) -> dict[str, list[list[dict[str, Any]]]]:
    """Let processes that are open read all pictures, one picture after the other.

    Args:
        processes: The processes by name.
        pictures: Paths of the pictures.
        time: No round is begun when it is over, once there are `FEWEST_ROUNDS`.
        failed: Is told of a process that fails, which takes no further part.
        most: The most rounds to measure.

    Returns:
        For each process that reads to the end, the answers of each measured round.

    Raises:
        OutOfTimeError: There is no time for `FEWEST_ROUNDS`.
    """
    left = list(processes)
    rounds: dict[str, list[list[dict[str, Any]]]] = {name: [] for name in left}
    for number in range(-WARM_ROUNDS, most):
        if not time.left:
            if number >= min(FEWEST_ROUNDS, most):
                break
            raise OutOfTimeError(f"no time left after {max(0, number)} measured rounds")
        answers: dict[str, list[dict[str, Any]]] = {name: [] for name in left}
        for place, picture in enumerate(pictures):
            for name in turns(left, max(0, number), place):
                try:
                    answers[name].append(processes[name].read(picture)[1])
                except CellFailedError as error:
                    failed(name, error)
                    left.remove(name)
        if number >= 0:
            for name in left:
                rounds[name].append(answers[name])
    return {name: rounds[name] for name in left}


def measure(trial: Trial, reference: Cell, cells: Sequence[Cell], time: Share) -> Rounds:
    """Open cells, each in a process that stays open, and let them read in turn.

    Args:
        trial: What the claim has at hand.
        reference: The cell that the others are compared with.
        cells: The others.
        time: The time for this comparison.

    Raises:
        CellFailedError: The reference fails.
        OutOfTimeError: There is no time for enough rounds.
    """
    found = Rounds()
    with ExitStack() as stack:
        processes = {}
        for cell in (reference, *cells):
            try:
                process = stack.enter_context(trial.opened(cell))
            except (CellFailedError, CellUnavailableError) as error:
                if cell is reference:
                    raise CellFailedError(f"{cell.name}: {error}") from error
                found.left_out[cell.name] = not_holding(cell, error)
            else:
                processes[cell.name] = process
                found.providers[cell.name] = process.providers
        named = {cell.name: cell for cell in cells}

        def failed(name: str, error: CellFailedError) -> None:
            if name == reference.name:
                raise CellFailedError(f"{name}: {error}") from error
            found.left_out[name] = not_holding(named[name], error)

        if len(processes) > 1:
            found.answers = in_turn(processes, trial.pictures, time, failed)
    return found
