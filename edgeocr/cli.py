"""The command line: edgeocr read | detect | recognize | warm | bench | doctor | bundle."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from . import bench, doctor
from .arguments import add_engine_arguments, add_provider_argument
from .errors import EdgeOCRError
from .version import __version__

if TYPE_CHECKING:
    from .bundle import Bundle

EPILOG = (
    "Exit code: 0, 1 when a source or a bundle failed (the rest is written), 2 for wrong usage."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except EdgeOCRError as error:
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
    bundle = commands.add_parser("bundle", help="look into a bundle")
    actions = bundle.add_subparsers(dest="action", required=True, metavar="ACTION")
    show = actions.add_parser("show", help="what is in a bundle and where it came from")
    show.add_argument("path", nargs="?", help="default: the bundle in the package")
    show.add_argument("--json", action="store_true", help="the manifest as it is")
    verify = actions.add_parser("verify", help="check every file of a bundle")
    verify.add_argument("path", nargs="?", help="default: the bundle in the package")
    bundle.set_defaults(run=_bundle)
    return parser


def _commands(options: argparse.Namespace) -> int:
    from .commands import run

    return run(options)


def _warm(options: argparse.Namespace) -> int:
    from .commands import warm

    return warm(options)


def _bundle(options: argparse.Namespace) -> int:
    from .bundle import Bundle

    bundle = Bundle.open(options.path) if options.path else Bundle.default()
    if options.action == "verify":
        print(f"{bundle.path}: intact, {len(bundle.manifest.files)} files, sha256 {bundle.digest}")
    elif options.json:
        print(bundle.manifest_text, end="")
    else:
        print(describe(bundle))
    return 0


def describe(bundle: Bundle) -> str:
    """What `edgeocr bundle show` prints: stages, where every weight came from, files."""
    manifest = bundle.manifest
    made_by = ", ".join(f"{name} {version}" for name, version in sorted(manifest.made_by.items()))
    rows = [
        f"{manifest.name}: {manifest.description}",
        f"schema {manifest.schema}, made by {made_by}",
        f"sha256 of the manifest: {bundle.digest}",
    ]
    for origin in manifest.provenance:
        stage = getattr(manifest.stages, origin.stage)
        size = manifest.files[stage.graph].size
        rows += [
            "",
            f"{origin.stage}: {origin.title} ({origin.model})",
            f"  algorithm   {stage.algorithm}",
            f"  graph       {stage.graph}, {size / 1e6:.2f} MB",
            f"  translator  {origin.translator}",
        ]
        rows += [f"  parity      {name}: {check}" for name, check in origin.parity.items()]
        rows.append(f"  licence     {origin.licence}, {origin.authors}")
        rows += [f"  from        {file.source}" for file in origin.files]
    total = sum(file.size for file in manifest.files.values())
    rows += ["", f"{len(manifest.files)} files, {total / 1e6:.2f} MB"]
    return "\n".join(rows)
