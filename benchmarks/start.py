"""Measure how long fresh processes take to a first text: python -m benchmarks start."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from time import perf_counter

from .inputs import MeasurementError, positive
from .machine import describe

ROOT = Path(__file__).parents[1]
# What a fresh process does, and the milliseconds of each part that it prints as JSON.
EDGEOCR = """
import json, sys
from time import perf_counter
times = [perf_counter()]
import edgeocr.ocr
times.append(perf_counter())
ocr = edgeocr.ocr.OCR(*sys.argv[2:], provider="cpu")
times.append(perf_counter())
ocr.read(sys.argv[1])
times.append(perf_counter())
print(json.dumps([1000 * (b - a) for a, b in zip(times, times[1:])]))
"""
RAPIDOCR = """
import json, sys
from time import perf_counter
times = [perf_counter()]
import rapidocr
times.append(perf_counter())
engine = rapidocr.RapidOCR()
times.append(perf_counter())
engine(sys.argv[1])
times.append(perf_counter())
print(json.dumps([1000 * (b - a) for a, b in zip(times, times[1:])]))
"""
PARTS = ("interpreter", "imports", "opening", "first read")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "--picture", type=Path, default=ROOT / "tests" / "images" / "sample.jpg", metavar="FILE"
    )
    parser.add_argument("--bundle", metavar="PATH", help="default: the package's own")
    parser.add_argument(
        "--beside", type=Path, metavar="DIR", help="another checkout of edgeocr to compare with"
    )
    parser.add_argument(
        "--rapidocr", type=Path, metavar="PYTHON", help="a Python that has RapidOCR installed"
    )
    parser.add_argument("--repeat", type=positive, default=7, help="processes of each; default: 7")


def run(options: argparse.Namespace) -> None:
    """Start each program in turn and print the medians of its parts."""
    bundle = [] if options.bundle is None else [str(Path(options.bundle).absolute())]
    programs = {"edgeocr": (sys.executable, EDGEOCR, ROOT, bundle)}
    if options.beside is not None:
        programs[str(options.beside)] = (sys.executable, EDGEOCR, options.beside, bundle)
    if options.rapidocr is not None:
        programs["rapidocr"] = (str(options.rapidocr), RAPIDOCR, ROOT, [])
    times: dict[str, list[list[float]]] = {name: [] for name in programs}
    try:
        # The first round writes Python's compiled files and fills the system's cache of files.
        for number in range(options.repeat + 1):
            for name, (python, code, folder, more) in programs.items():
                measured = start(python, code, folder, [str(options.picture.absolute()), *more])
                if number:
                    times[name].append(measured)
    except MeasurementError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    print(describe())
    print(table(times))


def start(python: str, code: str, folder: Path, arguments: Sequence[str]) -> list[float]:
    """Run a program in a fresh process and return the milliseconds of `PARTS`.

    Raises:
        MeasurementError: The program failed.
    """
    environment = {**os.environ, "PYTHONPATH": str(folder.absolute())}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # modules would be compiled at each start
    begin = perf_counter()
    done = subprocess.run(
        [python, "-c", code, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    whole = 1000 * (perf_counter() - begin)
    if done.returncode:
        raise MeasurementError(f"{python} failed: {done.stderr.strip()[-500:]}")
    parts: list[float] = json.loads(done.stdout.splitlines()[-1])
    return [whole - sum(parts), *parts]


def table(times: Mapping[str, Sequence[Sequence[float]]]) -> str:
    """Format the medians of each program's parts, and the median and the minimum of all together.

    Args:
        times: The milliseconds of `PARTS` of each process, by program; the first program is
            compared with the others.
    """
    width = max(map(len, times))
    heads = [*PARTS, "median", "minimum", "ratio"]
    lines = [" ".join([" " * width, *(f"{head:>11}" for head in heads)])]
    wholes = {name: [sum(each) for each in rounds] for name, rounds in times.items()}
    first = next(iter(wholes.values()))
    for name, rounds in times.items():
        parts = [median(part) for part in zip(*rounds, strict=True)]
        ratio = median(a / b for a, b in zip(first, wholes[name], strict=True))
        figures = [*parts, median(wholes[name]), min(wholes[name])]
        row = [f"{name:{width}}", *(f"{each:8.0f} ms" for each in figures), f"{ratio:11.2f}"]
        lines.append(" ".join(row))
    return "\n".join(lines)
