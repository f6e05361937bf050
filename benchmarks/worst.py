"""The worst pictures as one HTML document: what is labelled beside what was read.

Pictures are embedded as JPEG, so that the document needs no other file, no network and no script.
"""

from __future__ import annotations

import base64
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein

from edgeocr import images
from edgeocr.accuracy.places import Polygon
from edgeocr.accuracy.score import match, normalized
from edgeocr.bench.html import STYLE

from .accuracy_readings import PageReading, WordReading

TITLE = "<title>The worst pictures"
MORE_STYLE = Path(__file__).with_name("worst.css")
# The longest side of an embedded picture, in pixels, and JPEG's quality.
LONGEST, QUALITY = 1400, 80
# The size of the numbers in a picture, as a share of its longer side.
NUMBERS = 1 / 55
LEGEND = (
    "Dashed outlines are labelled lines, solid ones what was found. Green: read exactly, or found "
    "if the bundle only detects; yellow: read wrongly; red: labelled and not found; violet: found "
    "where nothing is labelled; grey: labelled as a line that must not count. Texts are shown in "
    "Unicode's NFKC form; the differences are marked, except in white space, which doesn't count."
)


@dataclass(frozen=True)
class Section:
    """The worst pictures of a set, read with a bundle.

    Attributes:
        bundle: The bundle's name.
        name: The set's name.
        readings: Its worst pictures, the worst first, or its worst words.
        reads: Whether the bundle reads; otherwise it only detects.
    """

    bundle: str
    name: str
    readings: Sequence[PageReading] | Sequence[WordReading]
    reads: bool = True


@dataclass(frozen=True)
class Row:
    """A line of a picture: what is labelled, what was read, and which of these is wrong."""

    state: str
    expected: str | None
    read: str | None
    labelled: Polygon | None
    found: Polygon | None


def worst_pages(readings: Sequence[PageReading], number: int, *, reads: bool) -> list[PageReading]:
    """Return the pictures with the highest CER, and among equal ones, with the lowest Hmean.

    Pictures without a fault are left out.

    Args:
        readings: The pictures.
        number: How many to return.
        reads: Whether the bundle reads; if it only detects, detection's Hmean decides.
    """

    def badness(reading: PageReading) -> tuple[float, float]:
        figures = reading.score.figures()
        detection = -figures["detection_hmean"]
        return (figures["cer"], -figures["hmean"]) if reads else (detection, detection)

    faultless = (0.0, -1.0) if reads else (-1.0, -1.0)
    faulty = [reading for reading in readings if badness(reading) != faultless]
    return sorted(faulty, key=badness, reverse=True)[:number]


def worst_words(readings: Sequence[WordReading], number: int) -> list[WordReading]:
    """Return the words with the highest CER that are not exact."""

    def cer(reading: WordReading) -> float:
        expected = normalized(reading.word.text)
        return Levenshtein.distance(expected, normalized(reading.text)) / max(len(expected), 1)

    wrong = [reading for reading in readings if cer(reading)]
    return sorted(wrong, key=cer, reverse=True)[:number]


def report(sections: Sequence[Section]) -> str:
    """Return the document."""
    style = STYLE.read_text(encoding="utf-8") + MORE_STYLE.read_text(encoding="utf-8")
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en"><head><meta charset="utf-8"/>',
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>',
        f"{TITLE}</title>",
        f"<style>{style}</style></head><body>",
        "<h1>The worst pictures</h1>",
        f"<p>{escape(LEGEND)}</p>",
    ]
    for section in sections:
        parts.append(f"<h2>{escape(section.name)}, read with {escape(section.bundle)}</h2>")
        if not section.readings:
            parts.append("<p>There is no fault.</p>")
        pages = [each for each in section.readings if isinstance(each, PageReading)]
        words = [each for each in section.readings if isinstance(each, WordReading)]
        parts += (_page(each, reads=section.reads) for each in pages)
        if words:
            parts.append(_words(words))
    return "\n".join([*parts, "</body></html>"]) + "\n"


def is_report(start: bytes) -> bool:
    """Tell whether a file is a document that `report` made.

    Args:
        start: The first bytes of the file, or all of it.
    """
    return start.startswith(b"<!DOCTYPE html>") and TITLE.encode() in start


def marked(expected: str, read: str) -> tuple[str, str]:
    """Return two texts in NFKC as HTML, in which their differences are marked."""
    one, other = (unicodedata.normalize("NFKC", text) for text in (expected, read))
    left, right = "", ""
    for step in Levenshtein.opcodes(one, other):
        was = one[step.src_start : step.src_end]
        now = other[step.dest_start : step.dest_end]
        same = step.tag == "equal"
        left += _mark("del", was, same)
        right += _mark("ins", now, same)
    # Neighbouring marks, of a replaced and of a missing character, become one.
    return left.replace("</del><del>", ""), right.replace("</ins><ins>", "")


def _mark(tag: str, text: str, same: bool) -> str:
    """Return a piece of text as HTML, within a tag unless it is the same or only white space."""
    return escape(text) if same or not text.strip() else f"<{tag}>{escape(text)}</{tag}>"


def _rows(reading: PageReading, *, reads: bool) -> Iterator[Row]:
    """Yield the labelled lines of a picture, then the found ones that match none, then the rest."""
    matching = match(reading.expected, reading.found)
    for i, line in enumerate(reading.expected):
        if not line.care:
            continue
        if i not in matching.pairs:
            yield Row("missed", line.text, None, line.polygon, None)
        else:
            outline, text = reading.found[matching.pairs[i]]
            right = not reads or normalized(text) == normalized(line.text)
            state = "right" if right else "wrong"
            yield Row(state, line.text, text, line.polygon, outline)
    others = set(range(len(reading.found))) - matching.uncounted - set(matching.pairs.values())
    for j in sorted(others):
        outline, text = reading.found[j]
        yield Row("extra", None, text, None, outline)
    for line in reading.expected:
        if not line.care:
            yield Row("ignored", None, None, line.polygon, None)


def _page(reading: PageReading, *, reads: bool) -> str:
    rows = list(_rows(reading, reads=reads))
    score = reading.score
    figures = score.figures()
    summary = (
        f"{score.labelled} labelled lines, of which {score.labelled - score.matched} not found"
    )
    if reads:
        summary += f" and {score.matched - score.exact} read wrongly"
    summary += f"; {score.found - score.matched} more found. "
    summary += (
        f"CER {figures['cer']:.4f}, Hmean {figures['hmean']:.4f}"
        if reads
        else f"Detection's Hmean {figures['detection_hmean']:.4f}"
    )
    body = []
    for number, row in enumerate(rows, 1):
        if row.state != "ignored":
            texts = row.expected or "", row.read or ""
            left, right = marked(*texts) if reads else map(escape, texts)
            body.append(
                f'<tr><td class="number">{number}</td>'
                f'<td class="state {row.state}">{row.state}</td>'
                f'<td dir="auto">{left}</td><td dir="auto">{right}</td></tr>'
            )
    return (
        f"<article><h3>{escape(str(reading.path))}</h3><p>{escape(summary)}</p>"
        f"{_drawing(images.load(reading.path), rows)}"
        '<table class="lines"><thead><tr><th>line</th><th></th><th>expected</th><th>read</th></tr>'
        f"</thead><tbody>{''.join(body)}</tbody></table></article>"
    )


def _drawing(image: NDArray[np.uint8], rows: Sequence[Row]) -> str:
    """Return a picture with the outlines of its lines, and the numbers that its table has."""
    height, width = image.shape[:2]
    size = NUMBERS * max(height, width)
    shapes = []
    for number, row in enumerate(rows, 1):
        for name, outline in (("labelled", row.labelled), ("found", row.found)):
            if outline is not None:
                points = " ".join(f"{x:.1f},{y:.1f}" for x, y in outline)
                shapes.append(f'<polygon class="{name} {row.state}" points="{points}"/>')
        place = row.labelled if row.labelled is not None else row.found
        if place is not None and row.state != "ignored":
            x, y = place[0]
            shapes.append(f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:.1f}">{number}</text>')
    return (
        f'<svg class="picture" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="the picture with the outlines of its lines">'
        f'<image width="{width}" height="{height}" href="{_embedded(image)}"/>'
        f"{''.join(shapes)}</svg>"
    )


def _words(readings: Sequence[WordReading]) -> str:
    body = []
    for reading in readings:
        left, right = marked(reading.word.text, reading.text)
        picture = _embedded(images.load(reading.word.content()))
        body.append(
            f'<tr><td><img alt="" src="{picture}"/></td><td>{escape(reading.word.name)}</td>'
            f'<td dir="auto">{left}</td><td dir="auto">{right}</td></tr>'
        )
    return (
        '<table class="lines"><thead><tr><th>picture</th><th>name</th><th>expected</th>'
        f"<th>read</th></tr></thead><tbody>{''.join(body)}</tbody></table>"
    )


def _embedded(image: NDArray[np.uint8]) -> str:
    """Return a picture as the address of a JPEG, scaled down if it is large."""
    scale = LONGEST / max(image.shape[:2])
    if scale < 1:
        height, width = (max(round(scale * side), 1) for side in image.shape[:2])
        image = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA).astype(np.uint8)
    _, encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return f"data:image/jpeg;base64,{base64.b64encode(encoded.tobytes()).decode()}"
