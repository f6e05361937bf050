"""Compare the times of two readers, which read the same pictures in turn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from .gate import read_page
from .process import Reader, ReadPage

# What takes more than this share of the other's time in its first round isn't measured further.
HOPELESS = 1.3


@dataclass(frozen=True)
class Ratio:
    """How long one reader took, compared with another one that took turns with it.

    Attributes:
        middle: The median over all rounds of the ratio of times.
        least: The least ratio of a round.
        most: The greatest ratio of a round.
        rounds: The number of rounds.
    """

    middle: float
    least: float
    most: float
    rounds: int

    @classmethod
    def of(cls, ratios: Sequence[float]) -> Ratio:
        """Return the ratio of some rounds, of which there is at least one."""
        return cls(
            round(median(ratios), 4), round(min(ratios), 4), round(max(ratios), 4), len(ratios)
        )

    def __str__(self) -> str:
        """Say the ratio with its range, for example "0.82 (0.80 to 0.85 in 5 rounds)"."""
        rounds = "1 round" if self.rounds == 1 else f"{self.rounds} rounds"
        return f"{self.middle:.2f} ({self.least:.2f} to {self.most:.2f} in {rounds})"


class Race:
    """Two readers that read the same pictures, picture by picture in turn.

    Attributes:
        ratios: The second one's time divided by the first one's, round by round.
        first_ms: The first one's milliseconds per page, round by round.
        second_ms: The second one's.
    """

    def __init__(
        self,
        first: Reader,
        second: Reader,
        numbers: Sequence[int],
        patience: float,
        stage: str | None = None,
    ) -> None:
        """Prepare to measure.

        Args:
            first: The reader that the other one is compared with.
            second: The other one. Both must have read each picture before.
            numbers: The numbers of the pictures.
            patience: Seconds for a picture after which a reader counts as hung.
            stage: The stage whose time counts; None for the time of the page.
        """
        self.ratios: list[float] = []
        self.first_ms: list[float] = []
        self.second_ms: list[float] = []
        self._readers = (first, second)
        self._numbers = numbers
        self._patience = patience
        self._stage = stage

    def round(self) -> None:
        """Let both read each picture once; the one that begins changes from picture to picture.

        Raises:
            CellError: A reader failed.
        """
        total = [0.0, 0.0]
        for place, number in enumerate(self._numbers):
            order = (0, 1) if (place + len(self.ratios)) % 2 == 0 else (1, 0)
            for which in order:
                (outcome,) = self._readers[which].read([number], self._patience)
                total[which] += self._milliseconds(read_page(outcome))
        first, second = (max(each, 1e-3) / len(self._numbers) for each in total)
        self.first_ms.append(first)
        self.second_ms.append(second)
        self.ratios.append(second / first)

    @property
    def is_hopeless(self) -> bool:
        """Whether the second reader is so much slower that further rounds would tell nothing."""
        return bool(self.ratios) and min(self.ratios) > HOPELESS

    @property
    def ratio(self) -> Ratio:
        """The ratio of all rounds so far, of which there is at least one."""
        return Ratio.of(self.ratios)

    def _milliseconds(self, page: ReadPage) -> float:
        return page.ms if self._stage is None else page.stages.get(self._stage, 0.0)
