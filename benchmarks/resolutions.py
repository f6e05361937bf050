"""Measure what the resolution of PDF pages changes, and what opening a long PDF file costs.

Usage: python -m benchmarks resolutions [--points N …] [--dpi N …].
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from random import Random
from time import perf_counter

from rapidfuzz.distance import Levenshtein

from edgeocr import OCR, frames_of
from edgeocr.images import load
from tests.support import pdfs

from .drawn_picture import WORDS
from .inputs import positive

SEED = 2031
POINTS, RESOLUTIONS = (8, 10, 12), (100, 150, 200, 250, 300)
LENGTHS = (10, 1_000, 10_000)
# Places of the text on an A4 page, in points: left, top and bottom, and the width of a row.
LEFT, TOP, BOTTOM, WIDTH = 60, 780, 60, 470
# How wide a letter of Helvetica is on average, and how far the rows are apart, in font sizes.
LETTER, LEADING = 0.5, 1.3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--bundle", help="path of a bundle; default: the package's own")
    parser.add_argument("--pages", type=positive, default=2, help="pages per size; default: 2")
    parser.add_argument(
        "--points", type=positive, nargs="+", default=POINTS, help="font sizes; default: 8 10 12"
    )
    parser.add_argument(
        "--dpi", type=positive, nargs="+", default=RESOLUTIONS, help="default: 100 150 … 300"
    )


def run(options: argparse.Namespace) -> None:
    """Print a table of the resolutions, and the time that the last page of long files takes."""
    chance = Random(SEED)
    with OCR(options.bundle, provider="cpu") as ocr:
        print("| font size | dpi | characters wrong, per 1000 | lines right | seconds a page |")
        print("|--:|--:|--:|--:|--:|")
        for points in options.points:
            texts = [rows(points, chance) for _ in range(options.pages)]
            content = pdfs.document([drawn(text, points) for text in texts])
            for dpi in options.dpi:
                print(measured(ocr, content, texts, points, dpi), flush=True)
    for length in LENGTHS:
        content = pdfs.numbered(length)
        (last,) = frames_of(content, pages=[length], dpi=72)
        began = perf_counter()
        load(last)
        print(f"last page of {length}: {1000 * (perf_counter() - began):.1f} ms")


def rows(points: int, chance: Random) -> list[str]:
    """Return as many rows of words as fit on an A4 page."""
    found = []
    for _ in range(int((TOP - BOTTOM) / (points * LEADING))):
        row = chance.choice(WORDS)
        while len(row) * points * LETTER < WIDTH - 60:
            row += " " + chance.choice([*WORDS, str(chance.randint(1, 9999))])
        found.append(row)
    return found


def drawn(text: Sequence[str], points: int) -> pdfs.PdfPage:
    """Draw rows of words on an A4 page."""
    lines = [pdfs.text(row, LEFT, TOP - i * points * LEADING, points) for i, row in enumerate(text)]
    return pdfs.PdfPage(b"".join(lines))


def measured(
    ocr: OCR, content: bytes, texts: Sequence[Sequence[str]], points: int, dpi: int
) -> str:
    """Return a row of the table."""
    frames = list(frames_of(content, dpi=dpi))
    ocr.read(frames[0])
    began = perf_counter()
    pages = [ocr.read(frame) for frame in frames]
    seconds = (perf_counter() - began) / len(pages)
    wrong = right = characters = lines = 0
    for page, text in zip(pages, texts, strict=True):
        wrong += Levenshtein.distance("\n".join(page.texts), "\n".join(text))
        right += sum(row in page.texts for row in text)
        characters += sum(map(len, text))
        lines += len(text)
    return (
        f"| {points} | {dpi} | {1000 * wrong / characters:.1f} | {right} of {lines} "
        f"| {seconds:.2f} |"
    )
