"""Files with several pages or steps on the command line."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from edgeocr.cli.main import main
from edgeocr.images import load
from edgeocr.memory.limit import resident_bytes
from tests.support import framed, transparent
from tests.support.paths import IMAGES


@pytest.fixture(scope="module")
def file() -> framed.Framed:
    return framed.draw(11, "TIFF tiff_lzw", 3)


@pytest.fixture
def scan(file: framed.Framed, tmp_path: Path) -> Path:
    path = tmp_path / "scan.tif"
    path.write_bytes(file.content)
    return path


def test_all_pages_are_read_under_their_own_names(
    capsys: pytest.CaptureFixture[str], scan: Path, file: framed.Framed
) -> None:
    assert main(["read", str(scan)]) == 0
    captured = capsys.readouterr()
    assert captured.err == "", "nothing is left out, so nothing is warned of"
    parts = captured.out.split("==> ")[1:]
    assert [part.split(" <==\n")[0] for part in parts] == [f"{scan}#{i}" for i in (1, 2, 3)]
    for part, text in zip(parts, file.texts, strict=True):
        assert transparent.is_text(part.split(" <==\n")[1], text)


def test_json_is_a_list_with_a_record_for_each_page_and_failed_sources_between(
    capsys: pytest.CaptureFixture[str], scan: Path
) -> None:
    folder = scan.parent / "empty"
    folder.mkdir()
    sources = [folder, scan, "missing.tif", IMAGES / "badge.jpg", folder]
    assert main(["detect", *map(str, sources), "--format", "json"]) == 1
    records = json.loads(capsys.readouterr().out)
    names = [record["source"] for record in records]
    pages = [f"{scan}#{i}" for i in (1, 2, 3)]
    assert names == [str(folder), *pages, "missing.tif", str(IMAGES / "badge.jpg"), str(folder)]
    assert [record.get("frames") for record in records] == [None, 3, 3, 3, None, 1, None]
    assert main(["read", str(scan), "--format", "json"]) == 0
    assert [each["source"] for each in json.loads(capsys.readouterr().out)] == pages


def test_overlays_of_pages_do_not_overwrite_each_other(scan: Path, tmp_path: Path) -> None:
    single, folder = tmp_path / "scan-page-2.png", tmp_path / "drawn"
    single.write_bytes((IMAGES / "badge.jpg").read_bytes())
    arguments = ["detect", str(single), str(scan), "--overlay", str(folder)]
    assert main(arguments) == 0
    drawn = sorted(path.name for path in folder.iterdir())
    assert drawn == ["scan-page-1.jpg", "scan-page-2-2.jpg", "scan-page-2.jpg", "scan-page-3.jpg"]
    assert load(folder / "scan-page-2.jpg").shape == load(single).shape


def test_standard_input_may_have_pages(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, file: framed.Framed
) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(file.content)))
    assert main(["recognize", "-", "--format", "jsonl"]) == 0
    rows = [json.loads(row) for row in capsys.readouterr().out.splitlines()]
    assert [row["source"] for row in rows] == ["-#1", "-#2", "-#3"]


@pytest.mark.slow
def test_pages_are_read_within_a_memory_limit(
    capsys: pytest.CaptureFixture[str], scan: Path, file: framed.Framed
) -> None:
    # The limit counts what this process holds after the tests before this one.
    limit = f"{resident_bytes() // 10**6 + 600}MB"
    assert main(["read", str(scan), "--memory-limit", limit, "--format", "jsonl"]) == 0
    rows = [json.loads(row) for row in capsys.readouterr().out.splitlines()]
    texts = ["\n".join(line["text"] for line in row["lines"]) for row in rows]
    assert [transparent.is_text(*each) for each in zip(texts, file.texts, strict=True)] == 3 * [
        True
    ]


def test_help_says_what_becomes_of_pages_and_of_pdf_files(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        main(["read", "--help"])
    shown = " ".join(capsys.readouterr().out.split())
    assert "all pages of a TIFF or PDF file" in shown and "PDF files need the extra pdf" in shown


def test_folder_of_other_files_says_which_endings_it_has(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "a.PSD").write_bytes(b"8BPS" + bytes(40))
    assert main(["read", str(tmp_path)]) == 1
    assert "it has .psd: name such files" in capsys.readouterr().err
    assert main(["read", str(tmp_path / "a.PSD")]) == 1
    assert "a.PSD: this is a Photoshop document" in capsys.readouterr().err
