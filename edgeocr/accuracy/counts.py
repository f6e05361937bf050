"""Counts that can be added up: the base of the scores of different protocols."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Self


@dataclass
class Counts:
    """Counts of one picture or of many, which can be added up."""

    @classmethod
    def total(cls, scores: Iterable[Self]) -> Self:
        """Return the sums of the counts of several scores."""
        counts = [astuple(score) for score in scores]
        return cls(*map(sum, zip(*counts, strict=True)))
