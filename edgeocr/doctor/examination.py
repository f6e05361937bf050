"""The whole examination of `edgeocr doctor`: the facts and the findings."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from .collect import collect
from .facts import Facts
from .findings import Recommended, hints, problems, recommend


@dataclass(frozen=True)
class Examination:
    """Facts about the machine, and what follows from them.

    Attributes:
        facts: What was found.
        recommended: The provider and the number of threads that fit best.
        problems: What keeps edgeocr from reading or from using a GPU, and how to fix it.
        hints: What could be better or makes times doubtful, and what to do about it.
    """

    facts: Facts
    recommended: Recommended
    problems: list[str]
    hints: list[str]

    def to_dict(self) -> dict[str, Any]:
        """Return what `edgeocr doctor --json` prints."""
        return {
            **self.facts.to_dict(),
            "recommended": asdict(self.recommended),
            "problems": self.problems,
            "hints": self.hints,
        }


def examine(bundle: str | None = None) -> Examination:
    """Examine the machine, the installed packages and a bundle.

    Args:
        bundle: Path of the bundle; by default the one in the package.
    """
    return conclude(collect(bundle))


def conclude(facts: Facts) -> Examination:
    """Return what follows from the facts, without a further look at the machine."""
    return Examination(facts, recommend(facts), problems(facts), hints(facts))
