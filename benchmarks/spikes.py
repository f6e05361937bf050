"""Measure how long the slowest of many pages of random sizes take.

Usage: python -m benchmarks spikes [--provider NAME].
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from statistics import median
from time import perf_counter

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeocr import OCR, EdgeOCRError, RuntimeOptions

from .drawn_picture import WORDS
from .inputs import positive

SEED = 2029
# The sides of the pages, in pixels.
SIDES = (300, 1600)
# Every page has the same number of lines, so that its work varies less than its size.
LINES = 8
# A page that takes more than this many times the median is a spike.
SPIKE = 3.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--provider", default="auto", help="execution provider; default: auto")
    parser.add_argument("--bundle", help="path of a bundle; default: the package's own")
    parser.add_argument("--pages", type=positive, default=500, help="number of pages; default: 500")
    parser.add_argument("--fp16", action="store_true", help="allow lower precision")
    parser.add_argument(
        "--any-shape",
        action="store_true",
        help="don't pad inputs to the bundle's fixed set of shapes",
    )


def run(options: argparse.Namespace) -> None:
    """Warm up, read the pages and print the figures; the exit code is 1 if there is a spike."""
    runtime = RuntimeOptions(fp16=options.fp16, fixed_shapes=False if options.any_shape else None)
    try:
        ocr = OCR(options.bundle, provider=options.provider, runtime=runtime)
        start = perf_counter()
        ocr.warm_up()
        print(f"warm-up: {perf_counter() - start:.1f} s")
        shapes = record_shapes(ocr)
        milliseconds = []
        for page in pages(options.pages):
            start = perf_counter()
            ocr.read(page)
            milliseconds.append(1000 * (perf_counter() - start))
    except EdgeOCRError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    for stage, provider in ocr.providers.items():
        print(f"{stage} on {provider}: number of input shapes {len(shapes[stage])}")
    times = PageTimes.from_milliseconds(milliseconds)
    print(times)
    raise SystemExit(1 if times.spikes else 0)


@dataclass(frozen=True)
class PageTimes:
    """How long pages took.

    Attributes:
        median_ms: The median, in milliseconds.
        p99_ms: The 99th percentile, in milliseconds.
        longest_ms: The longest time, in milliseconds.
        spikes: Number of pages that took more than `SPIKE` times the median.
    """

    median_ms: float
    p99_ms: float
    longest_ms: float
    spikes: int

    @classmethod
    def from_milliseconds(cls, milliseconds: Sequence[float]) -> PageTimes:
        """Summarize the times of all pages."""
        middle = median(milliseconds)
        return cls(
            median_ms=middle,
            p99_ms=float(np.percentile(milliseconds, 99)),
            longest_ms=max(milliseconds),
            spikes=sum(each > SPIKE * middle for each in milliseconds),
        )

    def __str__(self) -> str:
        """Return the figures as one row."""
        return (
            f"median {self.median_ms:.1f} ms, 99th percentile {self.p99_ms:.1f} ms, "
            f"longest {self.longest_ms:.1f} ms ({self.longest_ms / self.median_ms:.1f} times the "
            f"median), spikes {self.spikes}"
        )


def pages(number: int) -> Iterator[NDArray[np.uint8]]:
    """Draw pages of random sizes, each with `LINES` lines of one height.

    Args:
        number: Number of pages; the first ones are always the same.

    Yields:
        Pages as uint8 [H, W, 3].
    """
    rng = Random(SEED)
    for _ in range(number):
        height, width = rng.randrange(*SIDES), rng.randrange(*SIDES)
        page = np.full((height, width, 3), rng.randrange(200, 256), np.uint8)
        step = height / (LINES + 1)
        scale = min(step / 40, rng.uniform(0.5, 1.2))
        for line in range(LINES):
            words = " ".join(rng.choices(WORDS, k=rng.randrange(1, 6)))
            at = (rng.randrange(5, 30), round((line + 1) * step))
            cv2.putText(page, words, at, cv2.FONT_HERSHEY_SIMPLEX, scale, (20, 20, 20), 1)
        yield page


def record_shapes(ocr: OCR) -> dict[str, set[tuple[int, ...]]]:
    """Return a set for each stage to which its input shapes are added from now on."""
    seen: dict[str, set[tuple[int, ...]]] = {}
    for name, stage in ocr.stages.items():
        shapes = seen[name] = set()

        def observe(batch: NDArray[np.uint8], shapes: set[tuple[int, ...]] = shapes) -> None:
            shapes.add(batch.shape)

        stage.session.observer = observe
    return seen
