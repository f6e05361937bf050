"""Searchable PDFs in the hands of other programs: pdftotext (of poppler) and qpdf."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

from edgeocr import OCR, Page
from edgeocr.images import load
from tests.support.paths import IMAGES
from tests.support.pdf_pages import line_of, page_of, pdf_of, rectangle

pytestmark = pytest.mark.documents

WORD = re.compile(r'<word xMin="(.+?)" yMin="(.+?)" xMax="(.+?)" yMax="(.+?)">(.*?)</word>')


def pdftotext(path: Path, *options: str) -> str:
    command = ["pdftotext", *options, str(path), "-"]
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    assert done.stderr == ""
    return done.stdout


def written(folder: Path, content: bytes) -> Path:
    """Write a PDF, and have qpdf look for faults in it."""
    path = folder / "out.pdf"
    path.write_bytes(content)
    done = subprocess.run(["qpdf", "--check", str(path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return path


@pytest.mark.parametrize("name", ["sample.jpg", "receipt.jpg", "poster.jpg", "badge.jpg"])
@pytest.mark.parametrize("words", [True, False])
@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_pdftotext_gives_the_lines_in_reading_order(
    ocr: OCR, tmp_path: Path, name: str, words: bool, turns: int
) -> None:
    picture = np.ascontiguousarray(np.rot90(load(IMAGES / name), turns))
    page = ocr.read(picture, words=words)
    path = written(tmp_path, pdf_of((page, picture)))
    assert pdftotext(path, "-raw").split() == page.text.split() != []


def test_pdftotext_gives_one_column_in_reading_order_without_options(tmp_path: Path) -> None:
    rows = ["A heading", "欢迎光临 NOODLE ROOM", "two words", "营业时间 09:00"]
    lines = [
        line_of(row, rectangle(80, 80 + 60 * i, 14 * len(row), 30)) for i, row in enumerate(rows)
    ]
    path = written(tmp_path, pdf_of((page_of((600, 400), lines), np.zeros((400, 600), np.uint8))))
    assert pdftotext(path).split("\n")[: len(rows)] == rows


def test_boxes_of_pdftotext_lie_on_the_words(ocr: OCR, tmp_path: Path) -> None:
    path = IMAGES / "receipt.jpg"
    page = ocr.read(path, words=True)
    found = WORD.findall(pdftotext(written(tmp_path, pdf_of((page, path))), "-bbox"))
    pixels_per_point = 150 / 72
    boxes = [np.array(list(map(float, each[:4]))) * pixels_per_point for each in found]
    expected: dict[str, list[np.ndarray]] = {}
    for line in page.lines:
        for word in line.words:
            box = np.concatenate([word.quad.min(axis=0), word.quad.max(axis=0)])
            expected.setdefault(word.text, []).append(box)
    # Words that no space separates are one word to pdftotext.
    compared = [
        (box, expected[text])
        for box, (*_, text) in zip(boxes, found, strict=True)
        if text in expected
    ]
    assert len(compared) > 50
    for box, candidates in compared:
        nearest = min(np.abs(box - each).max() for each in candidates)
        assert nearest < 0.15 * (box[3] - box[1]) + 1


def page_with(text: str, degrees: float = 0) -> Page:
    return page_of((800, 800), [line_of(text, rectangle(400, 400, 300, 24, degrees))])


@pytest.mark.parametrize("degrees", [0, 45, 90, 135, 180, 270])
@pytest.mark.parametrize("text", ["Hello world 2031", "小心轻放 FRAGILE", "𠮷野家 e\u0301"])
def test_pdftotext_reads_lines_of_any_angle(tmp_path: Path, degrees: int, text: str) -> None:
    content = pdf_of((page_with(text, degrees), np.zeros((800, 800), np.uint8)))
    found = pdftotext(written(tmp_path, content), "-raw")
    if degrees % 180 == 0:
        assert found.split() == text.split()
    else:  # pdftotext ends a line behind each character where the text runs up or down
        assert "".join(found.split()) == "".join(text.split())


def test_pdftotext_turns_right_to_left_words_into_logical_order(tmp_path: Path) -> None:
    content = pdf_of((page_with("שלום עולם טוב"), np.zeros((800, 800), np.uint8)))
    found = pdftotext(written(tmp_path, content))
    # pdftotext marks the direction with control characters.
    assert re.sub("[\u202a-\u202e]", "", found).split() == ["שלום", "עולם", "טוב"]
