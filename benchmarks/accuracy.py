"""Measure what is read of labelled pictures, beside other engines with the same weights.

Usage: python -m benchmarks accuracy --data DIR … [--bundle PATH …] [--peers NAME …].
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from converters.accuracy.datasets import folder
from converters.accuracy.labels import Dataset, LabelledPages, LabelledWords
from converters.accuracy.protocols.dtrb import DtrbScore
from converters.accuracy.protocols.icdar import IcdarScore
from converters.catalog.fetch import cache_folder
from edgeocr import OCR, Bundle, EdgeOCRError
from edgeocr.accuracy.score import Score
from edgeocr.outputs.guard import OutputGuard
from edgeocr.outputs.replacement import write_file

from . import (
    accuracy_peers,
    accuracy_rows,
    accuracy_tables,
    environments,
    inputs,
    worst,
)
from .accuracy_readings import dtrb_score, icdar_score, read_pages, read_words
from .engine_process import OURS, EngineError


@dataclass
class Measured:
    """A bundle, and its scores on the sets by their names.

    Attributes:
        name: The bundle's name, as shown.
        bundle: The bundle.
        pages: Scores by ICDAR 2015's protocol, of sets of pictures with labelled lines.
        words: Scores by DTRB's protocol, of sets of words.
        worst: The sections of the document of the worst pictures.
    """

    name: str
    bundle: Bundle
    pages: dict[str, IcdarScore] = field(default_factory=dict)
    words: dict[str, DtrbScore] = field(default_factory=dict)
    worst: list[worst.Section] = field(default_factory=list)

    @property
    def reads(self) -> bool:
        """Whether the bundle reads; otherwise it only detects."""
        return self.bundle.manifest.stages.reading is not None

    @property
    def finds(self) -> bool:
        """Whether the bundle finds lines; otherwise it is given the labelled ones."""
        stages = self.bundle.manifest.stages
        return stages.detection is not None or stages.spotting is not None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "--data",
        type=Path,
        nargs="+",
        required=True,
        metavar="DIR",
        help="folders of labelled pictures, or label files; each is reported on its own",
    )
    parser.add_argument(
        "--dataset", choices=list(folder.KINDS), help="their format; default: it is recognized"
    )
    parser.add_argument(
        "--pictures",
        type=Path,
        metavar="DIR",
        help="folder of the pictures, where it isn't beside or above their labels",
    )
    parser.add_argument(
        *("--bundle", "--bundles"),
        dest="bundles",
        nargs="+",
        default=[],
        metavar="PATH",
        help="bundles, measured one after the other; default: the package's own",
    )
    parser.add_argument("--provider", default="auto", help="execution provider; default: auto")
    parser.add_argument("--threads", type=int, help="CPU threads; default: the bundle's number")
    parser.add_argument(
        "--no-orientation", action="store_true", help="don't turn lines that are upside down"
    )
    parser.add_argument(
        "--no-restore-spaces",
        action="store_true",
        help="don't put spaces where the network left them out",
    )
    parser.add_argument(
        "--no-split-gaps",
        action="store_true",
        help="don't cut lines that run over two columns or cells",
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
        "--table",
        choices=("detection", "recognition"),
        help="print a table in Markdown instead: detection by ICDAR 2015's protocol, or words by "
        "DTRB's",
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
    parser.add_argument(
        "--worst",
        type=int,
        default=0,
        metavar="N",
        help="write the N worst pictures of each set, expected beside read, as HTML",
    )
    parser.add_argument(
        "--html",
        type=Path,
        default=Path("worst.html"),
        metavar="FILE",
        help="where --worst writes; default: worst.html",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE too")


def run(options: argparse.Namespace) -> None:
    """Read every labelled picture and print the figures."""
    try:
        _run(options)
    except (
        *(EdgeOCRError, OSError, inputs.MeasurementError, EngineError),
        environments.EnvironmentFailedError,
        ValueError,  # options that don't go together
    ) as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None


def _run(options: argparse.Namespace) -> None:
    sets = _sets(options)
    pages = [each for each in sets if isinstance(each, LabelledPages)]
    words = [each for each in sets if isinstance(each, LabelledWords)]
    _check(options, pages, words)
    results: dict[str, dict[str, Any]] = {each.name: {} for each in sets}
    measured = []
    for path in options.bundles or [None]:
        bundle = Bundle.open(path) if path else Bundle.default()
        one = Measured(_shown(bundle, path, options), bundle)
        if options.table == "detection" and not one.finds:
            raise ValueError(f"--table detection needs bundles that detect; {one.name} does not")
        measured.append(one)
        if len(options.bundles) > 1 and not options.table:
            print(f"{one.name}:")
        with _opened(bundle, options) as ocr:
            theirs: Mapping[str, Mapping[str, Sequence[Score]]] = {}
            if options.peers:
                theirs = accuracy_peers.scores(ocr.bundle_name, pages, options)
            for each in pages:
                if len(sets) > 1 and not options.table:
                    print(f"{each.name}:")
                others = {peer: scores[each.name] for peer, scores in theirs.items()}
                results[each.name] |= _measure_pages(ocr, one, each, others, options)
            for some in words:
                results[some.name] |= _measure_words(ocr, one, some, options)
            if len(words) > 1 and not options.table:
                print(accuracy_rows.words_row("average", DtrbScore.total(one.words.values())))
    if options.table == "detection":
        for each in pages:
            scores = {one.name: (one.bundle, one.pages[each.name]) for one in measured}
            print(accuracy_tables.detection(each, scores))
    elif options.table == "recognition":
        rows = {one.name: (one.bundle, list(one.words.values())) for one in measured}
        print(accuracy_tables.recognition(words, rows))
    if options.worst:
        sections = [section for one in measured for section in one.worst]
        write_file(options.html, worst.report(sections).encode("utf-8", "replace"))
        print(f"wrote {options.html}", file=sys.stderr)
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n")


def _sets(options: argparse.Namespace) -> list[Dataset]:
    """Return the sets of labelled pictures, those of the same name with their folders' paths."""
    found = [
        (path, each)
        for path in options.data
        for each in folder.read(path, options.dataset, options.pictures)
    ]
    names = Counter(each.name for _, each in found)
    return [
        each if names[each.name] == 1 else replace(each, name=f"{path}: {each.name}")
        for path, each in found
    ]


def _check(
    options: argparse.Namespace, pages: Sequence[LabelledPages], words: Sequence[LabelledWords]
) -> None:
    """Refuse options that don't go together, and an output that would replace a stranger's file."""
    if options.table == "detection" and (words or not pages):
        raise ValueError("--table detection needs pictures with labelled lines, not single words")
    if options.table == "recognition" and (pages or not words):
        raise ValueError("--table recognition needs pictures of single words: LMDB or rec_gt.txt")
    if options.peers and (words or len(options.bundles) > 1):
        raise ValueError("--peers needs one bundle, and pictures with labelled lines")
    if options.worst < 0:
        raise ValueError(f"--worst must be 1 or more, not {options.worst}")
    if options.worst:
        OutputGuard().check(options.html, worst.is_report, "--html")


def _shown(bundle: Bundle, path: str | None, options: argparse.Namespace) -> str:
    """Return the name of a bundle for tables: its own, or its path where names repeat."""
    stems = Counter(Path(each).stem for each in options.bundles)
    if path is None:
        return bundle.manifest.name
    return Path(path).stem if stems[Path(path).stem] == 1 else path


def _opened(bundle: Bundle, options: argparse.Namespace) -> OCR:
    return OCR(
        bundle,
        provider=options.provider,
        threads=options.threads,
        orientation=not options.no_orientation,
        restore_spaces=not options.no_restore_spaces,
        split_gaps=not options.no_split_gaps,
        shape=options.shape,
        memory_limit=options.memory_limit,
        max_pixels=options.max_pixels,
    )


def _measure_pages(
    ocr: OCR,
    one: Measured,
    pages: LabelledPages,
    theirs: Mapping[str, Sequence[Score]],
    options: argparse.Namespace,
) -> dict[str, Any]:
    """Read a set of pictures, print its rows, and return the figures for JSON, by engine."""
    readings = []
    for reading in read_pages(ocr, one.bundle, pages.pictures.items()):
        readings.append(reading)
        if not options.table:
            print(accuracy_rows.page_row(reading.path.name, reading.score, reads=one.reads))
            if options.errors:
                _print_all(accuracy_rows.error_rows(reading.expected, reading.found))
    icdar = one.pages[pages.name] = icdar_score(readings)
    chosen = worst.worst_pages(readings, options.worst, reads=one.reads)
    one.worst.append(worst.Section(one.name, pages.name, chosen, one.reads))
    ours = _engine(one, options)
    scores = {ours: [reading.score for reading in readings], **theirs}
    rows, figures = accuracy_rows.summary(scores, reads=one.reads)
    if one.finds:
        name = f"ICDAR 2015, {ours}" if theirs else "ICDAR 2015"
        rows.append(accuracy_rows.icdar_row(name, icdar, reads=one.reads))
        figures[ours]["icdar2015"] = accuracy_rows.rounded(icdar.figures())
    if not options.table:
        _print_all(rows)
    return figures


def _measure_words(
    ocr: OCR, one: Measured, words: LabelledWords, options: argparse.Namespace
) -> dict[str, Any]:
    """Read a set of words, print its row, and return the figures for JSON, by engine."""
    readings = list(read_words(ocr, words))
    score = one.words[words.name] = dtrb_score(readings)
    chosen = worst.worst_words(readings, options.worst)
    one.worst.append(worst.Section(one.name, words.name, chosen))
    if not options.table:
        print(accuracy_rows.words_row(words.name, score))
        if options.errors:
            _print_all(
                f"    {reading.word.name}: {reading.word.text!r} → {reading.text!r}"
                for reading in readings
                if not dtrb_score([reading]).exact
            )
    figures = accuracy_rows.rounded(score.figures())
    return {_engine(one, options): {"words": score.words, "figures": figures}}


def _engine(one: Measured, options: argparse.Namespace) -> str:
    """Return the name under which a bundle's figures stand beside the peers', or another's."""
    return one.name if len(options.bundles) > 1 else OURS


def _print_all(rows: Iterable[str]) -> None:
    """Print rows, one below the other."""
    for row in rows:
        print(row)
