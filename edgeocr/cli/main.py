"""The command line: edgeocr read | detect | recognize | warm | bench | doctor | bundle."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from ..bench import measure as bench
from ..doctor import facts as doctor
from ..errors import EdgeOCRError
from ..version import __version__
from . import bundle as bundle_commands
from .arguments import add_engine_arguments, add_provider_argument

EPILOG = (
    "Exit code: 0, 1 when a source or a bundle failed (the rest is written), 2 for wrong usage."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except (EdgeOCRError, ValueError) as error:
        print(f"edgeocr: error: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # the reader, such as head, has had enough
        sys.stderr.close()
        return 1
    except OSError as error:  # a full disk, a folder that is gone
        print(f"edgeocr: error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="edgeocr", description="Read text from pictures.", epilog=EPILOG
    )
    parser.add_argument("--version", action="version", version=f"edgeocr {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, does in (
        ("read", "find and read all lines of pictures"),
        ("detect", "find the regions with text, without reading them"),
        ("recognize", "read pictures that hold one upright line each"),
    ):
        command = commands.add_parser(name, help=does, description=f"{does}.", epilog=EPILOG)
        command.add_argument(
            "sources",
            nargs="+",
            metavar="SOURCE",
            help="a picture, a folder of pictures (not its subfolders), or - for standard input",
        )
        add_engine_arguments(command)
        add_provider_argument(command)
        command.add_argument(
            "--format",
            choices=("text", "json", "jsonl"),
            help="default: by the ending of --output, else text",
        )
        command.add_argument(
            "--output", type=Path, metavar="PATH", help="file to write; default: standard output"
        )
        command.add_argument(
            "--verbose",
            action="store_true",
            help="say on stderr what runs where, and with read what each picture took",
        )
        if name == "read":
            command.add_argument(
                "--no-orientation",
                action="store_true",
                help="don't look for lines that are upside down",
            )
        if name != "recognize":
            command.add_argument(
                "--shape",
                choices=("quad", "polygon"),
                help="find quads, or polygons for curved lines, as far as the detector can; "
                "default: as the bundle says",
            )
            command.add_argument(
                "--overlay",
                type=Path,
                metavar="DIR",
                help="write each picture with its regions and texts drawn to DIR",
            )
        command.set_defaults(run=_commands)
    warm = commands.add_parser(
        "warm",
        help="run every input shape once; builds and keeps TensorRT's engines",
        description="Run every input shape once. With TensorRT this builds the engines, which "
        "takes minutes, and keeps them, so that no later start has to.",
    )
    add_engine_arguments(warm)
    add_provider_argument(warm)
    warm.set_defaults(run=_warm)
    for name, module, does in (
        ("bench", bench, "measure cold start, latency, memory and energy on each provider"),
        ("doctor", doctor, "what a bug report needs, what is wrong here, and what mends it"),
    ):
        command = commands.add_parser(name, help=does, description=f"{does}.")
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    bundle_commands.add_arguments(commands.add_parser("bundle", help="look into a bundle"))
    return parser


def _commands(options: argparse.Namespace) -> int:
    from .read import run

    return run(options)


def _warm(options: argparse.Namespace) -> int:
    from .read import warm

    return warm(options)
