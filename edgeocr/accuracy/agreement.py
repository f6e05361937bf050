"""Agreement: whether two readings of the same pictures say the same.

One of the readings is the reference, such as that of float32 graphs on the CPU; the other one is
made with another execution provider or in another precision.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Protocol

from .places import Polygon, pairs

# A reading that differs from the reference by more than this isn't right: the share of lines that
# differ, and the mean difference between the scores of the others.
MOST_DIFFERENT = 0.01
MOST_SCORE_DIFFERENCE = 0.02


class Line(Protocol):
    """A line that was read, such as `edgeocr.Line`."""

    @property
    def text(self) -> str:
        """Its text."""

    @property
    def score(self) -> float:
        """How sure the network is of the text, from 0 to 1."""

    @property
    def quad(self) -> Polygon:
        """Its corners, float32 [4, 2], in pixels."""

    @property
    def polygon(self) -> Polygon | None:
        """Its outline, float32 [K, 2], in pixels; None where the quad is all that is known."""


@dataclass(frozen=True)
class Agreement:
    """How many lines two readings of the same pictures have in common.

    Agreements of several pictures can be added up.

    Attributes:
        lines: Lines of the reference.
        found: Lines of the other reading.
        same: Lines that both readings have at the same place, with the same text.
        score_difference: The sum of the differences between the scores of these lines.
    """

    lines: int = 0
    found: int = 0
    same: int = 0
    score_difference: float = 0.0

    def __add__(self, other: Agreement) -> Agreement:
        """Return the agreement over the pictures of both."""
        mine, theirs = asdict(self), asdict(other)
        return Agreement(**{name: mine[name] + theirs[name] for name in mine})

    @property
    def different(self) -> int:
        """Lines that only one reading has, where a line with another text counts once."""
        return max(self.lines, self.found) - self.same

    @property
    def share(self) -> float:
        """The share of lines that are the same, from 0 to 1; 1 if there are none."""
        most = max(self.lines, self.found)
        return self.same / most if most else 1.0

    @property
    def mean_score_difference(self) -> float:
        """The mean difference between the scores of the lines that are the same, from 0 to 1."""
        return self.score_difference / self.same if self.same else 0.0

    def refusal(self) -> str | None:
        """Say by how much the other reading differs if that is too much; None if it isn't."""
        most = max(self.lines, self.found)
        if self.different > MOST_DIFFERENT * most:
            return (
                f"it reads {self.different} of {most} lines differently "
                f"({1 - self.share:.1%}, and at most {MOST_DIFFERENT:.0%} are allowed)"
            )
        if self.mean_score_difference > MOST_SCORE_DIFFERENCE:
            return (
                f"its scores differ by {self.mean_score_difference:.3f} on average "
                f"(at most {MOST_SCORE_DIFFERENCE} is allowed)"
            )
        return None


def agreement(reference: Iterable[Line], other: Iterable[Line]) -> Agreement:
    """Compare two readings of one picture, line by line.

    Lines are at the same place if their outlines overlap with an IoU of at least 0.5. Their texts
    must be equal to the last character.

    Args:
        reference: The lines of the reference, such as a `Page`.
        other: The lines of the other reading.
    """
    lines, found = list(reference), list(other)
    matched = pairs([*map(_outline, lines)], [*map(_outline, found)])
    same = [(lines[i], found[j]) for i, j in matched.items() if lines[i].text == found[j].text]
    return Agreement(
        lines=len(lines),
        found=len(found),
        same=len(same),
        score_difference=sum(abs(one.score - another.score) for one, another in same),
    )


def _outline(line: Line) -> Polygon:
    return line.quad if line.polygon is None else line.polygon
