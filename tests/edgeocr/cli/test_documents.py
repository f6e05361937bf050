"""PDF files, chosen pages and folders on the command line."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from edgeocr.cli.main import main
from edgeocr.cli.sources import expand
from tests.support import framed, pdfs
from tests.support.paths import FIXTURES, IMAGES
from tests.support.pdfs import PdfPage, text

ENCRYPTED = FIXTURES / "documents" / "encrypted.pdf"
Rows = Callable[..., tuple[int, list[dict[str, Any]], str]]


@pytest.fixture
def rows(capsys: pytest.CaptureFixture[str]) -> Rows:
    """Run a command with JSON lines; return its code, its records and standard error."""

    def command(*arguments: str | Path) -> tuple[int, list[dict[str, Any]], str]:
        code = main([*map(str, arguments), "--format", "jsonl"])
        captured = capsys.readouterr()
        return code, [json.loads(row) for row in captured.out.splitlines()], captured.err

    return command


@pytest.fixture
def pdf(tmp_path: Path) -> Path:
    path = tmp_path / "three.pdf"
    pages = [PdfPage(text(f"PAGE {i}{i}", 10, 12, 22), (0, 0, 160, 40)) for i in (1, 2, 3)]
    path.write_bytes(pdfs.document(pages))
    return path


def texts(records: list[dict[str, Any]]) -> list[str]:
    return ["\n".join(line["text"] for line in record["lines"]) for record in records]


def test_pages_of_a_pdf_file_are_read_under_their_names(rows: Rows, pdf: Path) -> None:
    code, records, err = rows("read", pdf, "--pages", "2-", "--dpi", "150")
    assert (code, err) == (0, "")
    assert [record["source"] for record in records] == [f"{pdf}#2", f"{pdf}#3"]
    assert texts(records) == ["PAGE 22", "PAGE 33"]
    assert {(record["width"], record["height"]) for record in records} == {(333, 83)}
    code, records, _ = rows("detect", pdf, "--pages", "1")
    assert code == 0 and len(records[0]["regions"]) == 1


def test_pages_of_every_file_are_chosen_and_those_that_lack_them_fail(
    rows: Rows, pdf: Path, tmp_path: Path
) -> None:
    pages = framed.encode([Image.new("L", (40, 30), grey) for grey in (10, 90)], "TIFF raw")
    for name, content in (("two.tif", pages), ("moving.webp", b"")):
        content = content or framed.encode(
            [Image.new("L", (40, 30), grey) for grey in (10, 90, 200)], "WEBP lossless"
        )
        (tmp_path / name).write_bytes(content)
    sources = [tmp_path / "two.tif", pdf, tmp_path / "moving.webp", IMAGES / "badge.jpg"]
    code, records, err = rows("read", *sources, "--pages", "2,3")
    assert code == 1
    names = [record["source"].removeprefix(f"{tmp_path}/") for record in records]
    badge = str(IMAGES / "badge.jpg")
    assert names == [
        *("two.tif#2", "two.tif", "three.pdf#2", "three.pdf#3"),
        *("moving.webp#2", "moving.webp#3", badge),
    ]
    failed = {record["source"]: record["error"] for record in records if "error" in record}
    assert failed[str(sources[0])].endswith("it has 2 pages, but not the wanted pages 3")
    assert failed[badge].endswith("it has 1 page, but not the wanted pages 2-3")
    assert err.splitlines()[-3:] == ["edgeocr: 2 of 7 failed:", f"  {sources[0]}", f"  {badge}"]


@pytest.mark.parametrize(
    "option", [("--pages", "0"), ("--pages", "a"), ("--dpi", "0"), ("--dpi", "x")]
)
def test_wrong_pages_and_resolutions_are_wrong_arguments(
    capsys: pytest.CaptureFixture[str], option: tuple[str, str], pdf: Path
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["read", str(pdf), *option])
    assert caught.value.code == 2 and f"argument {option[0]}" in capsys.readouterr().err


def test_text_layer_is_taken_when_asked_for(rows: Rows, pdf: Path) -> None:
    for use, taken in (("never", False), ("auto", True), ("only", True)):
        _, records, _ = rows("read", pdf, "--pages", "1", "--pdf-text", use, "--words")
        assert texts(records) == ["PAGE 11"]
        assert (records[0]["providers"] == {"pdf": "text layer"}) == taken
        assert [word["text"] for word in records[0]["lines"][0]["words"]] == ["PAGE", "11"]
    with pytest.raises(SystemExit):
        rows("detect", pdf, "--pdf-text", "auto")


def test_password_comes_from_the_environment(rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    code, records, err = rows("read", ENCRYPTED)
    assert code == 1 and "EDGEOCR_PDF_PASSWORD" in err and "encrypted" in records[0]["error"]
    monkeypatch.setenv("EDGEOCR_PDF_PASSWORD", "guess")
    assert "does not open it" in rows("read", ENCRYPTED)[2]
    monkeypatch.setenv("EDGEOCR_PDF_PASSWORD", "letmein")
    code, records, _ = rows("read", ENCRYPTED)
    assert code == 0 and texts(records) == ["SECRET 7"]


def test_pdf_files_of_a_folder_fail_alone_without_their_package(
    rows: Rows, pdf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(IMAGES / "badge.jpg", pdf.parent)
    for name in ("pypdfium2", "pypdfium2.raw"):
        monkeypatch.setitem(sys.modules, name, None)
    code, records, _ = rows("detect", pdf.parent)
    assert code == 1 and len(records[0]["regions"]) == 2
    assert 'pip install "edgeocr[pdf]"' in records[1]["error"]


def test_overlays_of_pdf_pages_have_their_numbers(pdf: Path, tmp_path: Path) -> None:
    assert main(["detect", str(pdf), "--overlay", str(tmp_path / "drawn"), "--pages", "2,3"]) == 0
    drawn = sorted(path.name for path in (tmp_path / "drawn").iterdir())
    assert drawn == ["three-page-2.jpg", "three-page-3.jpg"]


def test_broken_file_leaves_what_was_read_before_it_whole(rows: Rows, pdf: Path) -> None:
    broken = pdf.with_name("broken.pdf")
    broken.write_bytes(pdf.read_bytes()[:200])
    empty = pdf.with_name("empty.pdf")
    empty.write_bytes(pdfs.document([]))
    output = pdf.with_name("out.jsonl")
    code, _, err = rows("read", pdf, broken, empty, "--output", output)
    records = [json.loads(row) for row in output.read_text("utf-8").splitlines()]
    assert code == 1 and texts(records[:3]) == ["PAGE 11", "PAGE 22", "PAGE 33"]
    assert [record["source"] for record in records[3:]] == [str(broken), str(empty)]
    assert "damaged or cut short" in err and "has no pages" in err


def test_folders_in_folders_are_read_in_order_without_links_and_hidden_ones(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = ["b.jpg", "a/z.png", "a/c/1.pdf", "a/c/2.tif", "a/.git/x.jpg", "d/n.txt", "B/y.HEIC"]
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "a/c/loop").symlink_to(tmp_path / "a")
    (tmp_path / "a/again").symlink_to(tmp_path / "d")
    names = [
        os.path.relpath(each.name, tmp_path) for each in expand([str(tmp_path)], recursive=True)
    ]
    assert names == ["b.jpg", "B/y.HEIC", "a/z.png", "a/c/1.pdf", "a/c/2.tif"]
    assert [each.name for each in expand([str(tmp_path)])] == [str(tmp_path / "b.jpg")]
    # A folder that is named is followed, whatever it is.
    (link := tmp_path / "link").symlink_to(tmp_path / "a/c")
    assert len(list(expand([str(link)], recursive=True))) == 2
    (nothing,) = expand([str(tmp_path / "d")], recursive=True)
    assert nothing.error is not None and "no pictures in this folder or below it" in str(
        nothing.error
    )
    assert main(["detect", str(tmp_path / "d"), "--recursive"]) == 1
    assert "it has .txt" in capsys.readouterr().err
