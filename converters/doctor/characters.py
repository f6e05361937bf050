"""Describe a list of characters, and assign its characters to a network's classes."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..model import dictionary
from .facts import Listed

# The script of letters whose name in Unicode doesn't begin with it, by the first word of the name.
SCRIPTS = {"CJK": "Chinese", "HIRAGANA": "Japanese", "KATAKANA": "Japanese", "HANGUL": "Korean"}


def listed(
    path: Path,
    characters: Sequence[str],
    charset: Mapping[str, Any],
    space: bool,
    *,
    space_assumed: bool = False,
) -> Listed:
    """Describe a list of characters.

    Args:
        path: The file that lists them.
        characters: The characters, without a space that follows them.
        charset: The `charset` fields of the stage, which number the special classes.
        space: Whether a class for the space follows.
        space_assumed: Whether only the network's number of classes says so.
    """
    lines: dict[str, list[int]] = {}
    for number, character in enumerate(characters, 1):
        if not character.strip():
            name = " ".join(f"U+{ord(each):04X}" for each in character) or "empty"
            lines.setdefault(name, []).append(number)
    special = {name: charset[name] for name in dictionary.SPECIAL if charset.get(name) is not None}
    return Listed(
        str(path),
        len(characters),
        special,
        space,
        space_assumed,
        charset["classes"],
        scripts(characters),
        [each for each, number in Counter(characters).items() if number > 1 and each],
        lines,
        [each for each in characters if len(each) > 1],
        path.is_file() and path.read_bytes()[:3] == dictionary.BYTE_ORDER_MARK.encode(),
    )


def scripts(characters: Sequence[str]) -> dict[str, int]:
    """Count the letters of each script, the most frequent script first."""
    counts: Counter[str] = Counter()
    for letter in "".join(characters):
        if unicodedata.category(letter).startswith("L"):
            word = unicodedata.name(letter, "unknown").split()[0].split("-")[0]
            counts[SCRIPTS.get(word, word.capitalize())] += 1
    return dict(counts.most_common())


def symbols(characters: Sequence[str], special: Sequence[int], classes: int) -> tuple[str, ...]:
    """Return the character of each class, "" for special classes and those beyond the list.

    Args:
        characters: The characters in the order of their classes.
        special: The special classes.
        classes: The number of classes.
    """
    left = iter(characters)
    return tuple("" if each in special else next(left, "") for each in range(classes))
