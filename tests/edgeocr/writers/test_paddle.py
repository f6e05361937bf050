"""Labels of PaddleOCR, read as PPOCRLabel reads them."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import numpy as np
import pytest

from edgeocr import Page
from edgeocr.accuracy import label_file
from edgeocr.writers import paddle
from tests.support import read_pages
from tests.support.read_pages import PAGES


def written(*pages: Page) -> str:
    stream = io.BytesIO()
    paddle.write(pages, stream)
    return stream.getvalue().decode("utf-8")


def opened_by_ppocrlabel(content: str) -> dict[str, list[dict[str, object]]]:
    """Do what PPOCRLabel 3.1 does with each row of a label file (`loadLabelFile`).

    It splits the row at its tab, makes Python's constants of those of JSON, wherever they are, and
    evaluates the rest as Python.
    """
    found = {}
    for row in io.StringIO(content):
        name, label = row.split("\t")
        for theirs, python in (("false", "False"), ("true", "True"), ("null", "None")):
            label = label.replace(theirs, python)
        found[name] = eval(label)
    return found


@pytest.mark.parametrize("name", PAGES)
def test_ppocrlabel_reads_every_page(name: str) -> None:
    page = PAGES[name]()
    read = opened_by_ppocrlabel(written(page))[paddle.name_of(page.source)]
    assert [label["transcription"] for label in read] == page.texts
    for label, line in zip(read, page.lines, strict=True):
        assert label["difficult"] is False
        outline = line.quad if line.polygon is None else line.polygon
        expected = np.round(np.nan_to_num(outline))
        np.testing.assert_array_equal(label["points"], expected)
    assert [
        each["transcription"] for each in json.loads(written(page).split("\t")[1])
    ] == page.texts


def test_picture_is_named_by_its_folder_and_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert paddle.name_of("/data/photos/a b.jpg") == "photos/a b.jpg"
    assert paddle.name_of("photos/../other/a.jpg") == "other/a.jpg"
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    assert paddle.name_of("a.jpg") == "here/a.jpg"
    # One odd name must not keep PPOCRLabel from opening the file.
    page = read_pages.page_of(read_pages.plain().lines, source="odd/a\tb\nc.jpg")
    assert list(opened_by_ppocrlabel(written(page))) == [r"odd/a\tb\nc.jpg"]


@pytest.mark.skipif(os.name == "nt", reason="needs names of files that Windows does not allow")
def test_name_that_is_not_utf_8_is_written_as_in_every_output() -> None:
    assert written(read_pages.page_of(source="odd/\udcff.jpg")) == "odd/\\udcff.jpg\t[]\n"


def test_our_reader_of_labels_reads_them_back(tmp_path: Path) -> None:
    folder = tmp_path / "scans"
    folder.mkdir()
    pages = [
        read_pages.page_of(read_pages.plain().lines, source=str(folder / name)) for name in "ab"
    ]
    for page in pages:
        Path(page.source).touch()
    (folder / "Label.txt").write_text(written(*pages), encoding="utf-8")
    read = label_file.labels_of(folder / "Label.txt")
    assert list(read) == [folder / "a", folder / "b"]
    for page in pages:
        found = read[Path(page.source)]
        assert [each.text for each in found] == page.texts
        for each, line in zip(found, page.lines, strict=True):
            np.testing.assert_array_equal(each.polygon, line.quad)


def test_labels_are_never_ours() -> None:
    # PPOCRLabel writes the labels that a person has corrected in the same way.
    assert not paddle.is_ours(written(read_pages.plain()).encode())
