"""The figures of a cell that tables show, and how numbers are written in them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from .cell import Accuracy, Measured
from .rows import Row
from .spread import Spread

# Stages in the order in which a picture passes through them. A spotting network does the work of
# detection and recognition in one.
STAGES = (
    *("load", "page_orientation", "unwarping", "resize", "detection", "spotting", "postprocess"),
    *("crops", "orientation", "recognition", "decoding", "layout", "rest"),
)


def three_digits(value: float | None) -> str:
    """Format a number with three significant digits; a dash stands for None."""
    if value is None:
        return "–"
    return f"{value:.{0 if abs(value) >= 99.95 else 1 if abs(value) >= 9.995 else 2}f}"


def percent(share: float | None) -> str:
    """Format a share from 0 to 1 in percent; only the whole is 100, a dash stands for None."""
    if share is None:
        return "–"
    return "100" if share >= 1 else f"{math.floor(1000 * share) / 10:.1f}"


def four_decimals(value: float | None) -> str:
    """Format a number with four decimals; a dash stands for None."""
    return "–" if value is None else f"{value:.4f}"


@dataclass(frozen=True)
class Metric:
    """A figure of a cell.

    Attributes:
        title: What it is called where there is room.
        heading: What it is called at the head of a narrow column.
        value: Returns the figure of a measured row; None where it is unknown.
        text: Writes the figure.
    """

    title: str
    heading: str
    value: Callable[[Row], float | None]
    text: Callable[[float | None], str] = three_digits

    def of(self, row: Row) -> str:
        """Return the figure of a row as text; a dash where the cell was not measured."""
        return self.text(None if row.cell.measured is None else self.value(row))


# The quoted figures of a sustained load stand before those of the rounds.
METRICS = (
    Metric("Bundle, MiB", "MiB", lambda row: _mib(row.bundle.bytes)),
    Metric("Cold start, ms", "cold", lambda row: row.measured.cold_start_ms.total),
    Metric("Warm-up, ms", "warm-up", lambda row: row.measured.warm_up_ms),
    Metric("Hot page, ms", "hot page", lambda row: _hot(row.measured)),
    Metric("Page p50, ms", "p50", lambda row: row.measured.page_ms.p50),
    Metric("Page p90, ms", "p90", lambda row: row.measured.page_ms.p90),
    Metric("Page p99, ms", "p99", lambda row: row.measured.page_ms.p99),
    Metric("Pages/s", "pages/s", lambda row: row.measured.pages_per_second),
    Metric("Stream, pages/s", "stream", lambda row: row.measured.stream_pages_per_second),
    Metric("Peak RSS, MiB", "RSS MiB", lambda row: _mib(row.measured.peak_rss_bytes)),
    Metric("GPU memory, MiB", "GPU MiB", lambda row: _mib(row.measured.gpu_bytes)),
    Metric("Energy per page, J", "J/page", lambda row: row.measured.joules_per_page),
    Metric("Same lines, %", "same %", lambda row: _share(row.measured), percent),
    Metric("Hmean", "Hmean", lambda row: _labelled(row, lambda it: it.hmean), four_decimals),
    Metric("CER", "CER", lambda row: _labelled(row, lambda it: it.cer), four_decimals),
)


def known_metrics(rows: Iterable[Row]) -> list[Metric]:
    """Return the metrics that are known for any of some measured rows."""
    rows = list(rows)
    return [metric for metric in METRICS if any(metric.value(row) is not None for row in rows)]


def stages_of(measured: Iterable[Measured]) -> list[str]:
    """Return the stages that ran in any cell, in the order in which a picture passes them."""
    ran = dict.fromkeys(stage for each in measured for stage in each.stages_ms)
    return sorted(ran, key=lambda stage: STAGES.index(stage) if stage in STAGES else len(STAGES))


def columns_of(spread: Spread | None) -> Sequence[float | None]:
    """Return a spread's minimum, p50, p90 and p99; four times None for a stage that did not run."""
    if spread is None:
        return [None] * 4
    return [spread.min, spread.p50, spread.p90, spread.p99]


def _mib(size: int | None) -> float | None:
    return None if size is None else size / (1 << 20)


def _hot(measured: Measured) -> float | None:
    return None if measured.sustained is None else measured.sustained.page_ms


def _share(measured: Measured) -> float | None:
    return None if measured.agreement is None else measured.agreement.share


def _labelled(row: Row, figure: Callable[[Accuracy], float]) -> float | None:
    accuracy = row.measured.accuracy
    return None if accuracy is None or not accuracy.lines else figure(accuracy)
