"""python -m benchmarks shapes --data DIR [--bundle B …]: what padding to few shapes changes"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from converters.accuracy import labels
from converters.accuracy.score import Score, normalized, same_place
from edgeocr import OCR, Bundle, EdgeOCRError
from edgeocr import crops as rectify
from edgeocr.images import Image, load
from edgeocr.page import Region

from . import machine

# Share of the lines that padding may change.
MOST_CHANGED = 1 / 200
HEADER = (
    "| Bundle | Detection sizes | Line shapes | Labelled lines found | Read otherwise | "
    "Hmean | with few shapes |\n|---|--:|--:|--:|--:|--:|--:|"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--data", type=Path, required=True, help="folder with Label.txt")
    parser.add_argument("--bundle", nargs="+", default=[None], help="default: the package's")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the table there too")


def run(options: argparse.Namespace) -> None:
    """Read every labelled picture both ways on the CPU and print the table; exit code 1 when a
    bundle reads more lines otherwise than it may.
    """
    try:
        pictures = {path: (load(path), lines) for path, lines in labels.read(options.data).items()}
        rows = [compare(bundle, pictures) for bundle in options.bundle]
    except (EdgeOCRError, OSError, ValueError) as error:  # ValueError: a row that is no label
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    text = "\n".join([HEADER, *map(_row, rows)])
    print(text)
    few = all(len(row["changed"]) <= MOST_CHANGED * row["lines"] for row in rows)
    for row in rows:
        for one, other in row["changed"]:
            print(f"{row['bundle']}: {one!r} → {other!r}")
    if options.markdown:
        options.markdown.write_text(text + "\n", encoding="utf-8")
    if options.json:
        result = {"machine": machine.describe(), "pictures": len(pictures), "bundles": rows}
        text = json.dumps(result, ensure_ascii=False, indent=1) + "\n"
        options.json.write_text(text, encoding="utf-8")
    raise SystemExit(0 if few else 1)


def compare(
    path: str | None, pictures: dict[Path, tuple[Image, list[labels.LabelledLine]]]
) -> dict[str, Any]:
    """One bundle's figures. The same regions are read at their natural widths and padded to few, so
    that only recognition differs; Hmean is of all stages.
    """
    bundle = Bundle.default() if path is None else Bundle.open(path)
    stages = bundle.manifest.stages
    assert stages.detection is not None and stages.recognition is not None
    natural = OCR(bundle, provider="cpu", orientation=False)
    few = OCR(bundle, provider="cpu", orientation=False, few_shapes=True)
    scores = {natural: Score(), few: Score()}
    changed, found = [], 0
    for image, lines in pictures.values():
        for ocr, score in scores.items():
            page = ocr.read(image)
            score.add(lines, [(np.asarray(each.quad, float), each.text) for each in page.lines])
        regions = [each for each in natural.detect(image) if _is_labelled(each, lines)]
        crops = [rectify.upright(image, each).pixels for each in regions]
        for one, other in zip(natural.recognize(crops), few.recognize(crops), strict=True):
            found += 1
            if normalized(one.text) != normalized(other.text):
                changed.append((one.text, other.text))
    return {
        "bundle": bundle.manifest.name,
        "sizes": len(stages.detection.resize.sizes),
        "line_shapes": len(stages.recognition.widths) * len(stages.recognition.batches),
        "lines": found,
        "changed": changed,
        "hmean": round(scores[natural].figures()["hmean"], 4),
        "few_hmean": round(scores[few].figures()["hmean"], 4),
    }


def _is_labelled(region: Region, lines: list[labels.LabelledLine]) -> bool:
    quad = np.asarray(region.quad, float)
    return any(line.care and same_place(quad, line.polygon) for line in lines)


def _row(figures: dict[str, Any]) -> str:
    return (
        f"| {figures['bundle']} | {figures['sizes']} | {figures['line_shapes']} | "
        f"{figures['lines']} | {len(figures['changed'])} | {figures['hmean']:.4f} | "
        f"{figures['few_hmean']:.4f} |"
    )
