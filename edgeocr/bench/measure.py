"""edgeocr bench: what this device does with a bundle, on every provider that it has.

Each provider is measured by a process of its own (`bench_worker`), so that its cold start and its
memory are its own, and one that crashes takes nothing along.
"""

from __future__ import annotations

import argparse
import json
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from time import perf_counter
from typing import IO, Any

from ..bundle.manifest import Profile
from ..cli.arguments import add_engine_arguments, engine_options, positive
from ..errors import EdgeOCRError
from .table import SCHEMA, table, working

SAMPLES = Path(__file__).parents[1] / "samples"
# The picture that ends the cold start, whatever else is read, so that devices can be compared.
FIRST = SAMPLES / "sample.jpg"
REPEAT = 20
# Of `OCR`, as far as they say something of times.
SETTINGS = ("cpus", "fp16", "provider_options", "memory_limit", "max_pixels")
# How much of a dead process's last words goes into the reason.
LAST_LINES = 5
LAST_CHARACTERS = 600
# Modules whose packages' versions matter to times.
MODULES = ("onnxruntime", "numpy", "cv2")
# Gives the worker this process's sys.path: with -m it would begin with the folder that the user
# stands in, and import a numpy.py that lies there.
WORKER = (
    "import sys; sys.path[:] = sys.argv[1:]; "
    "from edgeocr.bench.worker import main; sys.exit(main())"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "--providers",
        type=_providers,
        metavar="LIST",
        help="as in cpu,cuda,tensorrt; default: all that the installed ONNX Runtime has",
    )
    add_engine_arguments(parser)
    parser.add_argument(
        "--images",
        nargs="+",
        metavar="SOURCE",
        help="pictures, or folders of pictures; default: three that come with the package",
    )
    parser.add_argument(
        "--repeat",
        type=positive,
        default=REPEAT,
        help=f"times that each picture is read, and again in a stream; default: {REPEAT}",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result there too")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write a page with charts there")


def run(options: argparse.Namespace) -> int:
    """Measure, print the tables and write what is asked for.

    Returns 0, or 1 when no provider worked or a picture failed. Raises `EdgeOCRError` when the
    bundle can't be opened or there is no picture at all.
    """
    for path in (options.json, options.html):
        if path is not None and not path.absolute().parent.is_dir():
            raise EdgeOCRError(f"{path}: there is no such folder to write it to")
    result = measure(
        options.providers,
        bundle=options.bundle,
        sources=options.images or [str(SAMPLES)],
        repeat=options.repeat,
        settings=engine_options(options),
    )
    print(table(result))
    if options.json is not None:
        text = json.dumps(result, ensure_ascii=False, indent=1) + "\n"
        options.json.write_text(text, encoding="utf-8", errors="surrogateescape")
    if options.html is not None:
        from .html import page

        options.html.write_text(page([result]), encoding="utf-8", errors="replace")
    measured = working(result)
    failed = result["failed"] or any(figures["failed"] for figures in measured.values())
    return 0 if measured and not failed else 1


def measure(
    providers: Sequence[str] | None = None,
    *,
    bundle: str | None = None,
    sources: Sequence[str],
    repeat: int = REPEAT,
    settings: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Measure providers, by default all built in, one after the other; returns the result file.

    settings: `threads`, `cpus`, `fp16`, `provider_options`, `cache`, `memory_limit`, `max_pixels`
        and `require_signature` of `OCR`, the last as a path.

    The result names no host, no user and no folder. A provider that doesn't work has its reason
    under "error" instead of `bench_worker.Measured`. "failed" has what couldn't be measured at all
    of the sources.
    """
    from datetime import datetime, timezone

    from ..bundle.bundle import Bundle
    from ..device import machine as device
    from ..device.cpus import available_threads
    from ..runtime.start import built_in
    from ..version import __version__

    settings = settings or {}
    key = settings.get("require_signature")
    opened = (
        Bundle.open(bundle, require_signature=key)
        if bundle
        else Bundle.default(require_signature=key)
    )
    paths, pictures, failed = _pictures(sources)
    if not paths:
        raise EdgeOCRError(failed[0]["error"])
    secrets = [*paths, *sources, *filter(None, (bundle, key))]
    stages = {origin.stage: origin.model for origin in opened.manifest.provenance}
    graphs = {stage: getattr(opened.manifest.stages, stage).graph for stage in stages}
    result: dict[str, Any] = {
        "schema": SCHEMA,
        "edgeocr": __version__,
        "when": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "device": device.describe().to_dict(),
        "clocks": {name: each.to_dict() for name, each in device.clock_policies().items()},
        "power_mode": device.power_mode(),
        "packages": _packages(),
        "bundle": {
            "name": opened.manifest.name,
            "sha256": opened.digest,
            "models": stages,
            "graphs": {stage: opened.manifest.files[name].sha256 for stage, name in graphs.items()},
        },
        "threads": settings.get("threads")
        or len(settings.get("cpus") or ())
        or _threads(opened.manifest.profile, available_threads()),
        "settings": {name: settings[name] for name in SETTINGS if settings.get(name)},
        "nvidia": _nvidia(),
        "images": pictures,
        "repeat": repeat,
        "failed": [
            {"name": each["name"], "error": without_folders(each["error"], secrets)}
            for each in failed
        ],
        "providers": {},
    }
    request = {"bundle": bundle, "settings": settings, "images": paths, "repeat": repeat}
    progress = _Progress(sys.stderr)
    for provider in built_in() if providers is None else providers:
        try:
            figures = _work({**request, "provider": provider, "first": str(FIRST)}, progress)
        finally:
            progress.clear()
        if "error" in figures:
            figures["error"] = without_folders(figures["error"], secrets)
        for failure in figures.get("failed", ()):
            failure["image"] = pictures[failure["image"]]["name"]
            failure["error"] = without_folders(failure["error"], secrets)
        result["providers"][provider] = figures
    return result


def _threads(profile: Profile | None, available: int) -> int:
    """As `OCR` takes them where nobody says."""
    if profile is None or profile.threads is None:
        return available
    return min(available, profile.threads)


def _nvidia() -> dict[str, Any]:
    """GPUs, driver and libraries of NVIDIA; empty where there are none."""
    from ..device import nvidia

    gpus = nvidia.gpus()
    if not gpus:
        return {}
    return {
        "gpus": [
            {"name": gpu.name, "compute": gpu.compute_capability, "memory": gpu.memory_bytes}
            for gpu in gpus
        ],
        "driver": nvidia.driver_release(),
        **nvidia.versions(),
    }


def without_folders(text: str, known: Iterable[str] = ()) -> str:
    """Shorten absolute paths, and the known ones, to their last part.

    known: paths that may hold blanks, which no pattern could tell from the end of a path.
    """
    for path in sorted({str(Path(each)) for each in known}, key=len, reverse=True):
        for spelled in (str(Path(path).absolute()), path):
            text = text.replace(spelled, Path(path).name or spelled)
    # Not within a word or a relative path, and not what follows the colon of a URL.
    text = re.sub(r"(?<![\w./])(?!(?<=:)//)/(?:[^\s:'\",;()/]+/)+(?=[^\s/])", "", text)
    return re.sub(r"\b[A-Za-z]:\\(?:[^\s:'\",;()\\]+\\)+", "", text)


def _work(request: Mapping[str, Any], progress: _Progress) -> dict[str, Any]:
    """One provider in a process of its own; its figures, or {"error": why not}."""
    provider, answer, total = request["provider"], {}, 0.0
    progress.show(f"{provider}: starting")
    with tempfile.TemporaryFile() as log:
        start = perf_counter()
        with subprocess.Popen(
            [sys.executable, "-c", WORKER, *sys.path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            encoding="utf-8",
            errors="replace",
        ) as process:
            assert process.stdin is not None and process.stdout is not None
            try:
                with suppress(BrokenPipeError), process.stdin:
                    process.stdin.write(json.dumps(request))
                for row in process.stdout:
                    message = _message(row)
                    if "first_page" in message:
                        total = (perf_counter() - start) * 1000
                        progress.show(f"{provider}: warming up")
                    elif "read" in message:
                        progress.show(f"{provider}: read {message['read']} of {message['of']}")
                    answer.update(message)
            except BaseException:
                process.kill()
                raise
        if "measured" in answer:  # a driver may still crash a process that is done
            figures: dict[str, Any] = answer["measured"]
            figures["cold_start_ms"] = {"total": round(total, 1), **figures["cold_start_ms"]}
            return figures
        return {"error": answer.get("error") or _last_words(process.returncode, log)}


def _message(row: str) -> dict[str, Any]:
    try:
        message = json.loads(row)
    except ValueError:  # something printed before the worker had the channel for itself
        return {}
    return message if isinstance(message, dict) else {}


def _last_words(returncode: int, log: IO[bytes]) -> str:
    if returncode < 0:
        name = next((each.name for each in signal.Signals if each == -returncode), "")
        how = f"was killed by signal {-returncode} {name}".rstrip()
    else:
        how = f"ended with exit code {returncode}"
    log.seek(0)
    rows = log.read().decode("utf-8", "replace").splitlines()
    # A traceback's rows of carets say nothing once the columns are gone.
    words = "\n".join([row.strip() for row in rows if row.strip(" ^~")][-LAST_LINES:])
    if len(words) > LAST_CHARACTERS:
        words = "…" + words[-LAST_CHARACTERS:]
    return f"the measuring process {how}" + (f", its last words: {words}" if words else "")


def _pictures(
    sources: Sequence[str],
) -> tuple[list[str], list[dict[str, Any]], list[dict[str, str]]]:
    """Paths of the pictures that can be decoded, what is to be known of each, and failures."""
    import hashlib

    from .. import images
    from ..cli.read import named_sources

    paths, pictures, failed = [], [], []
    if "-" in sources:
        raise EdgeOCRError("bench reads each picture many times: give files, not standard input")
    for name, source in named_sources(list(sources)):
        try:
            if isinstance(source, EdgeOCRError):
                raise source
            height, width = images.load(source).shape[:2]
            content = Path(name).read_bytes()
        except (EdgeOCRError, OSError) as error:
            failed.append({"name": Path(name).name, "error": str(error)})
            continue
        paths.append(str(Path(name).absolute()))
        digest = hashlib.sha256(content).hexdigest()
        picture = {"name": Path(name).name, "width": width, "height": height}
        pictures.append({**picture, "bytes": len(content), "sha256": digest})
    return paths, pictures, failed


def _packages() -> dict[str, str]:
    """The installed packages that times depend on, with their versions."""
    from importlib.metadata import packages_distributions, version

    owners = packages_distributions()
    found: dict[str, str] = {}
    for module in MODULES:
        found |= {name: version(name) for name in sorted(set(owners.get(module, ())))}
    return found


def _providers(text: str) -> list[str]:
    names = list(dict.fromkeys(name.strip() for name in text.split(",")))
    from ..runtime.providers import PROVIDERS

    if strangers := [name for name in names if name not in PROVIDERS]:
        known = ",".join(PROVIDERS)
        raise argparse.ArgumentTypeError(f"unknown provider {strangers[0]!r}: choose of {known}")
    return names


class _Progress:
    """A line on a terminal that says what is being measured, else nothing."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._shown = stream is not None and stream.isatty()

    def show(self, line: str) -> None:
        """Put this in place of the line."""
        if self._shown:
            self._stream.write(f"\r\x1b[K{line:.78}")
            self._stream.flush()

    def clear(self) -> None:
        """Leave the terminal as it was."""
        self.show("")
