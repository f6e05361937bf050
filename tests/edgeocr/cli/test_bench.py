"""`edgeocr bench` as a user types it."""

from __future__ import annotations

import json
import platform
import re
import sys
from pathlib import Path

import pytest

from edgeocr.bench.csv_rows import csv_of
from edgeocr.bench.markdown import markdown
from edgeocr.bench.pictures import SAMPLES
from edgeocr.bench.result import BenchResult
from edgeocr.bench.table import table
from edgeocr.cli.main import main
from tests.support.paths import IMAGES

SAMPLE = IMAGES / "sample.jpg"


@pytest.mark.slow
def test_bench_prints_tables_and_writes_files_without_folders(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in").mkdir()
    picture, bad = tmp_path / "in" / "a picture.jpg", tmp_path / "bad one.jpg"
    picture.write_bytes(SAMPLE.read_bytes())
    bad.write_bytes(b"no picture")
    made, html = tmp_path / "result.json", tmp_path / "result.html"
    table_file, page = tmp_path / "result.csv", tmp_path / "result.md"
    words = ["--providers", "cpu", "--repeat", "1", "--json", str(made), "--html", str(html)]
    words += ["--csv", str(table_file), "--markdown", str(page)]
    assert main(["bench", *words, "--images", str(picture.parent), str(bad), "missing.png"]) == 1
    text = made.read_text(encoding="utf-8")
    result = BenchResult.from_dict(json.loads(text))
    captured = capsys.readouterr()
    assert captured.out == table(result) + "\n" and captured.err == ""
    assert [each.name for each in result.images] == ["a picture.jpg"]
    assert [each.name for each in result.failed] == ["bad one.jpg", "missing.png"]
    assert result.failed[0].error.startswith("bad one.jpg: ")
    assert "missing.png failed: " in captured.out
    assert len(result.working["cpu"].reads_ms) == 1
    assert result.labels is None
    assert page.read_text("utf-8") == markdown(result)
    assert table_file.read_bytes() == csv_of([result]).encode()
    for path in (made, html, table_file, page):
        for known in (str(tmp_path), str(Path.home()), str(SAMPLES.parent), sys.prefix):
            assert known not in path.read_text(encoding="utf-8")
    assert not re.search(r'"/|[ (]/\w+/', text)
    assert len(platform.node()) < 4 or platform.node() not in text


def test_bench_without_pictures_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--images", str(tmp_path)]) == 1
    assert "no pictures in this folder" in capsys.readouterr().err


@pytest.mark.stress
@pytest.mark.slow
def test_bench_measures_a_matrix_with_labels_and_load(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = tmp_path / "result.json"
    words = "--providers cpu,auto --precision auto,int8 --threads 1 --repeat 1 --minutes 0.01"
    files = ["--images", str(SAMPLE), "--labels", str(IMAGES / "Label.txt"), "--json", str(made)]
    assert main(["bench", *words.split(), *files]) == 0
    result = BenchResult.from_dict(json.loads(made.read_text(encoding="utf-8")))
    assert result.names == ["cpu auto", "cpu int8", "auto auto", "auto int8"]
    assert list(result.working) == ["cpu auto", "auto auto"]
    assert result.labels is not None and result.labels.pictures == 1
    loaded = [each for each in result.working.values() if each.sustained is not None]
    assert len(loaded) == 1 and result.minutes == 0.01
    assert "has a graph in int8" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ("--providers cpu,gpu", "unknown provider 'gpu'"),
        ("--precision fp32,fp8", "unknown precision 'fp8'; choose from auto, fp32, int8, fp16"),
        ("--threads 1,0", "must be a whole number from 1"),
        ("--minutes 0", "must be a number of minutes above 0"),
        ("--minutes nan", "must be a number of minutes above 0"),
        ("--fp16", "unrecognized arguments: --fp16"),
        (f"--bundle a b --expect-digest {'0' * 64}", "is the digest of a single bundle"),
    ],
)
def test_impossible_arguments_are_refused(
    words: str, complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["bench", *words.split()])
    assert ended.value.code == 2
    assert complaint in capsys.readouterr().err


def test_bench_protects_all_bundles_and_the_labels(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundles = [tmp_path / "a.edgeocr", tmp_path / "b.edgeocr"]
    labels = tmp_path / "Label.txt"
    for file in (*bundles, labels):
        file.write_bytes(b"")
    words = ["bench", "--bundle", *map(str, bundles), "--labels", str(labels), "--overwrite"]
    for output in (bundles[1], labels):
        assert main([*words, "--json", str(output)]) == 1
        assert output.name in capsys.readouterr().err


def test_bench_with_labels_of_other_pictures_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = tmp_path / "Label.txt"
    labels.write_text("other.jpg\t[]\n", encoding="utf-8")
    assert main(["bench", "--images", str(SAMPLE), "--labels", str(labels)]) == 1
    assert "has no labels of the pictures that are read" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["csv", "markdown", "html"])
def test_a_file_that_is_not_of_bench_is_refused_before_anything_is_measured(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = tmp_path / "kept"
    kept.write_text("my own notes")
    assert main(["bench", f"--{kind}", str(kept)]) == 1
    assert "nothing in it shows that edgeocr wrote it" in capsys.readouterr().err
    assert kept.read_text() == "my own notes"


def test_two_files_of_one_name_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = str(tmp_path / "one")
    with pytest.raises(SystemExit):
        main(["bench", "--csv", name, "--html", name])
    assert "--csv and --html name the same file" in capsys.readouterr().err
