"""`edgeocr read`, `edgeocr detect` and `edgeocr recognize`: pictures in, results out."""

from __future__ import annotations

import argparse
import io
import itertools
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from ..errors import EdgeOCRError
from .arguments import (
    add_engine_arguments,
    add_picture_arguments,
    add_provider_argument,
    open_ocr,
)
from .log import log_to_stderr
from .progress import ProgressLine
from .sources import NamedSource, expand, frames_in, with_content

if TYPE_CHECKING:
    from ..images import Source
    from ..lines import Reading
    from ..ocr import OCR
    from ..page import Detections, Page

# The number of crops that `recognize` reads together, so that all threads have work.
CROPS_AT_ONCE = 32
# The format of `--output` by the ending of its name, where `--format` is not given.
FORMATS = {".json": "json", ".jsonl": "jsonl"}


def add_arguments(command: argparse.ArgumentParser, name: str) -> None:
    """Declare the arguments of one of the three commands.

    Args:
        command: The command's parser.
        name: "read", "detect" or "recognize".
    """
    command.add_argument(
        "sources",
        nargs="+",
        metavar="SOURCE",
        help="a picture, a folder of pictures (without its subfolders), or - for standard input; "
        "all pages of a TIFF file and all frames of an animation are read; PDF and HEIC files must "
        "be converted first, for example with pdftoppm or heif-convert",
    )
    add_engine_arguments(command)
    add_provider_argument(command)
    add_picture_arguments(command)
    command.add_argument(
        "--format",
        choices=("text", "json", "jsonl"),
        help="output format; default: by the ending of --output, else text",
    )
    command.add_argument(
        "--output", type=Path, metavar="PATH", help="file to write; default: standard output"
    )
    command.add_argument(
        "--verbose",
        action="store_true",
        help="print to standard error what runs where, what happened, and what each picture took",
    )
    if name == "read":
        command.add_argument(
            "--no-orientation", action="store_true", help="do not turn lines that are upside down"
        )
        command.add_argument(
            "--no-upright",
            action="store_true",
            help="take pictures as they stand, turned or not",
        )
    if name != "recognize":
        command.add_argument(
            "--reading-order",
            choices=("auto", "rows", "columns"),
            default="auto",
            help="read rows across the whole page, or each column to its end; default: auto, by "
            "where the lines stand",
        )
        command.add_argument(
            "--shape",
            choices=("quad", "polygon"),
            help="find quads, or polygons for curved lines, if the detector can; default: the "
            "bundle's choice",
        )
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
    """
    sources = list(expand(options.sources))
    files = {Path(source.name).resolve() for source in sources}
    if options.output is not None and options.output.resolve() in files:
        raise EdgeOCRError(f"{options.output} is one of the sources: --output would overwrite it")
    with ExitStack() as stack:
        if options.verbose:
            stack.enter_context(log_to_stderr("edgeocr", prefix="edgeocr: "))
        ocr = stack.enter_context(
            open_ocr(
                options,
                orientation=not getattr(options, "no_orientation", False),
                upright=not getattr(options, "no_upright", False),
            )
        )
        if options.verbose:
            _describe(ocr)
        # What can be read once is read at once where its frames decide about the output.
        sources = [
            with_content(source, ocr.limits) if source.name == "-" or len(sources) == 1 else source
            for source in sources
        ]
        stream = _open_output(options.output, stack)
        # Flushing here reports a full disk or a closed pipe while it can still be reported.
        stack.callback(stream.flush)
        # A single picture is written as one JSON object, and anything else as a list.
        several = len(sources) > 1 or any(Path(name).is_dir() for name in options.sources)
        several = several or _frames(sources[0]) > 1
        write = _writer(_format(options), stream, stack, several=several)
        # With --verbose each picture has a line of its own, so the progress would say nothing new.
        enabled = len(sources) > 1 and not options.verbose
        progress = stack.enter_context(ProgressLine(sys.stderr, enabled=enabled))
        return _read_all(options, ocr, sources, files, write, progress)


def _frames(source: NamedSource) -> int:
    from ..stages.frames import count_of

    return count_of(source.picture) if source.error is None else 1


def _read_all(
    options: argparse.Namespace,
    ocr: OCR,
    sources: Sequence[NamedSource],
    files: set[Path],
    write: Callable[[_Outcome], None],
    progress: ProgressLine,
) -> int:
    overlays = None
    if getattr(options, "overlay", None) is not None:
        from .overlays import OverlayFolder

        overlays = OverlayFolder(options.overlay, ocr, files, texts=options.command == "read")
    failed = False
    for done, outcome in enumerate(_outcomes(options.command, ocr, sources), start=1):
        if outcome.error is not None:
            failed = True
            progress.print(f"edgeocr: error: {outcome.error}")
        elif overlays is not None and outcome.drawable is not None:
            try:
                overlays.write(outcome.source, outcome.drawable)
            except EdgeOCRError as error:
                failed = True
                progress.print(f"edgeocr: error: {error}")
        if options.verbose and outcome.drawable is not None:
            progress.print(f"{outcome.source.name}: {_summary(outcome.drawable)}")
        write(outcome)
        # How many frames there will be is not known.
        progress.show_bar(done, max(done, len(sources)), Path(outcome.source.name).name)
    return 1 if failed else 0


@dataclass(frozen=True)
class _Outcome:
    """The result of one source, or the reason why it failed.

    Attributes:
        source: The source.
        record: The result, or the failure, for JSON.
        text: The result as plain text; empty for a failure.
        drawable: The result if it can be drawn onto its picture.
        error: The message of a failure.
    """

    source: NamedSource
    record: Mapping[str, Any]
    text: str
    drawable: Page | Detections | None = None
    error: str | None = None


def _outcomes(command: str, ocr: OCR, sources: Sequence[NamedSource]) -> Iterator[_Outcome]:
    """Yield the outcome of each frame of each source, in order.

    The frames are found while others are read, so `waiting` holds those whose results are to come.
    """
    waiting: deque[NamedSource] = deque()

    def pictures() -> Iterator[Source]:
        for source in sources:
            for frame in frames_in(source, ocr.limits):
                waiting.append(frame)
                if frame.error is None:
                    yield frame.picture

    results = {"read": _pages, "detect": _detections, "recognize": _readings}[command](
        ocr, pictures()
    )
    for result in results:
        while (failed := waiting.popleft()).error is not None:
            yield _outcome(failed, failed.error)
        yield _outcome(failed, result)
    for source in waiting:
        assert source.error is not None
        yield _outcome(source, source.error)


def _pages(ocr: OCR, pictures: Iterable[Source]) -> Iterator[Page | EdgeOCRError]:
    return ocr.read_many(pictures)


def _detections(ocr: OCR, pictures: Iterable[Source]) -> Iterator[Detections | EdgeOCRError]:
    for picture in pictures:
        try:
            yield ocr.detect(picture)
        except EdgeOCRError as error:
            yield error


def _readings(ocr: OCR, pictures: Iterable[Source]) -> Iterator[Reading | EdgeOCRError]:
    rest = iter(pictures)
    while crops := list(itertools.islice(rest, CROPS_AT_ONCE)):
        yield from ocr.recognize(crops, on_error="return")


def _outcome(source: NamedSource, result: Page | Detections | Reading | EdgeOCRError) -> _Outcome:
    from ..page import Detections, Page
    from ..writers import text

    name = source.name
    if isinstance(result, EdgeOCRError):
        message = str(result) if str(result).startswith(name) else f"{name}: {result}"
        return _Outcome(source, {"source": name, "error": message}, "", error=message)
    if isinstance(result, Page):
        page = replace(result, source=name)
        return _Outcome(source, page.to_dict(), text.text_of_page(page), page)
    if isinstance(result, Detections):
        found = replace(result, source=name)
        return _Outcome(source, found.to_dict(), text.text_of_detections(found), found)
    record = {"source": name, **result.to_dict()}
    return _Outcome(source, record, text.text_of_reading(result))


def _format(options: argparse.Namespace) -> str:
    if options.format is not None:
        return str(options.format)
    return FORMATS.get(options.output.suffix, "text") if options.output is not None else "text"


def _writer(
    format_: str, stream: TextIO, stack: ExitStack, *, several: bool
) -> Callable[[_Outcome], None]:
    """Return the function that writes an outcome in a format.

    JSON is written when the stack is left, also after an interruption: it is one document.
    """
    from ..writers import json, text

    if format_ == "jsonl":

        def write_line(outcome: _Outcome) -> None:
            stream.write(json.line(outcome.record))

        return write_line
    if format_ == "text":

        def write_text(outcome: _Outcome) -> None:
            with_heading = several and outcome.error is None
            stream.write(text.heading(outcome.source.name) if with_heading else "")
            stream.write(outcome.text)

        return write_text
    records: list[Mapping[str, Any]] = []

    def write_document() -> None:
        if several or records:
            stream.write(json.document(records if several else records[0]))

    stack.callback(write_document)
    return lambda outcome: records.append(outcome.record)


def _open_output(path: Path | None, stack: ExitStack) -> TextIO:
    if path is None:
        # JSON is UTF-8 everywhere, and names of files may contain any bytes.
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8", errors="surrogateescape")
        return sys.stdout
    try:
        return stack.enter_context(path.open("w", encoding="utf-8", errors="surrogateescape"))
    except OSError as error:
        raise EdgeOCRError(f"{path}: can't be written: {error.strerror or error}") from error


def _describe(ocr: OCR) -> None:
    """Print what runs where, why, and within which memory."""
    providers = ", ".join(f"{stage} on {name}" for stage, name in ocr.providers.items())
    print(f"edgeocr: {providers}", file=sys.stderr)
    for reason in ocr.skipped_providers:
        print(f"edgeocr: skipped provider: {reason}", file=sys.stderr)
    if ocr.memory_budget is not None:
        print(f"edgeocr: {ocr.memory_budget.describe()}", file=sys.stderr)


def _summary(result: Page | Detections) -> str:
    """Return the size of a picture, what was found in it, and what each stage took."""
    from ..page import Page

    stages = ", ".join(f"{stage} {ms:.0f} ms" for stage, ms in result.milliseconds.items())
    noun = "lines" if isinstance(result, Page) else "regions"
    return f"{result.width} × {result.height}, {len(result)} {noun}; {stages}"
