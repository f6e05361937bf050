"""Measure pages per second with and without Ray, and what a million pages cost.

python -m benchmarks scale [--images DIR] [--price-per-hour PRICE]
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

from edgeocr import OCR
from edgeocr.errors import EdgeOCRError
from edgeocr.outputs.replacement import write_file
from edgeocr.ray import job
from edgeocr.ray.job import Actors
from edgeocr.ray.shards import Task

from .commits import commit
from .inputs import MeasurementError, find_pictures, positive
from .machine import describe
from .peers import OWN_PICTURES
from .reading_options import add_reading_options

MILLION = 1_000_000


@dataclass(frozen=True)
class Pace:
    """How fast pages are read in one way.

    Attributes:
        name: What the table calls it.
        pages_per_second: The pace once everything has started: the median of the rounds.
        start_seconds: The time until the first result: the median of the rounds.
    """

    name: str
    pages_per_second: float
    start_seconds: float

    @property
    def hours_per_million(self) -> float:
        """How many hours this machine takes for a million pages."""
        return MILLION / self.pages_per_second / 3600


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "--images",
        type=Path,
        default=OWN_PICTURES,
        metavar="DIR",
        help="folder of pictures; default: tests/images",
    )
    parser.add_argument(
        "--pages", type=positive, default=240, metavar="N", help="pages of a pass; default: 240"
    )
    parser.add_argument(
        "--price-per-hour",
        type=float,
        metavar="PRICE",
        help="what an hour of this machine costs, in any currency",
    )
    parser.add_argument("--output", type=Path, metavar="FILE", help="JSON file to write")
    add_reading_options(parser, repeat=3)


def run(options: argparse.Namespace) -> None:
    """Read the pages in each way, in turn, and print the figures."""
    try:
        paces = measure(options)
    except (MeasurementError, EdgeOCRError) as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    machine = describe()
    print(f"{machine['cpu']}, {options.threads} threads, passes of {options.pages} pages")
    print(table(paces, options.price_per_hour))
    if options.output is not None:
        result = {
            "machine": machine,
            "commit": commit(),
            "threads": options.threads,
            "pages": options.pages,
            "rounds": options.repeat,
            "paces": [asdict(pace) for pace in paces],
        }
        write_file(options.output, (json.dumps(result, indent=1) + "\n").encode())


def table(paces: list[Pace], price: float | None) -> str:
    """Format the figures for the terminal; ratios are to the first way.

    Args:
        paces: The figures.
        price: The price of an hour; None to leave the costs out.
    """
    costs = f" {'per million':>12}" if price is not None else ""
    lines = [f"{'way':34} {'pages/s':>8} {'ratio':>6} {'start s':>8} {'h/million':>10}{costs}"]
    for pace in paces:
        cost = f" {price * pace.hours_per_million:12.2f}" if price is not None else ""
        lines.append(
            f"{pace.name:34} {pace.pages_per_second:8.2f} "
            f"{pace.pages_per_second / paces[0].pages_per_second:6.3f} "
            f"{pace.start_seconds:8.1f} {pace.hours_per_million:10.1f}{cost}"
        )
    return "\n".join(lines)


def measure(options: argparse.Namespace) -> list[Pace]:
    """Read pages in one process, and with an actor of one thread for each thread.

    Raises:
        MeasurementError: There are no pictures.
        EdgeOCRError: The bundle can't be opened, Ray is missing, or a picture can't be read.
    """
    with repeated(find_pictures(options.images), options.pages) as folder:
        names = ("one process (read_many)", f"Ray, {options.threads} actors of one thread")
        ways = (in_one_process, on_ray)
        rounds: list[list[tuple[float, float]]] = [[], []]
        for _ in range(options.repeat):
            for way, measured in zip(ways, rounds, strict=True):
                measured.append(way(folder, options.bundle, options.threads))
    return [
        Pace(name, median(pace for pace, _ in measured), median(start for _, start in measured))
        for name, measured in zip(names, rounds, strict=True)
    ]


def in_one_process(folder: Path, bundle: str | None, threads: int) -> tuple[float, float]:
    """Return the pages per second of `read_many`, and the seconds until the first page."""
    began = perf_counter()
    with OCR(bundle, provider="cpu", threads=threads) as ocr:
        pages = ocr.read_many(sorted(folder.iterdir()), on_error="raise")
        next(pages)
        first = perf_counter()
        number = sum(1 for _ in pages)
    return number / (perf_counter() - first), first - began


def on_ray(folder: Path, bundle: str | None, threads: int) -> tuple[float, float]:
    """Return the pages per second of a job on Ray, and the seconds until its first shard begins."""
    began = perf_counter()
    with tempfile.TemporaryDirectory() as target:
        progress = job.run(
            Task(str(folder), target),
            bundle=bundle,
            options={"provider": "cpu"},
            actors=Actors(threads, 1),
        )
        next(progress)
        shards = [next(progress)]
        first = perf_counter() - shards[0].last_seconds
        shards += progress
        last = perf_counter()
    return shards[-1].pages / (last - first), first - began


@contextmanager
def repeated(pictures: list[Path], number: int) -> Iterator[Path]:
    """Make a folder with a number of pictures, which are links to some pictures in turn."""
    with tempfile.TemporaryDirectory() as folder:
        for i in range(number):
            picture = pictures[i % len(pictures)]
            (Path(folder) / f"{i:06}{picture.suffix}").symlink_to(picture.resolve())
        yield Path(folder)
