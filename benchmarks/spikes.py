"""python -m benchmarks spikes [--provider P]: pages of random sizes, and how long the worst take"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from random import Random
from statistics import median
from time import perf_counter
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeocr import OCR, EdgeOCRError

from .pages import WORDS
from .peers import positive

SEED = 2029
# Pixels of a side, and lines on a page, so that the work of a page varies less than its size.
SIDES = (300, 1600)
LINES = 8
# A page that takes this many times the median is a spike.
SPIKE = 3.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("--provider", default="auto")
    parser.add_argument("--bundle", help="default: the one in the package")
    parser.add_argument("--pages", type=positive, default=500)
    parser.add_argument("--fp16", action="store_true")
    parser.add_argument(
        "--any-shape", action="store_true", help="don't pad inputs to the bundle's sets of shapes"
    )


def run(options: argparse.Namespace) -> None:
    """Warm up, read the pages and print the figures; exit code 1 when there is a spike."""
    try:
        ocr = OCR(
            options.bundle,
            provider=options.provider,
            fp16=options.fp16,
            few_shapes=False if options.any_shape else None,
        )
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
        print(f"{stage}: {len(shapes[stage])} input shapes on {provider}")
    figures = summarize(milliseconds)
    print(", ".join(f"{name} {value:.1f}" for name, value in figures.items()))
    raise SystemExit(1 if figures["spikes"] else 0)


def summarize(milliseconds: list[float]) -> dict[str, float]:
    """Median, 99th percentile and most in ms, the most ÷ the median, and how many spikes."""
    middle, most = median(milliseconds), max(milliseconds)
    return {
        "median ms": middle,
        "p99 ms": float(np.percentile(milliseconds, 99)),
        "most ms": most,
        "most ÷ median": most / middle,
        "spikes": sum(each > SPIKE * middle for each in milliseconds),
    }


def pages(number: int) -> Iterator[NDArray[np.uint8]]:
    """Pages of random sizes, each with as many lines in one of a few heights, uint8 [H, W, 3]."""
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
    """The input shapes that each stage is given from now on."""
    seen: dict[str, set[tuple[int, ...]]] = {}
    for stage, session in ocr._sessions().items():
        shapes = seen.setdefault(stage, set())

        def run(batch: Any, shapes: Any = shapes, run: Any = session.run) -> Any:
            shapes.add(batch.shape)
            return run(batch)

        session.run = run  # type: ignore[method-assign]
    return seen
