"""Pages of PDF files keep what they have, and get the text that they lack."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pikepdf
import pytest

from edgeocr import OCR
from edgeocr.images import load
from edgeocr.stages.frames import frames_of
from edgeocr.writers import pdf
from tests.support import pdfs
from tests.support.paths import IMAGES
from tests.support.pdf_pages import (
    line_of,
    opened,
    page_of,
    pdf_of,
    rectangle,
    rendered,
    texts,
)

# Pixels of a page of A4 at 200 dpi.
SIZE = (1653, 2339)
FILLED = b"0 0 1 rg 72 600 200 30 re f\n"


def test_a_page_is_kept_and_gets_text() -> None:
    original = pdfs.document([pdfs.PdfPage(FILLED)])
    page = page_of(SIZE, [line_of("new words", rectangle(200, 600, 555, 83))])
    content = pdf_of((page, original))
    assert texts(content) == ["new words"]
    assert np.array_equal(rendered(content, (595, 842)), rendered(original, (595, 842)))
    assert b"/Image" not in content and pdf.is_ours(content)
    assert pdf_of((page, original)) == content


def test_a_page_that_comes_twice_is_the_same_both_times() -> None:
    original = pdfs.document([pdfs.PdfPage(FILLED)])
    page = page_of(SIZE, [line_of("text", rectangle(200, 600, 555, 83))], rotation=180)
    content = pdf_of((page, original), (page, original))
    assert texts(content) == ["text", "text"]
    with opened(content) as document:
        assert [each.get_rotation() for each in document] == [180, 180]


def test_words_that_the_page_has_are_not_added_again() -> None:
    original = pdfs.document([pdfs.PdfPage(pdfs.text("Hello there", 72, 700, 24))])
    # Where the text of the file stands, at 200 dpi: x from 200, and the baseline at 394.
    known = line_of("Hello there", rectangle(200, 340, 330, 70))
    page = page_of(SIZE, [known, line_of("and more", rectangle(200, 800, 400, 60))])
    assert texts(pdf_of((page, original)))[0].split() == ["Hello", "there", "and", "more"]
    assert texts(pdf_of((page_of(SIZE, [known]), original))) == texts(original)


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_text_lands_on_turned_and_cropped_pages(rotation: int) -> None:
    """Text that covers a filled rectangle as it is shown covers it in the file, too."""
    boxes = b"/CropBox[50 500 450 750]/Rotate %d" % rotation
    original = pdfs.document([pdfs.PdfPage(FILLED, more=boxes)])
    shown = load(original)
    rows, columns = np.nonzero((shown == (255, 0, 0)).all(axis=2))
    left, top = columns.min(), rows.min()
    width, height = columns.max() + 1 - left, rows.max() + 1 - top
    quad = rectangle(left, top, width, height)
    if rotation in (90, 270):  # the text of a tall line runs down
        quad = np.roll(quad, -1, axis=0)
    line = line_of("x", quad, [("x", quad)])
    page = page_of((shown.shape[1], shown.shape[0]), [line])
    content = pdf_of((page, original))
    with opened(content) as document:
        text = document[0].get_textpage()
        assert text.get_charbox(0) == pytest.approx((72, 600, 272, 630), abs=0.6)


def test_a_page_that_lies_on_its_side_is_shown_upright() -> None:
    original = pdfs.document([pdfs.PdfPage(FILLED, more=b"/Rotate 270")])
    content = pdf_of((page_of(SIZE[::-1], [], rotation=180), original))
    with opened(content) as document:
        assert document[0].get_rotation() == 90


def test_pages_of_several_files_and_pictures_become_one_document(tmp_path: Path) -> None:
    path = tmp_path / "two.pdf"
    path.write_bytes(pdfs.document([pdfs.PdfPage(pdfs.text(each)) for each in ("one", "two")]))
    frames = [*frames_of(path), np.full((20, 30), 9, np.uint8), next(iter(frames_of(path)))]
    content = pdf_of(*((page_of(SIZE), frame) for frame in frames))
    assert texts(content) == ["one", "two", "", "one"]


def test_a_page_is_found_by_the_name_of_its_result(tmp_path: Path) -> None:
    path = tmp_path / "two.pdf"
    path.write_bytes(pdfs.document([pdfs.PdfPage(pdfs.text(each)) for each in ("one", "two")]))
    page = page_of(SIZE)
    stream = io.BytesIO()
    names = [f"{path}#2", str(path)]
    pdf.write([type(page)(name, *SIZE, ()) for name in names], stream)
    assert texts(stream.getvalue()) == ["two", "one"]


def test_an_encrypted_file_is_kept_with_its_password(tmp_path: Path) -> None:
    path = tmp_path / "locked.pdf"
    with pikepdf.open(io.BytesIO(pdfs.document([pdfs.PdfPage(pdfs.text("secret"))]))) as document:
        document.save(path, encryption=pikepdf.Encryption(user="word", owner="word"))
    (frame,) = frames_of(path, password="word")
    assert texts(pdf_of((page_of(SIZE), frame))) == ["secret"]


def test_what_pikepdf_cannot_open_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    original = pdfs.document([pdfs.PdfPage(FILLED)])

    def fail(*args: object, **options: object) -> None:
        raise pikepdf.PdfError("damaged")

    monkeypatch.setattr(pikepdf.Pdf, "open", fail)
    content = pdf_of((page_of(SIZE, [line_of("words", rectangle(100, 100, 200, 40))]), original))
    monkeypatch.undo()
    assert texts(content) == ["words"]
    with opened(content) as document:
        assert document[0].get_size() == pytest.approx((595, 842), abs=0.5)


def test_the_own_resources_of_a_page_stay(tmp_path: Path) -> None:
    """Two pages share their resources, and are written twice in a row."""
    page = page_of(SIZE, [line_of("more", rectangle(200, 800, 400, 60))])
    content = pdfs.document([pdfs.PdfPage(pdfs.text("own"))] * 2)
    for _ in range(2):
        path = tmp_path / "in.pdf"
        path.write_bytes(content)
        content = pdf_of(*((page, frame) for frame in frames_of(path)))
    assert [each.split() for each in texts(content)] == [["own", "more"]] * 2


@pytest.mark.slow
def test_a_scan_in_a_pdf_file_becomes_searchable(ocr: OCR, tmp_path: Path) -> None:
    picture = IMAGES / "badge.jpg"
    path = tmp_path / "scan.pdf"
    path.write_bytes(pdf_of((page_of((720, 640)), picture)))
    (frame,) = frames_of(path)
    page = ocr.read(frame, words=True)
    content = pdf_of((page, frame))
    assert texts(content)[0].split() == page.text.split() != []
    assert picture.read_bytes() in content
