"""The command `edgeocr`: its parser, its commands and their exit codes."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Literal

from ..errors import EdgeOCRError
from ..version import __version__
from .signals import exit_code, let_signals_end_the_process, signals_raised
from .streams import report, silence_if_broken, usable_streams, write_out

EPILOG = (
    "Exit code: 0; 1 if a source, a bundle or the device failed (all other results are written); "
    "2 for wrong arguments."
)
READING_COMMANDS: dict[Literal["read", "detect", "recognize"], str] = {
    "read": "find and read all lines of pictures",
    "detect": "find the regions with text, without reading them",
    "recognize": "read pictures that hold one upright line each",
}
# The other commands: their summaries and descriptions; each has a module of its name.
COMMANDS: dict[str, tuple[str, str | None]] = {
    "serve": (
        "answer requests over HTTP, until SIGTERM or Ctrl+C arrives",
        "Answer requests over HTTP: read, detect and recognize pictures and PDF files with one "
        "bundle. It needs the extra serve.",
    ),
    "watch": (
        "watch a camera, a stream, a video or a folder: which texts appear, change and disappear",
        "Watch a camera, a stream, a video or a folder, and write an event whenever a text "
        "appears, changes or disappears.",
    ),
    "warm": (
        "prepare this device: run every input shape, build TensorRT engines, check what is read",
        "Run every input shape once, and compare what is read with what the CPU reads in float32. "
        "With TensorRT this builds the engines, which takes minutes and is kept for every later "
        "start. With the provider auto, what reads wrongly is not used from then on.",
    ),
    "tune": (
        "measure which provider, graphs and threads are right and the fastest on this device",
        "Measure for each stage which execution provider and which graph read what the CPU reads "
        "in float32, and which of them is the fastest. The result is kept for every later start.",
    ),
    "bench": (
        "measure speed, memory, energy and correctness of bundles, providers and precisions",
        None,
    ),
    "doctor": (
        "print what a bug report needs, what is wrong here, and how to fix it",
        None,
    ),
    "bundle": ("show, verify, unpack, compare and sign bundles", None),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: The command and its arguments; by default those of the process.

    Returns:
        The exit code.

    Raises:
        SystemExit: With code 2, after printing the usage, for wrong arguments.
    """
    if arguments is None:
        _prepare_process()
    with usable_streams():
        try:
            with signals_raised():
                return _run(arguments)
        except KeyboardInterrupt as interruption:
            if arguments is None:
                let_signals_end_the_process()
            return exit_code(interruption)


def _prepare_process() -> None:
    """Set what saves this process work, and what only a program may set, not a library."""
    # NumPy and OpenCV each start a thread of OpenBLAS per core, which waits at full load for a
    # tenth of a second. Nothing here multiplies matrices that are large enough for several threads.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def _run(arguments: Sequence[str] | None) -> int:
    try:
        try:
            given = sys.argv[1:] if arguments is None else arguments
            options = _parser(given[0] if given else None).parse_args(given)
            code = int(options.run(options))
        finally:
            # A full disk or a closed pipe can still be reported here.
            write_out("")
        return code
    except BrokenPipeError:  # the reader of a pipe, such as `head`, has ended
        silence_if_broken(sys.stdout)
        return 1
    except (EdgeOCRError, OSError) as error:
        report(error)
        return 1


def _parser(chosen: str | None) -> argparse.ArgumentParser:
    """Return the parser of all commands.

    Args:
        chosen: The command that is going to run. Only its module is imported and only its arguments
            are declared, because those of all commands take 30 ms.
    """
    parser = argparse.ArgumentParser(
        prog="edgeocr", description="Read text from pictures.", epilog=EPILOG
    )
    parser.add_argument("--version", action="version", version=f"edgeocr {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, summary in READING_COMMANDS.items():
        command = commands.add_parser(
            name, help=summary, description=_sentence(summary), epilog=EPILOG
        )
        if name == chosen:
            from . import read

            read.add_arguments(command, name)
            command.set_defaults(run=read.run, parser=command)
    for other, (summary, description) in COMMANDS.items():
        command = commands.add_parser(
            other, help=summary, description=description or _sentence(summary), epilog=EPILOG
        )
        if other == chosen:
            module = import_module(f".{other}", __package__)
            module.add_arguments(command)
            # The actions of `bundle` have functions of their own.
            if hasattr(module, "run"):
                command.set_defaults(run=module.run, parser=command)
    return parser


def _sentence(summary: str) -> str:
    return f"{summary[0].upper()}{summary[1:]}."
