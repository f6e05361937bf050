"""Regions that run over two columns become two lines, each in its place."""

from __future__ import annotations

from random import Random

import cv2
import numpy as np
import pytest

from benchmarks.number_columns import draw_table
from edgeocr import OCR, Bundle
from edgeocr.crops import crop_region
from edgeocr.postprocess.geometry import Float32, enclosing
from edgeocr.recognize import Recognizer
from edgeocr.results.lines import Reading, Region
from edgeocr.stages.parts import parts_of
from tests.support import drawn_words
from tests.support.quads import level

LINE = "Please keep it        this receipt"
LEFT, RIGHT = "Please keep it", "this receipt"


def recognized(ocr: OCR, picture: np.ndarray, region: Region) -> list[tuple[Region, Reading]]:
    """Read a region, upside down if it reads better so, and return its parts."""
    recognizer = ocr.stages["recognition"]
    assert isinstance(recognizer, Recognizer)
    crop = crop_region(np.ascontiguousarray(picture), region)
    crops = [crop, crop.turned(180)]
    readings = recognizer.recognize(crops, cut=True)
    best = max((0, 1), key=lambda i: readings[i].score)
    return [(place, read) for place, _, read in parts_of(region, crops[best], readings[best])]


def holds(outline: Float32, point: Float32) -> bool:
    return cv2.pointPolygonTest(outline, point.tolist(), False) > 0


def assert_in_place(parts: list[tuple[Region, Reading]], drawn: drawn_words.Drawn) -> None:
    assert [reading.text for _, reading in parts] == [LEFT, RIGHT]
    for word in drawn.words:
        middle = word.quad.mean(axis=0)
        found = [
            holds(place.quad if place.polygon is None else place.polygon, middle)
            for place, _ in parts
        ]
        assert found == [word.text in LEFT, word.text in RIGHT], word.text


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_parts_of_a_line_are_where_they_are_in_the_picture(ocr: OCR, quarters: int) -> None:
    drawn = drawn_words.draw([LINE], drawn_words.face(28), margin=8).turned(quarters)
    height, width = drawn.picture.shape[:2]
    parts = recognized(ocr, drawn.picture, Region(level(0, 0, width, height), 0.9))
    assert_in_place(parts, drawn)
    for place, _ in parts:
        assert place.polygon is None and place.score == 0.9
        # The corners begin at the same one as the region's.
        assert (place.quad[0] == place.quad.min(axis=0)).all()
        assert (place.quad[2] == place.quad.max(axis=0)).all()


def test_parts_of_a_curved_line_follow_the_curve(ocr: OCR) -> None:
    straight = drawn_words.draw([LINE], drawn_words.face(28), margin=8)
    drawn, outline = drawn_words.bent(straight, 320, 0)
    parts = recognized(ocr, drawn.picture, Region(enclosing([outline])[0], 0.9, outline))
    assert_in_place(parts, drawn)


def test_line_without_wide_gaps_is_one_part(ocr: OCR) -> None:
    drawn = drawn_words.draw([LEFT], drawn_words.face(28), margin=8)
    height, width = drawn.picture.shape[:2]
    region = Region(level(0, 0, width, height), 0.9)
    ((place, reading),) = recognized(ocr, drawn.picture, region)
    assert place is region and reading.text == LEFT


def test_cells_of_a_table_are_lines_unless_that_is_switched_off(ocr: OCR, bundle: Bundle) -> None:
    table = draw_table("table", 0.75, Random("table 31"))
    picture = np.asarray(table.image)[..., ::-1].copy()
    expected = {line.text for line in table.lines}
    page = ocr.read(picture, words=True)
    assert len(expected & set(page.texts)) >= 0.9 * len(expected)
    assert all("".join(word.text for word in line.words) == line.text for line in page)
    with OCR(bundle, provider="cpu", split_gaps=False) as whole:
        assert len(expected & set(whole.read(picture).texts)) < 0.5 * len(expected)


def test_spaces_are_restored_unless_that_is_switched_off(ocr: OCR, bundle: Bundle) -> None:
    drawn = drawn_words.draw(["TEL:  03-87686092"], drawn_words.face(28), margin=8)
    assert ocr.recognize([drawn.picture])[0].text == "TEL: 03-87686092"
    with OCR(bundle, provider="cpu", restore_spaces=False) as plain:
        assert plain.recognize([drawn.picture])[0].text == "TEL:03-87686092"
