"""Score the words of pictures, wherever they stand: precision, recall and F1."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

# A word is a run of letters and digits.
WORD = re.compile(r"[^\W_]+")


@dataclass
class WordScore:
    """Counts over any number of pictures.

    A picture's words are a multiset of upper-case runs of letters and digits. This is how receipts
    are scored whose labels and regions divide lines differently.

    Attributes:
        labelled: Labelled words.
        found: Found words.
        common: Words that are both; of repeated ones as many as there are in both.
    """

    labelled: int = 0
    found: int = 0
    common: int = 0

    def add(self, labelled: Iterable[str], found: Iterable[str]) -> None:
        """Count one picture, given its labelled and its found texts."""
        expected, read = _words(labelled), _words(found)
        self.labelled += expected.total()
        self.found += read.total()
        self.common += (expected & read).total()

    def figures(self) -> dict[str, float]:
        """Return precision, recall and F1 of words."""
        return {
            "word_precision": self.common / max(1, self.found),
            "word_recall": self.common / max(1, self.labelled),
            "word_f1": 2 * self.common / max(1, self.labelled + self.found),
        }


def _words(texts: Iterable[str]) -> Counter[str]:
    """Return how often each word is in texts."""
    text = unicodedata.normalize("NFKC", "\n".join(texts)).upper()
    return Counter(WORD.findall(text))
