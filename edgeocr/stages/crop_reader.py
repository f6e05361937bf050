"""Read crops, including those that lie on their side, are upside down, or hold one character."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..crops import Crop
from ..orient import Orienter
from ..recognize import Recognizer
from ..results.lines import Reading
from ..runtime.stopwatch import Stopwatch

# A crop whose score is at least this is taken as it stands, without asking the classifier. Single
# lines that are upside down on an upright page score 0.54 and 0.60 as they stand, and 34 of 1281
# crops from photographs and drawn pages score less than this.
READS_WELL = 0.9
# A tall region may hold a single character up to this many times as high as wide.
TALLEST_CHARACTER = 4.0
# A single character, or one that is repeated, is taken as it stands unless its score is higher by
# this much when it is turned, because many characters resemble others, or themselves, upside down.
CHARACTER_MARGIN = 0.2


@dataclass(frozen=True)
class CropReadings:
    """What was read in crops.

    Attributes:
        readings: The reading of each crop.
        crops: The crops as they were read, turned or not.
        turned: The indices of the crops that were turned by 180 degrees to be read.
    """

    readings: list[Reading]
    crops: list[Crop]
    turned: set[int]


class CropReader:
    """Recognizes and orients crops one by one, on a page that stands upright."""

    def __init__(
        self, recognizer: Recognizer, orienter: Orienter | None, *, split_gaps: bool
    ) -> None:
        """Create a reader.

        Args:
            recognizer: Reads crops.
            orienter: Tells which crops are upside down; None to take them as they stand.
            split_gaps: Whether to divide readings that run over several columns or cells.
        """
        self._recognizer = recognizer
        self._orienter = orienter
        self._split_gaps = split_gaps

    def is_kept(self, reading: Reading) -> bool:
        """Tell whether a reading has a text, and at least the bundle's minimum score."""
        return bool(reading.text.strip()) and reading.score >= self._recognizer.minimum_score

    def recognize(
        self,
        crops: Sequence[Crop],
        watch: Stopwatch,
        *,
        peaks: bool = False,
    ) -> CropReadings:
        """Read crops, and choose between the readings of those that may stand in several ways.

        Args:
            crops: The crops. Tall ones that were laid on their side may hold one character, and are
                also read upright. Those with a low score that the classifier would turn are also
                read turned.
            watch: Records the time of each step.
            peaks: Whether to find the places of the characters.
        """
        standing = {i: crop.turned(270) for i, crop in enumerate(crops) if may_be_character(crop)}
        readings = self._recognizer.recognize(
            [*crops, *standing.values()], watch, peaks=peaks, cut=self._split_gaps
        )
        chosen, others = readings[: len(crops)], iter(readings[len(crops) :])
        turned = self._turned_by_classifier(crops, chosen, watch)
        read, better = list(crops), set()
        again = self._recognizer.recognize(
            list(turned.values()), watch, peaks=peaks, cut=self._split_gaps
        )
        for (i, crop), reading in zip(turned.items(), again, strict=True):
            margin = CHARACTER_MARGIN if is_one_character(chosen[i]) else 0.0
            if reading.score > chosen[i].score + margin:
                chosen[i], read[i] = reading, crop
                better.add(i)
        for i, crop in standing.items():
            reading = next(others)
            if is_character(reading, chosen[i]):
                chosen[i], read[i] = reading, crop
        return CropReadings(chosen, read, better)

    def _turned_by_classifier(
        self, crops: Sequence[Crop], readings: Sequence[Reading], watch: Stopwatch
    ) -> dict[int, Crop]:
        """Turn the crops with a low score that the classifier would turn.

        The classifier makes mistakes with short crops, so what it would turn is read both ways.

        Args:
            crops: The crops.
            readings: What was read in each crop as it stands.
            watch: Records the time of each step.

        Returns:
            The turned crops, by their indices.
        """
        if self._orienter is None:
            return {}
        unsure = [i for i, reading in enumerate(readings) if reading.score < READS_WELL]
        votes = self._orienter.probabilities([crops[i] for i in unsure], watch)
        rotations = self._orienter.rotations(votes)
        return {
            i: crops[i].turned(degrees)
            for i, degrees in zip(unsure, rotations, strict=True)
            if degrees
        }


def may_be_character(crop: Crop) -> bool:
    """Tell whether a crop that was laid on its side may hold a single character."""
    return crop.laid_down and crop.width <= TALLEST_CHARACTER * crop.height


def is_character(standing: Reading, laid_down: Reading) -> bool:
    """Tell whether a crop holds one character, from its readings upright and on its side."""
    return len(standing.text.strip()) == 1 and standing.score + CHARACTER_MARGIN >= laid_down.score


def is_one_character(reading: Reading) -> bool:
    """Tell whether a reading is one character, perhaps repeated."""
    return len(set(reading.text) - {" "}) == 1
