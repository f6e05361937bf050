"""`edgeocr read`, `edgeocr detect` and `edgeocr recognize`: pictures in, results out."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ..batch.outcomes import Outcome, Result, detections, outcomes, readings
from ..batch.sources import NamedSource, frames_in
from ..errors import EdgeOCRError, OutputError, escaped
from ..outputs.guard import OutputGuard
from ..writers.formats import DOCUMENTS, FORMATS, RECORDS, Format, find
from .arguments import (
    add_engine_arguments,
    add_overwrite_argument,
    add_picture_arguments,
    add_provider_argument,
    open_ocr,
    protected,
)
from .documents import add_document_arguments, frame_options
from .log import log_to_stderr
from .progress import ProgressLine
from .reading_arguments import add_reading_arguments, add_word_arguments
from .results import Results, check_output
from .resume import Done, read_done
from .sources import expand
from .streams import report, tell

if TYPE_CHECKING:
    from ..images import Source
    from ..ocr import OCR
    from ..page import Detections, Page
    from .overlays import OverlayFolder


def add_arguments(
    command: argparse.ArgumentParser, name: Literal["read", "detect", "recognize"]
) -> None:
    """Declare the arguments of one of the three commands.

    Args:
        command: The command's parser.
        name: "read", "detect" or "recognize".
    """
    command.add_argument(
        "sources",
        nargs="+",
        metavar="SOURCE",
        help="a picture, a PDF file, a folder of these, or - for standard input; all pages of a "
        "TIFF or PDF file and all frames of an animation are read; PDF files need the extra pdf, "
        "HEIC files the extra heif",
    )
    command.add_argument(
        "--recursive",
        action="store_true",
        help="also read the folders in a folder, but no hidden folders and no links to folders",
    )
    add_document_arguments(command, text_layers=name == "read")
    add_engine_arguments(command)
    add_provider_argument(command)
    add_picture_arguments(command)
    command.add_argument(
        "--format",
        choices=_format_names(name),
        help="output format; default: by the ending of --output, else text",
    )
    command.add_argument(
        "--output", type=Path, metavar="PATH", help="file to write; default: standard output"
    )
    command.add_argument(
        "--resume",
        action="store_true",
        help="keep the results in --output, a file of JSON lines, and read only the sources that "
        "have no result there",
    )
    add_overwrite_argument(command)
    command.add_argument(
        "--verbose",
        action="store_true",
        help="print to standard error what runs where, what happened, and what each picture took",
    )
    add_reading_arguments(command, name)
    if name == "read":
        add_word_arguments(command)
    if name != "recognize":
        command.add_argument(
            "--overlay",
            type=Path,
            metavar="DIR",
            help="write each picture to DIR with its regions and texts drawn",
        )


def run(options: argparse.Namespace) -> int:
    """Run one of the three commands.

    Returns:
        0, or 1 if a source failed.

    Raises:
        EdgeOCRError: If the bundle, the provider or the output does not work.
        SystemExit: With code 2, after printing the usage, if the output can't be continued.
    """
    format_ = _format(options)
    if options.resume and (options.output is None or format_.name != "jsonl"):
        options.parser.error(
            "--resume needs --output with a file of JSON lines (FILE.jsonl, or --format jsonl): "
            "other outputs can't be continued"
        )
    sources = list(expand(options.sources, recursive=options.recursive))
    guard = _guard(options, sources)
    if options.output is not None:
        check_output(options.output, format_, guard)
    before = read_done(options.output, options.command) if options.resume else Done()
    with ExitStack() as stack:
        if options.verbose:
            stack.enter_context(log_to_stderr("edgeocr", prefix="edgeocr: "))
        ocr = stack.enter_context(open_ocr(options))
        if options.verbose:
            _describe(ocr)
        several = len(sources) > 1 or any(source.of_folder for source in sources)
        overlays = _overlays(options, ocr, guard)
        results = stack.enter_context(
            Results(options.output, format_, several=several, keep=before.size)
        )
        # With --verbose each picture has a line of its own, so the progress would say nothing new.
        progress = stack.enter_context(ProgressLine(enabled=not options.verbose))
        frames = partial(frames_in, limits=ocr.limits, options=frame_options(options))
        read = _reader(options, ocr, words=results.needs_words)
        found = outcomes(read, sources, frames, before.names)
        return _read_all(options, found, results, overlays, progress)


def _format_names(command: str) -> tuple[str, ...]:
    return DOCUMENTS if command == "read" else RECORDS


def _format(options: argparse.Namespace) -> Format:
    """Return the output format; wrong arguments end the command with the usage."""
    parser: argparse.ArgumentParser = options.parser
    if options.format is not None:
        found = FORMATS[options.format]
    elif options.output is None:
        found = FORMATS["text"]
    else:
        found = find(options.output, DOCUMENTS) or FORMATS["text"]
    known = _format_names(options.command)
    if found.name not in known:
        parser.error(
            f"{options.command} can't write {found.title} to {options.output}: choose a name with "
            f"another ending, or one of {', '.join(known)} with --format"
        )
    if not found.is_text and options.output is None and sys.stdout.isatty():
        parser.error(f"a terminal can't show {found.title}: name a file with --output")
    return found


def _guard(options: argparse.Namespace, sources: Sequence[NamedSource]) -> OutputGuard:
    """Return a guard that keeps the command from writing to what it reads."""
    overlay = getattr(options, "overlay", None)
    if options.output is None and overlay is None:  # nothing is written
        return OutputGuard()
    files = (source.name for source in sources if source.error is None)
    return protected(options, files)


def _overlays(options: argparse.Namespace, ocr: OCR, guard: OutputGuard) -> OverlayFolder | None:
    if getattr(options, "overlay", None) is None:
        return None
    from .overlays import OverlayFolder

    return OverlayFolder(
        options.overlay,
        ocr,
        guard,
        texts=options.command == "read",
        words=options.command == "read" and (options.words or options.characters),
    )


def _reader(
    options: argparse.Namespace, ocr: OCR, *, words: bool
) -> Callable[[Iterable[Source]], Iterable[Result | EdgeOCRError]]:
    """Return what the command does with pictures.

    Args:
        options: The parsed arguments.
        ocr: Has the networks.
        words: Whether the format has a place for each word.
    """
    if options.command == "detect":
        return partial(detections, ocr.detect)
    if options.command == "recognize":
        return partial(readings, ocr)
    return partial(ocr.read_many, words=options.words or words, characters=options.characters)


def _read_all(
    options: argparse.Namespace,
    found: Iterable[Outcome],
    results: Results,
    overlays: OverlayFolder | None,
    progress: ProgressLine,
) -> int:
    failed: list[str] = []
    done = skipped = 0
    for done, outcome in enumerate(found, start=1):
        source, error = outcome.source, outcome.error
        if source.done:
            skipped += 1
            if overlays is not None:
                overlays.skip(source)
            continue
        try:
            # First of all, so that a signal that arrives later finds the result written.
            results.add(outcome)
        except OutputError:
            raise
        except EdgeOCRError as raised:  # the format contains the picture, which can't be loaded
            error = str(raised)
        if overlays is not None and outcome.drawable is not None:
            try:
                overlays.write(source, outcome.drawable)
            except EdgeOCRError as raised:
                error = str(raised)
        if error is not None:
            failed.append(source.name)
            progress.clear()
            report(error)
        if options.verbose and outcome.drawable is not None:
            progress.print(f"{escaped(source.name)}: {_summary(outcome.drawable)}")
        if done + source.left > 1:
            name = escaped(Path(source.name).name)
            progress.show_bar(done, done + source.left, name, skipped=skipped)
    progress.clear()
    if failed and done > 1:
        tell(f"edgeocr: {len(failed)} of {done - skipped} failed:")
        for name in failed:
            tell(f"  {escaped(name)}")
    return 1 if failed else 0


def _describe(ocr: OCR) -> None:
    """Print what runs where, why, and within which memory."""
    providers = ", ".join(f"{stage} on {name}" for stage, name in ocr.providers.items())
    tell(f"edgeocr: {providers}")
    if ocr.tuning.path is not None:
        tell(f"edgeocr: tuned: {ocr.tuning}")
    for stage, reason in ocr.variant_reasons.items():
        tell(f"edgeocr: {stage} takes {reason}")
    for reason in ocr.skipped_providers:
        tell(f"edgeocr: skipped provider: {reason}")
    if ocr.memory_budget is not None:
        tell(f"edgeocr: {ocr.memory_budget.describe()}")


def _summary(result: Page | Detections) -> str:
    """Return the size of a picture, what was found in it, and what each stage took."""
    from ..page import Page

    stages = ", ".join(f"{stage} {ms:.0f} ms" for stage, ms in result.milliseconds.items())
    noun = "lines" if isinstance(result, Page) else "regions"
    return f"{result.width} × {result.height}, {len(result)} {noun}; {stages}"
