"""Results of several devices side by side."""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import Any

import pytest

from benchmarks import compare
from tests.support.bench_results import figures, result


def run(*words: str) -> None:
    parser = argparse.ArgumentParser()
    compare.add_arguments(parser)
    compare.run(parser.parse_args(list(words)))


def written(folder: Path, *results: dict[str, Any]) -> list[str]:
    paths = [folder / f"{n}.json" for n in range(len(results))]
    for path, each in zip(paths, results, strict=True):
        path.write_text(json.dumps(each), encoding="utf-8")
    return [str(path) for path in paths]


def test_the_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fast = figures(20, gpu_bytes=612 << 20, joules_per_page=0.5)
    first = result("A | B", cpu=figures(200, joules_per_page=4.0))
    second = result("Board", cpu=figures(100, joules_per_page=2.0), cuda=fast)
    page = tmp_path / "page.html"
    run(*written(tmp_path, first, second), "--html", str(page))
    head, ruler, *rows = capsys.readouterr().out.splitlines()
    assert head == "|  | A \\| B | Board |"
    assert ruler == "|---|---:|---:|"
    cells = {row[1]: row[2:4] for row in (re.split(r" ?\| ?", row) for row in rows)}
    assert cells["cpu: Cold start, ms"] == ["1800", "900 (0.50×)"]
    assert cells["cpu: Energy per page, J"] == ["4.00", "2.00 (0.50×)"]
    assert cells["cuda: GPU memory, MiB"] == ["–", "612"]
    assert "cpu: GPU memory, MiB" not in cells
    assert all(row.startswith("| ") for row in rows)
    assert "<h1>" in page.read_text(encoding="utf-8")


def test_one_result_is_a_table_too(tmp_path: Path, capsys) -> None:
    run(*written(tmp_path, result()))
    assert "| cpu: Warm-up, ms | 600 |" in capsys.readouterr().out


def test_what_can_not_be_compared_is_warned_about() -> None:
    first, other = result("A"), result("B", cpu=figures(200, texts_sha256="cd" * 32))
    assert compare.warnings([first, result("B")]) == []
    assert compare.warnings([first, other]) == ["B found other texts than A with cpu"]
    other["bundle"]["sha256"] = "45" * 32
    other["images"] = other["images"][:2]
    assert compare.warnings([first, other])[:2] == [
        "B was measured with another bundle, with the same graphs than A",
        "B read other pictures than A",
    ]
    other["bundle"]["graphs"] = {"detection": "67" * 32}
    assert compare.warnings([first, other])[0] == "B was measured with another bundle than A"
    assert "\n- **B read other pictures than A**" in compare.markdown([first, other])


def test_what_does_not_work_stands_below_the_table() -> None:
    text = compare.markdown([result(), result("B", cuda={"error": "no driver\nat all"})])
    assert text.endswith("\n- B: cuda doesn't work here: no driver at all")


def broken(**changes: Any) -> str:
    return json.dumps({**result(), **changes})


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("{", "is no JSON"),
        ("[]", "it has no schema"),
        ("{}", "it has no schema"),
        (broken(schema=2), "has schema 2"),
        (broken(providers=[]), "providers is missing or bad"),
        (broken(bundle=None), "bundle is missing or bad"),
        (broken(bundle={}), "something in it is of the wrong kind: KeyError"),
        (broken(providers={"cpu": None}), "providers.cpu is no object"),
        (broken(providers={"cpu": {}}), "providers.cpu.cold_start_ms is missing"),
        (broken(providers={"cpu": figures(9, page_ms=3)}), "of the wrong kind: TypeError"),
        (None, "can't be read: No such file"),
    ],
)
def test_a_file_that_is_no_result(
    tmp_path: Path, capsys, content: str | None, complaint: str
) -> None:
    (good,) = written(tmp_path, result())
    bad = tmp_path / "bad.json"
    if content is not None:
        bad.write_text(content, encoding="utf-8")
    with pytest.raises(SystemExit) as ended:
        run(good, str(bad))
    assert ended.value.code == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith(f"error: {bad}: ") and complaint in captured.err
