"""Show how time and memory grow with lines, with text, with background and with threads.

Usage: python -m benchmarks scaling [--bundle PATH].
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from edgeocr import OCR, Bundle, EdgeOCRError
from edgeocr.outputs.replacement import write_file

from . import machine, peak_memory, scaling_chart, scaling_pages
from .inputs import MeasurementError
from .reading_options import add_reading_options


@dataclass(frozen=True)
class Series:
    """Pictures that differ in one thing, or one picture with several numbers of threads.

    Attributes:
        name: Its name in the results.
        title: What grows.
        unit: What `Case.x` counts.
    """

    name: str
    title: str
    unit: str


SERIES = (
    Series("lines", "More lines on a page of fixed size", "lines"),
    Series("background", "16 lines on a growing white ground", "megapixels"),
    Series("text", "16 lines that grow with the picture", "megapixels"),
    Series("threads", "32 lines with more threads", "threads"),
)


@dataclass(frozen=True)
class Case:
    """What was measured of one picture.

    Attributes:
        x: What grows in the series.
        lines: Number of lines drawn.
        found: Number of lines found.
        ms: Best time of the rounds in milliseconds.
        stages_ms: Best time of each stage in milliseconds; the stages that overlap don't add up.
        peak_mib: Peak resident memory of the process while it reads the picture for the first time,
            in MiB; None where it is unknown.
    """

    x: float
    lines: int
    found: int
    ms: float
    stages_ms: dict[str, float]
    peak_mib: float | None


@dataclass(frozen=True)
class Fit:
    """The straight line that fits points best (least squares).

    Attributes:
        first: Where the first point is.
        last: Where the last point is.
        slope: How much a unit more adds.
        intercept: What is left without any.
        r2: The share of the variance that the line explains: 1 if all points are on it.
        worst: The largest deviation of a point from the line, divided by the point's value.
        worst_x: Where that point is.
    """

    first: float
    last: float
    slope: float
    intercept: float
    r2: float
    worst: float
    worst_x: float


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add_reading_options(parser, repeat=7)
    parser.add_argument(
        "--series",
        nargs="+",
        choices=[series.name for series in SERIES],
        default=[series.name for series in SERIES],
        metavar="NAME",
        help=f"what grows; default: {' '.join(series.name for series in SERIES)}",
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=Path(__file__).parent / "results",
        metavar="DIR",
        help="folder for the result and the chart; default: benchmarks/results",
    )


def run(options: argparse.Namespace) -> None:
    """Draw the pictures, read them, print the fits, and write JSON and a chart."""
    try:
        _run(options)
    except (MeasurementError, EdgeOCRError, ImportError) as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None


def _run(options: argparse.Namespace) -> None:
    bundle = Bundle.default() if options.bundle is None else Bundle.open(options.bundle)
    name, stages = bundle.manifest.name, bundle.manifest.stages
    if stages.detection is None or stages.reading is None:
        raise MeasurementError(
            f"the bundle {name!r} can't be measured: choose one that reads pages"
        )
    max_pixels = stages.detection.resize.max_pixels
    chosen = [series for series in SERIES if series.name in options.series]
    result: dict[str, Any] = {
        "bundle": name,
        "threads": options.threads,
        "rounds": options.repeat,
        "machine": machine.describe(),
        "series": {},
    }
    with tempfile.TemporaryDirectory(prefix="edgeocr-scaling-") as temporary:
        for series in chosen:
            drawn = scaling_pages.draw(series.name, Path(temporary))
            # A process of its own for each series, so that memory that one keeps isn't another's.
            with ProcessPoolExecutor(1, get_context("spawn")) as process:
                measured = process.submit(measure, series.name, drawn, vars(options))
                cases = measured.result()
            lines = [fits(part) for part in parts(cases, series.name, max_pixels)]
            print(table(series, cases, lines))
            result["series"][series.name] = {
                "title": series.title,
                "unit": series.unit,
                "cases": [asdict(case) for case in cases],
                "fits": lines,
            }
    options.output.mkdir(parents=True, exist_ok=True)
    file = options.output / f"scaling-{name}-{machine.slug(result['machine'])}.json"
    write_file(file, (json.dumps(result, indent=1) + "\n").encode())
    write_file(file.with_suffix(".svg"), scaling_chart.svg(result).encode())
    print(f"written to {file} and {file.with_suffix('.svg').name}")


def measure(
    series: str, drawn: Sequence[scaling_pages.Drawn], options: dict[str, Any]
) -> list[Case]:
    """Read the pictures of a series in turn, in this process.

    Args:
        series: Name of the series.
        drawn: Its pictures, the smallest first. For "threads" the only one.
        options: The options of the command: bundle, threads and repeat.
    """
    if series == "threads":
        threads = list(range(1, options["threads"] + 1))
        readers = [_open(options["bundle"], number) for number in threads]
        jobs = [(float(number), drawn[0]) for number in threads]
    else:
        readers = [_open(options["bundle"], options["threads"])] * len(drawn)
        jobs = [(picture.x, picture) for picture in drawn]
    peaks, found = [], []
    # The smallest first, because memory that a larger one needed may stay.
    for ocr, (_, picture) in zip(readers, jobs, strict=True):
        known = peak_memory.reset()
        found.append(len(ocr.read(picture.path)))
        peaks.append(peak_memory.mib() if known else None)
    pages = [
        [_timed(ocr, picture.path) for ocr, (_, picture) in zip(readers, jobs, strict=True)]
        for _ in range(options["repeat"])
    ]
    cases = []
    for i, (x, picture) in enumerate(jobs):
        rounds = [each[i] for each in pages]
        best = {key: round(min(each[key] for each in rounds), 3) for key in rounds[0]}
        total = best.pop("total")
        cases.append(Case(x, picture.lines, found[i], total, best, peaks[i]))
    for ocr in set(readers):
        ocr.close()
    return cases


def _open(bundle: str | None, threads: int) -> OCR:
    return OCR(bundle or Bundle.default(), provider="cpu", threads=threads, orientation=False)


def _timed(ocr: OCR, path: str) -> dict[str, float]:
    """Read a picture and return the milliseconds of its stages, and those of everything."""
    started = perf_counter()
    page = ocr.read(path)
    return {**page.milliseconds, "total": 1000 * (perf_counter() - started)}


def parts(cases: Sequence[Case], series: str, max_pixels: int) -> list[Sequence[Case]]:
    """Divide the cases of a series where a straight line is expected to have a knee.

    From `max_pixels` on, detection sees a picture smaller than it is, so its cost doesn't grow any
    more. The last picture within belongs to both parts. Two threads and one make no line.
    """
    if series == "threads":
        return []
    if series == "lines":
        return [cases]
    knee = sum(case.x * 1e6 <= max_pixels for case in cases)
    return [part for part in (cases[:knee], cases[max(knee - 1, 0) :]) if len(part) > 2]


def fits(cases: Sequence[Case]) -> dict[str, Any]:
    """Return the lines through times and peaks, and how much each stage grows with a unit more."""
    x = [case.x for case in cases]
    peaks = [case.peak_mib for case in cases if case.peak_mib is not None]
    stages = {
        stage: fit(x, [case.stages_ms.get(stage, 0.0) for case in cases]).slope
        for stage in cases[0].stages_ms
    }
    return {
        "time": asdict(fit(x, [case.ms for case in cases])),
        "memory": asdict(fit(x, peaks)) if len(peaks) == len(cases) else None,
        "stages_ms_per_unit": stages,
    }


def fit(x: Sequence[float], y: Sequence[float]) -> Fit:
    """Fit a straight line to points by least squares.

    Args:
        x: Where the points are; there are two at least, in ascending order.
        y: Their values.
    """
    at, values = np.asarray(x), np.asarray(y)
    slope, intercept = np.polyfit(at, values, 1)
    off = values - (slope * at + intercept)
    spread = np.square(values - values.mean()).sum()
    relative = np.abs(off) / np.maximum(np.abs(values), 1e-9)
    worst = int(relative.argmax())
    return Fit(
        first=x[0],
        last=x[-1],
        slope=round(float(slope), 4),
        intercept=round(float(intercept), 3),
        r2=round(1 - float(np.square(off).sum() / spread), 5) if spread else 1.0,
        worst=round(float(relative[worst]), 4),
        worst_x=x[worst],
    )


def table(series: Series, cases: Sequence[Case], lines: Sequence[dict[str, Any]]) -> str:
    """Format a series for the terminal.

    Args:
        series: The series.
        cases: Its cases.
        lines: What `fits` returned for each part of the series.
    """
    shown = ("load", "detection", "postprocess", "crops", "recognition")
    head = f"{series.unit:>10} {'lines':>5} {'found':>5} {'ms':>8}"
    rows = [f"{series.title}:", head + "".join(f" {s:>11}" for s in shown) + f" {'peak MiB':>9}"]
    for case in cases:
        stages = "".join(f" {case.stages_ms.get(stage, 0.0):11.1f}" for stage in shown)
        peak = "–" if case.peak_mib is None else f"{case.peak_mib:.0f}"
        rows.append(
            f"{case.x:10.4g} {case.lines:5} {case.found:5} {case.ms:8.1f}{stages} {peak:>9}"
        )
    unit = series.unit.removesuffix("s")
    for line in lines:
        rows.append(f"  {line['time']['first']:g} to {line['time']['last']:g} {series.unit}:")
        rows.append(f"    time   {_described(line['time'], 'ms', unit)}")
        growing = sorted(line["stages_ms_per_unit"].items(), key=lambda item: -item[1])[:4]
        rows.append("           of it " + ", ".join(f"{name} {ms:.2f}" for name, ms in growing))
        if line["memory"]:
            rows.append(f"    memory {_described(line['memory'], 'MiB', unit)}")
    return "\n".join(rows) + "\n"


def _described(line: dict[str, float], what: str, unit: str) -> str:
    return (
        f"{line['slope']:.2f} {what} per {unit} + {line['intercept']:.1f} {what}, "
        f"R² {line['r2']:.4f}, worst deviation {line['worst']:.1%} at {line['worst_x']:g}"
    )
