"""The figures of a provider that tables show, and how numbers are written in them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from .provider_result import ProviderResult, Spread

# Stages in the order in which a picture passes through them. A spotting network does the work of
# detection and recognition in one.
STAGES = (
    *("load", "resize", "detection", "spotting", "postprocess", "crops", "orientation"),
    *("recognition", "decoding", "layout", "rest"),
)


@dataclass(frozen=True)
class Metric:
    """A figure of a provider.

    Attributes:
        title: What it is called where there is room.
        heading: What it is called at the head of a narrow column.
        value: Returns the figure; None where it is unknown.
    """

    title: str
    heading: str
    value: Callable[[ProviderResult], float | None]


METRICS = (
    Metric("Cold start, ms", "cold ms", lambda measured: measured.cold_start_ms.total),
    Metric("Warm-up, ms", "warm ms", lambda measured: measured.warm_up_ms),
    Metric("Page min, ms", "min", lambda measured: measured.page_ms.min),
    Metric("Page p50, ms", "p50", lambda measured: measured.page_ms.p50),
    Metric("Page p90, ms", "p90", lambda measured: measured.page_ms.p90),
    Metric("Page p99, ms", "p99", lambda measured: measured.page_ms.p99),
    Metric("Pages per second, one by one", "pages/s", lambda measured: measured.pages_per_second),
    Metric("Pages per second, stream", "stream", lambda measured: measured.stream_pages_per_second),
    Metric("Peak RSS, MiB", "RSS MiB", lambda measured: _mib(measured.peak_rss_bytes)),
    Metric("GPU memory, MiB", "GPU MiB", lambda measured: _mib(measured.gpu_bytes)),
    Metric("Energy per page, J", "J/page", lambda measured: measured.joules_per_page),
)


def stages_of(results: Iterable[ProviderResult]) -> list[str]:
    """Return the stages that ran on any provider, in the order in which a picture passes them."""
    ran = dict.fromkeys(stage for measured in results for stage in measured.stages_ms)
    return sorted(ran, key=lambda stage: STAGES.index(stage) if stage in STAGES else len(STAGES))


def columns_of(spread: Spread | None) -> list[float | None]:
    """Return a spread's minimum, p50, p90 and p99; four times None for a stage that did not run."""
    if spread is None:
        return [None] * 4
    return [spread.min, spread.p50, spread.p90, spread.p99]


def three_digits(value: float | None) -> str:
    """Format a number with three significant digits; a dash stands for None."""
    if value is None:
        return "–"
    return f"{value:.{0 if abs(value) >= 99.95 else 1 if abs(value) >= 9.995 else 2}f}"


def _mib(size: int | None) -> float | None:
    return None if size is None else size / (1 << 20)
