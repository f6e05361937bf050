"""Read the same pictures with several versions of ONNX Runtime, in turn.

Usage: python -m benchmarks onnxruntimes VERSION … [--bundle PATH] [--images DIR] [--repeat N].

Each version has a virtual environment of its own, in which everything else has the versions that
are installed here. All of them run this checkout's edgeocr on the CPU.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime, timezone
from pathlib import Path
from time import perf_counter
from typing import Any

from edgeocr.accuracy.agreement import Agreement, agreement
from edgeocr.bundle.bundle import Bundle
from edgeocr.errors import EdgeOCRError
from edgeocr.outputs.replacement import write_file
from edgeocr.results.lines import Line
from edgeocr.stages.opening import usable_threads
from edgeocr.version import __version__

from . import environments, machine, onnxruntimes_table
from .commits import commit
from .inputs import MeasurementError, find_pictures, positive
from .line_process import CHECKOUT
from .onnxruntimes_table import Comparison, VersionResult
from .peer_turns import turns
from .progress import say
from .proof.cell_process import CellFailedError, CellProcess, CellUnavailableError, brief

# What has the same version in all environments.
SHARED = ("numpy", "opencv-python-headless", "pyclipper", "shapely")
VERSION = re.compile(r"[0-9]+\.[0-9]+(\.[0-9]+)?")
# Rounds over the pictures before the measured ones.
WARM_ROUNDS = 1
# Seconds that a process may take for a picture, or to open the bundle.
PATIENCE_S = 120.0

# Makes the environment of a version and returns its Python.
Environments = Callable[[str], Path]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "versions",
        nargs="+",
        type=_version,
        metavar="VERSION",
        help="versions of ONNX Runtime, such as 1.22 for its last patch, or 1.22.1",
    )
    parser.add_argument(
        "--bundle", metavar="PATH", help="path of a bundle; default: the package's own"
    )
    parser.add_argument(
        "--images",
        type=Path,
        default=CHECKOUT / "tests" / "images",
        metavar="DIR",
        help="folder of pictures; default: tests/images",
    )
    parser.add_argument(
        "--repeat", type=positive, default=10, help="number of rounds; default: %(default)s"
    )
    parser.add_argument(
        "--starts",
        type=positive,
        default=5,
        help="number of cold starts of each version; default: %(default)s",
    )
    parser.add_argument("--threads", type=positive, help="CPU threads; default: edgeocr's default")
    parser.add_argument(
        "--environments",
        type=Path,
        default=Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        / "edgeocr"
        / "environments",
        metavar="DIR",
        help="folder of the virtual environments; default: in the user's cache",
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=Path(__file__).parent / "results",
        metavar="DIR",
        help="folder for the result; default: benchmarks/results",
    )


def run(options: argparse.Namespace) -> None:
    """Measure, print the table and write the result file.

    The exit code is 1 if no version could be measured.
    """
    try:
        result = _run(options)
    except (MeasurementError, EdgeOCRError) as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None
    print(onnxruntimes_table.markdown(result), end="")


def _version(text: str) -> str:
    if VERSION.fullmatch(text) is None:
        raise argparse.ArgumentTypeError(f"a version is like 1.22 or 1.22.1, not {text!r}")
    return text


def _run(options: argparse.Namespace) -> Comparison:
    wanted = sorted(dict.fromkeys(options.versions), key=number)
    pictures = [str(path) for path in find_pictures(options.images)]
    bundle = Bundle.default() if options.bundle is None else Bundle.open(options.bundle)
    threads = options.threads or usable_threads(None, bundle.manifest.profile)
    opening: dict[str, Any] = {
        "bundle": str(bundle.path.absolute()),
        "provider": "cpu",
        "options": {},
        "fp16": False,
        "variant": None,
        "fixed_shapes": None,
        "engines": None,
        "threads": threads,
    }

    def environment(version: str) -> Path:
        return environments.ensure(peer(version), "", options.environments, say)

    measured, left_out = compare(
        wanted, environment, opening, pictures, options.repeat, options.starts
    )
    if not measured:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in left_out.items())
        raise MeasurementError(f"no version could be measured: {reasons}")
    result = Comparison(
        edgeocr=__version__,
        commit=commit(),
        date=datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        command=command(options, wanted),
        machine=machine.describe(),
        bundle=bundle.manifest.name,
        sha256=bundle.digest,
        threads=threads,
        pictures=[Path(each).name for each in pictures],
        repeat=options.repeat,
        versions=measured,
        left_out=left_out,
    )
    options.output.mkdir(parents=True, exist_ok=True)
    described = machine.slug(result.machine)
    path = options.output / f"onnxruntimes-{bundle.manifest.name}-{described}.json"
    write_file(path, (json.dumps(result.to_dict(), indent=1, ensure_ascii=False) + "\n").encode())
    say(f"written to {path}")
    return result


def number(version: str) -> tuple[int, ...]:
    """Return a version as numbers, for sorting."""
    return tuple(int(part) for part in version.split("."))


def peer(version: str) -> environments.Peer:
    """Return what is installed for a version.

    Args:
        version: Such as "1.22", whose last patch is meant, or "1.22.1".
    """
    exact = version if version.count(".") == 2 else f"{version}.*"
    return environments.Peer(
        f"onnxruntime-{version}", f"onnxruntime=={exact}", worker="", shared=SHARED
    )


def command(options: argparse.Namespace, versions: Sequence[str]) -> str:
    """Return the command that repeats the measurement, without the paths of this machine."""
    words = ["python -m benchmarks onnxruntimes", *versions]
    if options.bundle is not None:
        words.append(f"--bundle {Path(options.bundle).name}")
    if options.images != CHECKOUT / "tests" / "images":
        words.append("--images DIR")
    words.append(f"--repeat {options.repeat} --starts {options.starts}")
    return " ".join(words + [f"--threads {options.threads}"] * (options.threads is not None))


def compare(
    versions: Sequence[str],
    environment: Environments,
    opening: Mapping[str, Any],
    pictures: Sequence[str],
    repeat: int,
    starts: int,
) -> tuple[dict[str, VersionResult], dict[str, str]]:
    """Measure versions in turn.

    Args:
        versions: The versions, the newest last.
        environment: Returns the Python of a version.
        opening: The arguments of the action `open`.
        pictures: Paths of the pictures.
        repeat: Number of measured rounds.
        starts: Number of cold starts of each version.

    Returns:
        The results of those that could be measured, and why the others could not.
    """
    left_out: dict[str, str] = {}
    pythons: dict[str, Path] = {}
    for version in versions:
        try:
            pythons[version] = environment(version)
        except environments.EnvironmentFailedError as error:
            left_out[version] = pip_error(str(error))
            say(f"{version} is left out: {left_out[version]}")

    def left() -> list[str]:
        return [version for version in pythons if version not in left_out]

    def fail(version: str, error: Exception) -> None:
        left_out[version] = str(error)
        say(f"{version} is left out: {error}")

    cold: dict[str, list[float]] = {version: [] for version in pythons}
    # The first start of each version compiles Python's files and fills the disk's cache.
    for start in range(-1, starts):
        for version in turns(left(), max(0, start), 0) if left() else []:
            try:
                seconds = cold_start(version, pythons[version], opening, pictures[0])
            except (CellFailedError, CellUnavailableError) as error:
                fail(version, error)
            else:
                cold[version] += [seconds] * (start >= 0)
    rounds: dict[str, list[list[dict[str, Any]]]] = {version: [] for version in left()}
    texts: dict[str, list[list[Line]]] = {version: [] for version in left()}
    found: dict[str, VersionResult] = {}
    with ExitStack() as stack:
        processes: dict[str, CellProcess] = {}
        for version in left():
            process = stack.enter_context(started(version, pythons[version]))
            try:
                process.ask("open", PATIENCE_S, **opening)
            except (CellFailedError, CellUnavailableError) as error:
                fail(version, error)
            processes[version] = process
        for done in range(-WARM_ROUNDS, repeat):
            answers: dict[str, list[dict[str, Any]]] = {version: [] for version in left()}
            for place, picture in enumerate(pictures):
                for version in turns(left(), max(0, done), place) if left() else []:
                    try:
                        lines, answer = processes[version].read(picture)
                    except CellFailedError as error:
                        fail(version, error)
                        continue
                    answers[version].append(answer)
                    if done < 0:
                        texts[version].append(lines)
            for version in left():
                if done >= 0:
                    rounds[version].append(answers[version])
            say(f"round {done + 1} of {repeat}" if done >= 0 else "warm")
        installed = {version: processes[version].ask("versions") for version in left()}
        peaks = {version: processes[version].ask("held", gpu=False)["peak"] for version in left()}
    if not left():
        return {}, left_out
    newest = left()[-1]
    for version in left():
        pairs = zip(texts[newest], texts[version], strict=True)
        same = sum((agreement(one, other) for one, other in pairs), Agreement())
        found[version] = VersionResult.of(
            installed[version], cold[version], rounds[version], rounds[newest], peaks[version], same
        )
    return found, left_out


def started(version: str, python: Path) -> CellProcess:
    """Start a process of a version, which is allowed to keep what Python compiles."""
    variables = environments.clean_variables()
    variables.pop("PYTHONDONTWRITEBYTECODE", None)
    return CellProcess(version, python=python, variables=variables)


def cold_start(version: str, python: Path, opening: Mapping[str, Any], picture: str) -> float:
    """Return the seconds from the start of a process to the text of its first picture.

    Raises:
        CellFailedError: The process fails.
        CellUnavailableError: ONNX Runtime can't be imported there.
    """
    begin = perf_counter()
    with started(version, python) as process:
        process.ask("open", PATIENCE_S, **opening)
        process.read(picture)
        return perf_counter() - begin


def pip_error(message: str) -> str:
    """Return the last line of pip's output that tells an error, or the whole message briefly."""
    errors = [row.strip() for row in message.splitlines() if "ERROR:" in row]
    if any("No matching distribution" in row for row in errors):
        minor = f"{sys.version_info.major}.{sys.version_info.minor}"
        return f"there is no wheel of it for Python {minor} on this machine"
    return brief(errors[-1] if errors else message)
