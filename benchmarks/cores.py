"""Show how busy pages keep the cores: python -m benchmarks cores [--images DIR]."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from statistics import median
from time import perf_counter, process_time

from edgeocr import OCR
from edgeocr.bench.process_memory import peak_rss_bytes
from edgeocr.errors import EdgeOCRError

from .inputs import MeasurementError, find_pictures
from .peers import OWN_PICTURES
from .reading_options import add_reading_options


@dataclass(frozen=True)
class Pass:
    """One pass over all pictures.

    Attributes:
        seconds: Wall time.
        cpu_seconds: CPU time of the whole process.
    """

    seconds: float
    cpu_seconds: float


@dataclass(frozen=True)
class Way:
    """A way to read pictures, and what it costs: medians over its passes.

    Attributes:
        name: What the table calls it.
        seconds: Wall time of a pass.
        cpu_seconds: CPU time of a pass.
        cores_busy: CPU seconds per second of wall time.
        peak_mb: The most memory that the process has held so far, in MB; None if unknown. The ways
            are measured in the order of the memory that they need.
    """

    name: str
    seconds: float
    cpu_seconds: float
    cores_busy: float
    peak_mb: float | None

    @classmethod
    def of(cls, name: str, passes: Sequence[Pass], peak_bytes: int | None) -> Way:
        """Take the medians of some passes."""
        return cls(
            name,
            median(each.seconds for each in passes),
            median(each.cpu_seconds for each in passes),
            median(each.cpu_seconds / each.seconds for each in passes),
            None if peak_bytes is None else peak_bytes / 1e6,
        )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "--images",
        type=Path,
        default=OWN_PICTURES,
        metavar="DIR",
        help="folder of pictures; default: tests/images",
    )
    add_reading_options(parser, repeat=5)
    parser.add_argument(
        "--orientation", action="store_true", help="run the classifier of upside-down lines"
    )


def run(options: argparse.Namespace) -> None:
    """Read the folder in each way, in turn, and print the medians."""
    try:
        ways = measure(options)
    except (MeasurementError, EdgeOCRError) as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    print(table(ways, len(find_pictures(options.images)), options.threads))


def table(ways: Sequence[Way], pages: int, threads: int) -> str:
    """Format the figures as a table for the terminal; ratios are to the first way."""
    lines = [f"{'way':32} {'ms/page':>8} {'CPU ms':>8} {'cores':>6} {'ratio':>6} {'peak MB':>8}"]
    for way in ways:
        peak = "?" if way.peak_mb is None else f"{way.peak_mb:.0f}"
        lines.append(
            f"{way.name:32} {1000 * way.seconds / pages:8.1f} "
            f"{1000 * way.cpu_seconds / pages:8.1f} {way.cores_busy:6.2f} "
            f"{way.seconds / ways[0].seconds:6.3f} {peak:>8}"
        )
    lines.append(f"{pages} pages, {threads} threads")
    return "\n".join(lines)


def measure(options: argparse.Namespace) -> list[Way]:
    """Read the pictures of a folder one by one, as a stream, and side by side.

    Raises:
        MeasurementError: There are no pictures.
        EdgeOCRError: The bundle can't be opened, or a picture can't be read.
    """
    pictures = find_pictures(options.images)

    def opened(threads: int) -> OCR:
        return OCR(options.bundle, provider="cpu", threads=threads, orientation=options.orientation)

    with ExitStack() as stack:
        ocr = stack.enter_context(opened(options.threads))
        ways: dict[str, Callable[[], object]] = {
            "one page at a time": lambda: [ocr.read(each) for each in pictures],
            "stream (read_many)": lambda: list(ocr.read_many(pictures, on_error="raise")),
        }
        peaks: dict[str, int | None] = {}
        for name, way in ways.items():
            way()  # the first pass allocates memory, and opens what is opened on demand
            peaks[name] = peak_rss_bytes()
        single = [stack.enter_context(opened(1)) for _ in range(options.threads)]
        name = f"{options.threads} pages side by side"
        ways[name] = lambda: side_by_side(single, pictures)
        ways[name]()
        peaks[name] = peak_rss_bytes()
        passes: dict[str, list[Pass]] = {name: [] for name in ways}
        for _ in range(options.repeat):
            for name, way in ways.items():
                passes[name].append(timed(way))
    return [Way.of(name, passes[name], peaks[name]) for name in ways]


def timed(way: Callable[[], object]) -> Pass:
    """Measure one pass."""
    started, worked = perf_counter(), process_time()
    way()
    return Pass(perf_counter() - started, process_time() - worked)


def side_by_side(readers: Sequence[OCR], pictures: Sequence[Path]) -> None:
    """Read each picture with whichever of some readers is free."""
    waiting: SimpleQueue[Path | None] = SimpleQueue()
    for each in [*pictures, *[None] * len(readers)]:
        waiting.put(each)

    def work(reader: OCR) -> None:
        while (picture := waiting.get()) is not None:
            reader.read(picture)

    with ThreadPoolExecutor(len(readers)) as threads:
        list(threads.map(work, readers))
