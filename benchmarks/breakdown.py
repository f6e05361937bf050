"""Show where each millisecond of a page goes: python -m benchmarks breakdown --images DIR."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeocr import OCR, Bundle
from edgeocr.errors import EdgeOCRError
from edgeocr.variants.choice import reduced_to

from .inputs import MeasurementError, find_pictures
from .operators import Profile, measure_limits, profile
from .operators import table as operator_lines
from .reading_options import add_reading_options

# The stages in the order in which a picture passes them, with their titles in the table. "rest" is
# the time that no stage accounts for.
STAGES = {
    "load": "file decode",
    "page_orientation": "page orientation",
    "unwarping": "unwarping",
    "resize": "resize",
    "detection": "detection",
    "postprocess": "post-processing",
    "crops": "crops",
    "orientation": "orientation",
    "recognition": "recognition",
    "decoding": "decoding",
    "words": "words",
    "layout": "reading order",
    "rest": "rest",
}
# Stages that consist of ONNX Runtime's work only.
INSIDE = ("detection", "orientation", "recognition")


@dataclass(frozen=True)
class Run:
    """One pass over all pages.

    Attributes:
        stages_ms: Milliseconds of each stage, summed over the pages.
        total_ms: Wall time in milliseconds.
        cores_busy: CPU seconds per second of wall time.
    """

    stages_ms: Mapping[str, float]
    total_ms: float
    cores_busy: float

    @property
    def cpu_ms(self) -> float:
        """CPU time in milliseconds."""
        return self.total_ms * self.cores_busy


@dataclass(frozen=True)
class Breakdown:
    """Where the time of the pages goes: medians over the runs.

    Attributes:
        bundle: Name of the bundle.
        pages: Number of pages in each run.
        threads: CPU threads that edgeocr was given.
        stages_ms: Milliseconds of each stage that ran, summed over the pages.
        total_ms: Wall time of all pages in milliseconds.
        outside_share: Share of the time, without file decoding, that is spent outside ONNX Runtime.
        cores_busy: CPU seconds per second of wall time.
        operators: Time and work of ONNX Runtime's operators with one thread, summed over the
            pages, for each profiled stage; None without profiling.
        words_cost: The CPU time that finding words adds, as a share of that of reading without
            them; None if they weren't asked for.
    """

    bundle: str
    pages: int
    threads: int
    stages_ms: dict[str, float]
    total_ms: float
    outside_share: float
    cores_busy: float
    operators: dict[str, Profile] | None = None
    words_cost: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the figures for JSON, without `operators` and `words_cost` if there are none."""
        figures = asdict(self)
        optional = ("operators", "words_cost")
        return {
            name: each for name, each in figures.items() if name not in optional or each is not None
        }


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "--images", type=Path, required=True, metavar="DIR", help="folder of pictures"
    )
    add_reading_options(parser, repeat=5)
    parser.add_argument(
        "--orientation", action="store_true", help="run the classifier of upside-down lines"
    )
    parser.add_argument(
        "--words",
        action="store_true",
        help="find the words of the lines, too, and compare with reading without them, in turn",
    )
    parser.add_argument(
        "--operators",
        action="store_true",
        help="also profile ONNX Runtime's operators, with one thread on the same inputs, and show "
        "the limits of the machine beside them; needs the package onnx",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE too")


def run(options: argparse.Namespace) -> None:
    """Read the folder several times and print the medians."""
    try:
        figures = measure(options)
    except (MeasurementError, EdgeOCRError) as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    print(table(figures))
    if options.json:
        text = json.dumps(figures.to_dict(), indent=1) + "\n"
        options.json.write_text(text, encoding="utf-8")


def table(figures: Breakdown) -> str:
    """Format the figures as a table for the terminal."""
    pages, total = figures.pages, figures.total_ms
    lines = [f"{'stage':16} {'ms per page':>12} {'share':>7}"]
    for stage, title in STAGES.items():
        if stage in figures.stages_ms:
            ms = figures.stages_ms[stage]
            lines.append(f"{title:16} {ms / pages:12.2f} {ms / total:7.1%}")
    lines += [
        f"{'total':16} {total / pages:12.2f}",
        f"outside ONNX Runtime, file decode aside: {figures.outside_share:.1%} of the time",
        f"cores busy: {figures.cores_busy:.2f} of {figures.threads}",
    ]
    if figures.words_cost is not None:
        lines.append(f"words add {figures.words_cost:.1%} to the CPU time of a page")
    for stage, found in (figures.operators or {}).items():
        lines += operator_lines(stage, found, pages)
    return "\n".join(lines)


def summarize(
    runs: Sequence[Run],
    *,
    bundle: str,
    pages: int,
    threads: int,
    operators: dict[str, Profile] | None = None,
    without_words: Sequence[Run] | None = None,
) -> Breakdown:
    """Take the medians of several runs over the same pages.

    Args:
        runs: The runs; all have the same stages.
        bundle: Name of the bundle.
        pages: Number of pages in each run.
        threads: CPU threads that edgeocr was given.
        operators: What `profile` returned for each profiled stage.
        without_words: Runs that didn't find words, each just before one of `runs`, which did.
    """
    cost = None
    if without_words is not None:
        ratios = [a.cpu_ms / b.cpu_ms for a, b in zip(runs, without_words, strict=True)]
        cost = round(median(ratios) - 1, 4)
    stages = {
        stage: median(each.stages_ms[stage] for each in runs)
        for stage in STAGES
        if stage in runs[0].stages_ms
    }
    total = median(each.total_ms for each in runs)
    stages["rest"] = median(each.total_ms - sum(each.stages_ms.values()) for each in runs)
    outside = sum(ms for stage, ms in stages.items() if stage not in (*INSIDE, "load"))
    return Breakdown(
        bundle=bundle,
        pages=pages,
        threads=threads,
        stages_ms={stage: round(ms, 3) for stage, ms in stages.items()},
        total_ms=round(total, 3),
        outside_share=round(outside / (total - stages["load"]), 4),
        cores_busy=round(median(each.cores_busy for each in runs), 3),
        operators=operators,
        words_cost=cost,
    )


def measure(options: argparse.Namespace) -> Breakdown:
    """Read the pictures of a folder several times.

    Raises:
        MeasurementError: There are no pictures, or the bundle can't read pages.
        EdgeOCRError: The bundle can't be opened, or a picture can't be read.
    """
    pictures = find_pictures(options.images)
    bundle = Bundle.default() if options.bundle is None else Bundle.open(options.bundle)
    name, stages = bundle.manifest.name, bundle.manifest.stages
    if stages.recognition is None or stages.detection is None:
        raise MeasurementError(
            f"the bundle {name!r} can't be broken down: choose one with detection and recognition"
        )
    with OCR(
        bundle, provider="cpu", threads=options.threads, orientation=options.orientation
    ) as ocr:
        # The first reads allocate memory and build what is built on demand, so they don't count.
        for picture in pictures:
            ocr.read(picture)
        runs, without_words = [], []
        for _ in range(options.repeat):
            if options.words:
                without_words.append(_read_all(ocr, pictures))
            runs.append(_read_all(ocr, pictures, words=options.words))
        operators = _operators(ocr, bundle, pictures) if options.operators else None
    return summarize(
        runs,
        bundle=name,
        pages=len(pictures),
        threads=options.threads,
        operators=operators,
        without_words=without_words or None,
    )


def _read_all(ocr: OCR, pictures: Sequence[Path], *, words: bool = False) -> Run:
    """Read each picture once."""
    stages: dict[str, float] = {}
    started, worked = perf_counter(), process_time()
    for picture in pictures:
        for stage, ms in ocr.read(picture, words=words).milliseconds.items():
            stages[stage] = stages.get(stage, 0.0) + ms
    wall = perf_counter() - started
    return Run(stages, 1000 * wall, (process_time() - worked) / wall)


def _operators(ocr: OCR, bundle: Bundle, pictures: list[Path]) -> dict[str, Profile]:
    """Profile the networks on the batches that they get when the pictures are read."""
    stages = bundle.manifest.stages
    assert stages.detection is not None and stages.recognition is not None
    found = {}
    limits = measure_limits()
    for name, stage in (("detection", stages.detection), ("recognition", stages.recognition)):
        batches: list[NDArray[np.uint8]] = []
        session = ocr.stages[name].session
        session.observer = batches.append
        for picture in pictures:
            ocr.read(picture)
        session.observer = None
        taken = reduced_to(stage, ocr.variants.get(name, stage.precision))
        found[name] = profile(bundle.read(taken.graph), batches, limits)
    return found
