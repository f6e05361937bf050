"""The command `python -m converters`: list, fetch, convert, verify, doctor, npu, freeze, triton."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from edgeocr.cli.log import log_to_stderr
from edgeocr.cli.signals import exit_code, signals_raised
from edgeocr.errors import EdgeOCRError

from .arguments import parser
from .catalog import entries as catalogs
from .catalog.entries import BundleEntry, Catalog, Entry
from .catalog.fetch import Fetcher, model_folder
from .errors import ConverterError, FetchError

if TYPE_CHECKING:
    from .model.dictionary import Dictionary

# The files that `npu` writes, the one last by which an export is known to be complete.
NPU_FILES = ("npu.onnx", "npu.txt", "npu.json")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: The command line without the program's name; None for this process's.

    Returns:
        The exit code: 0, 1 for an error, 2 for wrong usage; 130, 143 or 129 when Ctrl+C, SIGTERM
        or SIGHUP stops the command, which then leaves no temporary folder and no child process.
    """
    options = parser().parse_args(arguments)
    try:
        with signals_raised(), log_to_stderr("converters"):
            _check_paddle_python(options)
            return _COMMANDS[options.command](catalogs.load(), options)
    except (EdgeOCRError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except ModuleNotFoundError as error:
        print(f'error: {error}: pip install ".[cpu,convert]"', file=sys.stderr)
        return 1
    except MemoryError:
        print("error: this machine has too little memory for that", file=sys.stderr)
        return 1
    except KeyboardInterrupt as interruption:
        return exit_code(interruption)


def _check_paddle_python(options: argparse.Namespace) -> None:
    """Check the Python that the user names, if the command takes one, before any work is done."""
    python = getattr(options, "paddle_python", None)
    if python is None:
        return
    from .parity.paddle_reference import PaddleMissingError, require_paddle

    try:
        require_paddle(python)
    except PaddleMissingError as error:
        raise ConverterError(f"--paddle-python: {error}") from None


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
    from . import output, report
    from .catalog import conversions
    from .convert import UnknownNetworkError, Wanted, convert
    from .fixed_shapes import distinct
    from .model.known import Statement

    said = Statement(options.algorithm, _dictionary(options), options.ignore_yml)
    wanted = Wanted(distinct(options.shape), options.fast, options.opset)
    target: Path = options.output
    output.check(target)
    with _source(catalog, options) as (folder, entry):
        archive = Path(options.model) if folder != Path(options.model) and entry is None else None
        try:
            conversion = convert(
                folder,
                catalog,
                entry=entry,
                paddle_python=options.paddle_python,
                said=said,
                wanted=wanted,
            )
        except UnknownNetworkError as error:
            kept = output.keep_plain(target, error.plain)
            raise ConverterError(f"{error}. Its plain graph, which runs, is {kept}") from None
        written = report.contents(report.build(conversion, archive))
    graphs = {output.PLAIN: conversion.plain, output.EDGE: conversion.edge}
    for path in output.write(target, {**graphs, **written}):
        print(path)
    if conversion.network.is_of_catalog:
        conversions.remember(conversion.network.name, target)
    return 0


def _dictionary(options: argparse.Namespace) -> Dictionary | None:
    """Return the dictionary that the user names."""
    from .model.dictionary import Dictionary

    if options.dictionary is None:
        if options.space is not None:
            raise ConverterError("--space and --no-space need a dictionary: name it too")
        return None
    return Dictionary(options.dictionary, options.space)


@contextlib.contextmanager
def _source(catalog: Catalog, options: argparse.Namespace) -> Iterator[tuple[Path, Entry | None]]:
    """Yield the folder to convert, and the entry that the user named."""
    from .catalog import archives
    from .model import paddle_model
    from .model.settings import require_inference

    if options.as_entry is None and options.model in catalog:
        entry = catalog.model(options.model)
        require_inference(entry)
        if entry.contents == "checkpoint":  # the user has put its export there
            yield model_folder(entry), entry
            return
        with Fetcher() as fetcher:
            folder = fetcher.fetch(entry)
        yield folder, entry
        return
    named = catalog.model(options.as_entry) if options.as_entry else None
    folder = Path(options.model)
    if not (folder.is_file() and archives.is_archive(folder)):
        yield folder, named
        return
    with tempfile.TemporaryDirectory(prefix="edgeocr-") as temporary:
        target = Path(temporary) / archives.stem(folder)
        try:
            archives.unpack(folder, target)
            yield paddle_model.below(target), named
        except EdgeOCRError as error:
            # The user knows the archive, and nothing of the folder that it is unpacked into.
            raise ConverterError(str(error).replace(str(target), options.model)) from error


def _verify(catalog: Catalog, options: argparse.Namespace) -> int:
    from .verify import verify

    results = verify(options.output, options.against, options.paddle_python)
    print(options.output / "report.md")
    return 0 if all(result.passed for result in results) else 1


def _doctor(catalog: Catalog, options: argparse.Namespace) -> int:
    import json

    from edgeocr.outputs.replacement import write_file

    from .doctor.examination import examine_folder
    from .doctor.reading import Request
    from .doctor.report import report

    written: Path | None = options.json
    if written is not None and (written.is_dir() or not written.absolute().parent.is_dir()):
        raise ConverterError(f"--json {written}: name a file in a folder that exists")
    request = Request(
        options.folder,
        options.images,
        options.charset,
        options.algorithm,
        options.ignore_yml,
        options.paddle_python,
    )
    examination = examine_folder(request, catalog)
    print(report(examination))
    if written is not None:
        found = json.dumps(examination.to_dict(), indent=2, ensure_ascii=False)
        write_file(written, f"{found}\n".encode())
    return 1 if examination.problems else 0


def _npu(catalog: Catalog, options: argparse.Namespace) -> int:
    from . import output
    from .convert import Wanted, convert
    from .fixed_shapes import distinct
    from .model.known import Statement
    from .npu.export import export
    from .npu.report import report
    from .npu.targets import TARGETS

    shapes = distinct(options.shape)
    target: Path = options.output
    output.check(target, NPU_FILES, "an export")
    said = Statement(options.algorithm, _dictionary(options), options.ignore_yml)
    with _source(catalog, options) as (folder, entry):
        wanted = Wanted(fast=True, later=shapes)
        conversion = convert(folder, catalog, entry=entry, said=said, wanted=wanted)
    made = export(conversion.plain, TARGETS[options.target], shapes, conversion.network)
    text = report(made)
    contents = (made.graph, text.encode(), made.to_json())
    output.write(target, dict(zip(NPU_FILES, contents, strict=True)), NPU_FILES[-1])
    print(text, end="")
    return 0


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
        dictionary=_dictionary(options),
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
    "doctor": _doctor,
    "npu": _npu,
    "freeze": _freeze,
    "triton": _triton,
}


if __name__ == "__main__":
    sys.exit(main())
