"""Count how many randomly drawn pictures of each kind are read as a person reads them.

Usage: python -m benchmarks kinds [--count N] [--seed N] [--kind NAME …] [--cjk-font PATH].

A picture counts as right if its text, in reading order, in NFKC form and without white space,
differs from what was drawn in at most 3 of 100 characters.
"""

from __future__ import annotations

import argparse
import json
import sys
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from rapidfuzz.distance import Levenshtein

from edgeocr import OCR, EdgeOCRError
from edgeocr.images import Image
from tests.support import long_lines, sheets, transparent, turned_pages
from tests.support.sheet_kinds import KINDS as SHEETS

from .inputs import positive

# At most this share of the characters may differ.
TOLERANCE = 0.03
# Sheets that need a font with Chinese characters; those in Hebrew can't be read by any bundle.
CHINESE = {"chinese_columns", "chinese_table", "slanting_vertical", "vertical"}
UNREADABLE = {"right_to_left"}
# The number of characters of a long line.
LINE_LENGTHS = (100, 1000)


@dataclass(frozen=True)
class Drawn:
    """A picture, and the text that was drawn in it.

    Attributes:
        picture: uint8 [H, W, 3] BGR, or the bytes of an image file.
        text: The text in reading order.
    """

    picture: Image | bytes
    text: str


@dataclass(frozen=True)
class Result:
    """How many pictures of a kind were read right.

    Attributes:
        kind: Name of the kind.
        right: The number of pictures that were read right.
        count: The number of pictures.
        wrong: The seeds of the others.
    """

    kind: str
    right: int
    count: int
    wrong: list[int]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--bundle", help="path of a bundle; default: the package's own")
    parser.add_argument(
        "--count", type=positive, default=300, help="pictures of each kind; default: 300"
    )
    parser.add_argument("--seed", type=int, default=0, help="the first seed; default: 0")
    parser.add_argument(
        "--kind",
        action="append",
        choices=sorted([*SHEETS.keys() - UNREADABLE, *OTHERS]),
        help="only this kind; may be given several times",
    )
    parser.add_argument(
        "--cjk-font",
        type=Path,
        metavar="PATH",
        help="font with Chinese characters; without one, kinds that need it are left out",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE too")


def run(options: argparse.Namespace) -> None:
    """Read the pictures, and print how many of each kind are right."""
    makers = {name: _sheet(name, options.cjk_font) for name in SHEETS.keys() - UNREADABLE} | OTHERS
    if options.cjk_font is None:
        for name in CHINESE:
            del makers[name]
    try:
        ocr = OCR(options.bundle)
        results = []
        for kind in options.kind or sorted(makers):
            if kind not in makers:
                raise SystemExit(f"error: {kind} needs --cjk-font")
            seeds = range(options.seed, options.seed + options.count)
            results.append(measure(ocr, kind, makers[kind], seeds))
            print(row(results[-1]), flush=True)
    except EdgeOCRError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    if options.json:
        record = {"bundle": ocr.bundle_name, "kinds": [asdict(result) for result in results]}
        options.json.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def measure(ocr: OCR, kind: str, make: Callable[[int], Drawn], seeds: Sequence[int]) -> Result:
    """Read the pictures of some seeds.

    Args:
        ocr: Reads the pictures.
        kind: Name of the kind.
        make: Draws the picture of a seed.
        seeds: The seeds.
    """
    wrong = [seed for seed in seeds if not is_right(ocr, make(seed))]
    return Result(kind, len(seeds) - len(wrong), len(seeds), wrong)


def is_right(ocr: OCR, drawn: Drawn) -> bool:
    """Tell whether a picture is read as a person reads it."""
    text, expected = (
        "".join(unicodedata.normalize("NFKC", each).split())
        for each in (ocr.read(drawn.picture).text, drawn.text)
    )
    return Levenshtein.distance(text, expected) <= TOLERANCE * len(expected)


def row(result: Result) -> str:
    """Return a row of the table, with the first seeds that came out wrong."""
    share = 100 * result.right / result.count
    shown = f"  wrong: {' '.join(map(str, result.wrong[:8]))}" if result.wrong else ""
    return f"{result.kind:18} {result.right:4} of {result.count:4} {share:6.1f} %{shown}"


def _sheet(name: str, cjk_font: Path | None) -> Callable[[int], Drawn]:
    def make(seed: int) -> Drawn:
        sheet = SHEETS[name](np.random.default_rng([list(SHEETS).index(name), seed]))
        picture = sheets.drawn(sheet, cjk_font if name in CHINESE else None)
        return Drawn(picture, "\n".join(text.text for text in sheet.texts))

    return make


def _turned(seed: int) -> Drawn:
    drawn, lines = turned_pages.page(seed)
    return Drawn(turned_pages.turned(drawn, 90 * (seed % 3 + 1)), "\n".join(lines))


def _slanting(seed: int) -> Drawn:
    drawn, lines = turned_pages.page(seed)
    degrees = float(np.random.default_rng(seed).uniform(0, 360))
    return Drawn(turned_pages.turned(drawn, degrees), "\n".join(lines))


def _long_line(seed: int) -> Drawn:
    random = np.random.default_rng(seed)
    kind = long_lines.KINDS[seed % len(long_lines.KINDS)]
    text = long_lines.text(random, kind, int(random.integers(*LINE_LENGTHS)))
    line = long_lines.draw(text, long_lines.font(random, installed=False), random)
    margin = ((20, 20), (20, 20), (0, 0))
    return Drawn(np.pad(line, margin, mode="edge"), text)


def _transparent(seed: int) -> Drawn:
    drawn = transparent.draw(seed)
    form = transparent.form_of(seed, drawn.kind)
    return Drawn(transparent.encode(drawn.image, form), "\n".join(drawn.lines))


OTHERS: dict[str, Callable[[int], Drawn]] = {
    "long_line": _long_line,
    "slanting_page": _slanting,
    "transparent": _transparent,
    "turned_page": _turned,
}
