"""Measure a bundle on each execution provider of this device.

Each provider is measured by a process of its own (`worker`), so that it has a cold start and memory
of its own, and a crash does not affect the other providers.
"""

from __future__ import annotations

import json
import logging
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from time import perf_counter
from typing import IO, Any, TypeAlias

from ..bundle.bundle import Bundle
from ..errors import EdgeOCRError
from .pictures import FIRST, Pictures, PictureSource, inspect, samples
from .provider_result import ProviderFailure, ProviderResult
from .redact import without_folders
from .result import (
    SCHEMA,
    BenchResult,
    MeasuredBundle,
    MeasuredGPU,
    Nvidia,
    SourceFailure,
)
from .settings import REPEAT, Settings
from .worker import Request

logger = logging.getLogger(__name__)

# How much of the log of a process that died is quoted in the error: lines, and characters.
LAST_LINES = 5
LAST_CHARACTERS = 600
# The modules whose packages affect times.
MODULES = ("onnxruntime", "numpy", "cv2")
# The code hands this process's sys.path to the measuring process. With `-m` the path would begin
# with the current folder, and a file numpy.py there would be imported.
WORKER = (
    "import sys; sys.path[:] = sys.argv[1:]; "
    "from edgeocr.bench.worker import main; sys.exit(main())"
)


@dataclass(frozen=True)
class Progress:
    """What is being measured at the moment.

    Attributes:
        provider: The execution provider.
        phase: "starting", "warming up" or "reading".
        done: The number of pages that have been read, while reading.
        total: The number of pages to read, while reading.
    """

    provider: str
    phase: str
    done: int = 0
    total: int = 0


OnProgress: TypeAlias = Callable[[Progress], None]


def measure(
    providers: Sequence[str] | None = None,
    *,
    bundle: str | None = None,
    sources: Iterable[PictureSource] | None = None,
    repeat: int = REPEAT,
    settings: Settings | None = None,
    on_progress: OnProgress | None = None,
) -> BenchResult:
    """Measure execution providers, one after the other.

    Args:
        providers: Their names; by default all that the installed ONNX Runtime has.
        bundle: Path of the bundle; by default the one in the package.
        sources: Paths of pictures, and errors for sources that have none; by default the three
            pictures that come with the package.
        repeat: How often each picture is read one by one, and again in a stream.
        settings: The other arguments of `OCR`.
        on_progress: Called whenever something new is being measured.

    Returns:
        The result. A provider that does not work has a `ProviderFailure`, and a source that is not
        a picture is listed in `failed`.

    Raises:
        EdgeOCRError: If the bundle cannot be opened or there is no picture at all.
    """
    from ..runtime.start import built_in
    from ..stages.opening import open_bundle

    settings = settings or Settings()
    sources = list(samples() if sources is None else sources)
    opened = open_bundle(bundle, settings.require_signature, settings.expect_digest)
    pictures = inspect(sources)
    if not pictures.paths:
        raise EdgeOCRError(pictures.failed[0].error if pictures.failed else "no pictures to read")
    paths = list(_paths(pictures, sources, bundle, settings.require_signature))
    result = _unmeasured(opened, pictures, settings, repeat, paths)
    names = dict(zip(pictures.paths, (each.name for each in pictures.records), strict=True))
    for provider in built_in() if providers is None else providers:
        request = Request(provider, bundle, settings, pictures.paths, repeat, str(FIRST))
        measured = _measure_in_process(request, on_progress or _ignore)
        result.providers[provider] = _without_paths(measured, names, paths)
        logger.info("measured %s", provider)
    return result


def _paths(
    pictures: Pictures, sources: Iterable[PictureSource], *more: str | None
) -> Iterator[str]:
    """Yield the paths that error messages may contain, which the result must not show."""
    yield from pictures.paths
    for source in sources:
        name = source.source if isinstance(source, EdgeOCRError) else source
        if name:
            yield str(name)
    yield from filter(None, more)


def _unmeasured(
    bundle: Bundle, pictures: Pictures, settings: Settings, repeat: int, paths: Sequence[str]
) -> BenchResult:
    """Return a result that describes the device, the bundle and the pictures, without providers.

    Args:
        bundle: The bundle that is measured.
        pictures: The pictures, and the sources that have none.
        settings: The other arguments of `OCR`.
        repeat: How often each picture is read.
        paths: The paths that error messages may contain.
    """
    from datetime import datetime, timezone

    from ..device import machine
    from ..stages.opening import usable_threads
    from ..version import __version__

    profile = bundle.manifest.profile
    return BenchResult(
        schema=SCHEMA,
        edgeocr=__version__,
        when=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        device=machine.describe(),
        clocks=machine.clock_policies(),
        power_mode=machine.power_mode(),
        packages=_packages(),
        bundle=_measured_bundle(bundle),
        threads=settings.threads or usable_threads(settings.recorded.cpus, profile),
        settings=settings.recorded,
        nvidia=_nvidia(),
        images=pictures.records,
        repeat=repeat,
        failed=[
            SourceFailure(each.name, without_folders(each.error, paths)) for each in pictures.failed
        ],
        providers={},
    )


def _measured_bundle(bundle: Bundle) -> MeasuredBundle:
    manifest = bundle.manifest
    models: dict[str, str] = {origin.stage: origin.model for origin in manifest.provenance}
    graphs = {stage: manifest.stages.present[stage].graph for stage in models}
    return MeasuredBundle(
        name=manifest.name,
        sha256=bundle.digest,
        models=models,
        graphs={stage: manifest.files[name].sha256 for stage, name in graphs.items()},
    )


def _nvidia() -> Nvidia:
    from ..device import nvidia

    gpus = [
        MeasuredGPU(gpu.name, gpu.compute_capability, gpu.memory_bytes) for gpu in nvidia.gpus()
    ]
    if not gpus:
        return Nvidia([])
    return Nvidia(gpus, nvidia.driver_release(), **nvidia.versions())


def _packages() -> dict[str, str]:
    """Return the installed packages that affect times, with their versions."""
    from importlib.metadata import packages_distributions, version

    owners = packages_distributions()
    found: dict[str, str] = {}
    for module in MODULES:
        found |= {name: version(name) for name in sorted(set(owners.get(module, ())))}
    return found


def _ignore(progress: Progress) -> None:
    """Do nothing, where the caller of `measure` wants no reports of its progress."""


def _measure_in_process(
    request: Request, on_progress: OnProgress
) -> ProviderResult | ProviderFailure:
    """Measure one provider in a child process, report its progress, and return the result."""
    on_progress(Progress(request.provider, "starting"))
    answer: dict[str, Any] = {}
    total = 0.0
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
                    process.stdin.write(request.to_json())
                for row in process.stdout:
                    message = _message(row)
                    if "first_page" in message:
                        total = (perf_counter() - start) * 1000
                        on_progress(Progress(request.provider, "warming up"))
                    elif "read" in message:
                        pages = message["read"], message["of"]
                        on_progress(Progress(request.provider, "reading", *pages))
                    answer.update(message)
            except BaseException:
                process.kill()
                raise
        # A driver may crash the process after it has sent its result, which is still valid.
        if "measured" in answer:
            measured = ProviderResult.from_dict(answer["measured"])
            cold_start = replace(measured.cold_start_ms, total=round(total, 1))
            return replace(measured, cold_start_ms=cold_start)
        return ProviderFailure(answer.get("error") or _last_words(process.returncode, log))


def _message(row: str) -> dict[str, Any]:
    """Decode a row that the measuring process printed; return {} if it is no message."""
    try:
        message = json.loads(row)
    except ValueError:  # printed by a library before the messages had their own channel
        return {}
    return message if isinstance(message, dict) else {}


def _last_words(returncode: int, log: IO[bytes]) -> str:
    """Say how a process that sent no answer ended, and quote the end of its log."""
    if returncode < 0:
        name = next((each.name for each in signal.Signals if each == -returncode), "")
        how = f"was killed by signal {-returncode} {name}".rstrip()
    else:
        how = f"ended with exit code {returncode}"
    log.seek(0)
    rows = log.read().decode("utf-8", "replace").splitlines()
    # The rows of carets in a traceback mean nothing once the indentation is gone.
    words = "\n".join([row.strip() for row in rows if row.strip(" ^~")][-LAST_LINES:])
    if len(words) > LAST_CHARACTERS:
        words = "…" + words[-LAST_CHARACTERS:]
    return f"the measuring process {how}" + (f"; the end of its log: {words}" if words else "")


def _without_paths(
    measured: ProviderResult | ProviderFailure, names: Mapping[str, str], paths: Sequence[str]
) -> ProviderResult | ProviderFailure:
    """Return a provider's result without any path, so that it can be published.

    Args:
        measured: The result as the measuring process sent it.
        names: The name of each picture, by its path.
        paths: The paths that error messages may contain.
    """
    if isinstance(measured, ProviderFailure):
        return ProviderFailure(without_folders(measured.error, paths))
    failed = [
        replace(each, image=names[each.image], error=without_folders(each.error, paths))
        for each in measured.failed
    ]
    return replace(measured, failed=failed)
