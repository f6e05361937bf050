"""The result of `edgeocr bench`: dataclasses of the JSON file that the command writes.

The names of the fields are the keys of the file (schema 2). docs/bench-results.md describes them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal

from ..bundle.fields import FieldError, Natural, Positive, Range, parse
from ..device.machine import ClockPolicy, Machine, Throttling
from .cell import Cell, Measured, Reference, names_of
from .consistency import check, check_complete
from .settings import RecordedSettings

SCHEMA = 2
# How a result file begins, whatever its schema.
BEGINNING = re.compile(rb'\{\s*"schema": \d+,\s*"edgeocr": "')


@dataclass(frozen=True)
class SourceFailure:
    """A source that could not be measured in any cell.

    Attributes:
        name: The source's file name.
        error: The reason.
    """

    name: str
    error: str


@dataclass(frozen=True)
class MeasuredBundle:
    """A bundle that was measured.

    Attributes:
        sha256: The bundle's digest.
        bytes: The size of its files in bytes.
        models: The model that each stage was made of.
        graphs: For each stage, the SHA-256 of each of its graphs, by precision.
        reference: The reading with which the bundle's cells are compared.
    """

    sha256: str
    bytes: Natural
    models: dict[str, str]
    graphs: dict[str, dict[str, str]]
    reference: Reference


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
    memory: Natural


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
    driver: str | None
    cuda: str | None
    cudnn: str | None
    tensorrt: str | None

    @property
    def libraries(self) -> dict[str, str]:
        """Name and version of each library that is installed."""
        versions = {"cuda": self.cuda, "cudnn": self.cudnn, "tensorrt": self.tensorrt}
        return {name: version for name, version in versions.items() if version is not None}


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
    width: Positive
    height: Positive
    bytes: Natural
    sha256: str


@dataclass(frozen=True)
class Labels:
    """The labels with which the readings were compared.

    Attributes:
        name: The label file's name.
        sha256: SHA-256 of the file.
        pictures: The number of pictures that were read and have labels.
        lines: The number of their labelled lines.
    """

    name: str
    sha256: str
    pictures: Natural
    lines: Natural


@dataclass(frozen=True)
class Temperatures:
    """The processor's temperature around the rounds.

    Attributes:
        before: Degrees Celsius before the first round; None where it is unknown.
        after: Degrees Celsius after the last round; None where it is unknown.
    """

    before: float | None
    after: float | None


@dataclass(frozen=True)
class ThrottlingChange:
    """The causes that slowed the device down before and after the rounds.

    Attributes:
        before: The state before the first round; None where it is unknown.
        after: The state after the last round; None where it is unknown.
    """

    before: Throttling | None
    after: Throttling | None

    def new(self) -> list[str]:
        """Return the reasons that apply now or came up in the rounds."""
        if self.before is None or self.after is None:
            return []
        since = [word for word in self.after.since_boot if word not in self.before.since_boot]
        return list(dict.fromkeys([*self.after.now, *since]))


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
        nvidia: NVIDIA's GPUs, driver and libraries.
        packages: Versions of the packages that affect times.
        settings: The settings that affect times and hold for all cells.
        images: The pictures that were read.
        labels: The labels with which the readings were compared; None without labels.
        repeat: The number of rounds, in each of which each picture was read one by one; each was
            read as often again in a stream.
        minutes: The minutes of the sustained load; None if there was none.
        temperature_c: The temperatures before the first and after the last round.
        throttling: What slowed the device down before the first and after the last round.
        failed: The sources that could not be measured at all.
        bundles: The bundles, by the names that cells have for them.
        cells: The combinations of bundle, provider, precision and threads, in the order in which
            they were asked for.
    """

    schema: Literal[2]
    edgeocr: str
    when: str
    device: Machine
    clocks: dict[str, ClockPolicy]
    power_mode: str | None
    nvidia: Nvidia
    packages: dict[str, str]
    settings: RecordedSettings
    images: list[Picture]
    labels: Labels | None
    repeat: Positive
    minutes: Annotated[float, Range(0)] | None
    temperature_c: Temperatures
    throttling: ThrottlingChange
    failed: list[SourceFailure]
    bundles: dict[str, MeasuredBundle]
    cells: list[Cell]

    @property
    def names(self) -> list[str]:
        """A name for each cell, which says in what it differs from the others."""
        return names_of(self.cells)

    @property
    def working(self) -> dict[str, Measured]:
        """The cells that could be measured, by name."""
        return {
            name: cell.measured
            for name, cell in zip(self.names, self.cells, strict=True)
            if cell.measured is not None
        }

    @property
    def device_name(self) -> str:
        """The board's name; elsewhere the models of the CPU and the GPUs."""
        name = self.device.cpu or "unknown device"
        if self.device.board:
            return name
        return " + ".join([name, *(gpu.name for gpu in self.nvidia.gpus)])

    def to_dict(self) -> dict[str, Any]:
        """Return the result as its JSON file has it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> BenchResult:
        """Make a result from the decoded JSON of its file.

        Args:
            record: The JSON object, as `to_dict` returns it.

        Raises:
            FieldError: If the schema is not the one that this version reads; if a field is missing,
                unknown, of the wrong type or out of its range; or if fields contradict each other.
        """
        if not isinstance(record, Mapping) or "schema" not in record:
            raise FieldError("it has no schema")
        if record["schema"] != SCHEMA:
            raise FieldError(
                f"it has schema {record['schema']!r:.80}, and this version reads {SCHEMA}"
            )
        result = parse(cls, record)
        check_complete(record, result.to_dict())
        check(
            result.cells,
            {name: bundle.reference for name, bundle in result.bundles.items()},
            pictures=len(result.images),
            rounds=result.repeat,
            labelled=result.labels is not None,
        )
        return result


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
