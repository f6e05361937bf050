"""what of each system is published, and how well its small network in tests/trained reads"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from converters.accuracy.labels import LabelledLine
from converters.accuracy.score import Score
from converters.catalog import entries as catalog
from converters.catalog.entries import BundleEntry, Entry, Task
from converters.freeze import freeze
from edgeocr import OCR
from tests.trained import pages, words

from . import machine

EXPORTS = Path(__file__).parent.parent / "tests" / "trained" / "exports"
# No training has seen pages or words of this seed.
SEED = 2027
PAGES, WORDS = 60, 300
COLUMNS = ("system", "for_inference", "as_checkpoint", "detection_hmean", "exact_words")


class System(NamedTuple):
    """A row of the table.

    decoder: of edgeocr.postprocess.
    task, algorithm, marks: of its entries in models.toml; a mark is a part of a name.
    export: of tests/trained. draw: pages for it; None where it reads words.
    """

    name: str
    decoder: str
    task: Task
    algorithm: str
    marks: tuple[str, ...]
    export: str
    draw: Callable[..., list[pages.Page]] | None


SYSTEMS = (
    System("DB", "db.quads, .polygons", "detection", "DB", ("",), "db", pages.pages),
    System("EAST", "east.quads", "detection", "EAST", ("",), "east", pages.pages),
    System("SAST", "sast.polygons, .quads", "detection", "SAST", ("",), "sast", pages.arcs),
    System("CRNN", "ctc", "recognition", "CTC", ("crnn", "none_bilstm"), "crnn", None),
    System("Rosetta", "ctc", "recognition", "CTC", ("none_none",), "rosetta", None),
    System("STAR-Net", "ctc", "recognition", "CTC", ("tps",), "star_net", None),
    System("RARE", "attention", "recognition", "Attention", ("",), "rare", None),
    System("SRN", "attention", "recognition", "SRN", ("",), "srn", None),
    System("PGNet", "pgnet.lines", "spotting", "PGNet", ("",), "pgnet", pages.arcs),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here too")


def run(options: argparse.Namespace) -> None:
    """Convert, freeze and measure each, and print a row for it."""
    entries = catalog.load()
    rows = []
    print("| System | Decoder | For inference | As checkpoint | Detection Hmean | Exact words |")
    print("|---|---|--:|--:|--:|--:|")
    with tempfile.TemporaryDirectory(prefix="edgeocr-") as folder:
        for system in SYSTEMS:
            listed = [entry for entry in entries.models.values() if _is_of(entry, system)]
            ready = sum(entry.contents == "inference" for entry in listed)
            bundle = freeze(
                BundleEntry(system.export, "", **{system.task: str(EXPORTS / system.export)}),
                entries,
                Path(folder) / f"{system.export}.edgeocr",
            )
            found, exact = _measure(OCR(bundle, provider="cpu"), system)
            row = [system.name, ready, len(listed) - ready, found, exact]
            rows.append(dict(zip(COLUMNS, row, strict=True)))
            first, *figures = ("" if each in (0, None) else str(each) for each in row)
            print(f"| {first} | `{system.decoder}` | {' | '.join(figures)} |", flush=True)
    if options.json is not None:
        outcome = {"machine": machine.describe(), "pages": PAGES, "words": WORDS, "rows": rows}
        options.json.write_text(json.dumps(outcome, indent=1) + "\n", encoding="utf-8")


def _is_of(entry: Entry, system: System) -> bool:
    named = any(mark in entry.name for mark in system.marks)
    return (entry.task, entry.algorithm) == (system.task, system.algorithm) and named


def _measure(ocr: OCR, system: System) -> tuple[float | None, float | None]:
    """Hmean at an overlap of 0.5, and the share of exact words; None where there is no such."""
    if system.draw is None:
        given = words.clean(WORDS, SEED)
        readings = ocr.recognize([word.crop for word in given])
        right = [r.text.upper() == w.text for r, w in zip(readings, given, strict=True)]
        return None, round(float(np.mean(right)), 3)
    score = Score()
    for image, polygons, texts in system.draw(PAGES, SEED):
        regions: Iterable[Any]
        regions = ocr.read(image).lines if system.task == "spotting" else ocr.detect(image)
        score.add(
            [
                LabelledLine(polygon.astype(float), text.lower(), True)
                for polygon, text in zip(polygons, texts, strict=True)
            ],
            [
                (np.asarray(r.quad if r.polygon is None else r.polygon, float), _text(r))
                for r in regions
            ],
        )
    figures = score.figures()
    exact = round(figures["recall"], 3) if system.task == "spotting" else None
    return round(figures["detection_hmean"], 3), exact


def _text(region: Any) -> str:
    return getattr(region, "text", "").lower()
