"""python -m converters list | fetch | convert | freeze"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from edgeocr.errors import EdgeOCRError

from . import catalog as catalogs
from .fetch import Fetcher, fetched


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code: 0, 1 for an error, 2 for wrong usage."""
    options = _parser().parse_args(arguments)
    try:
        catalog = catalogs.load()
        if options.command == "list":
            _list(catalog)
        elif options.command == "fetch":
            with Fetcher(_say) as fetcher:
                for name in options.names or catalog.models:
                    print(fetcher.fetch(catalog.model(name)))
        elif options.command == "convert":
            _convert(catalog, options.model, options.as_entry, options.output)
        else:
            from .freeze import freeze

            bundle = freeze(catalog.bundle(options.bundle), catalog, options.output, _say)
            print(f"{bundle.path}: sha256 of the manifest {bundle.digest}")
    except (EdgeOCRError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except ModuleNotFoundError as error:
        print(f'error: {error}: pip install ".[cpu,convert]"', file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m converters",
        description="Turn PaddleOCR models into edge graphs and freeze them into bundles.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("list", help="the models and bundles of models.toml")
    fetch = commands.add_parser("fetch", help="fetch models into the cache, checked by sha256")
    fetch.add_argument("names", nargs="*", metavar="NAME", help="models; all when none is given")
    convert = commands.add_parser("convert", help="one model → plain.onnx and edge.onnx")
    convert.add_argument("model", metavar="NAME|DIR", help="a model of models.toml, or a folder")
    convert.add_argument("-o", "--output", type=Path, required=True, metavar="OUT/")
    convert.add_argument(
        "--as", dest="as_entry", metavar="NAME", help="treat DIR's model like this entry's"
    )
    freeze = commands.add_parser("freeze", help="make a bundle of models.toml")
    freeze.add_argument("bundle", metavar="BUNDLE", help="a bundle of models.toml")
    freeze.add_argument(
        "-o",
        "--output",
        type=Path,
        required=True,
        metavar="PATH",
        help="NAME.edgeocr for one file, else a new folder",
    )
    return parser


def _list(catalog: catalogs.Catalog) -> None:
    width = max(map(len, catalog.models))
    for entry in catalog.models.values():
        state = "fetched" if fetched(entry) else ""
        print(
            f"{entry.name:{width}}  {entry.task:11}  {entry.algorithm:9}  {entry.format:13}  "
            f"{entry.licence}  {state}".rstrip()
        )
    print()
    for bundle in catalog.bundles.values():
        stages = [bundle.detection, bundle.orientation, bundle.recognition]
        print(f"{bundle.name:8}  {bundle.description}")
        print(f"{'':8}  {', '.join(stage for stage in stages if stage)}")


def _convert(catalog: catalogs.Catalog, model: str, as_entry: str | None, output: Path) -> None:
    from .convert import convert, recognize_folder

    if model in catalog.models:
        entry = catalog.model(model)
        with Fetcher(_say) as fetcher:
            folder = fetcher.fetch(entry)
    else:
        folder = Path(model)
        entry = catalog.model(as_entry) if as_entry else recognize_folder(catalog, folder)
    conversion = convert(entry, folder, _say)
    output.mkdir(parents=True, exist_ok=True)
    for name, graph in (("plain.onnx", conversion.plain), ("edge.onnx", conversion.edge)):
        partial = output / f"{name}.part"
        partial.write_bytes(graph)
        print(partial.replace(output / name))


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
