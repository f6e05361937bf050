"""The letters of languages, from Unicode CLDR; `python -m converters.letters FOLDER` lists them.

FOLDER is an unpacked `cldr-misc-full`, the package of CLDR's JSON data that has the exemplar
characters. letters.json keeps of it, for the languages of models.toml, the letters (small, capital
and those of an index) and the signs that texts of the language have besides.
"""

from __future__ import annotations

import json
import re
import sys
import unicodedata
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ..catalog import entries as catalog

FILE = Path(__file__).with_name("letters.json")
# Codes under which CLDR has a language or, where it has several, the script that networks read. Of
# Latin it has no letters; they are among the English ones.
CLDR_CODES = {"tl": "fil", "gom": "kok", "pi": "pi-Latn", "kaa": "kaa-Cyrl", "la": "en"}
# Thousands of characters that CLDR has only the commonest of; see `character_sets`.
LARGE = ("zh-Hans", "zh-Hant", "ja", "ko")
# Letters and marks that few texts have: vowel signs in Arabic script, Dutch stress marks, and the
# apostrophes of Ukrainian, Uzbek and Quechua, for which mostly a punctuation mark is printed.
SELDOM = ("ARABIC", "COMBINING", "MODIFIER LETTER")
SELDOM_CATEGORIES = ("Mn", "Lm")
TOKENS = re.compile(r"\\u([0-9A-Fa-f]{4})|\\(.)|([{}\s])|(-)|(.)", re.DOTALL)


@dataclass(frozen=True)
class Letters:
    """A language's letters, and the digits, marks and punctuation that it has besides."""

    letters: str
    others: str


@cache
def load() -> dict[str, Letters]:
    """Code of models.toml → its characters, for the languages that CLDR describes."""
    listed = json.loads(FILE.read_text(encoding="utf-8"))["languages"]
    return {code: Letters(**each) for code, each in listed.items()}


@cache
def unlisted() -> list[str]:
    """The codes of models.toml of which CLDR has no letters."""
    codes: list[str] = json.loads(FILE.read_text(encoding="utf-8"))["unlisted"]
    return codes


def exemplars(pattern: str) -> set[str]:
    """The code points of a set in Unicode's notation, such as `[a-c {dž} \\- \\u064B]`."""
    found: set[str] = set()
    first, is_range = "", False
    for code, escaped, ignored, dash, plain in TOKENS.findall(pattern[1:-1]):
        if ignored:
            continue
        if dash and first:
            is_range = True
            continue
        character = chr(int(code, 16)) if code else escaped or dash or plain
        start = ord(first) if is_range else ord(character)
        found.update(map(chr, range(start, ord(character) + 1)))
        first, is_range = character, False
    return found


def of_language(characters: dict[str, Any]) -> Letters:
    """What a language's `characters` in CLDR say."""
    main, index, numbers, punctuation = (
        exemplars(characters.get(name, "[]"))
        for name in ("exemplarCharacters", "index", "numbers", "punctuation")
    )
    capitals = {character.upper() for character in main if len(character.upper()) == 1}
    found = {each for each in main | capitals | index if _is_visible(each)}
    letters = {each for each in found if _is_letter(each)}
    others = {each for each in numbers | punctuation | found if _is_visible(each)}
    return Letters("".join(sorted(letters)), "".join(sorted(others - letters)))


def main(folder: Path) -> None:
    """Write letters.json; says of which languages CLDR has nothing."""
    version = json.loads((folder / "package.json").read_text(encoding="utf-8"))["version"]
    codes = {code for entry in catalog.load().models.values() for code in entry.languages}
    found, missing = {}, []
    for code in sorted(codes.difference(LARGE)):
        name = CLDR_CODES.get(code, code)
        path = folder / "main" / name / "characters.json"
        data = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
        listed = of_language(data["main"][name]["characters"] if data else {})
        if listed.letters:
            found[code] = vars(listed)
        else:
            missing.append(code)
    content = {
        "source": f"Unicode CLDR {version}, exemplar characters; see converters/charset/letters.py",
        "licence": "Unicode-3.0, © Unicode, Inc.",
        "languages": found,
        "unlisted": missing,
    }
    FILE.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(f"{len(found)} languages; CLDR has nothing of {' '.join(missing)}")


def _is_visible(character: str) -> bool:
    return unicodedata.category(character) not in ("Cf", "Zs", "Cc")


def _is_letter(character: str) -> bool:
    category = unicodedata.category(character)
    seldom = category in SELDOM_CATEGORIES and unicodedata.name(character).startswith(SELDOM)
    return category[0] in "LM" and not seldom


if __name__ == "__main__":
    main(Path(sys.argv[1]))
