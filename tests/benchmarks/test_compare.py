"""`python -m benchmarks compare`: results of several devices side by side."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks import compare
from edgeocr.bench.provider_result import ProviderResult
from edgeocr.bench.result import BenchResult
from tests.support.bench_results import bench_result, provider_result
from tests.support.paths import ROOT

RECORDED = ROOT / "benchmarks" / "results" / "bench-amd-epyc-2.json"


def run(*words: str) -> None:
    parser = argparse.ArgumentParser()
    compare.add_arguments(parser)
    compare.run(parser.parse_args(list(words)))


def written(folder: Path, *results: BenchResult) -> list[str]:
    paths = [folder / f"{n}.json" for n in range(len(results))]
    for path, each in zip(paths, results, strict=True):
        path.write_text(json.dumps(each.to_dict()), encoding="utf-8")
    return [str(path) for path in paths]


def test_recorded_result_survives_loading_and_writing() -> None:
    text = RECORDED.read_text(encoding="utf-8")
    record = compare.load(RECORDED).to_dict()
    assert json.dumps(record, ensure_ascii=False, indent=1) + "\n" == text


def test_table_has_a_column_per_device_with_ratios(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fast = provider_result(20, gpu_bytes=612 << 20, joules_per_page=0.5)
    first = bench_result("A | B", cpu=provider_result(200, joules_per_page=4.0))
    second = bench_result("Board", cpu=provider_result(100, joules_per_page=2.0), cuda=fast)
    html = tmp_path / "report.html"
    run(*written(tmp_path, first, second), "--html", str(html))
    head, ruler, *rows = capsys.readouterr().out.splitlines()
    assert head == "|  | A \\| B | Board |"
    assert ruler == "|---|---:|---:|"
    cells = {row[1]: row[2:4] for row in (re.split(r" ?\| ?", row) for row in rows)}
    assert cells["cpu: Cold start, ms"] == ["1800", "900 (0.50×)"]
    assert cells["cpu: Energy per page, J"] == ["4.00", "2.00 (0.50×)"]
    assert cells["cuda: GPU memory, MiB"] == ["–", "612"]
    assert "cpu: GPU memory, MiB" not in cells
    assert all(row.startswith("| ") for row in rows)
    assert "<h1>" in html.read_text(encoding="utf-8")


def test_single_result_is_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(*written(tmp_path, bench_result()))
    assert "| cpu: Warm-up, ms | 600 |" in capsys.readouterr().out


def test_results_that_cannot_be_compared_are_warned_about() -> None:
    first = bench_result("A")
    other = bench_result("B", cpu=provider_result(200, texts_sha256="cd" * 32))
    assert compare.warnings([first, bench_result("B")]) == []
    assert compare.warnings([first, other]) == ["B read other texts than A on cpu"]
    settings = replace(other.bundle, sha256="45" * 32)
    other = replace(other, bundle=settings, images=other.images[:2])
    assert compare.warnings([first, other])[:2] == [
        "B was measured with a bundle with other settings than A",
        "B read other pictures than A",
    ]
    assert "\n- **B read other pictures than A**" in compare.markdown([first, other])
    other = replace(other, bundle=replace(settings, graphs={"detection": "67" * 32}))
    assert compare.warnings([first, other])[0] == "B was measured with another bundle than A"


def test_failed_provider_stands_below_the_table() -> None:
    text = compare.markdown([bench_result(), bench_result("B", cuda="no driver\nat all")])
    assert text.endswith("\n- B: cuda doesn't work here: no driver at all")


def changed(**changes: Any) -> Callable[[], str]:
    return lambda: json.dumps({**bench_result().to_dict(), **changes})


def with_page_of_three() -> str:
    measured: ProviderResult = provider_result(9)
    return changed(providers={"cpu": {**measured.to_dict(), "page_ms": 3}})()


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (lambda: "{", "is not JSON"),
        (lambda: "[]", "it has no schema"),
        (lambda: "{}", "it has no schema"),
        (changed(schema=2), "it has schema 2, and this version reads 1"),
        (changed(providers=[]), "field providers is missing or is not an object"),
        (changed(bundle=None), "bundle must be an object"),
        (changed(bundle={}), "field bundle.name is missing"),
        (changed(providers={"cpu": None}), "providers.cpu must be an object"),
        (changed(providers={"cpu": {}}), "field providers.cpu.cold_start_ms is missing"),
        (with_page_of_three, "providers.cpu.page_ms must be an object"),
        (None, "can't be read: No such file"),
    ],
)
def test_file_that_is_no_result_is_refused(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    content: Callable[[], str] | None,
    complaint: str,
) -> None:
    (good,) = written(tmp_path, bench_result())
    bad = tmp_path / "bad.json"
    if content is not None:
        bad.write_text(content(), encoding="utf-8")
    with pytest.raises(SystemExit) as ended:
        run(good, str(bad))
    assert ended.value.code == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(f"error: {bad}: ") and complaint in captured.err
