"""Show what takes memory, and whether it grows: python -m benchmarks memory."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import TypedDict

from .inputs import MeasurementError, find_pictures, positive

ROOT = Path(__file__).parents[1]
# Prints what the process holds after each step, and its peak, in bytes, as JSON.
CODE = """
import json, sys
from edgeocr.bench.process_memory import peak_rss_bytes
from edgeocr.memory.limit import resident_bytes
number, bundle, *pictures = sys.argv[1:]
steps = [("interpreter", resident_bytes())]
import cv2, edgeocr.ocr, onnxruntime
steps.append(("imports", resident_bytes()))
ocr = edgeocr.ocr.OCR(bundle or None, provider="cpu")
steps.append(("opening", resident_bytes()))
opening = peak_rss_bytes()
for picture in pictures:
    ocr.detect(picture)
steps.append(("detection", resident_bytes()))
for picture in pictures:
    ocr.read(picture)
steps.append(("recognition", resident_bytes()))
once = peak_rss_bytes()
for place in range(int(number)):
    ocr.read(pictures[place % len(pictures)])
steps.append(("all pictures", resident_bytes()))
print(json.dumps({"steps": steps, "opening": opening, "once": once, "peak": peak_rss_bytes()}))
"""


class Measured(TypedDict):
    """What one process held, in bytes.

    Attributes:
        steps: What it held after each step, in their order.
        opening: Its peak when the bundle was open.
        once: Its peak when each picture had been read once.
        peak: Its peak.
    """

    steps: list[tuple[str, int]]
    opening: int
    once: int
    peak: int


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "--bundle", nargs="+", default=[""], metavar="PATH", help="default: the package's own"
    )
    parser.add_argument(
        "--images",
        type=Path,
        default=ROOT / "tests" / "images",
        metavar="DIR",
        help="folder of pictures; default: those of the tests",
    )
    parser.add_argument(
        "--pictures",
        type=positive,
        default=50,
        help="how many pictures are read after each was read once, to see growth; default: 50",
    )


def run(options: argparse.Namespace) -> None:
    """Measure each bundle in a process of its own and print the table."""
    try:
        pictures = [str(each.absolute()) for each in find_pictures(options.images)]
        for bundle in options.bundle:
            print(table(bundle or "the package's own", measure(bundle, pictures, options.pictures)))
    except MeasurementError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None


def measure(bundle: str, pictures: list[str], number: int) -> Measured:
    """Read pictures in a fresh process.

    Args:
        bundle: Path of a bundle; empty for the package's own.
        pictures: Each is detected, then read, once.
        number: How many of them, over and over, are read after that.

    Raises:
        MeasurementError: The process failed.
    """
    done = subprocess.run(
        [sys.executable, "-c", CODE, str(number), bundle, *pictures],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise MeasurementError(f"{bundle or 'edgeocr'} failed: {done.stderr.strip()[-500:]}")
    measured: Measured = json.loads(done.stdout.splitlines()[-1])
    return measured


def table(name: str, measured: Measured) -> str:
    """Format what each step added, and the peaks, in megabytes of 10^6 bytes."""
    lines = [f"{name}: {'held':>8} {'added':>8}  MB"]
    before = 0
    for step, held in measured["steps"]:
        lines.append(f"  {step:14} {held / 1e6:8.1f} {(held - before) / 1e6:8.1f}")
        before = held
    grown = (measured["peak"] - measured["once"]) / 1e6
    lines.append(
        f"  peak {measured['peak'] / 1e6:.1f}, of which {grown:.1f} were added after each picture "
        f"had been read once; opening alone {measured['opening'] / 1e6:.1f}"
    )
    return "\n".join(lines)
