"""Vote on the text of a line that was read in several frames."""

from __future__ import annotations

from dataclasses import dataclass

# The weight of a reading is its score to this power, so that one with a high score outweighs
# several with low ones.
SHARPNESS = 8
# A text that was reported is corrected once at least CORRECTING readings, and at least MAJORITY of
# all readings, agree on another one.
CORRECTING, MAJORITY = 3, 0.6
# A text is certain once AGREEING readings agree on it, or after ENOUGH readings in any case.
AGREEING, ENOUGH = 2, 4
# The texts of which the readings are remembered. A line that flickers for days has many more.
MOST_CANDIDATES = 16


@dataclass
class _Candidate:
    """One of the texts that were read in a line.

    Attributes:
        count: How often this text was read.
        weight: The sum of the readings' weights.
        scores: The sum of the readings' scores.
    """

    count: int = 0
    weight: float = 0.0
    scores: float = 0.0


class Votes:
    """The readings of one line while its text was the same."""

    def __init__(self) -> None:
        """Start without readings."""
        self._candidates: dict[str, _Candidate] = {}
        self.count = 0

    def add(self, text: str, score: float) -> None:
        """Add a reading."""
        candidate = self._candidates.setdefault(text, _Candidate())
        candidate.count += 1
        candidate.weight += score**SHARPNESS
        candidate.scores += score
        self.count += 1
        if len(self._candidates) > MOST_CANDIDATES:
            others = (other for other in self._candidates if other != text)
            del self._candidates[min(others, key=lambda other: self._candidates[other].weight)]

    @property
    def text(self) -> str:
        """The text with the greatest weight."""
        return max(self._candidates, key=lambda text: self._candidates[text].weight)

    @property
    def score(self) -> float:
        """The mean score of the readings of this text."""
        candidate = self._candidates[self.text]
        return candidate.scores / candidate.count

    @property
    def agreeing(self) -> int:
        """How many readings have this text."""
        return self._candidates[self.text].count

    def are_sure(self, doubts: int = 0) -> bool:
        """Tell whether enough readings agree, or there are so many that more would not help.

        Args:
            doubts: How many more readings than usual have to agree.
        """
        return self.agreeing >= AGREEING + doubts or self.count >= ENOUGH + 2 * doubts

    @property
    def have_majority(self) -> bool:
        """Whether the readings agree well enough to correct what was reported."""
        return self.agreeing >= max(CORRECTING, MAJORITY * self.count)

    @property
    def is_settled(self) -> bool:
        """Whether so many readings agree that another one would not change the text."""
        return self.agreeing > ENOUGH and 2 * self.agreeing > self.count
