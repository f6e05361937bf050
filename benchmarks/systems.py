"""List how each OCR system is published, and measure a small trained network of it."""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import asdict, astuple, dataclass
from pathlib import Path

import numpy as np

from converters.catalog import entries as catalog
from converters.catalog.entries import BundleEntry, Entry, Task
from converters.freeze import freeze
from edgeocr import OCR, Line, Region
from edgeocr.accuracy.labels import LabelledLine
from edgeocr.accuracy.places import Polygon
from edgeocr.accuracy.score import Score
from tests.trained import pages, words

from . import machine

EXPORTS = Path(__file__).parent.parent / "tests" / "trained" / "exports"
# No network was trained on pages or words of this seed.
SEED = 2027
PAGES, WORDS = 60, 300


@dataclass(frozen=True)
class System:
    """A system to measure.

    Attributes:
        name: Name of the system.
        decoder: Its decoders in `edgeocr.postprocess`.
        task: Task of its models in models.toml.
        algorithm: Algorithm of its models in models.toml.
        marks: Parts of their names, of which one has to match.
        export: Its network in tests/trained/exports.
        draw: Draws pages for it; None if it reads words.
    """

    name: str
    decoder: str
    task: Task
    algorithm: str
    marks: tuple[str, ...]
    export: str
    draw: Callable[..., list[pages.Page]] | None


@dataclass(frozen=True)
class Row:
    """A row of the table; its fields are the keys of the result file.

    Attributes:
        system: Name of the system.
        for_inference: Number of its models in models.toml that are published for inference.
        as_checkpoint: Number of those that are published as a checkpoint only.
        detection_hmean: Hmean of the regions at an IoU of 0.5; None if the network finds none.
        exact_words: Share of the words that are read exactly; None if the network reads none.
    """

    system: str
    for_inference: int
    as_checkpoint: int
    detection_hmean: float | None
    exact_words: float | None


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
    """Declare the command's arguments."""
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE too")


def run(options: argparse.Namespace) -> None:
    """Freeze and measure each system's network, and print the table."""
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
            row = Row(system.name, ready, len(listed) - ready, found, exact)
            rows.append(row)
            first, *figures = ("" if each in (0, None) else str(each) for each in astuple(row))
            print(f"| {first} | `{system.decoder}` | {' | '.join(figures)} |", flush=True)
    if options.json is not None:
        outcome = {
            "machine": machine.describe(),
            "pages": PAGES,
            "words": WORDS,
            "rows": [asdict(row) for row in rows],
        }
        options.json.write_text(json.dumps(outcome, indent=1) + "\n", encoding="utf-8")


def _is_of(entry: Entry, system: System) -> bool:
    """Return whether a model in models.toml is one of a system."""
    named = any(mark in entry.name for mark in system.marks)
    return (entry.task, entry.algorithm) == (system.task, system.algorithm) and named


def _measure(ocr: OCR, system: System) -> tuple[float | None, float | None]:
    """Return `Row.detection_hmean` and `Row.exact_words`."""
    if system.draw is None:
        given = words.clean(WORDS, SEED)
        readings = ocr.recognize([word.crop for word in given])
        right = [r.text.upper() == w.text for r, w in zip(readings, given, strict=True)]
        return None, round(float(np.mean(right)), 3)
    score = Score()
    for image, polygons, texts in system.draw(PAGES, SEED):
        regions: Iterable[Line | Region]
        regions = ocr.read(image) if system.task == "spotting" else ocr.detect(image)
        score.add(
            [
                LabelledLine(polygon.astype(float), text.lower(), True)
                for polygon, text in zip(polygons, texts, strict=True)
            ],
            [
                (_polygon(region), region.text.lower() if isinstance(region, Line) else "")
                for region in regions
            ],
        )
    figures = score.figures()
    exact = round(figures["recall"], 3) if system.task == "spotting" else None
    return round(figures["detection_hmean"], 3), exact


def _polygon(region: Line | Region) -> Polygon:
    """Return the outline of a region."""
    return np.asarray(region.quad if region.polygon is None else region.polygon, np.float64)
