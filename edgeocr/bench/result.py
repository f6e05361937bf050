"""The result of `edgeocr bench`: dataclasses of the JSON file that the command writes.

The names of the fields are the keys of the file (schema 1).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from ..bundle.fields import FieldError, parse
from ..device.machine import ClockPolicy, Machine
from .provider_result import ProviderFailure, ProviderResult
from .settings import RecordedSettings

SCHEMA = 1
# How a result file begins, whatever its schema.
BEGINNING = re.compile(rb'\{\s*"schema": \d+,\s*"edgeocr": "')


@dataclass(frozen=True)
class SourceFailure:
    """A source that could not be measured on any provider.

    Attributes:
        name: The source's file name.
        error: The reason.
    """

    name: str
    error: str


@dataclass(frozen=True)
class MeasuredBundle:
    """The bundle that was measured.

    Attributes:
        name: The bundle's name.
        sha256: The bundle's digest.
        models: The model that each stage was made of.
        graphs: SHA-256 of each stage's graph.
    """

    name: str
    sha256: str
    models: dict[str, str]
    graphs: dict[str, str]


@dataclass(frozen=True)
class MeasuredGPU:
    """A GPU of the device.

    Attributes:
        name: The GPU's name.
        compute: Its compute capability, for example "8.7".
        memory: Its memory in bytes.
    """

    name: str
    compute: str
    memory: int


@dataclass(frozen=True)
class Nvidia:
    """NVIDIA's GPUs, driver and libraries on the device.

    Attributes:
        gpus: The GPUs; empty where there are none.
        driver: The driver's version; None where it is unknown.
        cuda: The version of CUDA's runtime; None where there is none.
        cudnn: The version of cuDNN; None where there is none.
        tensorrt: The version of TensorRT; None where there is none.
    """

    gpus: list[MeasuredGPU]
    driver: str | None = None
    cuda: str | None = None
    cudnn: str | None = None
    tensorrt: str | None = None

    @property
    def libraries(self) -> dict[str, str]:
        """Name and version of each library that is installed."""
        versions = {"cuda": self.cuda, "cudnn": self.cudnn, "tensorrt": self.tensorrt}
        return {name: version for name, version in versions.items() if version is not None}

    def to_dict(self) -> dict[str, Any]:
        """Return the record as the result file has it: empty where there is no GPU."""
        if not self.gpus:
            return {}
        return {
            "gpus": [asdict(gpu) for gpu in self.gpus],
            "driver": self.driver,
            **self.libraries,
        }


@dataclass(frozen=True)
class Picture:
    """A picture that was read.

    Attributes:
        name: Its file name.
        width: Its width in pixels.
        height: Its height in pixels.
        bytes: The size of its file in bytes.
        sha256: SHA-256 of its file.
    """

    name: str
    width: int
    height: int
    bytes: int
    sha256: str


@dataclass(frozen=True)
class BenchResult:
    """Everything that `edgeocr bench` measured on one device.

    The record names no host, no user and no folder.

    Attributes:
        schema: The version of the file's format.
        edgeocr: The version of edgeocr.
        when: The time of the measurement, in UTC and ISO 8601.
        device: The machine.
        clocks: CPUs that share a clock, by the name of the policy.
        power_mode: The power mode of a Jetson; None elsewhere.
        packages: Versions of the packages that affect times.
        bundle: The bundle that was read with.
        threads: The number of CPU threads.
        settings: The settings that affect times and differ from their defaults.
        nvidia: NVIDIA's GPUs, driver and libraries.
        images: The pictures that were read.
        repeat: How often each picture was read one by one, and again in the stream.
        failed: The sources that could not be measured at all.
        providers: For each provider what was measured, or why it does not work.
    """

    schema: int
    edgeocr: str
    when: str
    device: Machine
    clocks: dict[str, ClockPolicy]
    power_mode: str | None
    packages: dict[str, str]
    bundle: MeasuredBundle
    threads: int
    settings: RecordedSettings
    nvidia: Nvidia
    images: list[Picture]
    repeat: int
    failed: list[SourceFailure]
    providers: dict[str, ProviderResult | ProviderFailure]

    @property
    def working(self) -> dict[str, ProviderResult]:
        """The providers that could be measured."""
        return {
            name: measured
            for name, measured in self.providers.items()
            if isinstance(measured, ProviderResult)
        }

    @property
    def device_name(self) -> str:
        """The board's name; elsewhere the models of the CPU and the GPUs."""
        name = self.device.cpu or "unknown device"
        if self.device.board:
            return name
        return " + ".join([name, *(gpu.name for gpu in self.nvidia.gpus)])

    def speedup(self, provider: str) -> float | None:
        """Return a provider's pages per second, read one by one, divided by those of the CPU."""
        measured = self.working
        if "cpu" not in measured or provider not in measured:
            return None
        return measured[provider].pages_per_second / measured["cpu"].pages_per_second

    def to_dict(self) -> dict[str, Any]:
        """Return the result as its JSON file has it."""
        record = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return record | {
            "device": asdict(self.device),
            "clocks": {name: asdict(policy) for name, policy in self.clocks.items()},
            "bundle": asdict(self.bundle),
            "settings": self.settings.to_dict(),
            "nvidia": self.nvidia.to_dict(),
            "images": [asdict(picture) for picture in self.images],
            "failed": [asdict(failure) for failure in self.failed],
            "providers": {
                name: {"error": each.error} if isinstance(each, ProviderFailure) else each.to_dict()
                for name, each in self.providers.items()
            },
        }

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> BenchResult:
        """Make a result from the decoded JSON of its file.

        Args:
            record: The JSON object, as `to_dict` returns it.

        Raises:
            FieldError: If a field is missing, unknown or of the wrong type, or the schema is not
                the one that this version reads.
        """
        if not isinstance(record, Mapping) or "schema" not in record:
            raise FieldError("it has no schema")
        if record["schema"] != SCHEMA:
            raise FieldError(f"it has schema {record['schema']!r}, and this version reads {SCHEMA}")
        providers = record.get("providers")
        if not isinstance(providers, Mapping):
            raise FieldError("field providers is missing or is not an object")
        measured: dict[str, ProviderResult | ProviderFailure] = {
            name: parse(ProviderFailure, each, f"providers.{name}")
            if isinstance(each, Mapping) and "error" in each
            else ProviderResult.from_dict(each, f"providers.{name}")
            for name, each in providers.items()
        }
        rest: dict[str, Any] = {**record, "providers": {}}
        if not rest.get("nvidia", True):
            rest["nvidia"] = {"gpus": []}
        return replace(parse(cls, rest), providers=measured)


def device_names(results: Sequence[BenchResult]) -> list[str]:
    """Return a name for each result's device; a number is added where names are equal."""
    names = [result.device_name for result in results]
    return [
        f"{name} ({names[: i + 1].count(name)})" if names.count(name) > 1 else name
        for i, name in enumerate(names)
    ]


def is_result(start: bytes) -> bool:
    """Tell whether a file is a result of `edgeocr bench`.

    Args:
        start: The first bytes of the file, or all of it.
    """
    return BEGINNING.match(start) is not None
