"""The text that PDF pages hold: its places, its order, and when it is taken."""

from __future__ import annotations

import math
import subprocess
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeocr import OCR, DocumentError, Page, frames_of
from edgeocr.documents import text_layer
from edgeocr.images import Frame, load
from tests.support import pdfs
from tests.support.pdfs import PdfPage, text

SMALL = (0.0, 0.0, 300.0, 120.0)
COS, SIN = math.cos(math.radians(20)), math.sin(math.radians(20))
TURNS = {0: (1, 0, 0, 1), 90: (0, -1, 1, 0), 180: (-1, 0, 0, -1), 270: (0, 1, -1, 0)}
HEBREW = "שלום עולם"


def passed(ocr: OCR, content: bytes, *, words: bool = False, characters: bool = False) -> Page:
    (frame,) = frames_of(content, pdf_text="only")
    page = ocr.read(frame, words=words, characters=characters)
    assert page.providers == {"pdf": "text layer"}
    return page


def doubt(content: bytes) -> str | None:
    (frame,) = frames_of(content, pdf_text="auto")
    assert isinstance(frame, Frame)
    return text_layer.read(frame.held).doubt


def share_of_ink(image: np.ndarray, quads: Sequence[np.ndarray]) -> tuple[float, float]:
    """Return which share of the ink the quads hold, and the ink of the emptiest quad."""
    ink = image[..., 0] < 128
    covered = np.zeros(ink.shape, np.uint8)
    least = 1.0
    for quad in quads:
        one = np.zeros(ink.shape, np.uint8)
        cv2.fillPoly(one, [np.round(quad).astype(np.int32)], 1)
        covered |= one
        least = min(least, float(ink[one > 0].mean()))
    return float(covered[ink].mean()), least


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
@pytest.mark.parametrize("turn", [*TURNS.values(), (COS, SIN, -SIN, COS)])
def test_lines_words_and_characters_lie_on_their_ink(
    ocr: OCR, turn: tuple[float, float, float, float], rotate: int
) -> None:
    drawn = text("Gy (Hm) 47", 200, 200, 30, turn=turn)
    content = pdfs.document([PdfPage(drawn, (0, 0, 400, 400), b"/Rotate %d" % rotate)])
    page = passed(ocr, content, characters=True)
    (line,) = page
    assert line.text == "Gy (Hm) 47" and line.score == 1.0
    assert [word.text for word in line.words] == ["Gy", "(Hm)", "47"]
    assert "".join(each.text for each in line.characters) == "Gy(Hm)47"
    image = load(content)
    assert (page.width, page.height) == image.shape[1::-1]
    for parts, inside in (([line], 0.995), (line.words, 0.99), (line.characters, 0.9)):
        held, least = share_of_ink(image, [part.quad for part in parts])
        assert held >= inside and least > 0.05
    # The first side of each quad runs along the text, so a word is longer than it is high.
    side, height = (np.linalg.norm(line.quad[i + 1] - line.quad[i]) for i in (0, 1))
    assert side > 3 * height or turn != TURNS[0]


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
def test_turned_page_is_read_as_its_picture_is(ocr: OCR, rotate: int) -> None:
    rows = [("Date of issue", "4711"), ("Total amount", "9023"), ("Customer", "3355")]
    drawn = b"".join(
        text(word, 20 + 180 * i, 90 - 30 * j, 16)
        for j, row in enumerate(rows)
        for i, word in enumerate(row)
    )
    content = pdfs.document([PdfPage(drawn, SMALL, b"/Rotate %d" % rotate)])
    taken, seen = passed(ocr, content), ocr.read(content)
    assert taken.texts == [word for row in rows for word in row]
    assert (taken.texts, taken.rotation) == (seen.texts, seen.rotation)
    # Both begin at the same corner; the detector's regions have a margin of a third of a line.
    assert np.abs(taken.boxes - seen.boxes).max() < 20
    assert [len(block.lines) for block in taken.blocks] == [len(b.lines) for b in seen.blocks]


def test_cells_are_lines_of_their_own(ocr: OCR) -> None:
    drawn = text("left", 20, 60, 12) + text("right", 120, 60, 12) + text("near", 148, 60, 12)
    assert passed(ocr, pdfs.document([PdfPage(drawn, SMALL)])).texts == ["left", "right near"]


def test_chinese_words_end_where_the_script_changes(ocr: OCR) -> None:
    codes = "你好，世界AB 第一课".encode("utf-16-be").hex()
    page = PdfPage(text(codes, 20, 60, 16, font="G"), SMALL, fonts=b"/G 4 0 R")
    (line,) = passed(ocr, pdfs.document([page], pdfs.chinese()), words=True)
    assert line.text == "你好，世界AB 第一课"
    assert [word.text for word in line.words][-2:] == ["AB", "第一课"]
    assert len(line.characters) == 10, "lines with Chinese get them with their words"


def test_vertical_chinese_is_read_column_by_column_from_the_right(ocr: OCR) -> None:
    columns = ("你好世界第一课", "左边的字")
    drawn = b"".join(
        text(column.encode("utf-16-be").hex(), 300 - 60 * i, 350, 24, font="G")
        for i, column in enumerate(columns)
    )
    page = PdfPage(drawn, (0, 0, 400, 400), fonts=b"/G 4 0 R")
    taken = passed(ocr, pdfs.document([page], pdfs.chinese("V")))
    assert tuple(taken.texts) == columns and taken.rotation == 0
    heights, widths = np.ptp(taken.boxes, axis=1)[:, ::-1].T
    assert (heights > 3 * widths).all()


def test_hebrew_is_in_the_order_of_reading(ocr: OCR) -> None:
    letters = "".join(dict.fromkeys(HEBREW.replace(" ", "")))
    # A PDF file draws from left to right, so the last letter comes first.
    codes = "".join("20" if c == " " else f"{0x41 + letters.index(c):02x}" for c in HEBREW[::-1])
    page = PdfPage(text(codes, 20, 60, 24, font="G"), SMALL, fonts=b"/G 4 0 R")
    (line,) = passed(ocr, pdfs.document([page], pdfs.renamed(letters)), words=True)
    assert line.text == HEBREW
    first, second = line.words
    assert (first.text, second.text) == tuple(HEBREW.split())
    assert first.quad[:, 0].min() > second.quad[:, 0].max(), "the first word is at the right"


def test_page_restores_from_its_record(ocr: OCR) -> None:
    page = passed(ocr, pdfs.document([PdfPage(text("Kept 1", 20, 60), SMALL)]), words=True)
    again = Page.from_dict(page.to_dict())
    assert again.providers == {"pdf": "text layer"} and again.texts == ["Kept 1"]
    assert again[0].words[0].text == "Kept" and len(again.blocks) == 1


def test_page_without_text_is_empty_or_recognized(ocr: OCR) -> None:
    blank = pdfs.document([PdfPage(box=SMALL)])
    assert len(passed(ocr, blank)) == 0
    assert doubt(blank) == "it has no text"
    (frame,) = frames_of(blank, pdf_text="auto")
    assert "detection" in ocr.read(frame).providers


def test_text_is_not_taken_unless_that_is_asked_for(ocr: OCR) -> None:
    content = pdfs.document([PdfPage(text("Seen 12", 20, 60), SMALL)])
    found = [ocr.read(next(frames_of(content, pdf_text=use))) for use in ("never", "auto", "only")]
    assert [page.text for page in found] == 3 * ["Seen 12"]
    assert ["pdf" in page.providers for page in found] == [False, True, True]
    assert "pdf" not in ocr.read(content).providers


PICTURE = b"/Type/XObject/Subtype/Image/Width 1/Height 1/BitsPerComponent 8/ColorSpace/DeviceGray"
FORM = b"/Type/XObject/Subtype/Form/BBox[0 0 1 1]/Resources<</XObject<</I 5 0 R>>>>"
WORDS = text("Words to take", 20, 60)
BIG, LITTLE = b"q 200 0 0 100 20 10 cm /%s Do Q ", b"q 30 0 0 30 260 80 cm /%s Do Q "
DOUBTS = {
    "nothing": (WORDS, None),
    "invisible": (text("Words to take", 20, 60, mode=3), "its text is invisible"),
    "partly invisible": (WORDS + text("more of it", 20, 20, mode=3), "its text is invisible"),
    "a scan": (BIG % b"I" + WORDS, "pictures cover a part"),
    "a scan in a form": (BIG % b"X" + WORDS, "pictures cover a part"),
    "a logo": (LITTLE % b"I" + WORDS, None),
}


@pytest.mark.parametrize(("content", "reason"), DOUBTS.values(), ids=DOUBTS)
def test_text_is_doubted_where_it_may_not_be_all(content: bytes, reason: str | None) -> None:
    more = [pdfs.stream(b"/I Do", FORM), pdfs.stream(b"\x80", PICTURE)]
    page = PdfPage(content, SMALL, resources=b"/XObject<</X 4 0 R/I 5 0 R>>")
    found = doubt(pdfs.document([page], more))
    assert found == reason or (reason is not None and str(found).startswith(reason))


@pytest.mark.parametrize("meanings", ["\ue000\ue001\ue002", "\ufffd\ufffd\ufffd", "\x01\x03\x04"])
def test_text_without_meaning_is_doubted(ocr: OCR, meanings: str) -> None:
    page = PdfPage(text("414243414243", 20, 60, font="G"), SMALL, fonts=b"/G 4 0 R")
    content = pdfs.document([page], pdfs.renamed(meanings))
    assert doubt(content) is not None
    assert passed(ocr, content).text.isprintable() or "\ue000" in meanings
    assert doubt(pdfs.document([page], pdfs.renamed("xyz"))) is None


def test_annotations_are_doubted_and_links_are_not() -> None:
    link = b"<</Type/Annot/Subtype/Link/Rect[5 5 155 35]/Border[0 0 0]>>"
    note = b"<</Type/Annot/Subtype/FreeText/Rect[5 5 155 35]/Contents(hand)/DA(/F 9 Tf)>>"
    for annotation, doubted in ((link, False), (note, True)):
        page = PdfPage(WORDS, SMALL, b"/Annots[4 0 R]")
        assert (doubt(pdfs.document([page], [annotation])) is not None) == doubted


def test_characters_outside_the_page_are_left_out(ocr: OCR) -> None:
    drawn = WORDS + text("beyond", 20, 400) + text("beside", -300, 60)
    assert passed(ocr, pdfs.document([PdfPage(drawn, SMALL)])).texts == ["Words to take"]


def test_too_many_characters_are_refused(ocr: OCR, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_layer, "MOST_CHARACTERS", 5)
    (frame,) = frames_of(pdfs.document([PdfPage(WORDS, SMALL)]), pdf_text="only")
    with pytest.raises(DocumentError, match="<bytes>: the page has more than 5 characters"):
        ocr.read(frame)


@pytest.mark.documents
def test_text_is_the_one_that_poppler_extracts(ocr: OCR, tmp_path: Path) -> None:
    rows = [f"Row {i}: the quick (brown) fox, {i * 37} of {i * i}" for i in range(1, 30)]
    drawn = b"".join(text(row, 60, 800 - 24 * i, 11) for i, row in enumerate(rows))
    path = tmp_path / "a.pdf"
    path.write_bytes(pdfs.document([PdfPage(drawn)]))
    done = subprocess.run(["pdftotext", path, "-"], capture_output=True, text=True, check=True)
    assert passed(ocr, path.read_bytes()).texts == done.stdout.split("\n")[:29] == rows
