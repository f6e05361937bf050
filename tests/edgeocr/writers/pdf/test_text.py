"""The invisible text: what PDFium extracts, and that its boxes lie on the words."""

from __future__ import annotations

import numpy as np
import pytest

from edgeocr import OCR, Line
from edgeocr.images import load
from edgeocr.writers.divided import words_of
from tests.support.paths import IMAGES
from tests.support.pdf_pages import (
    boxes,
    line_of,
    page_of,
    pdf_of,
    rectangle,
    rendered,
    texts,
)

SIZE = (800, 600)
WHITE = np.full((SIZE[1], SIZE[0]), 255, np.uint8)


def pdf_with(*lines: Line, rotation: int = 0) -> bytes:
    return pdf_of((page_of(SIZE, lines, rotation), WHITE))


def box_of(quad: np.ndarray) -> np.ndarray:
    return np.concatenate([quad.min(axis=0), quad.max(axis=0)])


@pytest.mark.parametrize("degrees", [0, 3, 45, 90, 120, 180, -30, -90])
@pytest.mark.parametrize("text", ["Hello world 2031", "城市读书节", "小心轻放 FRAGILE"])
def test_text_of_any_angle_lies_on_its_words(text: str, degrees: int) -> None:
    line = line_of(text, rectangle(400, 300, 200, 24, degrees))
    content = pdf_with(line)
    # PDFium takes the words of a line that is upside down from left to right.
    found = texts(content)[0].split()
    assert found == text.split() if degrees != 180 else sorted(found) == sorted(text.split())
    for box, word in zip(boxes(content, SIZE), words_of(line), strict=True):
        assert box == pytest.approx(box_of(word.quad), abs=1)


def test_a_line_keeps_the_spaces_of_its_text_and_gets_no_others() -> None:
    line = line_of(
        "收件TO room 12",
        rectangle(50, 50, 400, 30),
        [
            ("收件", rectangle(50, 50, 80, 30)),
            ("TO", rectangle(150, 50, 60, 30)),  # a gap of 20 pixels without a space in the text
            ("room", rectangle(240, 50, 100, 30)),
            ("12", rectangle(342, 50, 40, 30)),  # and a space of two pixels
        ],
    )
    assert texts(pdf_with(line)) == ["收件TO room 12"]


def test_words_of_a_curved_line_lie_each_on_its_quad() -> None:
    words = [
        (f"word{i}", rectangle(100 + 110 * i, 200 + 12 * (i - 2) ** 2, 90, 24, 12 * (i - 2)))
        for i in range(5)
    ]
    line = line_of(" ".join(text for text, _ in words), rectangle(100, 180, 560, 80), words)
    content = pdf_with(line)
    assert texts(content)[0].split() == line.text.split()
    for found, (_, quad) in zip(boxes(content, SIZE), words, strict=True):
        assert found == pytest.approx(box_of(quad), abs=1)


def test_a_tall_line_runs_down() -> None:
    line = line_of("请勿停车 12", rectangle(300, 100, 40, 220))
    content = pdf_with(line)
    # PDFium also takes the words of a tall line for lines of their own.
    assert texts(content)[0].split() == line.text.split()
    chinese, number = boxes(content, SIZE)
    assert chinese == pytest.approx([300, 100, 340, 260], abs=1)
    assert number == pytest.approx([300, 280, 340, 320], abs=1)


def test_right_to_left_words_stand_where_they_are_drawn() -> None:
    line = line_of("שלום עולם 123 טוב", rectangle(100, 100, 340, 30))
    content = pdf_with(line)
    assert texts(content) == [line.text]
    lefts = [box[0] for box in boxes(content, SIZE)]
    assert lefts == pytest.approx([360, 260, 180, 100], abs=1)


def test_characters_beyond_the_basic_plane_and_combining_ones_are_kept() -> None:
    text = "𠮷野家 😀 e\u0301"
    assert texts(pdf_with(line_of(text, rectangle(50, 50, 400, 30)))) == [text]


def test_what_a_pdf_cannot_hold_is_left_out() -> None:
    text = "a\0b\x1bc\ud800d\uffff e"
    bell = line_of("\x07", rectangle(0, 0, 9, 9))
    content = pdf_with(line_of(text, rectangle(50, 50, 400, 30)), bell)
    assert texts(content) == ["abcd e"]


@pytest.mark.parametrize(
    "quad", [np.zeros((4, 2)), rectangle(5, 5, 0, 20), rectangle(5, 5, 50, 0)], ids=str
)
def test_a_quad_without_area_loses_no_text(quad: np.ndarray) -> None:
    assert texts(pdf_with(line_of("word", quad.astype(np.float32)))) == ["word"]


@pytest.mark.filterwarnings("ignore:invalid value")
@pytest.mark.parametrize("quad", [np.nan, np.inf, 1e30])
def test_a_quad_that_is_nowhere_is_left_out(quad: float) -> None:
    lost = line_of("lost", np.full((4, 2), quad, np.float32))
    assert texts(pdf_with(lost, line_of("here", rectangle(9, 9, 90, 20)))) == ["here"]


def test_the_text_is_not_seen() -> None:
    lines = [line_of("█ Hello 世界", rectangle(40, 40 * i, 600, 30)) for i in range(1, 12)]
    assert (rendered(pdf_with(*lines), SIZE) == 255).all()


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_a_turned_page_is_shown_upright_with_its_text_in_place(rotation: int) -> None:
    upright = np.full((SIZE[1], SIZE[0]), 255, np.uint8)
    upright[40:60, 100:400] = 0
    picture = np.ascontiguousarray(np.rot90(upright, rotation // 90))
    height, width = picture.shape
    corners = rectangle(100, 40, 300, 20)
    x, y = corners.T
    turned = {
        0: corners,
        90: np.stack([y, SIZE[0] - x], axis=1),
        180: np.array(SIZE, np.float32) - corners,
        270: np.stack([SIZE[1] - y, x], axis=1),
    }[rotation]
    content = pdf_of((page_of((width, height), [line_of("some words", turned)], rotation), picture))
    shown = rendered(content, SIZE)[..., 0]
    assert (np.abs(shown.astype(int) - upright) > 64).mean() < 0.005
    assert texts(content)[0].split() == ["some", "words"]
    first, last = boxes(content, (width, height))
    both = np.concatenate([np.minimum(first, last)[:2], np.maximum(first, last)[2:]])
    assert both == pytest.approx(box_of(turned), abs=1)


@pytest.mark.parametrize("name", ["sample.jpg", pytest.param("poster.jpg", marks=pytest.mark.slow)])
def test_boxes_lie_on_the_words_that_were_read(ocr: OCR, name: str) -> None:
    path = IMAGES / name
    page = ocr.read(path, words=True)
    words = [word for line in page.lines for word in line.words]
    assert len(words) > 10
    found = boxes(pdf_of((page, path)), (page.width, page.height))
    for box, word in zip(found, words, strict=True):
        # A word that touches the next one without a space reaches up to it.
        height = np.linalg.norm(word.quad[3] - word.quad[0])
        assert np.abs(box - box_of(word.quad)).max() < 0.5 * height
        assert np.median(np.abs(box - box_of(word.quad))) < 0.05 * height + 1


@pytest.mark.slow
def test_every_word_of_a_receipt_stands_on_ink(ocr: OCR) -> None:
    path = IMAGES / "receipt.jpg"
    page = ocr.read(path, words=True)
    grey = load(path).min(axis=2).astype(int)
    shares = []
    for left, top, right, bottom in boxes(pdf_of((page, path)), (page.width, page.height)):
        part = grey[int(top) : int(bottom) + 1, int(left) : int(right) + 1]
        dark = (part < part.max() - 60).any(axis=0)
        shares.append((np.flatnonzero(dark)[-1] - np.flatnonzero(dark)[0] + 1) / len(dark))
    assert len(shares) > 60
    assert np.median(shares) > 0.9 and np.quantile(shares, 0.02) > 0.6
