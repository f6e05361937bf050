"""What a tuning, or a check, needs to know before it starts processes."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

from ..bench.pictures import Pictures
from ..bench.settings import Settings
from ..bundle.bundle import Bundle
from ..errors import EdgeOCRError
from ..memory.limit import parse as parse_limit
from ..runtime.job import Job
from ..runtime.options import RuntimeOptions
from ..runtime.placement import Placement
from ..runtime.providers import AUTO, PROVIDERS
from ..runtime.start import is_ready
from ..tuned.record import Candidate
from .way import Request, Way


def request_for(
    bundle: Bundle,
    runtime: RuntimeOptions,
    pictures: Pictures,
    *,
    max_pixels: int | None = None,
    memory_limit: int | str | None = None,
    require_signature: str | os.PathLike[str] | None = None,
) -> Request:
    """Return what all processes open that compare ways of running a bundle.

    Args:
        bundle: The bundle.
        runtime: The caller's options.
        pictures: The pictures to read.
        max_pixels: As for `OCR`.
        memory_limit: As for `OCR`.
        require_signature: As for `OCR`, but only a path.

    Raises:
        EdgeOCRError: There is no picture.
        ValueError: `fixed_shapes` is given for single stages.
    """
    if not pictures.paths:
        reasons = "; ".join(each.error for each in pictures.failed)
        raise EdgeOCRError(f"there is no picture to read: {reasons or 'none was given'}")
    settings = Settings(
        cpus=None if runtime.cpus is None else list(runtime.cpus),
        provider_options={
            name: {option: str(value) for option, value in each.items()}
            for name, each in runtime.provider_options.items()
        },
        memory_limit=parse_limit(memory_limit),
        max_pixels=max_pixels,
        engine_cache=None if runtime.engine_cache is None else os.fspath(runtime.engine_cache),
        require_signature=None if require_signature is None else os.fspath(require_signature),
        expect_digest=bundle.digest,
    )
    fixed = runtime.fixed_shapes
    if isinstance(fixed, Mapping):
        raise ValueError(
            "stages are compared with fixed shapes in all of them or in none: give True, False or "
            "None for fixed_shapes"
        )
    path = None if bundle.path == Bundle.default_path() else str(bundle.path.absolute())
    return Request(path, settings, Way(), runtime.fp16, runtime.bf16, fixed, pictures.paths)


def now() -> str:
    """Return the time in UTC, as a tuned file has it."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


class Readiness:
    """Says of candidates whether they can be tried without building engines for minutes."""

    def __init__(self, bundle: Bundle, runtime: RuntimeOptions, named: Sequence[str]) -> None:
        """Prepare to answer.

        Args:
            bundle: The bundle.
            runtime: The caller's options.
            named: The execution providers that the caller wants to try in any case.
        """
        self._bundle = bundle
        self._runtime = runtime
        self._named = named

    def of(self, stage: str) -> Callable[[Candidate], bool]:
        """Return the answer for the candidates of a stage."""

        def answer(candidate: Candidate) -> bool:
            if candidate.provider in self._named:
                return True
            options: dict[str, dict[str, Any]] = {
                name: dict(each) for name, each in self._runtime.provider_options.items()
            }
            options[candidate.provider] = {
                **options.get(candidate.provider, {}),
                **candidate.options,
            }
            placement = Placement.for_bundle(
                AUTO,
                replace(self._runtime, provider_options=options),
                path=self._bundle.path,
                graphs_digest=self._bundle.graphs_digest,
                stages=self._bundle.manifest.stages.present,
                shipped_engines=self._bundle.shipped_engines,
            )
            job = Job(stage, "", None, precision=candidate.variant)
            return is_ready(PROVIDERS[candidate.provider], placement, job)

        return answer
