"""Understand what `freeze --charset` asks for: names of sets, languages, files and characters.

Characters are compared code point by code point, without normalization: a class of a network is
what its dictionary says, and recognized text contains it unchanged. Where a network lacks a
character but knows one that looks the same by NFKC, the error names that one.

A dictionary entry of several code points is kept when all of them are wanted.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from ..errors import ConverterError
from . import languages

# An error names at most this many missing characters and counts the rest.
NAMED = 10
# The share of a standard's common characters that a network may lack and still count as reading the
# language. Many syllables of KS X 1001 hardly occur: PP-OCR's own Korean dictionary lacks a quarter
# of them.
MOST_MISSING = {"zh-Hans": 0.1, "zh-Hant": 0.1, "ja": 0.1, "ko": 0.3}
# What texts in Latin letters contain besides ASCII, from Latin-1 and General Punctuation.
LATIN_SIGNS = "¡¢£¤¥§©ª«¬®°±²³´µ¶·¹º»¼½¾¿×÷ˆ˜‐‑‒–—―‘’‚‛“”„†‡•…‰′″‹›⁄€₹₺₽₿№℠™−"
# What texts in any language contain, mostly numbers with units and prices.
COMMON_SIGNS = "£¥§©®°±²³×–—‘’“”•…€№™−"
# Full-width ASCII, and what is printed beside it in East Asian text.
WIDE_SIGNS = "".join(map(chr, range(0xFF01, 0xFF5F))) + (
    "\u3000、。〃々〈〉《》「」『』【】〔〕〜・￥…—‘’“”"
)
# A name, or what is more likely a misspelt name than a list of characters.
NAME = re.compile(r"[a-z]{2,}\d*(-[A-Za-z0-9]+)*|[A-Z][a-z]{2,}|[Zz][Hh]-\w+")
RANGES = re.compile(r"(?:[a-z]-[a-z]|[A-Z]-[A-Z]|[0-9]-[0-9])+")


@dataclass(frozen=True)
class Wanted:
    """The characters that a request asks for.

    Attributes:
        required: The network has to know each of them.
        optional: The network keeps as many of them as it knows.
        common: What they are → characters, of which the network may lack a few.
    """

    required: frozenset[str]
    optional: frozenset[str] = frozenset()
    common: dict[str, frozenset[str]] = field(default_factory=dict)


def choose(requests: Sequence[str], network: Sequence[str], model: str) -> list[str]:
    """Return the entries of a network's dictionary that any of the requests asks for, in its order.

    A request is one of:

    - `digits`, `ascii` or `latin`: a ready set. `latin` has all Latin letters that the network
      knows.
    - A language's code in models.toml, such as `de` or `zh-Hans`: the language's letters, small and
      capital, and the digits; of its punctuation, ASCII's, usual signs and the space, whatever the
      network knows. For Chinese, Japanese and Korean the characters of the national standards, if
      the network knows nearly all of the common ones.
    - `@FILE`: the characters of a UTF-8 text, such as a dictionary with one in a line. Line feeds
      and other control characters don't count.
    - `chars:CHARACTERS`, or anything else that doesn't look like a name: these characters.

    A space is kept where a set, a file or a list of characters contains it.

    Args:
        requests: The requests.
        network: The network's characters in class order, without the special classes.
        model: The network's name, for errors.

    Raises:
        ConverterError: A name is unknown, a file can't be read, or the network lacks a character
            that is required.
    """
    known = {code_point for entry in network for code_point in entry}
    wanted: set[str] = set()
    required: set[str] = set()
    for request in requests:
        asked = _understand(request, network)
        _check_common(request, asked, known, model)
        _check_required(request, asked, known, network, model)
        required |= asked.required
        wanted |= asked.required | asked.optional
        wanted |= frozenset[str]().union(*asked.common.values())
    kept = list(dict.fromkeys(entry for entry in network if wanted.issuperset(entry)))
    for character in sorted(required.difference(*kept)):
        entry = next(entry for entry in network if character in entry)
        raise ConverterError(
            f"{model} knows {character} ({_code(character)}) only as part of {entry} "
            f"({_code(entry)}); ask for all code points of {entry}"
        )
    return kept


def check(requests: Sequence[str]) -> None:
    """Raise `ConverterError` for a request that `choose` would refuse for every network."""
    for request in requests:
        _understand(request, ())


def _understand(request: str, network: Sequence[str]) -> Wanted:
    if request.startswith("@"):
        return _of_text(request, _read(Path(request[1:])))
    if request.startswith("chars:"):
        return _of_text(request, request.removeprefix("chars:"))
    sets = {**READY, **dict.fromkeys(codes(), _language)}
    if request in sets:
        return sets[request](request, network)
    if request in languages.unlisted():
        raise ConverterError(
            f"--charset {request}: edgeocr doesn't know the letters of this language; list "
            "them in a file and pass it as @FILE"
        )
    same = [name for name in sets if name.lower() == request.lower()]
    if same or NAME.fullmatch(request) or RANGES.fullmatch(request):
        scripts = [name for name in sets if name.startswith(f"{request}-")]
        close = same or scripts or get_close_matches(request, sets, n=3)
        hint = f"; did you mean {', '.join(close)}?" if close else "."
        raise ConverterError(
            f"--charset {request}: neither a set nor a language of models.toml{hint} The sets are "
            f"{', '.join(READY)}. To keep these characters themselves, write chars:{request}; to "
            "keep those of a text file, write @FILE"
        )
    return _of_text(request, request)


def codes() -> list[str]:
    """Return the codes of the languages that `choose` knows."""
    return sorted([*languages.load(), *languages.STANDARDS])


def _of_text(request: str, text: str) -> Wanted:
    characters = frozenset(each for each in text if unicodedata.category(each) != "Cc")
    if not characters:
        raise ConverterError(f"--charset {request}: it contains no characters")
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
    """Tell whether an entry is a Latin letter; full-width letters and unit signs are not."""
    return all(
        unicodedata.category(each)[0] == "L" and unicodedata.name(each, "").startswith("LATIN ")
        for each in entry
    )


def _language(request: str, network: Sequence[str]) -> Wanted:
    optional = set(string.punctuation + " " + COMMON_SIGNS)
    if request in languages.STANDARDS:
        standard = languages.STANDARDS[request]()
        return Wanted(
            frozenset(string.digits),
            frozenset(optional.union(string.ascii_letters, WIDE_SIGNS, standard.rare)),
            standard.common,
        )
    listed = languages.load()[request]
    optional.update(listed.others)
    if any(map(_is_latin, listed.letters)):
        # Names and addresses contain letters that the language itself doesn't use.
        optional.update(string.ascii_letters)
    return Wanted(frozenset(listed.letters + string.digits), frozenset(optional))


READY: dict[str, Callable[[str, Sequence[str]], Wanted]] = {
    "digits": _digits,
    "ascii": _ascii,
    "latin": _latin,
}


def _check_common(request: str, asked: Wanted, known: set[str], model: str) -> None:
    for what, characters in asked.common.items():
        missing = characters - known
        if len(missing) > MOST_MISSING[request] * len(characters):
            raise ConverterError(
                f"{model} does not read {request}: it lacks {len(missing)} of the "
                f"{len(characters)} {what}, such as {' '.join(sorted(missing)[:NAMED])}"
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
        "Take another model, or list the characters that you need in a file and pass it as @FILE"
    )


def _named(character: str, by_look: dict[str, str]) -> str:
    """Name a missing character, and the network's own character that looks the same."""
    found = f"{character} ({_code(character)})"
    same = by_look.get(unicodedata.normalize("NFKC", character))
    if same is None:
        return found
    return f"{found[:-1]}; it has {same}, {_code(same)}, which looks the same)"


def _code(text: str) -> str:
    return " ".join(f"U+{ord(each):04X}" for each in text)
