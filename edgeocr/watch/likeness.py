"""Compare texts that may be readings of the same line."""

from __future__ import annotations

import unicodedata


def likeness(one: str, other: str) -> float:
    """Return how alike two texts are, from 0 to 1: the share of pairs of letters that they share.

    Spaces and upper and lower case make no difference.
    """
    if one == other:
        return 1.0
    pairs, others = _pairs(one), _pairs(other)
    return 2 * len(pairs & others) / (len(pairs) + len(others))


def says_same(one: str, other: str) -> bool:
    """Tell whether two texts differ only in spaces and in the width of characters.

    Whether a space is read, or a wide parenthesis, depends on a pixel or two.
    """
    return one == other or _content(one) == _content(other)


def _content(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split())


def _pairs(text: str) -> set[str]:
    letters = f"\0{''.join(text.casefold().split())}\0"
    return {letters[i : i + 2] for i in range(len(letters) - 1)}
