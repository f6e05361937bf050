"""Measures a bundle on each execution provider of this device.

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
from ..bundle.manifest import Profile
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

# How much of a dead process's log becomes part of the reason.
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

    settings = settings or Settings()
    sources = list(samples() if sources is None else sources)
    opened = _open(bundle, settings.require_signature)
    pictures = inspect(sources)
    if not pictures.paths:
        raise EdgeOCRError(pictures.failed[0].error if pictures.failed else "no pictures to read")
    secrets = list(_paths(pictures, sources, bundle, settings.require_signature))
    result = _unmeasured(opened, pictures, settings, repeat, secrets)
    for provider in built_in() if providers is None else providers:
        request = Request(provider, bundle, settings, pictures.paths, repeat, str(FIRST))
        measured = _measure_in_process(request, on_progress or _ignore)
        names = dict(zip(pictures.paths, (each.name for each in pictures.records), strict=True))
        result.providers[provider] = _anonymous(measured, names, secrets)
        logger.info("measured %s", provider)
    return result


def _open(bundle: str | None, key: str | None) -> Bundle:
    if bundle is None:
        return Bundle.default(require_signature=key)
    return Bundle.open(bundle, require_signature=key)


def _paths(
    pictures: Pictures, sources: Iterable[PictureSource], *more: str | None
) -> Iterator[str]:
    """Return all paths that a message may contain."""
    yield from pictures.paths
    for source in sources:
        name = source.source if isinstance(source, EdgeOCRError) else source
        if name:
            yield str(name)
    yield from filter(None, more)


def _unmeasured(
    bundle: Bundle, pictures: Pictures, settings: Settings, repeat: int, secrets: Sequence[str]
) -> BenchResult:
    """Return the result without any provider: the device, the bundle and the pictures."""
    from datetime import datetime, timezone

    from ..device import machine
    from ..version import __version__

    return BenchResult(
        schema=SCHEMA,
        edgeocr=__version__,
        when=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        device=machine.describe(),
        clocks=machine.clock_policies(),
        power_mode=machine.power_mode(),
        packages=_packages(),
        bundle=_measured_bundle(bundle),
        threads=_threads(settings, bundle.manifest.profile),
        settings=settings.recorded,
        nvidia=_nvidia(),
        images=pictures.records,
        repeat=repeat,
        failed=[
            SourceFailure(each.name, without_folders(each.error, secrets))
            for each in pictures.failed
        ],
        providers={},
    )


def _measured_bundle(bundle: Bundle) -> MeasuredBundle:
    manifest = bundle.manifest
    models: dict[str, str] = {origin.stage: origin.model for origin in manifest.provenance}
    graphs = {stage: getattr(manifest.stages, stage).graph for stage in models}
    return MeasuredBundle(
        name=manifest.name,
        sha256=bundle.digest,
        models=models,
        graphs={stage: manifest.files[name].sha256 for stage, name in graphs.items()},
    )


def _threads(settings: Settings, profile: Profile | None) -> int:
    """Return the number of threads that `OCR` uses with these settings."""
    from ..device.cpus import available_threads

    if settings.threads or settings.recorded.cpus:
        return settings.threads or len(settings.recorded.cpus or ())
    available = available_threads()
    if profile is None or profile.threads is None:
        return available
    return min(available, profile.threads)


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
    """Take a progress report that nobody asked for."""


def _measure_in_process(
    request: Request, on_progress: OnProgress
) -> ProviderResult | ProviderFailure:
    """Measure one provider in a process of its own."""
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
    """Return a message of the measuring process; empty for anything else that it printed."""
    try:
        message = json.loads(row)
    except ValueError:  # printed by a library before the messages had their own channel
        return {}
    return message if isinstance(message, dict) else {}


def _last_words(returncode: int, log: IO[bytes]) -> str:
    """Return how a process ended that sent no answer, with the end of its log."""
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


def _anonymous(
    measured: ProviderResult | ProviderFailure, names: Mapping[str, str], secrets: Sequence[str]
) -> ProviderResult | ProviderFailure:
    """Remove folders from the reasons of failures, and name pictures instead of their paths."""
    if isinstance(measured, ProviderFailure):
        return ProviderFailure(without_folders(measured.error, secrets))
    failed = [
        replace(each, image=names[each.image], error=without_folders(each.error, secrets))
        for each in measured.failed
    ]
    return replace(measured, failed=failed)
