"""Measure edgeocr beside other engines on the same weights.

Usage: python -m benchmarks peers [--data DIR …] [--bundle NAME …].
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime, timezone
from pathlib import Path

from converters.accuracy.datasets import folder as datasets
from converters.accuracy.labels import LabelledPages
from converters.catalog import entries as catalogs
from converters.catalog.fetch import cache_folder
from edgeocr.accuracy.labels import LabelledLine
from edgeocr.errors import EdgeOCRError
from edgeocr.outputs.replacement import write_file
from edgeocr.version import __version__

from . import environments, machine, peer_report, peer_tables, peer_turns
from .commits import commit
from .engine_process import OURS, PATIENCE_S, Engine, EngineError, make_engines
from .engines.measure import Request
from .inputs import MeasurementError, find_pictures, positive
from .line_process import CHECKOUT
from .peer_report import Result

# Other processes that keep more CPUs busy than this distort the ratios.
QUIET_CPUS = 0.1
# Pictures that everybody has who has a checkout.
OWN_PICTURES = CHECKOUT / "tests" / "images"
# Libraries whose versions are recorded.
LIBRARIES = (
    *("onnxruntime", "onnxruntime-gpu", "numpy", "opencv-python-headless", "opencv-python"),
    *("pyclipper", "shapely"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "--data",
        type=Path,
        nargs="+",
        default=[OWN_PICTURES],
        metavar="DIR",
        help="folders of pictures, each measured on its own; if a folder has labels, accuracy is "
        "measured too; default: tests/images",
    )
    parser.add_argument(
        "--bundle",
        nargs="+",
        default=["tiny"],
        metavar="NAME",
        help="names of bundles in models.toml; default: tiny",
    )
    parser.add_argument(
        "--peers",
        nargs="*",
        choices=[peer.package for peer in environments.PEERS],
        default=[peer.package for peer in environments.PEERS],
        metavar="NAME",
        help=f"engines; default: {' '.join(peer.package for peer in environments.PEERS)}",
    )
    parser.add_argument(
        "--repeat", type=positive, default=5, help="number of rounds over the pictures; default: 5"
    )
    parser.add_argument(
        "--starts", type=int, default=5, help="number of cold starts of each engine; default: 5"
    )
    parser.add_argument(
        "--threads", type=positive, default=2, help="number of CPUs for each engine; default: 2"
    )
    parser.add_argument(
        "--patience",
        type=positive,
        default=int(PATIENCE_S),
        metavar="SECONDS",
        help="a peer that takes longer for a picture is killed, and the others go on without it; "
        f"default: {PATIENCE_S:.0f}",
    )
    parser.add_argument(
        "--orientation", action="store_true", help="run the classifier of upside-down lines"
    )
    parser.add_argument(
        "--environments",
        type=Path,
        default=cache_folder() / "environments",
        metavar="DIR",
        help="folder of the peers' virtual environments; default: in the user's cache",
    )
    parser.add_argument(
        "--weights",
        type=Path,
        metavar="DIR",
        help="keep the frozen bundles and the peers' graphs in this folder, and use those that are "
        "there; default: a temporary folder",
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=Path(__file__).parent / "results",
        metavar="DIR",
        help="folder for the results; default: benchmarks/results",
    )


def run(options: argparse.Namespace) -> None:
    """Measure, print the table, and write a result file for each bundle and set, and peers.md."""
    try:
        _run(options)
    except (
        *(MeasurementError, EngineError, environments.EnvironmentFailedError),
        EdgeOCRError,
    ) as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None


def _run(options: argparse.Namespace) -> None:
    catalog = catalogs.load()
    entries = [catalog.bundle(name) for name in options.bundle]
    sets = {path: labelled_pictures(path) for path in options.data}
    chosen = [peer for peer in environments.PEERS if peer.package in options.peers]
    left_out = {name: _left_out(name, chosen, options.orientation) for name in options.bundle}
    needed = [
        peer for peer in chosen if any(peer.package not in each for each in left_out.values())
    ]
    engines = make_engines(options.environments, needed)
    options.output.mkdir(parents=True, exist_ok=True)
    results = []
    with ExitStack() as stack:
        folder = options.weights or Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="edgeocr-peers-"))
        )
        requests = {name: _request(name, catalog, folder, options) for name in options.bundle}
        for entry in entries:
            left = left_out[entry.name]
            taking_part = [engine for engine in engines if engine.name not in left]
            for path, pictures in sets.items():
                result = _measure(
                    taking_part, left, entry, requests[entry.name], path, pictures, options
                )
                results.append(result)
                text = json.dumps(result, indent=1, ensure_ascii=False) + "\n"
                _write(options.output / file_name(result), text)
    present = sorted(options.output.glob("peers-*.json"))
    everything = [json.loads(path.read_text(encoding="utf-8")) for path in present]
    _write(options.output / "peers.md", peer_tables.markdown(everything))
    _print(results)
    print(f"written to {options.output}")


def _print(results: Sequence[Result]) -> None:
    """Print the table of the results, where they come from, and the ratio of each round."""
    print(peer_tables.aligned(results))
    for result in results:
        print(peer_tables.origin(result))
        if (peer_tables.others_cpus(result) or 0) > QUIET_CPUS:
            print("  Other processes were busy, and they slow some engines down more than others,")
            print("  so don't trust the ratio. Measure again when nothing else runs.")
        for peer, reason in result["left_out"].items():
            print(f"  {peer} is left out because {reason}")
        for reason in result.get("failed", {}).values():
            print(f"  {reason}")
        for peer, comparison in result["comparisons"].items():
            rounds = ", ".join(f"{ratio:.2f}" for ratio in comparison["time_ratio_of_each_round"])
            print(f"  {peer}'s time ÷ edgeocr's, round by round: {rounds}")


def _left_out(
    bundle: str, chosen: Sequence[environments.Peer], orientation: bool
) -> dict[str, str]:
    """Return the peers that can't run a bundle's weights, each with the reason."""
    reasons = {peer.package: peer.left_out(bundle, orientation) for peer in chosen}
    return {peer: reason for peer, reason in reasons.items() if reason is not None}


def _request(
    name: str, catalog: catalogs.Catalog, folder: Path, options: argparse.Namespace
) -> Request:
    """Freeze a bundle, if the folder doesn't have it, and return how engines have to set it up."""
    from . import weights  # needs onnx, which `breakdown` and others that import this do without

    bundle, models = weights.prepare(name, catalog, folder / name)
    return {
        "name": name,
        "threads": options.threads,
        "orientation": options.orientation,
        "bundle": str(bundle),
        "models": models,
        "packages": [*(peer.package for peer in environments.PEERS), *LIBRARIES],
        "rest": True,
    }


def _measure(
    engines: Sequence[Engine],
    left_out: Mapping[str, str],
    entry: catalogs.BundleEntry,
    request: Request,
    path: Path,
    pictures: Mapping[Path, Sequence[LabelledLine]],
    options: argparse.Namespace,
) -> Result:
    """Measure the engines on the pictures of a folder.

    Args:
        engines: The engines that take part, edgeocr among them.
        left_out: The other peers, each with the reason.
        entry: The bundle's entry in models.toml.
        request: How the engines have to set themselves up.
        path: The folder.
        pictures: Its pictures with their labelled lines.
        options: The options of the command.
    """
    measured = peer_turns.measure(
        engines,
        request,
        list(pictures),
        options.repeat,
        options.starts,
        patience_s=options.patience,
    )
    measured.endings[OURS]["versions"][OURS] = __version__
    names = {each: Path(os.path.relpath(each, path.resolve())).as_posix() for each in pictures}
    labelled = {names[each]: lines for each, lines in pictures.items()}
    models = {"detection": entry.detection, "recognition": entry.recognition}
    return {
        "bundle": entry.name,
        "data": path.resolve().name,
        "models": models | ({"orientation": entry.orientation} if options.orientation else {}),
        "orientation": options.orientation,
        "threads": options.threads,
        "date": datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "command": command(options),
        "commit": commit(),
        "machine": machine.describe(),
        "left_out": dict(left_out),
        "failed": dict(measured.failures),
        **peer_report.summarize(measured, list(names.values()), labelled),
    }


def labelled_pictures(path: Path) -> dict[Path, Sequence[LabelledLine]]:
    """Return the pictures of a folder with their labelled lines, which are none without labels.

    Raises:
        MeasurementError: There are no pictures, or they are single words.
        DatasetError: The labels are wrong, or a picture is missing.
    """
    if not path.is_dir() or not any(kind.recognizes(path) for kind in datasets.KINDS.values()):
        return dict.fromkeys(find_pictures(path), ())
    found: dict[Path, Sequence[LabelledLine]] = {}
    for each in datasets.read(path.resolve()):
        if not isinstance(each, LabelledPages):
            raise MeasurementError(f"{path}: these are pictures of single words, not of pages")
        found |= each.pictures
    return found


def file_name(result: Result) -> str:
    """Return the name of a result's file: the bundle, the pictures, and the processor."""
    words = ["peers", result["bundle"], *["orientation"] * result["orientation"]]
    return f"{'-'.join(words)}-{result['data']}-{machine.slug(result['machine'])}.json"


def command(options: argparse.Namespace) -> str:
    """Return the command that repeats the measurement, without the paths of this machine."""
    words = ["python -m benchmarks peers"]
    if options.data != [OWN_PICTURES]:
        words += ["--data", *["DIR"] * len(options.data)]
    words += ["--bundle", *options.bundle]
    if set(options.peers) != {peer.package for peer in environments.PEERS}:
        words += ["--peers", *options.peers]
    words += [f"--repeat {options.repeat} --starts {options.starts} --threads {options.threads}"]
    return " ".join(words + ["--orientation"] * options.orientation)


def _write(path: Path, text: str) -> None:
    write_file(path, text.encode())
