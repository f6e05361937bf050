"""What a result says about the device, the bundles and the software."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from importlib.metadata import packages_distributions, version
from pathlib import Path
from typing import Any

from ..bundle.bundle import Bundle
from ..bundle.manifest import Stage
from ..device import machine, nvidia
from ..version import __version__
from .cell import Reference
from .result import (
    SCHEMA,
    MeasuredBundle,
    MeasuredGPU,
    Nvidia,
    Temperatures,
    ThrottlingChange,
)

# The modules whose packages affect times.
MODULES = ("onnxruntime", "numpy", "cv2")


def of_device() -> dict[str, Any]:
    """Return the fields of `BenchResult` that describe the device and the software."""
    return {
        "schema": SCHEMA,
        "edgeocr": __version__,
        "when": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "device": machine.describe(),
        "clocks": machine.clock_policies(),
        "power_mode": machine.power_mode(),
        "nvidia": _nvidia(),
        "packages": _packages(),
    }


@dataclass(frozen=True)
class KnownBundle:
    """What a measurement has to know about a bundle, without holding its files in memory.

    Attributes:
        path: The bundle's path; None for the one in the package.
        stages: Its stages, by name.
        sha256: Its digest.
        size: The size of its files in bytes.
        models: The model that each stage was made of.
        graphs: For each stage, the SHA-256 of each of its graphs, by precision.
    """

    path: str | None
    stages: dict[str, Stage]
    sha256: str
    size: int
    models: dict[str, str]
    graphs: dict[str, dict[str, str]]

    @classmethod
    def of(cls, path: str | None, bundle: Bundle) -> KnownBundle:
        """Describe a bundle.

        Args:
            path: The path by which it is opened; None for the one in the package.
            bundle: The bundle.
        """
        manifest = bundle.manifest
        return cls(
            path,
            manifest.stages.present,
            bundle.digest,
            _size(bundle.path),
            {origin.stage: origin.model for origin in manifest.provenance},
            {
                name: {
                    precision: manifest.files[graph].sha256
                    for precision, graph in stage.graphs.items()
                }
                for name, stage in manifest.stages.present.items()
            },
        )

    def record(self, reference: Reference) -> MeasuredBundle:
        """Return what a result tells about the bundle.

        Args:
            reference: The reading with which its cells are compared.
        """
        return MeasuredBundle(self.sha256, self.size, self.models, self.graphs, reference)


@dataclass
class Conditions:
    """The device's state around a block.

    Attributes:
        temperature_c: The temperatures before and after it.
        throttling: What slowed the device down before and after it.
    """

    temperature_c: Temperatures
    throttling: ThrottlingChange


@contextmanager
def conditions() -> Iterator[Conditions]:
    """Record the device's state before and after a block."""
    temperature, throttling = machine.temperature_c(), machine.throttling()
    found = Conditions(Temperatures(temperature, None), ThrottlingChange(throttling, None))
    yield found
    found.temperature_c = Temperatures(temperature, machine.temperature_c())
    found.throttling = ThrottlingChange(throttling, machine.throttling())


def _size(path: Path) -> int:
    """Return the size of a bundle's files in bytes."""
    if path.is_dir():
        return sum(each.stat().st_size for each in path.rglob("*") if each.is_file())
    return path.stat().st_size


def _nvidia() -> Nvidia:
    gpus = [
        MeasuredGPU(gpu.name, gpu.compute_capability, gpu.memory_bytes) for gpu in nvidia.gpus()
    ]
    if not gpus:
        return Nvidia([], None, None, None, None)
    versions = nvidia.versions()
    return Nvidia(
        gpus,
        nvidia.driver_release(),
        *(versions.get(name) for name in ("cuda", "cudnn", "tensorrt")),
    )


def _packages() -> dict[str, str]:
    """Return the installed packages that affect times, with their versions."""
    owners = packages_distributions()
    found: dict[str, str] = {}
    for module in MODULES:
        found |= {name: version(name) for name in sorted(set(owners.get(module, ())))}
    return found
