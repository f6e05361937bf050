"""What a reader has to know of a device and a measurement, as words for people."""

from __future__ import annotations

from collections.abc import Mapping

from ..device.machine import ClockPolicy
from .result import BenchResult, Nvidia


def facts(result: BenchResult) -> dict[str, str]:
    """Return the facts that are known, by what they are called."""
    device = result.device
    memory = device.memory_limit_bytes or device.memory_bytes
    versions = {"edgeocr": result.edgeocr, "Python": device.python, **result.packages}
    labels, settings = result.labels, result.settings.changed()
    found = {
        "processor": _listed(device.architecture, f"{device.cpus} CPUs"),
        "clocks": _clocks(result.clocks),
        "power mode": result.power_mode,
        "memory": f"{memory / (1 << 30):.1f} GiB" if memory else None,
        "system": _listed(device.os, device.kernel),
        "NVIDIA": _nvidia(result.nvidia),
        "JetPack": device.jetpack,
        "Jetson Linux": device.l4t,
        "bundles": _listed(
            *(f"{name}, sha256 {bundle.sha256[:12]}…" for name, bundle in result.bundles.items())
        ),
        "models": _listed(
            *dict.fromkeys(
                model for bundle in result.bundles.values() for model in bundle.models.values()
            )
        ),
        "versions": _listed(*(f"{key} {value}" for key, value in versions.items() if value)),
        "settings": _listed(*(f"{key} {value}" for key, value in settings.items())),
        "pictures": f"{len(result.images)}, each read {result.repeat} times",
        "labels": labels and f"{labels.name}: {labels.lines} lines in {labels.pictures} pictures",
        "sustained load": result.minutes and f"{result.minutes:g} minutes",
        "measured": date(result),
    }
    return {name: words for name, words in found.items() if words}


def date(result: BenchResult) -> str:
    """Return when a result was measured, such as "2026-11-25 09:59:59 UTC"."""
    return result.when.replace("T", " ").replace("+00:00", " UTC")


def _nvidia(nvidia: Nvidia) -> str:
    if not nvidia.gpus:
        return ""
    return _listed(
        *(f"{gpu.name}, {gpu.memory / (1 << 30):.1f} GiB" for gpu in nvidia.gpus),
        nvidia.driver and f"driver {nvidia.driver}",
        *(f"{name} {version}" for name, version in nvidia.libraries.items()),
    )


def _listed(*words: str | None) -> str:
    return ", ".join(word for word in words if word)


def _clocks(policies: Mapping[str, ClockPolicy]) -> str:
    """Return the clocks: how many CPUs share each, its speed now and at most, its governor."""
    return "; ".join(
        f"{len(policy.cpus)} CPUs at {policy.current or '?'} of {policy.max or '?'} MHz "
        f"({policy.governor or 'unknown governor'})"
        for policy in policies.values()
    )
