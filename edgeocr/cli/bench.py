"""`edgeocr bench`: measure cold start, latency, memory and energy on each provider."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ..bench.settings import REPEAT
from ..outputs.encoding import encoded
from ..outputs.replacement import write_file
from .arguments import (
    add_engine_arguments,
    add_overwrite_argument,
    output_file,
    positive,
    protected,
    provider_list,
    provider_options,
)
from .progress import ProgressLine
from .sources import NamedSource, expand

if TYPE_CHECKING:
    from ..bench.measure import Progress
    from ..bench.pictures import PictureSource
    from ..bench.settings import Settings


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    command.add_argument(
        "--providers",
        type=provider_list,
        metavar="LIST",
        help="execution providers, such as cpu,cuda,tensorrt; default: all that the installed "
        "ONNX Runtime has",
    )
    add_engine_arguments(command)
    command.add_argument(
        "--images",
        nargs="+",
        metavar="SOURCE",
        help="pictures, or folders of pictures; default: three that come with the package",
    )
    command.add_argument(
        "--repeat",
        type=positive,
        default=REPEAT,
        metavar="N",
        help=f"how often each picture is read, and again in a stream; default: {REPEAT}",
    )
    command.add_argument(
        "--json", type=output_file, metavar="FILE", help="write the result to FILE as JSON"
    )
    command.add_argument(
        "--html", type=output_file, metavar="FILE", help="write a report with charts to FILE"
    )
    add_overwrite_argument(command)


def run(options: argparse.Namespace) -> int:
    """Measure, print the tables and write the files that were asked for.

    Returns:
        0, or 1 if no provider works or a picture failed.

    Raises:
        EdgeOCRError: If the bundle cannot be opened or there is no picture at all.
    """
    from ..bench.measure import measure
    from ..bench.table import table

    if "-" in (options.images or ()):
        options.parser.error("bench reads each picture many times: name files instead of -")
    named = [] if options.images is None else list(expand(options.images))
    _check_outputs(options, named)
    with ProgressLine() as progress:
        result = measure(
            options.providers,
            bundle=options.bundle,
            sources=None if options.images is None else _pictures(named),
            repeat=options.repeat,
            settings=_settings(options),
            on_progress=lambda step: progress.show(_describe(step)),
        )
    print(table(result))
    if options.json is not None:
        text = json.dumps(result.to_dict(), ensure_ascii=False, indent=1) + "\n"
        write_file(options.json, encoded(text))
    if options.html is not None:
        from ..bench.html import report

        write_file(options.html, report([result]).encode("utf-8", "replace"))
    failed = result.failed or any(each.failed for each in result.working.values())
    return 0 if result.working and not failed else 1


def _check_outputs(options: argparse.Namespace, named: Sequence[NamedSource]) -> None:
    """Check that the files may be written, before anything is measured."""
    from ..bench.html import is_report
    from ..bench.result import is_result

    if options.json is not None and options.json == options.html:
        options.parser.error("--json and --html name the same file")
    guard = protected(options, (source.name for source in named if source.error is None))
    if options.json is not None:
        guard.check(options.json, is_result, "--json")
    if options.html is not None:
        guard.check(options.html, is_report, "--html")


def _pictures(named: Iterable[NamedSource]) -> list[PictureSource]:
    return [source.error or source.name for source in named]


def _settings(options: argparse.Namespace) -> Settings:
    from ..bench.settings import RecordedSettings, Settings

    recorded = RecordedSettings(
        cpus=None if options.cpus is None else list(options.cpus),
        fp16=options.fp16,
        provider_options=provider_options(options),
        memory_limit=options.memory_limit,
        max_pixels=options.max_pixels,
        variant=options.variant,
    )
    return Settings(
        recorded,
        options.threads,
        options.engine_cache,
        options.require_signature,
        options.expect_digest,
    )


def _describe(progress: Progress) -> str:
    pages = f" page {progress.done} of {progress.total}" if progress.total else ""
    return f"{progress.provider}: {progress.phase}{pages}"
