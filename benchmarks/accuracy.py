"""Measure what is read of labelled pictures, beside other engines with the same weights.

Usage: python -m benchmarks accuracy --data DIR … [--bundle PATH] [--peers NAME …].
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from converters.accuracy import labels
from converters.accuracy.score import Score
from converters.catalog import entries as catalogs
from converters.catalog.fetch import cache_folder
from edgeocr import OCR, EdgeOCRError

from . import environments, peer_report, peers
from .engines.measure import Models, Request
from .spread import standard_errors

# The figures in the order of the columns, and what stands before each.
COLUMNS = {
    "detection_hmean": "det H",
    "precision": "P",
    "recall": "R",
    "hmean": "H",
    "cer": "CER",
    "word_precision": "words P",
    "word_recall": "R",
    "word_f1": "F1",
}
# Width of the first column, and of the second with the number of lines.
FIRST, SECOND = 24, 10

Labelled: TypeAlias = Mapping[Path, Sequence[labels.LabelledLine]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "--data",
        type=Path,
        nargs="+",
        required=True,
        metavar="DIR",
        help="folders with a Label.txt; each is reported on its own",
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
    parser.add_argument(
        "--peers",
        nargs="+",
        default=[],
        choices=[peer.package for peer in environments.PEERS],
        metavar="NAME",
        help="engines that read the same pictures with the same weights, with the classifier if "
        "they can run it: " + ", ".join(peer.package for peer in environments.PEERS),
    )
    parser.add_argument(
        "--environments",
        type=Path,
        default=cache_folder() / "environments",
        metavar="DIR",
        help="folder of the peers' virtual environments; default: in the user's cache",
    )
    parser.add_argument("--errors", action="store_true", help="list the lines that are not exact")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE too")


def run(options: argparse.Namespace) -> None:
    """Read every labelled picture and print the figures."""
    try:
        _run(options)
    except (
        *(EdgeOCRError, OSError, peers.MeasurementError, environments.EnvironmentFailedError),
        ValueError,  # an invalid row in Label.txt
    ) as error:
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
    folders = {folder: labels.read(folder) for folder in options.data}
    theirs: dict[str, dict[Path, list[Score]]] = {}
    if options.peers:
        theirs = _peers(ocr.bundle_name, folders, options)
    results = {}
    for folder, pictures in folders.items():
        name = folder.resolve().name
        if len(folders) > 1:
            print(f"{name}:")
        scores = {
            peer_report.OURS: [_read(ocr, path, pictures[path], options) for path in pictures]
        }
        scores |= {peer: found[folder] for peer, found in theirs.items()}
        results[name] = _summary(scores)
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n")


def _read(
    ocr: OCR, path: Path, expected: list[labels.LabelledLine], options: argparse.Namespace
) -> Score:
    """Read a picture, print its row, and return its score."""
    found = [
        (np.asarray(line.quad if line.polygon is None else line.polygon, float), line.text)
        for line in ocr.read(path)
    ]
    score = Score()
    score.add(expected, found)
    print(_row(path.name, _lines(score), score.figures()))
    if options.errors:
        _print_errors(expected, found)
    return score


def _peers(
    bundle: str, folders: Mapping[Path, Labelled], options: argparse.Namespace
) -> dict[str, dict[Path, list[Score]]]:
    """Return the scores of each peer, of each picture of each folder.

    Raises:
        ConverterError: The bundle is none of models.toml, whose weights the peers could run.
        MeasurementError: A peer fails, or can't run these weights.
    """
    from . import weights  # needs onnx

    models: Models
    scores: dict[str, dict[Path, list[Score]]] = {}
    with tempfile.TemporaryDirectory(prefix="edgeocr-accuracy-") as temporary:
        models = weights.for_peers(bundle, catalogs.load(), Path(temporary))
        chosen = [peer for peer in environments.PEERS if peer.package in options.peers]
        for peer in chosen:
            if (reason := peer.left_out(bundle, False)) is not None:
                raise peers.MeasurementError(f"{peer.package} is left out because {reason}")
            (engine,) = peers.make_engines(options.environments, [peer.package])[1:]
            request: Request = {
                "name": bundle,
                "images": [str(path) for pictures in folders.values() for path in pictures],
                "threads": options.threads or 2,
                "orientation": peer.orientation and not options.no_orientation,
                "bundle": "",
                "models": models,
                "packages": [peer.package],
            }
            request_file = Path(temporary, "request.json")
            request_file.write_text(json.dumps(request), encoding="utf-8")
            measured = peers.run_worker(engine, request_file, Path(temporary, "result.json"))
            readings = iter(measured["readings"])
            scores[peer.package] = {
                folder: [
                    peer_report.score(pictures[path], next(readings)["lines"]) for path in pictures
                ]
                for folder, pictures in folders.items()
            }
    return scores


def _summary(scores: Mapping[str, Sequence[Score]]) -> dict[str, Any]:
    """Print the figures of all pictures of a folder, engine by engine, and return them for JSON.

    Args:
        scores: The score of each picture, by engine, edgeocr first.
    """
    ours = scores[peer_report.OURS]
    summary = {}
    for engine, each in scores.items():
        total, errors = Score.total(each), standard_errors(each)
        first = f"{len(each)} pictures" if len(scores) == 1 else engine
        print(_row(first, _lines(total), total.figures()))
        print(_row("", "±", errors))
        summary[engine] = {"figures": _rounded(total.figures()), "errors": _rounded(errors)}
        if each is ours:
            continue
        mine, other = Score.total(ours).figures(), total.figures()
        difference = {name: mine[name] - other[name] for name in mine}
        errors = standard_errors(ours, each)
        print(_row("  edgeocr minus it", "", difference, sign="+"))
        print(_row("", "±", errors))
        summary[engine] |= {"ours_minus": _rounded(difference), "its_errors": _rounded(errors)}
    return summary


def _rounded(figures: Mapping[str, float]) -> dict[str, float | None]:
    """Round figures for JSON, which has no NaN."""
    return {name: None if np.isnan(x) else round(x, 4) for name, x in figures.items()}


def _lines(score: Score) -> str:
    return f"{score.labelled:4} lines"


def _row(first: str, second: str, figures: Mapping[str, float], sign: str = "") -> str:
    """Return figures as one row."""
    cells = (f"{title} {figures[name]:{sign}.4f}" for name, title in COLUMNS.items())
    return f"{first:{FIRST}} {second:>{SECOND}}  {'  '.join(cells)}"


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
