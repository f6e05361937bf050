"""What `edgeocr bench` measures on one execution provider.

The names of the fields are the keys of the result file, except where a key is a Python keyword.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from ..bundle.fields import parse
from ..device.machine import Throttling

# Names of the percentiles and the share of the values that lies below each.
PERCENTILES = {"p50": 0.5, "p90": 0.9, "p99": 0.99}


@dataclass(frozen=True)
class Spread:
    """The minimum and three percentiles of a list of times.

    Attributes:
        min: The shortest time in milliseconds.
        p50: The median in milliseconds.
        p90: The 90th percentile in milliseconds.
        p99: The 99th percentile in milliseconds.
    """

    min: float
    p50: float
    p90: float
    p99: float

    @classmethod
    def of(cls, times: Sequence[float]) -> Spread:
        """Compute the spread of one or more times.

        A percentile between two values is interpolated linearly, as `numpy.percentile` does it.

        Args:
            times: At least one time in milliseconds.

        Returns:
            The spread, rounded to a thousandth of a millisecond.
        """
        ordered = sorted(times)
        percentiles = {}
        for name, share in PERCENTILES.items():
            position = share * (len(ordered) - 1)
            low = int(position)
            high = min(low + 1, len(ordered) - 1)
            value = ordered[low] + (ordered[high] - ordered[low]) * (position - low)
            percentiles[name] = round(value, 3)
        return cls(min=round(ordered[0], 3), **percentiles)


@dataclass(frozen=True)
class ColdStart:
    """The time from starting a process to the text of its first picture.

    Attributes:
        total: Milliseconds from starting the process to the end of the first page.
        importing: Milliseconds that importing edgeocr and ONNX Runtime takes.
        opening: Milliseconds that opening the bundle and its sessions takes.
        first_page: Milliseconds that reading the first picture takes.
    """

    total: float
    importing: float
    opening: float
    first_page: float

    def to_dict(self) -> dict[str, float]:
        """Return the record as the result file has it."""
        return {
            "total": self.total,
            "import": self.importing,
            "open": self.opening,
            "first_page": self.first_page,
        }


@dataclass(frozen=True)
class Temperatures:
    """The processor's temperature around the pages that were read one by one.

    Attributes:
        before: Degrees Celsius before the first page; None where it is unknown.
        after: Degrees Celsius after the last page; None where it is unknown.
    """

    before: float | None
    after: float | None


@dataclass(frozen=True)
class ThrottlingChange:
    """The causes that slowed the device down before and after the pages read one by one.

    Attributes:
        before: The state before the first page; None where it is unknown.
        after: The state after the last page; None where it is unknown.
    """

    before: Throttling | None
    after: Throttling | None

    def new(self) -> list[str]:
        """Return the reasons that apply now or came up while the pages were read."""
        if self.before is None or self.after is None:
            return []
        since = [word for word in self.after.since_boot if word not in self.before.since_boot]
        return list(dict.fromkeys([*self.after.now, *since]))


@dataclass(frozen=True)
class PictureFailure:
    """A picture that one provider could not read.

    Attributes:
        image: The picture's file name.
        error: The reason.
    """

    image: str
    error: str


@dataclass(frozen=True)
class ProviderFailure:
    """A provider that does not work on this device.

    Attributes:
        error: The reason.
    """

    error: str


@dataclass(frozen=True)
class ProviderResult:
    """What was measured on one provider.

    Times are wall time. Spreads are taken over all reads of all pictures.

    Attributes:
        cold_start_ms: The cold start and its parts.
        warm_up_ms: Milliseconds of `OCR.warm_up`, which runs after the first page.
        page_ms: The spread of whole pages.
        stages_ms: The spread of each stage. A page that did not need a stage counts as 0 ms of it.
            The stage "rest" is the time of a page that no stage accounts for.
        reads_ms: For each picture, the milliseconds of each successful read, in order.
        pages_per_second: Pages read one by one, per second.
        stream_pages_per_second: Pages read with `OCR.read_many`, per second.
        peak_rss_bytes: The largest resident set of the process; None where it is unknown.
        gpu_bytes: GPU memory that the process holds after the last page; None where it is unknown.
        joules_per_page: Energy of the whole board or processor package; None without a sensor.
        power_source: The sensor that measured the energy; None without a sensor.
        temperature_c: The temperatures before the first and after the last page.
        throttling: What slowed the device down before the first and after the last page.
        lines: The number of lines read, over all pictures.
        texts_sha256: SHA-256 of the pictures' texts, which shows whether two devices read the same.
        same_each_time: Whether every read of a picture, also in the stream, gave the same text.
        providers: The execution provider that each stage really ran on.
        failed: The pictures that this provider could not read.
        variants: The precision of the graph that was taken in each stage that has several.
    """

    cold_start_ms: ColdStart
    warm_up_ms: float
    page_ms: Spread
    stages_ms: dict[str, Spread]
    reads_ms: list[list[float]]
    pages_per_second: float
    stream_pages_per_second: float
    peak_rss_bytes: int | None
    gpu_bytes: int | None
    joules_per_page: float | None
    power_source: str | None
    temperature_c: Temperatures
    throttling: ThrottlingChange
    lines: int
    texts_sha256: str
    same_each_time: bool
    providers: dict[str, str]
    failed: list[PictureFailure]
    variants: dict[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the record as the result file has it."""
        return {**asdict(self), "cold_start_ms": self.cold_start_ms.to_dict()}

    @classmethod
    def from_dict(cls, record: object, where: str = "") -> ProviderResult:
        """Make a provider's result from a decoded JSON object.

        Args:
            record: The object, as `to_dict` returns it.
            where: Path of the object in its file, for error messages.

        Raises:
            FieldError: If a field is missing, unknown or of the wrong type.
        """
        if isinstance(record, dict) and isinstance(start := record.get("cold_start_ms"), dict):
            names = {"import": "importing", "open": "opening"}
            start = {names.get(key, key): value for key, value in start.items()}
            record = {**record, "cold_start_ms": start}
        return parse(cls, record, where)
