"""Learn from labels which character each class stands for, and compare that with a dictionary."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .ways import Codes

# The character of a class counts as known if the class stood for it at least `LEAST` times, and in
# at least the share `SHARE` of all places where the class was read.
LEAST, SHARE = 2, 0.7
# The classes that a message names as examples.
EXAMPLES = 4
# A dictionary that is shifted by more lines is another one, or in another order.
MOST_LINES = 4


@dataclass(frozen=True)
class Difference:
    """A class that stands for another character than the dictionary says.

    Attributes:
        number: The class.
        listed: The character that the dictionary has for it.
        shown: The character that labels show for it.
    """

    number: int
    listed: str
    shown: str


def learn(read: Sequence[Codes], labels: Sequence[str]) -> dict[int, str]:
    """Return the character that each class stands for in the labels, where that is clear.

    Only pictures in which as many characters were read as the label has are used: there, each class
    stands at the place of its character.

    Args:
        read: What was read in each picture.
        labels: What each picture says, in the order in which the network reads.
    """
    return _clear(_seen(read, labels), LEAST)


def _seen(read: Sequence[Codes], labels: Sequence[str]) -> defaultdict[int, Counter[str]]:
    """Count the characters at whose places each class was read."""
    seen: defaultdict[int, Counter[str]] = defaultdict(Counter)
    for codes, label in zip(read, labels, strict=True):
        if len(codes.classes) == len(label):
            for number, character in zip(codes.classes, label, strict=True):
                seen[number][character] += 1
    return seen


def _clear(seen: Mapping[int, Counter[str]], least: int) -> dict[int, str]:
    found = {}
    for number, counts in seen.items():
        for character, count in counts.most_common(1):
            if count >= max(least, SHARE * counts.total()):
                found[number] = character
    return found


def differences(learned: Mapping[int, str], symbols: Sequence[str]) -> list[Difference]:
    """Return the classes for which the dictionary has another character, in ascending order."""
    return [
        Difference(number, symbols[number], shown)
        for number, shown in sorted(learned.items())
        if symbols[number] != shown
    ]


def right_with(read: Sequence[Codes], labels: Sequence[str], symbols: Sequence[str]) -> list[bool]:
    """Tell which pictures are read correctly with the characters that the others' labels show.

    A picture's own label is left out, because it would prove itself right.
    """
    seen, right = _seen(read, labels), []
    for codes, label in zip(read, labels, strict=True):
        own = _seen([codes], [label])
        others = {number: seen[number] - own[number] for number in {*codes.classes}}
        shown = _clear(others, 1)
        right.append("".join(shown.get(each, symbols[each]) for each in codes.classes) == label)
    return right


def explanation(found: Sequence[Difference], symbols: Sequence[str]) -> tuple[str, str]:
    """Say in words how a dictionary differs from the network's, and what to do.

    Args:
        found: The classes that stand for other characters; at least one.
        symbols: The character of each class by the dictionary.
    """
    if all(each.listed.swapcase() == each.shown for each in found):
        case = "small" if found[0].shown.islower() else "capital"
        return (
            f"the network's characters are {case} letters where the dictionary has others",
            "take the dictionary that the network was trained with",
        )
    shift = _shift(found, symbols)
    examples = ", ".join(
        f"class {each.number} is {each.shown!r}, not {each.listed!r}" for each in found[:EXAMPLES]
    )
    if shift is not None:
        by, first = shift
        lines = "a line" if abs(by) == 1 else f"{abs(by)} lines"
        what = f"has {lines} too many" if by > 0 else f"lacks {lines}"
        begins = first == next(number for number, each in enumerate(symbols) if each)
        where = "at its beginning" if begins else f"before class {first}"
        return (
            f"the dictionary {what} {where} ({examples})",
            f"compare it with the dictionary of the training around {found[0].listed!r}",
        )
    return (
        f"{len(found)} of the classes seen stand for other characters than the dictionary says "
        f"({examples})",
        "it is another network's dictionary, or in another order; take the one that the network "
        "was trained with (--charset FILE tries one)",
    )


def _shift(found: Sequence[Difference], symbols: Sequence[str]) -> tuple[int, int] | None:
    """Return by how many lines the dictionary is shifted, and the first class; None if it isn't."""
    places = {each: number for number, each in enumerate(symbols) if each}
    shifts = Counter(places[each.shown] - each.number for each in found if each.shown in places)
    if not shifts:
        return None
    ((by, count),) = shifts.most_common(1)
    is_shift = len(found) > 2 and count >= SHARE * len(found) and abs(by) <= MOST_LINES
    return (by, found[0].number) if is_shift else None
