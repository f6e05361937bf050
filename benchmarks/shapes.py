"""Show how padding to a fixed set of shapes changes what is read.

Usage: python -m benchmarks shapes --data DIR [--bundle BUNDLE …].
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edgeocr import OCR, Bundle, EdgeOCRError, RuntimeOptions
from edgeocr.accuracy import label_file
from edgeocr.accuracy.labels import LabelledLine
from edgeocr.accuracy.places import same_place
from edgeocr.accuracy.score import Score, normalized
from edgeocr.crops import crop_region
from edgeocr.images import Image, load
from edgeocr.results.lines import Region

from . import machine

# The largest share of the lines that padding may change.
MOST_CHANGED = 1 / 200
HEADER = (
    "| Bundle | Detection sizes | Line shapes | Labelled lines found | Read differently | "
    "Hmean | Hmean with fixed shapes |\n|---|--:|--:|--:|--:|--:|--:|"
)


@dataclass(frozen=True)
class Comparison:
    """How one bundle reads pictures in natural and in fixed shapes.

    Attributes:
        bundle: Name of the bundle.
        sizes: Number of fixed picture sizes for detection.
        line_shapes: Number of fixed input shapes for recognition.
        lines: Number of labelled lines that were found and read in both ways.
        changed: The lines that were read differently: the text in natural, then in fixed shapes.
        hmean: Hmean in natural shapes.
        fixed_hmean: Hmean in fixed shapes.
    """

    bundle: str
    sizes: int
    line_shapes: int
    lines: int
    changed: tuple[tuple[str, str], ...]
    hmean: float
    fixed_hmean: float

    @property
    def too_many_changed(self) -> bool:
        """Whether more lines were read differently than is acceptable."""
        return len(self.changed) > MOST_CHANGED * self.lines

    def to_dict(self) -> dict[str, Any]:
        """Return the comparison as the result file records it."""
        return {
            "bundle": self.bundle,
            "sizes": self.sizes,
            "line_shapes": self.line_shapes,
            "lines": self.lines,
            "changed": self.changed,
            "hmean": self.hmean,
            "few_hmean": self.fixed_hmean,
        }


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "--data", type=Path, required=True, metavar="DIR", help="folder with a Label.txt"
    )
    parser.add_argument(
        "--bundle", nargs="+", default=[None], help="paths of bundles; default: the package's own"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE too")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="write the table to FILE too")


def run(options: argparse.Namespace) -> None:
    """Read every labelled picture in both ways on the CPU, and print the table.

    The exit code is 1 if one of the bundles reads too many lines differently.
    """
    try:
        labelled = label_file.labels_of(options.data / label_file.LABELS)
        pictures = {path: (load(path), lines) for path, lines in labelled.items()}
        comparisons = [compare(bundle, pictures) for bundle in options.bundle]
    except (EdgeOCRError, OSError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    text = table(comparisons)
    print(text)
    for each in comparisons:
        for natural, fixed in each.changed:
            print(f"{each.bundle}: {natural!r} → {fixed!r}")
    if options.markdown:
        options.markdown.write_text(text + "\n", encoding="utf-8")
    if options.json:
        result = {
            "machine": machine.describe(),
            "pictures": len(pictures),
            "bundles": [each.to_dict() for each in comparisons],
        }
        text = json.dumps(result, ensure_ascii=False, indent=1) + "\n"
        options.json.write_text(text, encoding="utf-8")
    raise SystemExit(1 if any(each.too_many_changed for each in comparisons) else 0)


def compare(
    path: str | None, pictures: Mapping[Path, tuple[Image, list[LabelledLine]]]
) -> Comparison:
    """Compare a bundle's readings in natural shapes with those in fixed shapes.

    Both ways recognize the same regions, so that detection has no influence on the changed lines.
    Hmean is measured over all stages.

    Args:
        path: Path of the bundle; None for the package's own.
        pictures: Pictures by path, uint8 [H, W, 3], each with its labelled lines.
    """
    bundle = Bundle.default() if path is None else Bundle.open(path)
    stages = bundle.manifest.stages
    if stages.detection is None or stages.recognition is None:
        raise ValueError(
            f"the bundle {bundle.manifest.name!r} can't be compared: "
            "choose one with detection and recognition"
        )
    natural = OCR(bundle, provider="cpu", orientation=False)
    fixed = OCR(
        bundle, provider="cpu", orientation=False, runtime=RuntimeOptions(fixed_shapes=True)
    )
    scores = {natural: Score(), fixed: Score()}
    changed, found = [], 0
    for image, lines in pictures.values():
        for ocr, score in scores.items():
            page = ocr.read(image)
            score.add(lines, [(np.asarray(line.quad, float), line.text) for line in page])
        regions = [region for region in natural.detect(image) if _is_labelled(region, lines)]
        crops = [crop_region(image, region).pixels for region in regions]
        for one, other in zip(natural.recognize(crops), fixed.recognize(crops), strict=True):
            found += 1
            if normalized(one.text) != normalized(other.text):
                changed.append((one.text, other.text))
    return Comparison(
        bundle=bundle.manifest.name,
        sizes=len(stages.detection.resize.sizes),
        line_shapes=len(stages.recognition.widths) * len(stages.recognition.batches),
        lines=found,
        changed=tuple(changed),
        hmean=round(scores[natural].figures()["hmean"], 4),
        fixed_hmean=round(scores[fixed].figures()["hmean"], 4),
    )


def _is_labelled(region: Region, lines: Sequence[LabelledLine]) -> bool:
    """Return whether a region lies on a labelled line that counts."""
    quad = np.asarray(region.quad, float)
    return any(line.care and same_place(quad, line.polygon) for line in lines)


def table(comparisons: Sequence[Comparison]) -> str:
    """Format the comparisons as a table in Markdown."""
    rows = [
        f"| {each.bundle} | {each.sizes} | {each.line_shapes} | {each.lines} | "
        f"{len(each.changed)} | {each.hmean:.4f} | {each.fixed_hmean:.4f} |"
        for each in comparisons
    ]
    return "\n".join([HEADER, *rows])
