"""Measure Hmean, CER and words on labelled pictures: python -m benchmarks accuracy --data DIR."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np

from converters.accuracy import labels
from converters.accuracy.score import Score
from converters.accuracy.words import WordScore
from edgeocr import OCR, EdgeOCRError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "--data", type=Path, required=True, metavar="DIR", help="folder with a Label.txt"
    )
    parser.add_argument("--bundle", help="path of a bundle; default: the package's own")
    parser.add_argument("--provider", default="auto", help="execution provider; default: auto")
    parser.add_argument("--threads", type=int, help="CPU threads; default: the bundle's number")
    parser.add_argument(
        "--no-orientation", action="store_true", help="don't turn lines that are upside down"
    )
    parser.add_argument(
        "--shape", choices=("quad", "polygon"), help="shape of regions; default: the bundle's"
    )
    parser.add_argument(
        "--memory-limit", help='memory of the process, such as "300MB"; default: the bundle\'s'
    )
    parser.add_argument(
        "--max-pixels",
        type=int,
        help="pixels at which a picture is detected; default: the bundle's",
    )
    parser.add_argument("--errors", action="store_true", help="list the lines that are not exact")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE too")


def run(options: argparse.Namespace) -> None:
    """Read every labelled picture and print the figures."""
    try:
        _run(options)
    except (EdgeOCRError, OSError, ValueError) as error:  # ValueError: an invalid row in Label.txt
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None


def _run(options: argparse.Namespace) -> None:
    ocr = OCR(
        options.bundle,
        provider=options.provider,
        threads=options.threads,
        orientation=not options.no_orientation,
        shape=options.shape,
        memory_limit=options.memory_limit,
        max_pixels=options.max_pixels,
    )
    total, words = Score(), WordScore()
    pictures = labels.read(options.data)
    for path, expected in pictures.items():
        page = ocr.read(path)
        found = [
            (np.asarray(line.quad if line.polygon is None else line.polygon, float), line.text)
            for line in page
        ]
        picture = Score()
        picture.add(expected, found)
        total.add(expected, found)
        labelled = [label.text for label in expected if label.care]
        of_picture = WordScore()
        for score in (of_picture, words):
            score.add(labelled, page.texts)
        print(f"{path.name:24} {_figures(picture, of_picture)}")
        if options.errors:
            _print_errors(expected, found)
    print(f"{f'{len(pictures)} pictures':24} {_figures(total, words)}")
    if options.json:
        both = {**total.figures(), **words.figures()}
        figures = {key: round(value, 4) for key, value in both.items()}
        options.json.write_text(json.dumps(figures, indent=1) + "\n")


def _figures(score: Score, words: WordScore) -> str:
    """Return the figures as one row."""
    figures = {**score.figures(), **words.figures()}
    return (
        f"{score.labelled:4} lines  det H {figures['detection_hmean']:.4f}  "
        f"P {figures['precision']:.4f}  R {figures['recall']:.4f}  H {figures['hmean']:.4f}  "
        f"CER {figures['cer']:.4f}  words P {figures['word_precision']:.4f}  "
        f"R {figures['word_recall']:.4f}  F1 {figures['word_f1']:.4f}"
    )


def _print_errors(
    expected: list[labels.LabelledLine], found: list[tuple[labels.Polygon, str]]
) -> None:
    """Print each labelled line that was not read exactly, with the text found there or None."""
    for label in expected:
        score = Score()
        score.add([label], found)
        if label.care and not score.exact:
            nearest = min(found, key=lambda line: _distance(line[0], label.polygon), default=None)
            print(f"    {label.text!r} → {nearest[1] if nearest and score.matched else None!r}")


def _distance(a: labels.Polygon, b: labels.Polygon) -> float:
    """Return the distance between the means of two polygons' points, in pixels."""
    return float(np.linalg.norm(a.mean(axis=0) - b.mean(axis=0)))
