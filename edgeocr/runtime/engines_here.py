"""Which TensorRT engines a session on this device uses: the bundle's, or those built here."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import excerpt
from .engine_key import EngineKey
from .job import Job
from .placement import Placement
from .provider_options import device_number, options_for
from .providers import PROVIDERS, Provider
from .shipped_engines import ShippedEngines
from .tensorrt_cache import BuiltEngines, EngineFolder, has_engines

BUILD = (
    "run edgeocr warm --provider tensorrt here, and edgeocr bundle add-engines to ship the result"
)


def folder(provider: Provider, placement: Placement, job: Job) -> EngineFolder | None:
    """Return the folder with the engines of a stage's graph, or for those that will be built.

    The bundle's engines come first, because they are checked against its hashes.

    Args:
        provider: The provider that the stage is to run on.
        placement: The caller's choice.
        job: The stage's graph.

    Returns:
        The folder, which need not exist; None if the provider builds no engines, if there is no
        such GPU, or if there is no place to keep engines.
    """
    if not provider.builds_engines:
        return None
    if placement.engine_root is None and not placement.shipped_engines:
        return None
    key = _key(provider, placement)
    if key is None:
        return None
    if (fitting := _fitting(placement, key)) is not None and fitting.has(job.engine_name):
        installed = fitting.folder()
        if installed is not None:
            return installed
    return None if placement.engine_root is None else BuiltEngines(placement.engine_root, key)


def are_warm(provider: Provider, placement: Placement, job: Job) -> bool:
    """Return whether all engines of a stage's graph are there.

    Args:
        provider: The provider that the stage is to run on.
        placement: The caller's choice.
        job: The stage's graph.
    """
    # Most bundles have no engines, and asking for the versions loads libraries.
    root = placement.engine_root
    built = root is not None and has_engines(root, placement.graphs_digest)
    if not built and not placement.shipped_engines:
        return False
    engines = folder(provider, placement, job)
    return engines is not None and engines.is_warm(job.engine_name)


def misfit(provider: Provider, placement: Placement, job: Job) -> str | None:
    """Say why the bundle's engines can't be used for a stage's graph, and what to do.

    Args:
        provider: A provider for which no engines of the graph are there.
        placement: The caller's choice.
        job: The stage's graph.

    Returns:
        The reason; None if the bundle has no engines, or if this machine has no such GPU.
    """
    if not provider.builds_engines or not placement.shipped_engines:
        return None
    here = _key(provider, placement)
    if here is None:
        return None
    if (fitting := _fitting(placement, here)) is not None:
        if fitting.has(job.engine_name):
            return None  # there is no folder to use them from, which has nothing to do with them
        return (
            f"the bundle's {provider.name} engines for {here.gpu} have none of the graph "
            f"{job.engine_name}: {BUILD}"
        )
    keys = [shipped.key for shipped in placement.shipped_engines]
    gpus = " and ".join(dict.fromkeys(key.gpu for key in keys))
    nearest = min((key.differences(here) for key in keys), key=len)
    return (
        f"the bundle's {provider.name} engines, for {excerpt(gpus)}, don't fit here: "
        f"{'the nearest are' if len(keys) > 1 else 'they are'} for "
        f"{excerpt('; '.join(nearest))}: {BUILD}"
    )


def misfits(placement: Placement, stages: Sequence[str]) -> list[str]:
    """Say why the bundle's engines can't be used for stages' own graphs, where none are built here.

    Args:
        placement: The caller's choice.
        stages: Names of the stages.
    """
    found: dict[str, None] = {}  # in order, each once
    for stage in stages:
        job = Job(stage, "", None)
        for provider in PROVIDERS.values():
            if not provider.builds_engines or are_warm(provider, placement, job):
                continue
            if (reason := misfit(provider, placement, job)) is not None:
                found[reason] = None
    return list(found)


def _key(provider: Provider, placement: Placement) -> EngineKey | None:
    number = device_number(provider, placement)
    return EngineKey.of_gpu(placement.graphs_digest, number, options_for(provider, placement))


def _fitting(placement: Placement, key: EngineKey) -> ShippedEngines | None:
    return next((each for each in placement.shipped_engines if each.key == key), None)
