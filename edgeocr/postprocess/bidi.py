"""Convert lines of right-to-left scripts from the order in which they are drawn to reading order.

A network reads a picture from left to right, so a line of Arabic or Hebrew comes out in visual
order: its last letter first, numbers and Latin words inside it as they are. Programs store text in
logical order, in which it is spoken and typed. The Unicode bidirectional algorithm (UAX #9)
converts logical to visual order. `visual_order` applies it to lines without control characters,
which no network reads, and `logical_order` inverts it.

The inverse is not unique. Where several texts are drawn alike, `logical_order` returns the one that
keeps Latin words and numbers in the order in which they stand in the picture. In a line of Arabic,
for example, the texts "iPhone 15" and "15 iPhone" are both drawn as "iPhone 15", which is returned
as it is. Some orders, such as "15 iPhone" as drawn, belong to no text without control characters;
these stay as they are, too. Four kinds of lines are ambiguous:

- a number beside a Latin word;
- brackets that hold a Latin word beside another one;
- a line that begins and ends with Latin words, whose paragraph may have either direction;
- a line that was set with control characters, which cannot be seen: if they put the groups of a
  telephone number in order from left to right, the groups are taken for numbers that follow each
  other from right to left.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from typing import Literal, TypeAlias

Direction: TypeAlias = Literal["left-to-right", "right-to-left"]

# Pairs of characters that open and close something, which UAX #9 keeps together (rule N0).
BRACKETS = "()[]{}⁅⁆⁽⁾₍₎⟦⟧⟨⟩⟪⟫⦅⦆〈〉《》「」『』【】〔〕〖〗〘〙〚〛﹙﹚﹛﹜﹝﹞（）［］｛｝｟｠｢｣"
# Further pairs. In text that runs from right to left, one is drawn as the other (rule L4).
MIRRORED = BRACKETS + "<>«»‹›≤≥≪≫＜＞"
_CLOSING = dict(zip(BRACKETS[::2], BRACKETS[1::2], strict=True))
_OPENING = {closing: opening for opening, closing in _CLOSING.items()}
_MIRROR = dict(zip(MIRRORED[::2], MIRRORED[1::2], strict=True))
_MIRROR |= {closing: opening for opening, closing in _MIRROR.items()}

# The most brackets that may be open at the same time (BD16).
_DEEPEST = 63
# The most times that an order is corrected. Random characters need at most four corrections; an
# order in which no text is drawn alternates for ever.
_CORRECTIONS = 8
# A line that begins and ends with Latin words is taken for a Latin line with words of another
# script in it only if it has more than this many times as many Latin letters as others, because
# most lines that a network for Arabic reads are in Arabic paragraphs.
_LATIN_MAJORITY = 3


def logical_order(visual: str, direction: Direction | None = None) -> str:
    """Convert a line from visual to logical order.

    Args:
        visual: The characters of one line from left to right, brackets as they look.
        direction: The direction of the paragraph that the line is in. By default, it is the result
            of `direction_of`, and a line that has neither right-to-left letters nor Arabic-Indic
            digits stays as it is.

    Returns:
        The characters in reading order, brackets as they are stored.
    """
    return in_logical_order(visual, direction)[0]


def in_logical_order(visual: str, direction: Direction | None = None) -> tuple[str, list[int]]:
    """Convert a line from visual to logical order, and tell where each character was.

    Args:
        visual: As for `logical_order`.
        direction: As for `logical_order`.

    Returns:
        The characters in reading order, and for each of them its index in `visual`.
    """
    types = [_type(character) for character in visual]
    if direction is None and not {"R", "AL", "AN"} & set(types):
        return visual, list(range(len(visual)))
    base = _level(direction_of(visual) if direction is None else direction)
    guess = levels = _guess(visual, types, base)
    for _ in range(_CORRECTIONS):
        # If the text that results from these levels has the same levels, it is drawn as seen.
        order = _order(levels, base, to_visual=False)
        found = _levels(_mirrored([visual[i] for i in order], [levels[i] for i in order]), base)
        corrected = levels.copy()
        for i, level in zip(order, found, strict=True):
            corrected[i] = level
        if corrected == levels:
            break
        levels, before = corrected, levels
    else:
        # Whatever still alternates stays as it stands.
        for start, end in _spans(types, base):
            if levels[start:end] != before[start:end]:
                levels[start:end] = guess[start:end]
    order = _order(levels, base, to_visual=False)
    text = "".join(_mirrored([visual[i] for i in order], [levels[i] for i in order]))
    return text, order


def visual_order(logical: str, direction: Direction = "right-to-left") -> str:
    """Convert a line from logical to visual order, as UAX #9 does.

    Args:
        logical: The characters of one line in reading order, without control characters.
        direction: The direction of the paragraph that the line is in.

    Returns:
        The characters from left to right, brackets as they look.
    """
    base = _level(direction)
    levels = _levels(logical, base)
    characters = _mirrored(logical, levels)
    return "".join(characters[i] for i in _order(levels, base, to_visual=True))


def direction_of(text: str) -> Direction:
    """Return the direction of the paragraph that a line of a right-to-left script is probably in.

    It is "right-to-left", unless the line begins and ends with left-to-right letters and has more
    than three times as many of these as of other letters.

    Args:
        text: The line in visual or logical order.
    """
    letters = [each for each in map(_type, text) if each in ("L", "R", "AL")]
    left = letters.count("L")
    between_latin = letters[:1] == letters[-1:] == ["L"]
    if between_latin and left > _LATIN_MAJORITY * (len(letters) - left):
        return "left-to-right"
    return "right-to-left"


def is_right_to_left(text: str) -> bool:
    """Tell whether a text has letters of a right-to-left script."""
    return any(_type(character) in ("R", "AL") for character in text)


def _type(character: str) -> str:
    """Return the bidirectional class; "L" for a character that Python does not know."""
    return unicodedata.bidirectional(character) or "L"


def _level(direction: Direction) -> int:
    return 1 if direction == "right-to-left" else 0


def _mirrored(characters: Sequence[str], levels: Sequence[int]) -> list[str]:
    """Replace brackets that stand from right to left by their counterparts (rule L4)."""
    return [
        _MIRROR.get(character, character) if level % 2 else character
        for character, level in zip(characters, levels, strict=True)
    ]


def _order(levels: Sequence[int], base: int, *, to_visual: bool) -> list[int]:
    """Return the indices of characters in the other order (rule L2).

    Args:
        levels: The level of each character, in the present order.
        base: The level of the paragraph.
        to_visual: Whether the present order is the logical one.
    """
    order = list(range(len(levels)))
    steps = range(max(1, base), max(levels, default=0) + 1)
    for least in reversed(steps) if to_visual else steps:
        start = 0
        while start < len(order):
            end = start
            while end < len(order) and levels[order[end]] >= least:
                end += 1
            order[start:end] = order[start:end][::-1]
            start = end + 1
    return order


def _guess(visual: str, types: Sequence[str], base: int) -> list[int]:
    """Return levels under which words, numbers and the characters between them keep their order."""
    levels = [base] * len(types)
    inner = {"L", "EN", "AN"} if base else {"R", "AL"}
    for start, end in _spans(types, base):
        places = [i for i in range(start, end) if types[i] in inner]
        if not places:
            continue
        first, last = places[0], places[-1] + 1
        # A sign beside a number belongs to it, and a bracket belongs to its counterpart if that
        # stands between the words.
        between = set(visual[first:last])
        while last < end and (
            types[last] == "NSM"
            or (types[last] == "ET" and types[last - 1] in ("EN", "ET"))
            or _OPENING.get(visual[last]) in between
        ):
            last += 1
        while first > start and (
            (types[first - 1] == "ET" and types[first] in ("EN", "ET"))
            or _CLOSING.get(visual[first - 1]) in between
        ):
            first -= 1
        for i in range(first, last):
            levels[i] = base + 1
            if not base and types[i] in ("EN", "AN"):
                levels[i] = 2
    return levels


def _spans(types: Sequence[str], base: int) -> Iterator[tuple[int, int]]:
    """Yield the start and end of each run between letters of the paragraph's direction."""
    outer = ("R", "AL") if base else ("L",)
    start = 0
    for i, each in enumerate([*types, outer[0]]):
        if each in outer:
            if i > start:
                yield start, i
            start = i + 1


def _levels(text: Sequence[str], base: int) -> list[int]:
    """Return the level of each character of a text in logical order (rules W1 to I2)."""
    original = [_type(character) for character in text]
    types = _weak_types(original, base)
    _resolve_brackets(text, types, original, base)
    _resolve_neutrals(types, base)
    if base:
        return [1 if each == "R" else 2 for each in types]
    return [{"L": 0, "R": 1}.get(each, 2) for each in types]


def _weak_types(original: Sequence[str], base: int) -> list[str]:
    """Resolve combining marks, digits, and signs beside digits (rules W1 to W7)."""
    outer = "R" if base else "L"
    types: list[str] = []
    strong = outer
    for each in original:
        if each == "NSM":
            each = types[-1] if types else outer
        if each in ("L", "R", "AL"):
            strong = each
        types.append("AN" if each == "EN" and strong == "AL" else each)
    types = ["R" if each == "AL" else each for each in types]
    for i in range(1, len(types) - 1):
        before, after = types[i - 1], types[i + 1]
        if before == after and (
            (types[i] == "CS" and before in ("EN", "AN")) or (types[i] == "ES" and before == "EN")
        ):
            types[i] = before
    for indices in (range(len(types)), reversed(range(len(types)))):
        beside = False
        for i in indices:
            beside = types[i] == "EN" or (beside and types[i] == "ET")
            if beside:
                types[i] = "EN"
    strong = outer
    for i, each in enumerate(types):
        if each in ("L", "R"):
            strong = each
        elif each == "EN" and strong == "L":
            types[i] = "L"
        elif each not in ("EN", "AN"):
            types[i] = "ON"
    return types


def _direction_of(resolved: str) -> str | None:
    """Return the direction that a type gives to neutral characters: numbers count as "R"."""
    return {"L": "L", "R": "R", "EN": "R", "AN": "R"}.get(resolved)


def _resolve_brackets(
    text: Sequence[str], types: list[str], original: Sequence[str], base: int
) -> None:
    """Give the two brackets of each pair the same direction (rule N0)."""
    outer = "R" if base else "L"
    for opening, closing in sorted(_pairs(text, types)):
        inside = {_direction_of(each) for each in types[opening + 1 : closing]} - {None}
        if not inside:
            continue
        direction = outer
        if outer not in inside:
            before = (
                found for i in range(opening - 1, -1, -1) if (found := _direction_of(types[i]))
            )
            direction = next(before, outer)
        for place in (opening, closing):
            types[place] = direction
            for i in range(place + 1, len(types)):
                if original[i] != "NSM":
                    break
                types[i] = direction


def _pairs(text: Sequence[str], types: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Yield the places of brackets that belong together (definition BD16)."""
    opened: list[tuple[str, int]] = []
    for i, character in enumerate(text):
        if types[i] != "ON":
            continue
        if character in _CLOSING:
            if len(opened) == _DEEPEST:
                return
            opened.append((_CLOSING[character], i))
        elif character in _OPENING:
            for k in reversed(range(len(opened))):
                if opened[k][0] == character:
                    yield opened[k][1], i
                    del opened[k:]
                    break


def _resolve_neutrals(types: list[str], base: int) -> None:
    """Give neutral characters the direction of both neighbours, or the paragraph's (N1 and N2)."""
    outer = "R" if base else "L"
    before, start = outer, 0
    for i in range(len(types) + 1):
        after = outer if i == len(types) else _direction_of(types[i])
        if after is None:
            continue
        types[start:i] = [before if before == after else outer] * (i - start)
        before, start = after, i + 1
