"""`python -m benchmarks devices`: the table of all devices."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import devices
from benchmarks.devices import BEGIN, END, DeviceFile
from edgeocr.accuracy.agreement import Agreement
from tests.support.bench_results import bench_result, cell, matrix, measured

EMPTY = f"# Devices\n\n{BEGIN}\n{END}\n\n## Send\n"


def lines_of(*files: DeviceFile) -> list[list[str]]:
    """Return the cells of the table's rows, without its head and its rule."""
    rows = devices.table(list(files)).splitlines()[2:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def options(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    devices.add_arguments(parser)
    return parser.parse_args(list(words))


def test_the_page_is_that_of_the_recorded_results() -> None:
    devices.run(options("--check"))


def test_table_has_the_fastest_cell_of_each_bundle_and_provider() -> None:
    rows = lines_of(DeviceFile("b.json", matrix("B")), DeviceFile("a.json", bench_result("A")))
    assert [row[:6] for row in rows] == [
        ["★", "A", "tiny", "cpu", "auto: fp32", "4"],
        ["☆", "B", "mobile", "cpu", "fp32", "4"],
        ["×", "B", "mobile", "openvino", "fp32", "4"],
        ["★", "B", "tiny", "cpu", "fp32", "4"],
        ["×", "B", "tiny", "openvino", "fp32", "4"],
    ]
    assert rows[3][-5:-2] == ["1.50", "100", "0.9300"]
    assert rows[0][-2:] == ["edgeocr 0.1.0, onnxruntime 1.23.0", "2025-11-25"]
    assert rows[2][-4] == "95.8"


def test_a_cell_that_agrees_goes_before_a_faster_one_that_does_not() -> None:
    wrong = measured(50, agreement=Agreement(73, 73, 60, 0.0))
    result = bench_result("A", cell(wrong, "cpu", "int8"), cell(measured(90), "cpu", "fp32"))
    assert [row[4] for row in lines_of(DeviceFile("a.json", result))] == ["fp32"]


def test_order_does_not_depend_on_that_of_the_files() -> None:
    first = DeviceFile("1.json", bench_result("Board"))
    second = DeviceFile("2.json", replace(bench_result("Board"), edgeocr="0.2.0"))
    rows = lines_of(second, first)
    assert rows == lines_of(first, second)
    assert [row[-2].split(",")[0] for row in rows] == ["edgeocr 0.1.0", "edgeocr 0.2.0"]


def test_only_what_stands_between_the_marks_changes() -> None:
    page = devices.made(EMPTY, [DeviceFile("a.json", bench_result("A"))])
    assert page.startswith(f"# Devices\n\n{BEGIN}\n\n|")
    assert page.endswith(f"|\n\n{END}\n\n## Send\n")
    assert devices.made(page, [DeviceFile("a.json", bench_result("A"))]) == page


def test_page_that_is_not_up_to_date_or_without_marks_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page, results = tmp_path / "devices.md", tmp_path / "results"
    results.mkdir()
    (results / "a.json").write_text(json.dumps(bench_result("A").to_dict()), "utf-8")
    page.write_text(EMPTY, "utf-8")
    monkeypatch.setattr(devices, "PAGE", page)
    monkeypatch.setattr(devices, "RESULTS", results)
    with pytest.raises(SystemExit):
        devices.run(options("--check"))
    assert "not up to date: run python -m benchmarks devices" in capsys.readouterr().err
    assert page.read_text("utf-8") == EMPTY
    devices.run(options())
    devices.run(options("--check"))
    page.write_text("# Devices\n", "utf-8")
    with pytest.raises(SystemExit):
        devices.run(options())
    assert "must have the lines" in capsys.readouterr().err


def test_file_that_is_no_result_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.json").write_text("{}")
    monkeypatch.setattr(devices, "RESULTS", tmp_path)
    with pytest.raises(SystemExit):
        devices.run(options("--check"))
    assert "bad.json: is not a result of edgeocr bench: it has no schema" in capsys.readouterr().err
