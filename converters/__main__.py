"""The command `python -m converters list | fetch | convert | verify | freeze | triton`."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import sys
import tempfile
import typing
from collections.abc import Sequence
from pathlib import Path

from edgeocr.bundle.provenance import Precision
from edgeocr.cli.log import log_to_stderr
from edgeocr.cli.signals import exit_code, signals_raised
from edgeocr.errors import EdgeOCRError
from edgeocr.outputs.replacement import write_file

from .catalog import entries as catalogs
from .catalog.entries import BundleEntry, Catalog, Entry
from .catalog.fetch import Fetcher, model_folder
from .errors import FetchError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: The command line without the program's name; None for this process's.

    Returns:
        The exit code: 0, 1 for an error, 2 for wrong usage; 130, 143 or 129 when Ctrl+C, SIGTERM
        or SIGHUP stops the command, which then leaves no temporary folder and no child process.
    """
    options = _parser().parse_args(arguments)
    try:
        with signals_raised(), log_to_stderr("converters"):
            return _COMMANDS[options.command](catalogs.load(), options)
    except (EdgeOCRError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except ModuleNotFoundError as error:
        print(f'error: {error}: pip install ".[cpu,convert]"', file=sys.stderr)
        return 1
    except KeyboardInterrupt as interruption:
        return exit_code(interruption)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m converters",
        description="Convert PaddleOCR models to edge graphs and freeze them into bundles.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    listing = commands.add_parser(
        "list", help="list the models, bundles and profiles of models.toml"
    )
    listing.add_argument("--task", choices=typing.get_args(catalogs.Task))
    listing.add_argument(
        "--language", metavar="CODE", help="a language code such as en, ja or zh-Hant"
    )
    listing.add_argument("--size", choices=typing.get_args(catalogs.Size))
    listing.add_argument("--format", choices=["paddle-legacy", "paddle-pir", "onnx"])
    fetch = commands.add_parser("fetch", help="fetch models into the cache and check their SHA-256")
    fetch.add_argument(
        "names", nargs="*", metavar="NAME", help="models of models.toml; default: all"
    )
    convert = commands.add_parser(
        "convert", help="convert one model to plain.onnx, edge.onnx, report.json and report.md"
    )
    convert.add_argument(
        "model", metavar="NAME|DIR", help="a model of models.toml, a folder, or a .tar of a folder"
    )
    convert.add_argument("-o", "--output", type=Path, required=True, metavar="OUT/")
    convert.add_argument(
        "--as",
        dest="as_entry",
        metavar="NAME",
        help="treat the model in DIR as this one of models.toml",
    )
    verify = commands.add_parser(
        "verify", help="compare what convert wrote with Paddle Inference on the original"
    )
    verify.add_argument("output", type=Path, metavar="OUT/")
    verify.add_argument("--against", type=Path, required=True, metavar="DIR")
    for command in (convert, verify):
        command.add_argument(
            "--paddle-python",
            type=Path,
            metavar="PATH",
            help="a Python that has paddlepaddle; default: this one",
        )
    freeze = commands.add_parser("freeze", help="make a bundle: one of models.toml or your own")
    freeze.add_argument(
        "bundle",
        nargs="?",
        metavar="BUNDLE",
        help="a bundle of models.toml; or name each stage's model",
    )
    for task in catalogs.STAGES:
        freeze.add_argument(
            f"--{task}",
            metavar="MODEL",
            help="the stage's model: NAME of models.toml, DIR with an inference.yml, or NAME=DIR",
        )
    freeze.add_argument(
        "-o",
        "--output",
        type=Path,
        required=True,
        metavar="PATH",
        help="NAME.edgeocr for one file, any other path for a new folder",
    )
    freeze.add_argument(
        "--charset",
        action="append",
        default=[],
        metavar="WHAT",
        help="read only these characters: digits, ascii, latin, a language such as de or zh-Hans, "
        "@FILE with the characters, or the characters themselves (as chars:… where they could be "
        "a name); repeatable; default: all that the network knows",
    )
    freeze.add_argument(
        "--precision",
        choices=typing.get_args(Precision),
        default="fp32",
        help="the precision that graphs compute in; default: fp32",
    )
    freeze.add_argument(
        "--variants",
        type=_variants,
        default=(),
        metavar="LIST",
        help="several graphs for each stage that gains by them, of which a device takes the one "
        "that suits it: fp32,int8 or fp32,fp16 or fp32,int8,fp16",
    )
    freeze.add_argument(
        "--weights",
        choices=["fp32", "fp16"],
        default="fp32",
        help="what the file stores weights in: fp16 halves it, and computes in fp32 as before; "
        "default: fp32",
    )
    freeze.add_argument(
        "--calibrate",
        type=Path,
        metavar="DIR",
        help="for --precision int8: a folder of pictures like those that will be read",
    )
    freeze.add_argument(
        "--accuracy",
        type=Path,
        metavar="DIR",
        help="a folder with a Label.txt; the manifest records what the bundle reads of it",
    )
    freeze.add_argument(
        "--max-loss",
        type=_points,
        metavar="POINTS",
        help="points of Hmean (hundredths) that a lower precision may lose on pictures that it was "
        "not chosen with; default: 0.5",
    )
    freeze.add_argument(
        "--profile",
        metavar="NAME",
        help="settings of models.toml for a class of device, such as raspberry-pi; "
        "`python -m converters list` shows what they set",
    )
    freeze.add_argument(
        "--sign",
        type=Path,
        metavar="KEY",
        help="the private key to sign the bundle with: NAME.key of `edgeocr bundle keygen NAME`",
    )
    triton = commands.add_parser(
        "triton", help="write a bundle as a model repository of Triton Inference Server"
    )
    triton.add_argument("bundle", type=Path, metavar="BUNDLE", help="a bundle's file or folder")
    triton.add_argument("-o", "--output", type=Path, required=True, metavar="MODEL_REPOSITORY")
    triton.add_argument(
        "--name",
        default="edgeocr",
        help="the model that reads pictures; its networks are called NAME_STAGE; default: edgeocr",
    )
    triton.add_argument(
        "--device", choices=["cpu", "gpu"], default="cpu", help="where networks run; default: cpu"
    )
    for name, default, what in (
        ("instances", 1, "copies of each network on each device"),
        ("readers", 2, "pictures that are read at a time"),
        ("threads", 1, "CPU threads of each run of a network"),
    ):
        triton.add_argument(
            f"--{name}", type=_positive, default=default, metavar="N", help=f"{what}; {default}"
        )
    triton.add_argument(
        "--tensorrt", action="store_true", help="let TensorRT run the networks, with --device gpu"
    )
    triton.add_argument(
        "--variant",
        choices=typing.get_args(Precision),
        default="fp32",
        help="the graph of stages that have several; default: fp32",
    )
    return parser


def _list(catalog: Catalog, options: argparse.Namespace) -> int:
    from .listing import lines

    wanted = {name: getattr(options, name) for name in ("task", "language", "size", "format")}
    print("\n".join(lines(catalog, **wanted)))
    return 0


def _fetch(catalog: Catalog, options: argparse.Namespace) -> int:
    entries = [catalog.model(name) for name in options.names or catalog.models]
    failed = []
    with Fetcher() as fetcher:
        for entry in entries:
            try:
                print(fetcher.fetch(entry))
            except FetchError as error:
                failed.append(entry.name)
                print(f"error: {error}", file=sys.stderr)
    if failed:
        print(f"{len(failed)} of {len(entries)} failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def _convert(catalog: Catalog, options: argparse.Namespace) -> int:
    from . import report
    from .catalog import conversions
    from .convert import convert

    with contextlib.ExitStack() as stack:
        folder, entry = _source(catalog, options, stack)
        conversion = convert(folder, catalog, entry=entry, paddle_python=options.paddle_python)
        output: Path = options.output
        output.mkdir(parents=True, exist_ok=True)
        for name, graph in (("plain.onnx", conversion.plain), ("edge.onnx", conversion.edge)):
            write_file(output / name, graph)
            print(output / name)
        archive = Path(options.model) if options.model.endswith(".tar") else None
        report.write(report.build(conversion, archive), output)
        print(output / report.JSON, output / report.MARKDOWN, sep="\n")
    if conversion.network.is_of_catalog:
        conversions.remember(conversion.network.name, output)
    return 0


def _source(
    catalog: Catalog, options: argparse.Namespace, stack: contextlib.ExitStack
) -> tuple[Path, Entry | None]:
    """Return the folder to convert, and the entry that the user named."""
    from .catalog.archives import unpack
    from .model.settings import require_inference

    if options.as_entry is None and options.model in catalog:
        entry = catalog.model(options.model)
        require_inference(entry)
        if entry.contents == "checkpoint":  # the user has put its export there
            return model_folder(entry), entry
        with Fetcher() as fetcher:
            return fetcher.fetch(entry), entry
    folder = Path(options.model)
    if folder.is_file() and folder.suffix == ".tar":
        temporary = stack.enter_context(tempfile.TemporaryDirectory(prefix="edgeocr-"))
        target = Path(temporary) / folder.stem
        unpack(folder, target)
        folder = target
    return folder, catalog.model(options.as_entry) if options.as_entry else None


def _verify(catalog: Catalog, options: argparse.Namespace) -> int:
    from .verify import verify

    results = verify(options.output, options.against, options.paddle_python)
    print(options.output / "report.md")
    return 0 if all(result.passed for result in results) else 1


def _freeze(catalog: Catalog, options: argparse.Namespace) -> int:
    from .freeze import Plan, freeze

    plan = Plan(
        charset=tuple(options.charset),
        precision=options.precision,
        variants=options.variants,
        weights=options.weights,
        calibrate=options.calibrate,
        accuracy=options.accuracy,
        max_loss=options.max_loss,
        profile=options.profile,
        sign=options.sign,
    )
    bundle = freeze(_wanted(catalog, options), catalog, options.output, plan)
    print(f"{bundle.path}: digest {bundle.digest}")
    if bundle.signed_by is not None:
        print(f"signed by {bundle.signed_by}")
    return 0


def _triton(catalog: Catalog, options: argparse.Namespace) -> int:
    from edgeocr import Bundle

    from .triton.repository import Plan, write

    plan = Plan(
        options.name,
        options.device,
        options.instances,
        options.readers,
        options.threads,
        options.tensorrt,
        options.variant,
    )
    for model in write(Bundle.open(options.bundle), options.output, plan):
        print(options.output / model)
    return 0


def _wanted(catalog: Catalog, options: argparse.Namespace) -> BundleEntry:
    """Return the bundle to freeze.

    A bundle that differs from models.toml is named after its file, and its description says how it
    differs.
    """
    chosen = {task: getattr(options, task) for task in catalogs.STAGES if getattr(options, task)}
    wanted = BundleEntry(options.output.stem, "made of models named one by one", **chosen)
    changes = []
    if options.bundle is not None:
        wanted = dataclasses.replace(catalog.bundle(options.bundle), **chosen)
        changes += [f"another model for {', '.join(chosen)}"] if chosen else []
    changes += ["a smaller charset"] if options.charset else []
    changes += [f"graphs in {options.precision}"] if options.precision != "fp32" else []
    changes += [f"further graphs in {' and '.join(options.variants)}"] if options.variants else []
    changes += ["weights in fp16"] if options.weights != "fp32" else []
    changes += [f"settings for {options.profile}"] if options.profile is not None else []
    if not changes:
        return wanted
    what = wanted.name if options.bundle is not None else wanted.description
    description = f"{what}, with {', '.join(changes)}"
    return dataclasses.replace(wanted, name=options.output.stem, description=description)


_COMMANDS = {
    "list": _list,
    "fetch": _fetch,
    "convert": _convert,
    "verify": _verify,
    "freeze": _freeze,
    "triton": _triton,
}


def _variants(text: str) -> tuple[str, ...]:
    """Parse the precisions of a stage's graphs; return those beside fp32, GPUs' first."""
    names = [name.strip() for name in text.split(",")]
    known = typing.get_args(Precision)
    if unknown := [name for name in names if name not in known]:
        raise argparse.ArgumentTypeError(
            f"unknown precision {unknown[0]!r:.40}; choose from {', '.join(known)}"
        )
    if "fp32" not in names or len(set(names)) < max(2, len(names)):
        raise argparse.ArgumentTypeError(
            f"must be fp32, which every device can run, and others: fp32,int8 for example, "
            f"not {text!r:.40}"
        )
    return tuple(name for name in known if name in names and name != "fp32")


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, not {text}")
    return int(text)


def _points(text: str) -> float:
    """Parse points of Hmean."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 100:
        raise argparse.ArgumentTypeError(f"must be a number from 0 to 100, not {text!r:.40}")
    return value


if __name__ == "__main__":
    sys.exit(main())
