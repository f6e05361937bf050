"""The CSV file of `edgeocr bench`, read back by the standard library's reader."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

from edgeocr.bench.csv_rows import COLUMNS, csv_of, is_csv
from edgeocr.bench.result import BenchResult
from tests.support.bench_results import REPEAT, bench_result, cell, matrix, measured
from tests.support.paths import ROOT


def rows_of(*results: BenchResult) -> list[dict[str, str]]:
    text = csv_of(results)
    assert is_csv(text.encode()[:200])
    # RFC 4180 ends rows with CR and LF.
    assert text.count("\r\n") == text.count("\n")
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def test_each_cell_has_a_row_with_all_columns() -> None:
    result = matrix()
    rows = rows_of(result)
    assert len(rows) == len(result.cells) == 8
    assert all(tuple(row) == COLUMNS and None not in row.values() for row in rows)
    assert [row["verdict"] for row in rows[:4]] == ["best", "slower", "refused", "not measured"]
    first = result.cells[0].measured
    assert first is not None and first.sustained is not None
    assert float(rows[0]["page_p50_ms"]) == first.page_ms.p50
    assert float(rows[0]["sustained_page_ms"]) == first.sustained.page_ms
    assert float(rows[0]["stage_detection_p50_ms"]) == first.stages_ms["detection"].p50
    assert (rows[0]["hmean"], rows[0]["cer"]) == ("0.93", "0.04")
    assert (rows[2]["lines_same"], rows[2]["lines_different"]) == ("70", "3")
    assert rows[2]["taken"] == "detection=openvino fp32; recognition=openvino fp32"


def test_what_is_unknown_is_empty() -> None:
    (row,) = rows_of(bench_result())
    for name in ("threads", "gpu_bytes", "joules_per_page", "hmean", "sustained_minutes"):
        assert row[name] == ""
    assert row["stage_crops_p50_ms"] == "" and row["same_each_time"] == "true"
    missing = rows_of(matrix())[3]
    assert missing["reason"] == "libcudart.so.12 is missing"
    assert missing["page_p50_ms"] == missing["lines"] == missing["ratio_to_best"] == ""


def test_texts_of_strangers_are_kept_and_are_no_formulas() -> None:
    hostile = 'a "b", c\r\nd;é'
    cells = [cell(measured(9), bundle=hostile), cell(measured(8), bundle="=1+2")]
    rows = rows_of(bench_result('@SUM("x")', *cells))
    assert [row["bundle"] for row in rows] == [hostile, "'=1+2"]
    assert rows[0]["device"] == '\'@SUM("x")'


def test_several_results_stand_below_each_other() -> None:
    rows = rows_of(bench_result("A"), replace(bench_result("B"), repeat=REPEAT))
    assert [row["device"] for row in rows] == ["A", "B"]


def test_every_column_is_documented() -> None:
    page = (ROOT / "docs" / "measure-a-device.md").read_text("utf-8")
    section = page.split("### The CSV file\n")[1].split("\n## ")[0]
    for name in COLUMNS:
        if name.startswith("stage_"):
            name = name.removeprefix("stage_").removesuffix("_p50_ms")
        assert f"`{name}`" in section, name
