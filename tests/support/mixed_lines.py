"""Draw random lines of Hebrew or Arabic with numbers, Latin words and punctuation in between."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Literal, TypeAlias

Script: TypeAlias = Literal["hebrew", "arabic", "persian"]

HEBREW = "אבגדהוזחטיכלמנסעפצקרשת"
ARABIC = "ابتثجحخدذرزسشصضطظعغفقكلمنهوي"
PERSIAN = ARABIC + "پچژگ"
HEBREW_MARKS = "\u05b0\u05b4\u05b7\u05b8\u05bc"
ARABIC_MARKS = "\u064b\u064e\u064f\u0650\u0651\u0652"
LATIN = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZéÉ"
DIGITS = {
    "hebrew": ["0123456789"],
    "arabic": ["0123456789", "٠١٢٣٤٥٦٧٨٩"],
    "persian": ["۰۱۲۳۴۵۶۷۸۹", "0123456789"],
}
BRACKETS = (("(", ")"), ("[", "]"), ("«", "»"), ("{", "}"))


def words(rng: random.Random, script: Script) -> str:
    """Return one to three words of a right-to-left script, some of them with marks or a comma."""
    letters = {"hebrew": HEBREW, "arabic": ARABIC, "persian": PERSIAN}[script]
    marks = HEBREW_MARKS if script == "hebrew" else ARABIC_MARKS
    dense = rng.random() < 0.2
    found = [
        "".join(
            letter + (rng.choice(marks) if dense and rng.random() < 0.5 else "")
            for letter in rng.choices(letters, k=rng.randint(1, 8))
        )
        for _ in range(rng.randint(1, 3))
    ]
    return rng.choice((" ", " ", ", " if script == "hebrew" else "، ", " - ", "-")).join(found)


def latin(rng: random.Random) -> str:
    """Return one to three Latin words, a name with a number, or an address."""

    def word() -> str:
        return "".join(rng.choices(LATIN, k=rng.randint(1, 8)))

    kind = rng.randrange(5)
    if kind == 0:
        return f"{word()} {rng.randint(1, 9999)}"
    if kind == 1:
        return f"{word()}.{word()}@{word()}.com"
    if kind == 2:
        return f"{word()}{rng.choice('-/_')}{rng.randint(1, 99)}"
    return " ".join(word() for _ in range(rng.randint(1, 3)))


def number(rng: random.Random, script: Script) -> str:
    """Return a number, price, share, date, time, range or telephone number."""
    pattern = rng.choice(
        ("#", "####", "#,###.##", "##.#", "##%", "$##", "##/##/####", "##:##", "##-##", "### ####")
    )
    digits = rng.choice(DIGITS[script])
    return "".join(rng.choice(digits) if each == "#" else each for each in pattern)


def line(rng: random.Random, script: Script) -> str:
    """Return a line of a right-to-left paragraph in logical order.

    It begins with a word of the script, and one stands between any number and a Latin word, since
    the order of those can't be seen. `ambiguous_line` has no such limits.
    """
    parts = [words(rng, script)]
    for _ in range(rng.randint(0, 4)):
        kind = rng.randrange(4)
        part = (words(rng, script), latin(rng), number(rng, script), number(rng, script))[kind]
        if rng.random() < 0.2:
            opening, closing = rng.choice(BRACKETS)
            part = f"{opening}{part}{closing}"
        parts += [part, words(rng, script)] if kind else [part]
    return _punctuated(rng, parts)


def ambiguous_line(rng: random.Random, script: Script) -> str:
    """Return a line whose parts follow each other in any order; it may begin with any of them."""
    kinds = (words(rng, script), latin(rng), number(rng, script), number(rng, script))
    parts = [words(rng, script), *rng.choices(kinds, k=rng.randint(1, 4))]
    rng.shuffle(parts)
    return _punctuated(rng, parts)


def _punctuated(rng: random.Random, parts: Sequence[str]) -> str:
    text = parts[0]
    for part in parts[1:]:
        text += rng.choice((" ", " ", " ", ", ", ": ", " - ", ". ")) + part
    return text + rng.choice(("", "", ".", "!", ":", "..."))
