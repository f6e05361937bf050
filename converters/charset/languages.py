"""The characters that each language is written with.

For most languages they are the exemplar characters of Unicode CLDR, which letters.json holds for
the languages of models.toml: the letters (small, capital and those of an index) and the signs that
texts of the language contain besides. Chinese, Japanese and Korean have thousands of characters,
of which CLDR lists only the commonest; their characters are those of the national standards, which
Python's codecs contain.

`python -m converters.charset.languages FOLDER` writes letters.json. FOLDER is an unpacked
`cldr-misc-full`, the package of CLDR's JSON data that has the exemplar characters.
"""

from __future__ import annotations

import json
import re
import sys
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ..catalog import entries as catalog

FILE = Path(__file__).with_name("letters.json")
# The codes under which CLDR has a language or, where CLDR has several scripts, the one that the
# networks read. CLDR has no letters for Latin; they are among the English ones.
CLDR_CODES = {"tl": "fil", "gom": "kok", "pi": "pi-Latn", "kaa": "kaa-Cyrl", "la": "en"}
# Letters and marks that few texts contain: vowel signs in Arabic script, Dutch stress marks, and
# the apostrophes of Ukrainian, Uzbek and Quechua, for which a punctuation mark is usually printed.
RARE = ("ARABIC", "COMBINING", "MODIFIER LETTER")
RARE_CATEGORIES = ("Mn", "Lm")
TOKENS = re.compile(r"\\u([0-9A-Fa-f]{4})|\\(.)|([{}\s])|(-)|(.)", re.DOTALL)


@dataclass(frozen=True)
class Letters:
    """The characters of a language.

    Attributes:
        letters: Its letters.
        others: The digits, marks and punctuation that its texts contain besides.
    """

    letters: str
    others: str


@dataclass(frozen=True)
class Standard:
    """The characters of a national standard.

    Attributes:
        common: What they are → characters, of which a network may lack a few.
        rare: Characters of which a network may lack any.
    """

    common: dict[str, frozenset[str]]
    rare: frozenset[str]


@cache
def load() -> dict[str, Letters]:
    """Return the characters by language code, for the languages that CLDR describes."""
    listed = json.loads(FILE.read_text(encoding="utf-8"))["languages"]
    return {code: Letters(**each) for code, each in listed.items()}


@cache
def unlisted() -> list[str]:
    """Return the language codes of models.toml for which CLDR has no letters."""
    codes: list[str] = json.loads(FILE.read_text(encoding="utf-8"))["unlisted"]
    return codes


@cache
def _simplified() -> Standard:
    """Return GB 2312: a network has to know level 1; level 2 is seldom printed."""
    level_1, level_2 = _rows("gb2312", 0xB0, 0xD7), _rows("gb2312", 0xD8, 0xF7)
    return Standard({"hanzi of GB 2312, level 1": frozenset(level_1)}, frozenset(level_2))


@cache
def _traditional() -> Standard:
    """Return Big5: a network has to know level 1; level 2 is seldom printed."""
    cells = [*range(0x40, 0x7F), *range(0xA1, 0xFF)]
    both = _rows("big5", 0xA4, 0xF9, cells)
    level_1, level_2 = both[:5401], both[5401:]
    ideographs = frozenset(each for each in level_2 if unicodedata.category(each) == "Lo")
    return Standard({"hanzi of Big5, level 1": frozenset(level_1)}, ideographs)


@cache
def _japanese() -> Standard:
    """Return JIS X 0208: a network has to know kana and level 1; level 2 has rarer kanji."""
    kana = frozenset(_rows("euc_jp", 0xA4, 0xA5) + "ー々")
    level_1, level_2 = _rows("euc_jp", 0xB0, 0xCF), _rows("euc_jp", 0xD0, 0xF4)
    common = {"kana": kana, "kanji of JIS X 0208, level 1": frozenset(level_1)}
    return Standard(common, frozenset(level_2 + "ゝゞヽヾ〆"))


@cache
def _korean() -> Standard:
    """Return KS X 1001, outside of which no syllable is common."""
    syllables = frozenset(_rows("euc_kr", 0xB0, 0xC8))
    jamo = frozenset(_rows("euc_kr", 0xA4, 0xA4))
    others = frozenset(map(chr, range(0xAC00, 0xD7A4)))
    return Standard({"syllables of KS X 1001": syllables}, jamo | others)


# The languages with a national standard in place of CLDR's letters.
STANDARDS: dict[str, Callable[[], Standard]] = {
    "zh-Hans": _simplified,
    "zh-Hant": _traditional,
    "ja": _japanese,
    "ko": _korean,
}


def _rows(codec: str, first: int, last: int, cells: Iterable[int] = range(0xA1, 0xFF)) -> str:
    """Return the characters in rows of a national standard; a row is the first of two bytes."""
    pairs = (bytes([row, cell]) for row in range(first, last + 1) for cell in cells)
    return "".join(pair.decode(codec, "ignore") for pair in pairs)


def exemplars(pattern: str) -> set[str]:
    r"""Return the code points of a set in Unicode's notation, such as `[a-c {dž} \- \u064B]`."""
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


def letters_of(characters: dict[str, Any]) -> Letters:
    """Return the letters that a language's `characters` in CLDR describe."""
    main, index, numbers, punctuation = (
        exemplars(characters.get(name, "[]"))
        for name in ("exemplarCharacters", "index", "numbers", "punctuation")
    )
    capitals = {character.upper() for character in main if len(character.upper()) == 1}
    found = {each for each in main | capitals | index if _is_visible(each)}
    letters = {each for each in found if _is_letter(each)}
    others = {each for each in numbers | punctuation | found if _is_visible(each)}
    return Letters("".join(sorted(letters)), "".join(sorted(others - letters)))


def write(folder: Path) -> str:
    """Write letters.json from an unpacked `cldr-misc-full`; return a summary in a line."""
    version = json.loads((folder / "package.json").read_text(encoding="utf-8"))["version"]
    codes = {code for entry in catalog.load().models.values() for code in entry.languages}
    found, missing = {}, []
    for code in sorted(codes.difference(STANDARDS)):
        name = CLDR_CODES.get(code, code)
        path = folder / "main" / name / "characters.json"
        data = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
        listed = letters_of(data["main"][name]["characters"] if data else {})
        if listed.letters:
            found[code] = vars(listed)
        else:
            missing.append(code)
    content = {
        "source": (
            f"Unicode CLDR {version}, exemplar characters; see converters/charset/languages.py"
        ),
        "licence": "Unicode-3.0, © Unicode, Inc.",
        "languages": found,
        "unlisted": missing,
    }
    FILE.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return f"{len(found)} languages; CLDR has no letters for {' '.join(missing)}"


def _is_visible(character: str) -> bool:
    return unicodedata.category(character) not in ("Cf", "Zs", "Cc")


def _is_letter(character: str) -> bool:
    category = unicodedata.category(character)
    rare = category in RARE_CATEGORIES and unicodedata.name(character).startswith(RARE)
    return category[0] in "LM" and not rare


if __name__ == "__main__":
    print(write(Path(sys.argv[1])))
