"""Results of `edgeocr bench` as CSV: one row for each cell.

docs/measure-a-device.md describes the columns, whose names and order stay.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TypeAlias

from ..accuracy.agreement import Agreement
from .cell import Accuracy, Measured
from .metrics import STAGES
from .result import BenchResult
from .rows import Row, rows_of
from .sustained import Sustained

Value: TypeAlias = "str | int | float | bool | None"

# A program for tables takes a text that begins with one of these for a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")

# What identifies a cell, and what it is.
CELL: Mapping[str, Callable[[Row, BenchResult], Value]] = MappingProxyType(
    {
        "device": lambda row, result: row.device_name,
        "when": lambda row, result: result.when,
        "edgeocr": lambda row, result: result.edgeocr,
        "packages": lambda row, result: _joined(result.packages),
        "bundle": lambda row, result: row.cell.bundle,
        "bundle_sha256": lambda row, result: row.bundle.sha256,
        "bundle_bytes": lambda row, result: row.bundle.bytes,
        "provider": lambda row, result: row.cell.provider,
        "precision": lambda row, result: row.cell.precision,
        "threads": lambda row, result: row.cell.threads,
        "verdict": lambda row, result: row.verdict.kind,
        "reason": lambda row, result: row.verdict.reason,
        "ratio_to_best": lambda row, result: _rounded(row.verdict.ratio),
        "ratio_to_best_of_bundle": lambda row, result: _rounded(row.verdict.bundle_ratio),
    }
)
# What was measured; empty in the row of a cell that was not measured.
FIGURES: Mapping[str, Callable[[Measured], Value]] = MappingProxyType(
    {
        "taken": lambda it: "; ".join(
            f"{stage}={taken.provider} {taken.precision}" for stage, taken in it.taken.items()
        ),
        "threads_used": lambda it: it.threads,
        "cold_start_ms": lambda it: it.cold_start_ms.total,
        "cold_importing_ms": lambda it: it.cold_start_ms.importing,
        "cold_opening_ms": lambda it: it.cold_start_ms.opening,
        "cold_first_page_ms": lambda it: it.cold_start_ms.first_page,
        "warm_up_ms": lambda it: it.warm_up_ms,
        "page_min_ms": lambda it: it.page_ms.min,
        "page_p50_ms": lambda it: it.page_ms.p50,
        "page_p90_ms": lambda it: it.page_ms.p90,
        "page_p99_ms": lambda it: it.page_ms.p99,
        "pages_per_second": lambda it: it.pages_per_second,
        "stream_pages_per_second": lambda it: it.stream_pages_per_second,
        "peak_rss_bytes": lambda it: it.peak_rss_bytes,
        "gpu_bytes": lambda it: it.gpu_bytes,
        "joules_per_page": lambda it: it.joules_per_page,
        "power_source": lambda it: it.power_source,
        "lines": lambda it: it.lines,
        "lines_same": lambda it: _agreement(it, lambda agreement: agreement.same),
        "lines_different": lambda it: _agreement(it, lambda agreement: agreement.different),
        "mean_score_difference": lambda it: _agreement(
            it, lambda agreement: _rounded(agreement.mean_score_difference)
        ),
        "texts_sha256": lambda it: it.texts_sha256,
        "same_each_time": lambda it: it.same_each_time,
        "labelled_lines": lambda it: _labelled(it, lambda accuracy: accuracy.lines),
        "detection_hmean": lambda it: _labelled(it, lambda accuracy: accuracy.detection_hmean),
        "hmean": lambda it: _labelled(it, lambda accuracy: accuracy.hmean),
        "cer": lambda it: _labelled(it, lambda accuracy: accuracy.cer),
        "sustained_minutes": lambda it: _sustained(it, lambda load: load.minutes),
        "sustained_page_ms": lambda it: _sustained(it, lambda load: load.page_ms),
        "sustained_pages_per_second": lambda it: _sustained(it, lambda load: load.pages_per_second),
        "pictures_failed": lambda it: len(it.failed),
    }
)
# The median of each stage that `metrics.STAGES` names; a stage that no page needed is empty.
STAGE_COLUMNS: Mapping[str, str] = MappingProxyType(
    {stage: f"stage_{stage}_p50_ms" for stage in STAGES}
)
COLUMNS = (*CELL, *FIGURES, *STAGE_COLUMNS.values())


def csv_of(results: Sequence[BenchResult]) -> str:
    """Return results as the text of a CSV file, as RFC 4180 describes it.

    Unknown values are empty. A text that a program for tables would take for a formula has an
    apostrophe before it.

    Args:
        results: The results.
    """
    stream = io.StringIO()
    writer = csv.DictWriter(stream, COLUMNS)
    writer.writeheader()
    for row in rows_of(results):
        values = {name: of(row, results[row.device]) for name, of in CELL.items()}
        if row.cell.measured is not None:
            values |= {name: of(row.measured) for name, of in FIGURES.items()}
            stages = row.measured.stages_ms
            values |= {
                column: stages[stage].p50
                for stage, column in STAGE_COLUMNS.items()
                if stage in stages
            }
        writer.writerow({name: _text(value) for name, value in values.items()})
    return stream.getvalue()


def is_csv(start: bytes) -> bool:
    """Tell whether a file is a table that `csv_of` made.

    Args:
        start: The first bytes of the file, or all of it.
    """
    return start.startswith(f"{','.join(list(CELL)[:5])},".encode())


def _text(value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str) and value.startswith(FORMULA):
        return f"'{value}"
    return str(value)


def _joined(versions: Mapping[str, str | None]) -> str:
    return "; ".join(f"{name} {version}" for name, version in versions.items())


def _rounded(ratio: float | None) -> float | None:
    return None if ratio is None else round(ratio, 4)


def _agreement(it: Measured, figure: Callable[[Agreement], Value]) -> Value:
    return None if it.agreement is None else figure(it.agreement)


def _labelled(it: Measured, figure: Callable[[Accuracy], Value]) -> Value:
    return None if it.accuracy is None else figure(it.accuracy)


def _sustained(it: Measured, figure: Callable[[Sustained], Value]) -> Value:
    return None if it.sustained is None else figure(it.sustained)
