"""What texts tell about how they are read: their direction, and whether lines go on."""

from __future__ import annotations

from collections.abc import Sequence
from unicodedata import bidirectional

# The code point at which the blocks of East Asian characters begin in Unicode.
EAST_ASIAN = 0x2E80
# Characters without a part above the x-height, and characters with a part below the baseline.
LOW, HANGING = frozenset("acegmnopqrsuvwxyz.,;:_-"), frozenset("gjpqy,;()/")
# Heights of these parts, as shares of the height of a line's box.
ABOVE, BELOW = 0.2, 0.2


def from_the_right(texts: Sequence[str]) -> bool | None:
    """Return whether most letters are of a script that is read from right to left.

    The result is None if no letter tells: digits and punctuation belong to either direction.
    """
    right = left = 0
    for text in texts:
        if text.isascii():
            left += sum(map(str.isalpha, text))
            continue
        for character in text:
            kind = bidirectional(character)
            right += kind in ("R", "AL")
            left += kind == "L"
    return None if right == left == 0 else right > left


def is_east_asian(text: str) -> bool:
    """Return whether most letters of a text may be written one below the other."""
    letters = [c for c in text if c.isalpha()]
    return bool(letters) and 2 * sum(ord(c) >= EAST_ASIAN for c in letters) >= len(letters)


def goes_on(texts: Sequence[str]) -> float | None:
    """Return the share of lines that seem to continue what the line before them began.

    Where letters have two cases, these are the lines that begin with a small letter; otherwise they
    are the lines of three words or more. The result is None if the texts tell nothing, as is the
    case with scripts without spaces.
    """
    firsts = [next((c for c in text if c.isalnum()), "") for text in texts]
    cased = [c.islower() for c in firsts if c.isupper() or c.islower()]
    if len(cased) >= 3:
        return sum(cased) / len(cased)
    if any(c and ord(c) >= EAST_ASIAN for c in firsts):
        return None
    return sum(text.strip().count(" ") >= 2 for text in texts) / max(len(texts), 1)


def lean(text: str) -> float:
    """Return how far the letters at a text's ends push its box down from left to right.

    "Honey" begins with a letter that rises and ends with one that hangs, so the right side of its
    box stands lower than the left one. The result is the difference of the middles of the two
    sides, as a share of the box's height.
    """
    letters = text.replace(" ", "")
    if len(letters) < 2 or not (letters[0].isascii() and letters[-1].isascii()):
        return 0.0
    first, last = letters[0], letters[-1]
    above = (last in LOW) - (first in LOW)
    below = (last in HANGING) - (first in HANGING)
    return (ABOVE * above + BELOW * below) / 2
