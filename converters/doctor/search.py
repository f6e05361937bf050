"""Try the common causes of wrong readings, and find those that together explain the labels best."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from edgeocr.errors import EdgeOCRError
from edgeocr.postprocess import bidi

from . import learned
from .changes import Change
from .facts import UNCHANGED, Attempt
from .ways import Codes, Reader, Way

# The largest number of changes that are made together.
MOST_TOGETHER = 3
# A change counts if the pictures that it corrects outnumber those that it spoils by `LEAST_GAIN`,
# and by `DEVIATIONS` standard deviations of the difference between both numbers (McNemar's test).
LEAST_GAIN, DEVIATIONS = 2, 2.0
# Without labels, a change counts if it adds this much to the mean score.
LEAST_SCORE = 0.1
# Without labels, readings with this mean score need no change.
SURE = 0.9
# The group of the change that follows from the labels.
LEARNED = "learned"


@dataclass(frozen=True)
class Outcome:
    """The result of the search.

    Attributes:
        attempts: What was tried: the folder's own settings, and these with each single change.
        best: The indices in `attempts` of the changes that together explain the labels best.
        way: How the network is used with these changes.
        right: For each picture, whether it is then read correctly; None without labels.
    """

    attempts: list[Attempt]
    best: list[int]
    way: Way
    right: list[bool] | None


class Search:
    """Tries changes on crops whose labels may be known."""

    def __init__(self, reader: Reader, labels: Sequence[str] | None) -> None:
        """Prepare the search.

        Args:
            reader: Reads the crops.
            labels: What each crop says; None without labels.
        """
        self._reader, self._labels = reader, labels

    def run(self, own: Way, given: Sequence[Change]) -> Outcome:
        """Try the changes, first each by itself, and then further ones with the best.

        Args:
            own: The way that the folder's own settings describe.
            given: The changes, the likeliest first.

        Raises:
            EdgeOCRError: The network doesn't run in the folder's own way.
        """
        changes = list(given)
        codes = self._reader.codes(own)
        right = self._right(own, codes)
        attempts = [self._attempt("", "", codes, right, right)]
        way = own
        best: list[int] = []
        groups: set[str] = set()
        for step in range(MOST_TOGETHER):
            base, base_codes = right, codes
            candidate: tuple[int, Way, list[Codes], list[bool] | None, str] | None = None
            if step == 0 and (named := self._learned_change(own, codes, right)) is not None:
                changes.append(named)
            for place, change in enumerate(changes, 1):
                changed = None if change.group in groups else change.apply(way)
                if changed is None:
                    if step == 0:
                        attempts.append(Attempt(change.name, change.advice, error=UNCHANGED))
                    continue
                try:
                    tried = self._reader.codes(changed)
                except EdgeOCRError as error:
                    if step == 0:
                        words = " ".join(str(error).split())
                        attempts.append(Attempt(change.name, change.advice, error=f"{words:.200}"))
                    continue
                hits: list[bool] | None
                if change.group == LEARNED and self._labels is not None:
                    labels = in_order_of_reading(way, self._labels)
                    hits = learned.right_with(tried, labels, way.symbols)
                else:
                    hits = self._right(changed, tried)
                if step == 0:
                    attempts.append(self._attempt(change.name, change.advice, tried, hits, base))
                if not self._better(hits, base, tried, base_codes):
                    continue
                if candidate is None or self._better(hits, candidate[3], tried, candidate[2]):
                    candidate = (place, changed, tried, hits, change.group)
            if candidate is None:
                break
            place, way, codes, right, group = candidate
            best.append(place)
            groups.add(group)
            if group in (LEARNED, "characters"):
                groups |= {LEARNED, "characters"}
        return Outcome(attempts, best, way, right)

    def _learned_change(
        self, own: Way, codes: Sequence[Codes], right: Sequence[bool] | None
    ) -> Change | None:
        """Return the change to the characters that the labels show, None if they confirm them."""
        if self._labels is None or right is None:
            return None
        labels = in_order_of_reading(own, self._labels)
        found = learned.differences(learned.learn(codes, labels), own.symbols)
        if not found:
            return None
        name, advice = learned.explanation(found, own.symbols)
        shown = {each.number: each.shown for each in found}

        def apply(way: Way) -> Way:
            symbols = tuple(shown.get(k, each) for k, each in enumerate(way.symbols))
            return Way(way.normalize, way.stage, symbols)

        return Change(LEARNED, name, advice, apply)

    def _right(self, way: Way, codes: Sequence[Codes]) -> list[bool] | None:
        if self._labels is None:
            return None
        return [
            same(way.spelled(each.classes), label)
            for each, label in zip(codes, self._labels, strict=True)
        ]

    def _attempt(
        self,
        name: str,
        advice: str,
        codes: Sequence[Codes],
        right: list[bool] | None,
        base: list[bool] | None,
    ) -> Attempt:
        score = _mean_score(codes)
        if right is None or base is None:
            return Attempt(name, advice, score)
        gained, lost = _differing(right, base)
        return Attempt(name, advice, score, sum(right), gained, lost)

    def _better(
        self,
        right: list[bool] | None,
        base: list[bool] | None,
        codes: Sequence[Codes],
        base_codes: Sequence[Codes],
    ) -> bool:
        if right is None or base is None:
            before = _mean_score(base_codes)
            return before < SURE and _mean_score(codes) >= before + LEAST_SCORE
        gained, lost = _differing(right, base)
        return gained - lost >= max(LEAST_GAIN, DEVIATIONS * math.sqrt(gained + lost))


def same(read: str, label: str) -> bool:
    """Tell whether a reading is the label; spaces at its ends don't count."""
    return read.strip() == label.strip()


def in_order_of_reading(way: Way, labels: Sequence[str]) -> list[str]:
    """Return labels in the order in which the network reads their characters."""
    return [bidi.visual_order(each) if way.stage.visual_order else each for each in labels]


def _mean_score(codes: Sequence[Codes]) -> float:
    return sum(each.score for each in codes) / max(len(codes), 1)


def _differing(right: Sequence[bool], base: Sequence[bool]) -> tuple[int, int]:
    gained = sum(a and not b for a, b in zip(right, base, strict=True))
    lost = sum(b and not a for a, b in zip(right, base, strict=True))
    return gained, lost
