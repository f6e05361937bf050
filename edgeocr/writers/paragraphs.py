"""Join the lines of a paragraph, as someone who types it would."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from ..postprocess.words import is_cjk
from .level_block import LevelBlock

# A block is a paragraph if at least this share of its lines, without the last one, is full, and if
# the lines are at least this wide on average, in narrow characters; East Asian characters count
# twice.
FULL, WIDE = 0.6, 20
# How far lines of a paragraph begin from its left edge at most, and how far the first one may be
# indented, in heights of a line.
STRAY, INDENT = 0.8, 4.0
HYPHENS = frozenset("-\N{HYPHEN}\N{SOFT HYPHEN}¬")
# Hangul is as wide as Chinese characters, but has spaces between its words.
HANGUL = (("\u1100", "\u11ff"), ("\u3130", "\u318f"), ("\uac00", "\ud7ff"))


def joined(block: LevelBlock, members: Sequence[int]) -> list[str]:
    """Return lines as rows: in a paragraph, the line after a full line goes on in the same row.

    Args:
        block: The block that the lines belong to.
        members: The indices of the lines, which stand one below the other.
    """
    texts = [block.lines[i].text for i in members]
    full = _full(block, members)
    if not _is_paragraph(block, members, full):
        return texts
    rows = [texts[0]]
    for text, goes_on in zip(texts[1:], full, strict=True):
        if goes_on:
            rows[-1] = join(rows[-1], text)
        else:
            rows.append(text)
    return rows


def join(one: str, other: str) -> str:
    """Join two lines of running text.

    A hyphen between two parts of a word is removed. Chinese and Japanese lines get no space in
    between.
    """
    if one[-1:] in HYPHENS and one[-2:-1].isalpha() and other[:1].islower():
        return one[:-1] + other
    spaceless = _has_no_spaces(one[-1:]) or _has_no_spaces(other[:1])
    return f"{one}{other}" if spaceless else f"{one} {other}"


def width_of(text: str) -> int:
    """Return the width of a text in narrow characters."""
    return sum(2 if is_cjk(each) else 1 for each in text)


def _full(block: LevelBlock, members: Sequence[int]) -> list[bool]:
    """Return for each line but the last whether the next line's first word wouldn't fit into it."""
    boxes = block.boxes[list(members)]
    end = boxes[:, 2].max()
    return [
        bool(end - boxes[i, 2] <= needed + block.height / 2)
        for i, needed in enumerate(_first_words(block, members[1:]))
    ]


def _first_words(block: LevelBlock, members: Sequence[int]) -> Iterator[float]:
    """Yield how wide the first word of each line is; where there are no spaces, a character."""
    for i in members:
        text = block.lines[i].text
        word = text.split(" ", 1)[0]
        if _has_no_spaces(word[:1]):
            word = word[:1]
        left, _, right, _ = block.boxes[i].tolist()
        yield (right - left) * width_of(word) / max(width_of(text), 1)


def _is_paragraph(block: LevelBlock, members: Sequence[int], full: Sequence[bool]) -> bool:
    if not full:
        return False
    lefts = block.boxes[list(members), 0]
    edge = float(np.median(lefts[1:]))
    height = block.height
    aligned = bool((np.abs(lefts[1:] - edge) <= STRAY * height).all())
    begins = -STRAY * height <= lefts[0] - edge <= INDENT * height
    wide = np.mean([width_of(block.lines[i].text) for i in members]) >= WIDE
    return aligned and begins and bool(wide) and sum(full) >= FULL * len(full)


def _has_no_spaces(character: str) -> bool:
    """Tell whether a character is of a script without spaces between words."""
    hangul = any(first <= character <= last for first, last in HANGUL)
    return bool(character) and is_cjk(character) and not hangul
