"""Divide a line of text into words."""

from __future__ import annotations

from functools import cache
from unicodedata import east_asian_width


@cache
def is_cjk(character: str) -> bool:
    """Tell whether a character is Chinese, Japanese or Korean, or punctuation as wide as these."""
    return east_asian_width(character) in "WF"


def spans_of_words(text: str) -> list[tuple[int, int]]:
    """Find the words of a line.

    A word ends at a space, and where the script changes between CJK (Chinese, Japanese and Korean)
    and others. A sign such as a colon or a quotation mark belongs to the word before it, or, at the
    beginning of the line or after a space, to the word that follows.

    Args:
        text: The line.

    Returns:
        For each word the index of its first character and of the one after its last.

    >>> [text[begin:end] for begin, end in spans_of_words(text := "Total 合计:28元 (含税)")]
    ['Total', '合计:', '28', '元', '(含税)']
    """
    words: list[tuple[int, int]] = []
    begin, script = 0, None  # where the present word begins, and whether it is in CJK
    for i, character in enumerate(text):
        if character.isspace():
            if begin < i:
                words.append((begin, i))
            begin, script = i + 1, None
        elif (cjk := is_cjk(character)) or character.isalnum():
            if script is not None and cjk != script:
                words.append((begin, i))
                begin = i
            script = cjk
    if begin < len(text):
        words.append((begin, len(text)))
    return words
