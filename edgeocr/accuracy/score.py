"""Score readings: detection's and end-to-end precision, recall and Hmean, CER, and words."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ..errors import MissingLibraryError
from .counts import Counts
from .labels import LabelledLine
from .places import Polygon, pairs, shape_of

# A word is a run of letters and digits.
WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class Matching:
    """Which labelled and found lines of a picture are the same.

    Attributes:
        pairs: Places of found lines, by the places of the labelled lines that they match.
        uncounted: Places of found lines that are neither right nor wrong: they were found on a line
            that must not count, and match no other.
    """

    pairs: dict[int, int]
    uncounted: set[int]


@dataclass
class Score(Counts):
    """Counts over any number of pictures.

    Attributes:
        labelled: Labelled lines that count.
        found: Found lines that count.
        matched: Pairs of a labelled and a found line with an IoU of at least 0.5.
        exact: Pairs whose texts are the same after NFKC and without white space.
        edits: Edit distance between the labelled and the found texts. A labelled line that was not
            found counts as if all its characters were deleted.
        characters: Characters of all labelled lines.
        labelled_words: Words of the labelled lines that count.
        found_words: Words of the found lines that count.
        common_words: Words that are among both the labelled and the found words of a picture,
            wherever they stand in it.
    """

    labelled: int = 0
    found: int = 0
    matched: int = 0
    exact: int = 0
    edits: int = 0
    characters: int = 0
    labelled_words: int = 0
    found_words: int = 0
    common_words: int = 0

    def add(self, labels: Sequence[LabelledLine], found: Sequence[tuple[Polygon, str]]) -> None:
        """Count one picture.

        Args:
            labels: The labelled lines.
            found: The outlines and texts that were found.

        Raises:
            MissingLibraryError: rapidfuzz is not installed.
        """
        edits = edit_distance()
        matching = match(labels, found)
        self.labelled += sum(label.care for label in labels)
        self.found += len(found) - len(matching.uncounted)
        self.matched += len(matching.pairs)
        for i, label in enumerate(labels):
            if not label.care:
                continue
            expected = normalized(label.text)
            text = normalized(found[matching.pairs[i]][1]) if i in matching.pairs else ""
            self.exact += i in matching.pairs and expected == text
            self.edits += edits(expected, text)
            self.characters += len(expected)
        labelled_words = words(label.text for label in labels if label.care)
        found_words = words(
            text for j, (_, text) in enumerate(found) if j not in matching.uncounted
        )
        self.labelled_words += labelled_words.total()
        self.found_words += found_words.total()
        self.common_words += (labelled_words & found_words).total()

    def figures(self) -> dict[str, float]:
        """Return detection's Hmean; precision, recall and Hmean of exact lines; CER; and words.

        CER is the edits divided by the labelled characters, so it can exceed 1. Precision, recall
        and F1 of words don't depend on how words are joined to lines, so they suit receipts, whose
        labels divide lines differently than the detected regions do.
        """
        precision, recall = _ratio(self.exact, self.found), _ratio(self.exact, self.labelled)
        return {
            "detection_hmean": _ratio(2 * self.matched, self.found + self.labelled),
            "precision": precision,
            "recall": recall,
            "hmean": _ratio(2 * self.exact, self.found + self.labelled),
            "cer": _ratio(self.edits, self.characters),
            "word_precision": _ratio(self.common_words, self.found_words),
            "word_recall": _ratio(self.common_words, self.labelled_words),
            "word_f1": _ratio(2 * self.common_words, self.found_words + self.labelled_words),
        }


def match(labels: Sequence[LabelledLine], found: Sequence[tuple[Polygon, str]]) -> Matching:
    """Match the labelled lines of a picture that count with the found ones, best overlaps first."""
    ignored = [shape_of(label.polygon) for label in labels if not label.care]
    counted = [i for i, label in enumerate(labels) if label.care]
    matched = pairs([labels[i].polygon for i in counted], [polygon for polygon, _ in found])
    taken = set(matched.values())
    shapes = [shape_of(polygon) for polygon, _ in found] if ignored else []
    uncounted = {
        j
        for j, shape in enumerate(shapes)
        if j not in taken
        and any(shape.intersection(area).area > shape.area / 2 for area in ignored)
    }
    return Matching({counted[i]: j for i, j in matched.items()}, uncounted)


def edit_distance() -> Callable[[str, str], int]:
    """Return the function that counts the edits (Levenshtein) between two texts.

    Raises:
        MissingLibraryError: rapidfuzz is not installed.
    """
    try:
        from rapidfuzz.distance import Levenshtein
    except ImportError:
        raise MissingLibraryError("rapidfuzz", "bench") from None
    return Levenshtein.distance


def normalized(text: str) -> str:
    """Return a text in NFKC without white space."""
    return "".join(unicodedata.normalize("NFKC", text).split())


def words(texts: Iterable[str]) -> Counter[str]:
    """Count the words of texts: runs of letters and digits in NFKC and in upper case."""
    return Counter(
        word for text in texts for word in WORD.findall(unicodedata.normalize("NFKC", text).upper())
    )


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else 0.0
