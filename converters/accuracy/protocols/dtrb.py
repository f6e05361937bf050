"""DTRB's protocol: the share of words whose digits and letters a to z are read right.

deep-text-recognition-benchmark (Baek and others 2019) measures so on IIIT, SVT, IC03, IC13, IC15,
SVTP and CUTE with `--data_filtering_off`: texts are put into lower case, and characters other than
digits and the letters a to z are left out of the label, because its networks can't write them. Here
they are left out of what was read, too. The average is over all words of all sets.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein

from edgeocr.accuracy.counts import Counts
from edgeocr.accuracy.score import normalized

OTHERS = re.compile("[^0-9a-z]")


@dataclass
class DtrbScore(Counts):
    """Counts over the words of a set.

    Attributes:
        words: Words.
        right: Words that are right by the benchmark's protocol.
        exact: Words that are right in NFKC and without white space, with case and punctuation.
        edits: Edit distance between the texts in this form.
        characters: Labelled characters in this form.
    """

    words: int = 0
    right: int = 0
    exact: int = 0
    edits: int = 0
    characters: int = 0

    def add(self, labelled: str, read: str) -> None:
        """Count one word."""
        expected, text = normalized(labelled), normalized(read)
        self.words += 1
        self.right += alphanumeric(labelled) == alphanumeric(read)
        self.exact += expected == text
        self.edits += Levenshtein.distance(expected, text)
        self.characters += len(expected)

    def figures(self) -> dict[str, float]:
        """Return the accuracy, the share of exact words, and the character error rate."""
        return {
            "accuracy": self.right / max(self.words, 1),
            "exact": self.exact / max(self.words, 1),
            "cer": self.edits / max(self.characters, 1),
        }


def alphanumeric(text: str) -> str:
    """Return a text's digits and letters a to z, in lower case."""
    return OTHERS.sub("", text.lower())
