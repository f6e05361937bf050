"""Run a bundle on labelled pictures, and keep what it read beside what is labelled."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from converters.accuracy.labels import LabelledWord, LabelledWords
from converters.accuracy.measure import found
from converters.accuracy.protocols.dtrb import DtrbScore
from converters.accuracy.protocols.icdar import IcdarScore
from edgeocr import OCR, Bundle, EdgeOCRError
from edgeocr.accuracy.labels import LabelledLine
from edgeocr.accuracy.places import Polygon
from edgeocr.accuracy.score import Score
from edgeocr.errors import DatasetError

# Words that are read in one call.
BATCH = 64


@dataclass(frozen=True)
class PageReading:
    """A picture with labelled lines, and what was found in it.

    Attributes:
        path: The picture.
        expected: Its labelled lines.
        found: The outline and text of each line that was found.
    """

    path: Path
    expected: Sequence[LabelledLine]
    found: Sequence[tuple[Polygon, str]]

    @cached_property
    def score(self) -> Score:
        """The picture's score."""
        score = Score()
        score.add(self.expected, self.found)
        return score


@dataclass(frozen=True)
class WordReading:
    """A picture of a word, and what was read."""

    word: LabelledWord
    text: str


def read_pages(
    ocr: OCR, bundle: Bundle, pictures: Iterable[tuple[Path, Sequence[LabelledLine]]]
) -> Iterator[PageReading]:
    """Read pictures one after the other.

    Raises:
        EdgeOCRError: A picture can't be read.
    """
    for path, lines in pictures:
        yield PageReading(path, lines, found(ocr, bundle, path, list(lines)))


def read_words(ocr: OCR, words: LabelledWords) -> Iterator[WordReading]:
    """Recognize pictures of words; nothing is detected in them.

    Raises:
        DatasetError: A picture can't be decoded.
        StageMissingError: The bundle has no recognition.
    """
    for start in range(0, len(words.words), BATCH):
        batch = words.words[start : start + BATCH]
        readings = ocr.recognize([word.content() for word in batch], on_error="return")
        for word, reading in zip(batch, readings, strict=True):
            if isinstance(reading, EdgeOCRError):
                raise DatasetError(Path(words.name, word.name), str(reading)) from reading
            yield WordReading(word, reading.text)


def icdar_score(readings: Iterable[PageReading]) -> IcdarScore:
    """Return the score of pictures by ICDAR 2015's protocol."""
    score = IcdarScore()
    for reading in readings:
        score.add(reading.expected, reading.found)
    return score


def dtrb_score(readings: Iterable[WordReading]) -> DtrbScore:
    """Return the score of words by DTRB's protocol."""
    score = DtrbScore()
    for reading in readings:
        score.add(reading.word.text, reading.text)
    return score
