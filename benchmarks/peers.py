"""Measure edgeocr beside other engines on the same weights.

Usage: python -m benchmarks peers --images DIR [--bundle NAME …].
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from converters import child_process
from converters.accuracy.datasets import paddle
from converters.accuracy.labels import LabelledLine
from converters.catalog import entries as catalogs
from converters.catalog.fetch import cache_folder
from edgeocr.errors import EdgeOCRError
from edgeocr.images import SUFFIXES
from edgeocr.outputs.replacement import write_file
from edgeocr.runtime.onnx_runtime import import_onnxruntime
from edgeocr.version import __version__

from . import environments, machine, peer_report
from .engines.measure import Measured, Request
from .peer_report import OURS, Result

# Other processes that keep more CPUs busy than this distort the ratios.
QUIET_CPUS = 0.1
CHECKOUT = Path(__file__).parent.parent
# Libraries whose versions are recorded.
LIBRARIES = (
    *("onnxruntime", "onnxruntime-gpu", "numpy", "opencv-python-headless", "opencv-python"),
    *("pyclipper", "shapely"),
)


class MeasurementError(Exception):
    """A measurement can't be made; the message gives the reason."""


@dataclass(frozen=True)
class Engine:
    """An engine to measure.

    Attributes:
        name: Its name in the results.
        worker: Its module in benchmarks/engines.
        python: The Python that runs the worker.
        variables: The environment variables of the worker.
    """

    name: str
    worker: str
    python: Path
    variables: Mapping[str, str]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "--images",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder of pictures; if it has a Label.txt, accuracy is measured too",
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
        "--repeat", type=positive, default=5, help="number of runs of each engine; default: 5"
    )
    parser.add_argument(
        "--threads", type=positive, default=2, help="number of CPUs for each run; default: 2"
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
        "--output",
        type=Path,
        default=Path(__file__).parent / "results",
        metavar="DIR",
        help="folder for the results; default: benchmarks/results",
    )


def run(options: argparse.Namespace) -> None:
    """Measure, print the table, and write a result file for each bundle and peers.md."""
    try:
        _run(options)
    except (MeasurementError, environments.EnvironmentFailedError, EdgeOCRError) as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None


def _run(options: argparse.Namespace) -> None:
    from . import weights  # needs onnx, which `breakdown` and others that import this do without

    catalog = catalogs.load()
    for name in options.bundle:
        catalog.bundle(name)
    pictures = find_pictures(options.images)
    engines = make_engines(options.environments, options.peers)
    options.output.mkdir(parents=True, exist_ok=True)
    results = []
    for name in options.bundle:
        with tempfile.TemporaryDirectory(prefix="edgeocr-peers-") as temporary:
            folder = Path(temporary)
            bundle, models = weights.prepare(name, catalog, folder)
            request: Request = {
                "name": name,
                "images": [str(path) for path in pictures],
                "threads": options.threads,
                "orientation": options.orientation,
                "bundle": str(bundle),
                "models": models,
                "packages": [*(peer.package for peer in environments.PEERS), *LIBRARIES],
            }
            left_out = {
                peer.package: reason
                for peer in environments.PEERS
                if (reason := peer.left_out(name, options.orientation)) is not None
            }
            taking_part = [engine for engine in engines if engine.name not in left_out]
            runs = _measure(name, taking_part, request, options.repeat, folder)
        entry = catalog.bundle(name)
        result: Result = {
            "bundle": name,
            "models": {
                "detection": entry.detection,
                "recognition": entry.recognition,
                **({"orientation": entry.orientation} if options.orientation else {}),
            },
            "orientation": options.orientation,
            "threads": options.threads,
            "date": datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
            "command": command(options),
            "commit": _commit(),
            "machine": machine.describe(),
            "left_out": {peer: left_out[peer] for peer in options.peers if peer in left_out},
            **peer_report.summarize(runs, _labelled(options.images)),
        }
        results.append(result)
        suffix = "-orientation" if options.orientation else ""
        text = json.dumps(result, indent=1, ensure_ascii=False) + "\n"
        _write(options.output / f"peers-{name}{suffix}.json", text)
    present = sorted(options.output.glob("peers-*.json"))
    everything = [json.loads(path.read_text(encoding="utf-8")) for path in present]
    _write(options.output / "peers.md", peer_report.markdown(everything))
    print(peer_report.aligned(results))
    for result in results:
        print(peer_report.origin(result))
        if (peer_report.others_cpus(result) or 0) > QUIET_CPUS:
            print("  Other processes were busy, and they slow some engines down more than others,")
            print("  so don't trust the ratio. Measure again when nothing else runs.")
        for peer, comparison in result["comparisons"].items():
            pairs = ", ".join(f"{ratio:.2f}" for ratio in comparison["time_ratio_of_each_pair"])
            print(f"  {peer}'s time ÷ edgeocr's, pair by pair: {pairs}")
    print(f"written to {options.output}")


def find_pictures(folder: Path) -> list[Path]:
    """List the pictures of a folder by name.

    Raises:
        MeasurementError: There are none.
    """
    if not folder.is_dir():
        raise MeasurementError(f"{folder}: there is no such folder")
    folder = folder.resolve()
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    if not found:
        raise MeasurementError(f"{folder}: there are no pictures in this folder")
    return found


def command(options: argparse.Namespace) -> str:
    """Return the command that repeats the measurement, without the paths of this machine."""
    words = ["python -m benchmarks peers --images DIR --bundle", *options.bundle]
    if set(options.peers) != {peer.package for peer in environments.PEERS}:
        words += ["--peers", *options.peers]
    words += [f"--repeat {options.repeat} --threads {options.threads}"]
    return " ".join(words + ["--orientation"] * options.orientation)


def make_engines(folder: Path, peers: Sequence[str]) -> list[Engine]:
    """Return edgeocr and the chosen peers, and make environments that are missing.

    Args:
        folder: Folder of the peers' environments.
        peers: The peers' packages.
    """
    version = import_onnxruntime().__version__
    engines = [Engine(OURS, "edgeocr_worker", Path(sys.executable), os.environ)]
    for peer in environments.PEERS:
        if peer.package not in peers:
            continue
        python = environments.ensure(peer, version, folder, _say)
        variables = environments.clean_variables()
        engines.append(Engine(peer.package, peer.worker, python, variables))
    return engines


def _measure(
    bundle: str, engines: list[Engine], request: Request, repeat: int, folder: Path
) -> dict[str, list[Measured]]:
    """Run the engines in turns and return the measurements of each."""
    request_file = folder / "request.json"
    request_file.write_text(json.dumps(request), encoding="utf-8")
    runs: dict[str, list[Measured]] = {engine.name: [] for engine in engines}
    for number in range(1, repeat + 1):
        for engine in engines:
            measured = run_worker(engine, request_file, folder / "result.json")
            if engine.name == OURS:
                measured["versions"][OURS] = __version__
            runs[engine.name].append(measured)
            _say(f"{bundle}: run {number} of {repeat}: {engine.name} {measured['total_s']:.2f} s")
    return runs


def run_worker(engine: Engine, request: Path, result: Path) -> Measured:
    """Run an engine's worker in a new process.

    Args:
        engine: The engine.
        request: The file that tells the worker what to do: a `Request` as JSON.
        result: The file that the worker writes.

    Raises:
        MeasurementError: The worker fails.
    """
    result.unlink(missing_ok=True)
    module = f"{__package__}.engines.{engine.worker}"
    command = [str(engine.python), "-m", module, str(request), str(result)]
    ended = child_process.run(command, None, folder=CHECKOUT, variables=engine.variables)
    if ended.code != 0 or not result.is_file():
        raise MeasurementError(f"{engine.name}: the worker {ended}")
    measured: Measured = json.loads(result.read_text(encoding="utf-8"))
    return measured


def _labelled(folder: Path) -> dict[str, list[LabelledLine]]:
    """Return the labelled lines by the names of the pictures; none without a Label.txt."""
    if not (file := folder / paddle.LABELS).is_file():
        return {}
    found = paddle.labels_of(file)
    return {path.name: lines for path, lines in found.items() if path.parent == folder}


def _commit() -> str | None:
    """Return the checkout's commit, with a plus if files differ from it; None without git."""
    git = ["git", "-C", str(CHECKOUT)]
    try:
        head = subprocess.run(
            [*git, "rev-parse", "--short", "HEAD"], capture_output=True, text=True
        )
        changed = subprocess.run([*git, "status", "--porcelain"], capture_output=True, text=True)
    except OSError:
        return None
    return head.stdout.strip() + "+" * bool(changed.stdout) if not head.returncode else None


def _write(path: Path, text: str) -> None:
    write_file(path, text.encode())


def positive(text: str) -> int:
    """Parse a number of a command line that must be at least 1.

    Raises:
        argparse.ArgumentTypeError: It is less.
    """
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, not {number}")
    return number


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
