"""`python -m edgeocr.ray SRC DST`: read all pictures of a folder or a store on a Ray cluster."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from typing import Any

from ..cli.arguments import (
    add_engine_arguments,
    add_picture_arguments,
    add_provider_argument,
    ocr_arguments,
    positive,
)
from ..cli.documents import add_pdf_arguments
from ..cli.progress import ProgressLine, duration
from ..cli.reading_arguments import add_reading_arguments, add_word_arguments
from ..cli.signals import exit_code, signals_raised
from ..cli.streams import report, tell
from ..errors import EdgeOCRError
from .job import Actors, Progress, run
from .shards import ENDINGS, Task

EPILOG = (
    "Exit code: 0; 1 if a picture failed (all others are written, and the row of a picture that "
    "failed says why) or the job can't go on; 2 for wrong arguments."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Args:
        arguments: Its arguments; by default those of the process.

    Returns:
        The exit code.

    Raises:
        SystemExit: With code 2, after printing the usage, for wrong arguments.
    """
    arguments_of = parser()
    options = arguments_of.parse_args(arguments)
    options.parser = arguments_of
    try:
        with signals_raised():
            return _run(options)
    except KeyboardInterrupt as interruption:
        tell("interrupted: run the same command again to go on")
        return exit_code(interruption)
    except (EdgeOCRError, OSError) as error:
        report(error)
        return 1


def _run(options: argparse.Namespace) -> int:
    task = Task(options.source, options.target, options.format, options.column, options.name_column)
    actors = Actors(options.actors, options.cpus_each, options.gpus_each, options.address)
    began = time.monotonic()
    with ProgressLine() as line:
        for progress in run(
            task,
            bundle=options.bundle,
            options=_reading_options(options),
            actors=actors,
            retry_failed=options.retry_failed,
        ):
            line.show_bar(
                progress.done,
                progress.shards,
                f"{progress.pages} pages",
                skipped=progress.done_before,
            )
    _tell(progress, time.monotonic() - began)
    return 1 if progress.failures else 0


def _tell(progress: Progress, seconds: float) -> None:
    """Print what was done."""
    if progress.done_before:
        tell(f"{progress.done_before} of {progress.shards} shards had been read before")
    if progress.changed:
        tell(
            f"{progress.changed} files have changed since they were planned and are not read "
            "again: choose another folder for the result to read them"
        )
    pace = f", {progress.pages / seconds:.1f} pages/s" if progress.pages and seconds > 0 else ""
    tell(f"{progress.pages} pages in {duration(seconds)}{pace}")
    for kind, number in sorted(progress.failures.items()):
        tell(f"failed: {number} × {kind}")


def _reading_options(options: argparse.Namespace) -> dict[str, Any]:
    """Return the arguments of `EdgeOCR` that change what is read.

    Raises:
        SystemExit: With code 2, after printing the usage, if one has an impossible value.
    """
    try:
        arguments = ocr_arguments(options)
    except ValueError as error:
        options.parser.error(str(error))
    if arguments["threads"] is None:  # as many as the actor has CPUs
        del arguments["threads"]
    return {
        **arguments,
        "words": options.words,
        "characters": options.characters,
        "dpi": options.dpi,
        "pdf_text": options.pdf_text,
        "require_signature": options.require_signature,
        "expect_digest": options.expect_digest,
    }


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command."""
    command = argparse.ArgumentParser(
        prog="python -m edgeocr.ray",
        description="Read all pictures and documents of a source on a Ray cluster, and write a row "
        "for each page. A job that was interrupted goes on if it is started again.",
        epilog=EPILOG,
    )
    command.add_argument(
        "source",
        metavar="SRC",
        help="a folder, which is searched with all folders in it, a file, or an address such as "
        "s3://bucket/folder; Parquet files may hold the pictures in a column",
    )
    command.add_argument(
        "target", metavar="DST", help="the folder for the result, a path or an address"
    )
    command.add_argument(
        "--format", choices=tuple(ENDINGS), default="parquet", help="default: parquet"
    )
    command.add_argument(
        "--column",
        default="bytes",
        metavar="NAME",
        help="the column of Parquet files that has the pictures; default: bytes",
    )
    command.add_argument(
        "--name-column",
        metavar="NAME",
        help="the column of Parquet files that has the pictures' names; default: the file and the "
        "number of the row",
    )
    command.add_argument(
        "--actors",
        type=positive,
        metavar="N",
        help="how many processes read, each with an OCR of its own; default: by the cluster's CPUs",
    )
    command.add_argument(
        "--cpus-each", type=positive, default=1, metavar="N", help="CPUs of each; default: 1"
    )
    command.add_argument(
        "--gpus-each",
        type=_fraction,
        default=0.0,
        metavar="N",
        help="GPUs of each; 0.5 lets two share one; default: 0",
    )
    command.add_argument(
        "--address",
        metavar="ADDRESS",
        help="the cluster; default: RAY_ADDRESS, else this machine alone",
    )
    command.add_argument(
        "--retry-failed",
        action="store_true",
        help="read again what was read together with pictures that failed",
    )
    add_engine_arguments(command)
    add_provider_argument(command)
    add_picture_arguments(command)
    add_pdf_arguments(command)
    add_reading_arguments(command)
    add_word_arguments(command)
    return command


def _fraction(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1000:
        raise argparse.ArgumentTypeError(f"must be a number from 0 to 1000, not {text:.20}")
    return value


if __name__ == "__main__":
    sys.exit(main())
