"""`python -m benchmarks compare`: results of several devices side by side."""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from markdown_it import MarkdownIt

from benchmarks import compare
from edgeocr.bench.result import BenchResult
from tests.support.bench_results import bench_result, matrix, measured
from tests.support.paths import ROOT

RECORDED = ROOT / "benchmarks" / "results" / "devices" / "amd-epyc-2.json"


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


def tables_of(text: str) -> dict[str, list[list[str]]]:
    """Return the cells of the table below each heading, as a Markdown renderer sees them."""
    html = MarkdownIt("commonmark", {"xhtmlOut": True}).enable("table").render(text)
    found: dict[str, list[list[str]]] = {}
    heading = ""
    for each in ElementTree.fromstring(f"<body>{html}</body>"):
        if each.tag == "h2":
            heading = "".join(each.itertext())
        elif each.tag == "table":
            found[heading] = [["".join(cell.itertext()) for cell in row] for row in each.iter("tr")]
    return found


def test_cells_stand_side_by_side_with_ratios(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fast = measured(20, gpu_bytes=612 << 20, joules_per_page=0.5)
    first = bench_result("A | B", cpu=measured(200, joules_per_page=4.0), cuda=fast)
    second = bench_result("Board", cpu=measured(100, joules_per_page=2.0), cuda=measured(40))
    html, table = tmp_path / "report.html", tmp_path / "table.csv"
    run(*written(tmp_path, first, second), "--html", str(html), "--csv", str(table))
    found = tables_of(capsys.readouterr().out)
    assert list(found) == ["cpu", "cuda"]
    assert found["cpu"][0] == ["", "A | B", "Board"]
    cpu, cuda = ({row[0]: row[1:] for row in found[name]} for name in ("cpu", "cuda"))
    assert cpu["Cold start, ms"] == ["1800", "900 (0.50×)"]
    assert cpu["Energy per page, J"] == ["4.00", "2.00 (0.50×)"]
    assert cpu["Verdict"] == ["slower", "slower"]
    assert cuda["GPU memory, MiB"] == ["612", "–"]
    assert "GPU memory, MiB" not in cpu
    assert "<h1>" in html.read_text(encoding="utf-8")
    with table.open(encoding="utf-8", newline="") as file:
        rows = [(row["device"], row["provider"]) for row in csv.DictReader(file)]
    assert rows == [("A | B", "cpu"), ("A | B", "cuda"), ("Board", "cpu"), ("Board", "cuda")]


def test_cells_that_only_one_device_has_are_named_below() -> None:
    text = compare.markdown([matrix("A"), matrix("B", ("tiny", "small")), bench_result("C")])
    assert list(tables_of(text)) == ["tiny cpu fp32", "tiny cpu int8", "tiny openvino fp32"]
    assert [row[-1] for row in tables_of(text)["tiny cpu fp32"][:2]] == ["C", "–"]
    assert "- A: mobile cpu int8 was measured on no other device\n" in text
    assert "- C: tiny cpu auto was measured on no other device\n" in text
    assert "- B: small cpu fp32 is the best of its bundle: " in text


def test_single_result_has_all_its_cells(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(*written(tmp_path, matrix()))
    found = tables_of(capsys.readouterr().out)
    assert len(found) == 6
    assert ["Warm-up, ms", "180"] in found["tiny cpu fp32"]


def test_results_that_cannot_be_compared_are_warned_about() -> None:
    first = bench_result("A")
    other = bench_result("B", cpu=measured(200, texts_sha256="cd" * 32))
    assert compare.warnings([first, bench_result("B")]) == []
    assert compare.warnings([first, other]) == ["B read other texts than A with cpu"]
    settings = replace(other.bundles["tiny"], sha256="45" * 32)
    other = replace(other, bundles={"tiny": settings}, images=other.images[:2])
    assert compare.warnings([first, other])[:2] == [
        "tiny of B is a bundle with other settings than A's",
        "B read other pictures than A",
    ]
    text = compare.markdown([first, other])
    assert text.index("- B read other pictures than A\n") < text.index("## cpu")
    graphs = {"detection": {"fp32": "67" * 32}}
    other = replace(other, bundles={"tiny": replace(settings, graphs=graphs)})
    warning = compare.warnings([first, other])[0]
    assert warning == "tiny of B is a bundle with other graphs than A's"
    assert compare.warnings([matrix("A"), bench_result("B")]) == [
        "B was scored with other labels than A"
    ]


def test_warnings_are_in_the_report(tmp_path: Path) -> None:
    html = tmp_path / "report.html"
    other = bench_result("B", cpu=measured(200, texts_sha256="cd" * 32))
    run(*written(tmp_path, bench_result("A"), other), "--html", str(html))
    assert "<li>B read other texts than A with cpu</li>" in html.read_text(encoding="utf-8")


def test_failed_provider_stands_below_the_table() -> None:
    text = compare.markdown([bench_result(), bench_result("B", cuda="no driver\nat all")])
    assert text.endswith("\n- B: cuda was not measured: no driver at all")


def changed(**changes: Any) -> Callable[[], str]:
    return lambda: json.dumps({**bench_result().to_dict(), **changes})


def with_page_of_three() -> str:
    record = bench_result().to_dict()
    record["cells"][0]["measured"]["page_ms"] = 3
    return json.dumps(record)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (lambda: "{", "is not JSON"),
        (lambda: "[]", "it has no schema"),
        (lambda: "{}", "it has no schema"),
        (changed(schema=1), "it has schema 1, and this version reads 2"),
        (changed(cells={}), "cells must be a list"),
        (changed(bundles=None), "bundles must be an object"),
        (changed(bundles={"tiny": {}}), "field bundles.tiny.sha256 is missing"),
        (changed(cells=[None]), "cells[0] must be an object"),
        (changed(cells=[{}]), "field cells[0].bundle is missing"),
        (with_page_of_three, "cells[0].measured.page_ms must be an object"),
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
