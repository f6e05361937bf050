"""`edgeocr bench`: measure which bundle, execution provider and precision is best on a device."""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterable, Sequence
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

from ..batch.sources import NamedSource
from ..bench.settings import REPEAT
from ..outputs.replacement import write_file
from .arguments import (
    add_common_engine_arguments,
    add_overwrite_argument,
    listed,
    number_list,
    output_file,
    positive,
    protected,
    provider_list,
    provider_options,
)
from .progress import ProgressLine
from .sources import expand

if TYPE_CHECKING:
    from ..bench.cell import Precision
    from ..bench.pictures import PictureSource
    from ..bench.progress import Progress
    from ..bench.settings import Settings

# The longest sustained load: a week.
MOST_MINUTES = 7 * 24 * 60.0

# The formats of `bench.files.FORMATS`, and what is said of them.
FILES = {
    "json": "write the result to FILE as JSON",
    "csv": "write a table to FILE with a row for each combination, as CSV",
    "markdown": "write the tables to FILE as Markdown",
    "html": "write a report with charts to FILE",
}


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    command.add_argument(
        "--bundle",
        nargs="+",
        metavar="PATH",
        help="bundles to measure; default: the one in the package",
    )
    command.add_argument(
        "--providers",
        type=provider_list,
        metavar="LIST",
        help="execution providers, such as cpu,cuda,tensorrt or auto; default: all that the "
        "installed ONNX Runtime has",
    )
    command.add_argument(
        "--precision",
        type=_precisions,
        default=["auto"],
        metavar="LIST",
        help="precisions, such as fp32,int8: the graphs of the bundle that have them; fp16 also "
        "allows a provider that supports it to compute in lower precision; default: auto, what "
        "suits this device best",
    )
    command.add_argument(
        "--threads",
        type=number_list,
        default=[None],
        metavar="LIST",
        help="numbers of CPU threads, such as 1,2,4; default: the bundle's number, or as many as "
        "are available",
    )
    command.add_argument(
        "--images",
        nargs="+",
        metavar="SOURCE",
        help="pictures, or folders of pictures; default: three that come with the package",
    )
    command.add_argument(
        "--labels",
        type=_labels,
        default=True,
        metavar="FILE",
        help="labels of the pictures in PaddleOCR's format, from which accuracy is measured; "
        "default: a Label.txt in the folder of the pictures; none: no labels",
    )
    command.add_argument(
        "--repeat",
        type=positive,
        default=REPEAT,
        metavar="N",
        help=f"how often each picture is read, and again in a stream; default: {REPEAT}",
    )
    command.add_argument(
        "--minutes",
        type=_minutes,
        metavar="N",
        help="let the best combination of each bundle read without a pause for N minutes "
        "afterwards, such as 10 or 0.5, and record clocks, temperature, throttling and power",
    )
    add_common_engine_arguments(command)
    for kind, what in FILES.items():
        command.add_argument(f"--{kind}", type=output_file, metavar="FILE", help=what)
    add_overwrite_argument(command)


def run(options: argparse.Namespace) -> int:
    """Measure, print the tables and write the files that were asked for.

    Returns:
        0, or 1 if no combination works or a picture failed.

    Raises:
        EdgeOCRError: If a bundle or labels cannot be opened or there is no picture at all.
    """
    from ..bench.files import FORMATS
    from ..bench.measure import measure
    from ..bench.table import table

    if "-" in (options.images or ()):
        options.parser.error("bench reads each picture many times: name files instead of -")
    if options.expect_digest is not None and len(options.bundle or ()) > 1:
        options.parser.error("--expect-digest is the digest of a single bundle")
    named = [] if options.images is None else list(expand(options.images))
    _check_outputs(options, named)
    with ProgressLine() as progress:
        result = measure(
            bundles=options.bundle,
            providers=options.providers,
            precisions=options.precision,
            threads=options.threads,
            sources=None if options.images is None else _pictures(named),
            labels=options.labels,
            repeat=options.repeat,
            minutes=options.minutes,
            settings=_settings(options),
            on_progress=lambda step: progress.show(_describe(step)),
        )
    print(table(result))
    for kind, path in _files(options).items():
        write_file(path, FORMATS[kind].render(result))
    failed = result.failed or any(each.failed for each in result.working.values())
    return 0 if result.working and not failed else 1


def _check_outputs(options: argparse.Namespace, named: Sequence[NamedSource]) -> None:
    """Check that the files may be written, before anything is measured."""
    from ..bench.files import FORMATS

    files = _files(options)
    for one, other in combinations(files, 2):
        if files[one] == files[other]:
            options.parser.error(f"--{one} and --{other} name the same file")
    guard = protected(options, (source.name for source in named if source.error is None))
    if isinstance(options.labels, Path):
        guard.protect(options.labels, "the labels")
    for kind, path in files.items():
        guard.check(path, FORMATS[kind].recognizes, f"--{kind}")


def _files(options: argparse.Namespace) -> dict[str, Path]:
    """Return the files that were asked for, by their formats."""
    named = {kind: getattr(options, kind) for kind in FILES}
    return {kind: path for kind, path in named.items() if path is not None}


def _pictures(named: Iterable[NamedSource]) -> list[PictureSource]:
    return [source.error or source.name for source in named]


def _settings(options: argparse.Namespace) -> Settings:
    from ..bench.settings import Settings

    return Settings(
        cpus=None if options.cpus is None else list(options.cpus),
        provider_options=provider_options(options),
        memory_limit=options.memory_limit,
        max_pixels=options.max_pixels,
        engine_cache=options.engine_cache,
        require_signature=options.require_signature,
        expect_digest=options.expect_digest,
    )


def _describe(progress: Progress) -> str:
    phase = f"{progress.cell}: {progress.phase}"
    if progress.total:
        return f"{progress.done} of {progress.total} · {phase}"
    return f"{phase}, page {progress.done}" if progress.done else phase


def _precisions(text: str) -> list[Precision]:
    from ..bench.cell import PRECISIONS

    chosen: list[Precision] = []
    for name in listed(text):
        known = [precision for precision in PRECISIONS if precision == name]
        if not known:
            raise argparse.ArgumentTypeError(
                f"unknown precision {name!r:.40}; choose from {', '.join(PRECISIONS)}"
            )
        chosen += known
    return chosen


def _labels(text: str) -> Path | bool:
    return False if text == "none" else Path(text)


def _minutes(text: str) -> float:
    try:
        minutes = float(text)
    except ValueError:
        minutes = math.nan
    if not 0 < minutes <= MOST_MINUTES:
        raise argparse.ArgumentTypeError(
            f"must be a number of minutes above 0 and at most {MOST_MINUTES:g}, not {text:.20}"
        )
    return minutes
