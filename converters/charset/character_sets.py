"""What `freeze --charset` asks for: names of sets, languages, files and characters.

Characters are compared code point by code point, without normalization: a class of a network is
what its dictionary says, and what is read is written as it stands there. Where a network lacks a
character but has one of the same look by NFKC, the error says so.

An entry of a dictionary that is several code points is kept when all of them are wanted.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import TypeAlias

from ..errors import ConverterError
from . import letters

# So many of the missing characters are named, the rest is counted.
NAMED = 10
# The share of a large set that a network may lack and still be said to read the language. Many of
# KS X 1001's syllables hardly occur: PP-OCR's own Korean dictionary lacks a quarter of them.
MOST_MISSING = {"zh-Hans": 0.1, "zh-Hant": 0.1, "ja": 0.1, "ko": 0.3}
# What texts in Latin letters have besides ASCII, from Latin-1 and General Punctuation.
LATIN_SIGNS = "¡¢£¤¥§©ª«¬®°±²³´µ¶·¹º»¼½¾¿×÷ˆ˜‐‑‒–—―‘’‚‛“”„†‡•…‰′″‹›⁄€₹₺₽₿№℠™−"
# What texts in any language have, numbers with units and prices above all.
COMMON_SIGNS = "£¥§©®°±²³×–—‘’“”•…€№™−"
# Full-width ASCII, and what stands in a full-width row beside it.
WIDE_SIGNS = "".join(map(chr, range(0xFF01, 0xFF5F))) + (
    "\u3000、。〃々〈〉《》「」『』【】〔〕〜・￥…—‘’“”"
)
# A name, or what is more likely one misspelt than a list of characters.
NAME = re.compile(r"[a-z]{2,}\d*(-[A-Za-z0-9]+)*|[A-Z][a-z]{2,}|[Zz][Hh]-\w+")
RANGES = re.compile(r"(?:[a-z]-[a-z]|[A-Z]-[A-Z]|[0-9]-[0-9])+")


@dataclass(frozen=True)
class Wanted:
    """The characters of a request.

    required: the network has to know each of them. optional: kept as far as it knows them.
    large: what of → characters, of which it may lack a few.
    """

    required: frozenset[str]
    optional: frozenset[str] = frozenset()
    large: dict[str, frozenset[str]] = field(default_factory=dict)


# What of → characters, a few of which a network may lack, and those of which it may lack any.
Large: TypeAlias = tuple[dict[str, frozenset[str]], frozenset[str]]


def choose(requests: Sequence[str], network: Sequence[str], model: str) -> list[str]:
    """The entries of a network's dictionary that requests are for, all together, in its order.

    requests: each is one of
        digits, ascii, latin: a ready set. latin has all Latin letters that the network knows.
        a language's code in models.toml, such as de or zh-Hans: its letters, small and capital, the
            digits, and of its punctuation, ASCII's, usual signs and the space what the network
            knows; for Chinese, Japanese and Korean the characters of the national standards, where
            the network lacks hardly any of the common ones.
        @FILE: the characters of a UTF-8 text, such as a dictionary of one a line. Line feeds and
            other control characters are none.
        chars:CHARACTERS, or anything else that doesn't look like a name: these characters.
        A space is kept where a set has it, or a file or a list of characters.
    network: its characters in class order, without the special classes.
    model: its name, for errors.

    Raises `ConverterError` for an unknown name, a file that can't be read, and where the network
    lacks what is asked for, naming it.
    """
    known = {code_point for entry in network for code_point in entry}
    wanted: set[str] = set()
    required: set[str] = set()
    for request in requests:
        asked = _understand(request, network)
        _check_large(request, asked, known, model)
        _check_required(request, asked, known, network, model)
        required |= asked.required
        wanted |= asked.required | asked.optional
        wanted |= frozenset[str]().union(*asked.large.values())
    kept = list(dict.fromkeys(entry for entry in network if wanted.issuperset(entry)))
    for character in sorted(required.difference(*kept)):
        entry = next(entry for entry in network if character in entry)
        raise ConverterError(
            f"{model} knows {character} ({_code(character)}) only as part of {entry} "
            f"({_code(entry)}); ask for all of it"
        )
    return kept


def check(requests: Sequence[str]) -> None:
    """Raise `ConverterError` for what `choose` refuses whatever the network knows."""
    for request in requests:
        _understand(request, ())


def _understand(request: str, network: Sequence[str]) -> Wanted:
    if request.startswith("@"):
        return _of_text(request, _read(Path(request[1:])))
    if request.startswith("chars:"):
        return _of_text(request, request.removeprefix("chars:"))
    sets = {**READY, **dict.fromkeys(languages(), _language)}
    if request in sets:
        return sets[request](request, network)
    if request in letters.unlisted():
        raise ConverterError(
            f"--charset {request}: the letters of this language are not known here; list them in a "
            "file and say @FILE"
        )
    same = [name for name in sets if name.lower() == request.lower()]
    if same or NAME.fullmatch(request) or RANGES.fullmatch(request):
        scripts = [name for name in sets if name.startswith(f"{request}-")]
        close = same or scripts or get_close_matches(request, sets, n=3)
        hint = f"; did you mean {', '.join(close)}?" if close else "."
        raise ConverterError(
            f"--charset {request}: no set and no language of models.toml{hint} The sets are "
            f"{', '.join(READY)}. For these characters themselves say chars:{request}, for those "
            "in a text file @FILE"
        )
    return _of_text(request, request)


def languages() -> list[str]:
    """The codes that `choose` knows."""
    return sorted([*letters.load(), *LARGE])


def _of_text(request: str, text: str) -> Wanted:
    characters = frozenset(each for each in text if unicodedata.category(each) != "Cc")
    if not characters:
        raise ConverterError(f"--charset {request}: no characters in it")
    return Wanted(characters)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise ConverterError(f"--charset @{path}: can't be read as UTF-8 text: {error}") from error


def _digits(request: str, network: Sequence[str]) -> Wanted:
    return Wanted(frozenset(string.digits))


def _ascii(request: str, network: Sequence[str]) -> Wanted:
    alphanumeric = frozenset(string.ascii_letters + string.digits)
    return Wanted(alphanumeric, frozenset(string.punctuation + " "))


def _latin(request: str, network: Sequence[str]) -> Wanted:
    plain = _ascii(request, network)
    return Wanted(plain.required, plain.optional.union(LATIN_SIGNS, filter(_is_latin, network)))


def _is_latin(entry: str) -> bool:
    """Whether it is a letter, so not a full-width one, a unit or a cross."""
    return all(
        unicodedata.category(each)[0] == "L" and unicodedata.name(each, "").startswith("LATIN ")
        for each in entry
    )


def _language(request: str, network: Sequence[str]) -> Wanted:
    optional = set(string.punctuation + " " + COMMON_SIGNS)
    if request in LARGE:
        large, more = LARGE[request]()
        return Wanted(
            frozenset(string.digits),
            frozenset(optional.union(string.ascii_letters, WIDE_SIGNS, more)),
            large,
        )
    listed = letters.load()[request]
    optional.update(listed.others)
    if any(map(_is_latin, listed.letters)):
        # Names and addresses have letters that the language hasn't.
        optional.update(string.ascii_letters)
    return Wanted(frozenset(listed.letters + string.digits), frozenset(optional))


READY: dict[str, Callable[[str, Sequence[str]], Wanted]] = {
    "digits": _digits,
    "ascii": _ascii,
    "latin": _latin,
}


def _rows(codec: str, first: int, last: int, cells: Iterable[int] = range(0xA1, 0xFF)) -> str:
    """The characters of a national standard's rows, which are the first of two bytes."""
    pairs = (bytes([row, cell]) for row in range(first, last + 1) for cell in cells)
    return "".join(pair.decode(codec, "ignore") for pair in pairs)


@cache
def _simplified() -> Large:
    """Level 1 of GB 2312 has to be known, level 2 is seldom printed."""
    level_1, level_2 = _rows("gb2312", 0xB0, 0xD7), _rows("gb2312", 0xD8, 0xF7)
    return {"hanzi of GB 2312, level 1": frozenset(level_1)}, frozenset(level_2)


@cache
def _traditional() -> Large:
    """Level 1 of Big5 has to be known, level 2 is seldom printed."""
    cells = [*range(0x40, 0x7F), *range(0xA1, 0xFF)]
    both = _rows("big5", 0xA4, 0xF9, cells)
    level_1, level_2 = both[:5401], both[5401:]
    ideographs = frozenset(each for each in level_2 if unicodedata.category(each) == "Lo")
    return {"hanzi of Big5, level 1": frozenset(level_1)}, ideographs


@cache
def _japanese() -> Large:
    """Kana and level 1 of JIS X 0208 have to be known, level 2 is for names and old texts."""
    kana = frozenset(_rows("euc_jp", 0xA4, 0xA5) + "ー々")
    level_1, level_2 = _rows("euc_jp", 0xB0, 0xCF), _rows("euc_jp", 0xD0, 0xF4)
    large = {"kana": kana, "kanji of JIS X 0208, level 1": frozenset(level_1)}
    return large, frozenset(level_2 + "ゝゞヽヾ〆")


@cache
def _korean() -> Large:
    """Of the syllables that the standard doesn't have none is common."""
    syllables = frozenset(_rows("euc_kr", 0xB0, 0xC8))
    jamo = frozenset(_rows("euc_kr", 0xA4, 0xA4))
    others = frozenset(map(chr, range(0xAC00, 0xD7A4)))
    return {"syllables of KS X 1001": syllables}, jamo | others


LARGE: dict[str, Callable[[], Large]] = {
    "zh-Hans": _simplified,
    "zh-Hant": _traditional,
    "ja": _japanese,
    "ko": _korean,
}


def _check_large(request: str, asked: Wanted, known: set[str], model: str) -> None:
    for what, characters in asked.large.items():
        missing = characters - known
        if len(missing) > MOST_MISSING[request] * len(characters):
            raise ConverterError(
                f"{model} does not read {request}: of the {len(characters)} {what} it lacks "
                f"{len(missing)}, such as {' '.join(sorted(missing)[:NAMED])}"
            )


def _check_required(
    request: str, asked: Wanted, known: set[str], network: Sequence[str], model: str
) -> None:
    missing = sorted(asked.required - known)
    if not missing:
        return
    by_look = {unicodedata.normalize("NFKC", entry): entry for entry in network}
    named = [_named(character, by_look) for character in missing[:NAMED]]
    more = f" and {len(missing) - NAMED} more" if len(missing) > NAMED else ""
    raise ConverterError(
        f"{model} does not know what --charset {request} asks for: {', '.join(named)}{more}. "
        "Take another model, or list what you need in a file and say @FILE"
    )


def _named(character: str, by_look: dict[str, str]) -> str:
    found = f"{character} ({_code(character)})"
    same = by_look.get(unicodedata.normalize("NFKC", character))
    if same is None:
        return found
    return f"{found[:-1]}; it has {same}, {_code(same)}, which looks the same)"


def _code(text: str) -> str:
    return " ".join(f"U+{ord(each):04X}" for each in text)
