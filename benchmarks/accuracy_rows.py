"""The rows that `python -m benchmarks accuracy` prints, and its figures for JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from converters.accuracy.protocols.dtrb import DtrbScore
from converters.accuracy.protocols.icdar import IcdarScore
from edgeocr.accuracy.labels import LabelledLine
from edgeocr.accuracy.places import Polygon
from edgeocr.accuracy.score import Score

from .spread import standard_errors

# The figures in the order of the columns, and what stands before each.
COLUMNS = {
    "detection_hmean": "det H",
    "precision": "P",
    "recall": "R",
    "hmean": "H",
    "cer": "CER",
    "word_precision": "words P",
    "word_recall": "R",
    "word_f1": "F1",
}
# Width of the first column, and of the second with the number of lines.
FIRST, SECOND = 24, 10
# What stands before the figures of the two protocols.
ICDAR = {
    "precision": "detection P",
    "recall": "R",
    "hmean": "H",
    "e2e_precision": "end-to-end P",
    "e2e_recall": "R",
    "e2e_hmean": "H",
}
DTRB = {"accuracy": "accuracy", "exact": "exact", "cer": "CER"}


def page_row(name: str, score: Score, *, reads: bool) -> str:
    """Return the row of a picture."""
    return _row(name, _lines(score), score.figures(), _columns(reads))


def icdar_row(name: str, score: IcdarScore, *, reads: bool) -> str:
    """Return the row of a set by ICDAR 2015's protocol."""
    shown = {key: title for key, title in ICDAR.items() if reads or not key.startswith("e2e")}
    return _row(name, "", score.figures(), shown)


def words_row(name: str, score: DtrbScore) -> str:
    """Return the row of a set of words by DTRB's protocol."""
    return _row(name, f"{score.words} words", score.figures(), DTRB)


def summary(
    scores: Mapping[str, Sequence[Score]], *, reads: bool
) -> tuple[list[str], dict[str, Any]]:
    """Return the rows of all pictures of a set, engine by engine, and the figures for JSON.

    Args:
        scores: The score of each picture, by engine, edgeocr first.
        reads: Whether the bundle reads; otherwise it only detects.
    """
    columns = _columns(reads)
    ours = next(iter(scores.values()))
    found: dict[str, Any] = {}
    rows = []
    for engine, each in scores.items():
        total, errors = Score.total(each), standard_errors(each)
        first = f"{len(each)} pictures" if len(scores) == 1 else engine
        rows.append(_row(first, _lines(total), total.figures(), columns))
        rows.append(_row("", "±", errors, columns))
        found[engine] = {"figures": rounded(total.figures()), "errors": rounded(errors)}
        if each is ours:
            continue
        mine, other = Score.total(ours).figures(), total.figures()
        difference = {name: mine[name] - other[name] for name in mine}
        errors = standard_errors(ours, each)
        rows.append(_row("  edgeocr minus it", "", difference, columns, sign="+"))
        rows.append(_row("", "±", errors, columns))
        found[engine] |= {"ours_minus": rounded(difference), "its_errors": rounded(errors)}
    return rows, found


def rounded(figures: Mapping[str, float]) -> dict[str, float | None]:
    """Round figures for JSON, which has no NaN."""
    return {name: None if np.isnan(x) else round(x, 4) for name, x in figures.items()}


def _columns(reads: bool) -> Mapping[str, str]:
    """Return the columns for a bundle, which are few if it only detects."""
    return COLUMNS if reads else {"detection_hmean": COLUMNS["detection_hmean"]}


def _lines(score: Score) -> str:
    return f"{score.labelled:4} lines"


def _row(
    first: str,
    second: str,
    figures: Mapping[str, float],
    columns: Mapping[str, str],
    sign: str = "",
) -> str:
    """Return figures as one row."""
    cells = (f"{title} {figures[name]:{sign}.4f}" for name, title in columns.items())
    return f"{first:{FIRST}} {second:>{SECOND}}  {'  '.join(cells)}"


def error_rows(
    expected: Sequence[LabelledLine], found: Sequence[tuple[Polygon, str]]
) -> Iterator[str]:
    """Yield each labelled line that was not read exactly, with the text found there or None."""
    for label in expected:
        score = Score()
        score.add([label], found)
        if label.care and not score.exact:
            nearest = min(found, key=lambda line: _distance(line[0], label.polygon), default=None)
            text = nearest[1] if nearest and score.matched else None
            yield f"    {label.text!r} → {text!r}"


def _distance(a: Polygon, b: Polygon) -> float:
    """Return the distance between the means of two polygons' points, in pixels."""
    return float(np.linalg.norm(a.mean(axis=0) - b.mean(axis=0)))
