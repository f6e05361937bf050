"""Words and characters lie on the glyphs, wherever and however a line stands in the picture."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edgeocr import OCR, Bundle, Line, Page
from edgeocr.accuracy.labels import LabelledLine
from edgeocr.crops import Crop, crop_region
from edgeocr.images import Picture
from edgeocr.postprocess.geometry import enclosing
from edgeocr.postprocess.words import is_cjk
from edgeocr.recognize import Recognizer
from edgeocr.results.lines import Region, Word
from edgeocr.runtime.placement import Placement
from edgeocr.runtime.stopwatch import Stopwatch
from edgeocr.runtime.threads import ThreadPool
from edgeocr.stages.opening import OpenStages
from edgeocr.stages.reading import read_lines
from edgeocr.stages.words import Detail, with_words
from tests.support import drawn_words, long_lines
from tests.support.drawn_words import Placed
from tests.support.quads import level

LINES = (
    "Please keep this receipt",
    "Table 4711 from 2031-05-20",
    "TOTAL AMOUNT 158.67",
    "Will little hills fill jugs",
    "warm summer memories",
)
# How far a word may be from its glyphs, in widths of a glyph.
HALF = 0.5
# The sticker of the sample picture, which is upside down, is to the right of this and below it.
STICKER = (570, 500)


def assert_on_glyphs(found: Iterable[Word], drawn: Iterable[Placed]) -> None:
    """Fail unless there is a word on each drawn word, which is read in the same direction."""
    words = list(found)
    for placed in drawn:
        word = drawn_words.nearest(words, placed)
        off = drawn_words.distance(word, placed)
        assert max(map(abs, off)) <= HALF, (placed.text, off)
        assert drawn_words.is_read_like(word, placed)


def words_of(page: Page) -> list[Word]:
    return [word for line in page for word in line.words]


def recognized(ocr: OCR, crop: Crop) -> Line:
    """Read a crop, and find its words and characters."""
    recognizer = ocr.stages["recognition"]
    assert isinstance(recognizer, Recognizer)
    (reading,) = recognizer.recognize([crop], peaks=True)
    line = Line(reading.text, reading.score, level(0, 0, 1, 1))
    return with_words(line, crop, reading.peaks, "characters")


@pytest.mark.parametrize(
    "path", [None, *long_lines.FONTS[::9]], ids=lambda path: getattr(path, "stem", "own")
)
def test_words_lie_on_their_glyphs(ocr: OCR, path: Path | None) -> None:
    drawn = drawn_words.draw(LINES, drawn_words.face(28, path))
    assert_on_glyphs(words_of(ocr.read(drawn.picture, words=True)), drawn.words)


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_words_of_a_turned_page_are_in_the_coordinates_of_the_picture(
    ocr: OCR, quarters: int
) -> None:
    drawn = drawn_words.draw(LINES, drawn_words.face(28)).turned(quarters)
    page = ocr.read(drawn.picture, words=True)
    assert page.rotation == 90 * quarters
    assert_on_glyphs(words_of(page), drawn.words)


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_words_of_a_turned_line_of_an_upright_page(ocr: OCR, quarters: int) -> None:
    """Down, upside down, and up."""
    page = drawn_words.draw(LINES, drawn_words.face(24))
    label = drawn_words.draw(["Handle with great care"], drawn_words.face(24)).turned(quarters)
    heights, widths = zip(page.picture.shape[:2], label.picture.shape[:2], strict=True)
    picture = np.full((max(heights), sum(widths), 3), 255, np.uint8)
    picture[: heights[0], : widths[0]] = page.picture
    picture[: heights[1], widths[0] :] = label.picture
    shift = np.array([widths[0], 0], np.float32)
    moved = [dataclasses.replace(word, quad=word.quad + shift) for word in label.words]
    assert_on_glyphs(words_of(ocr.read(picture, words=True)), [*page.words, *moved])


def test_words_seen_from_the_side(ocr: OCR) -> None:
    drawn = drawn_words.draw(LINES, drawn_words.face(28))
    height, width = drawn.picture.shape[:2]
    seen = np.array([[60, 90], [width, 20], [width + 20, height], [40, height - 30]], np.float32)
    transform = cv2.getPerspectiveTransform(level(0, 0, width, height), seen)
    picture = cv2.warpPerspective(
        drawn.picture, transform, (width + 60, height + 40), borderValue=(255, 255, 255)
    )
    moved = [
        dataclasses.replace(word, quad=cv2.perspectiveTransform(word.quad[None], transform)[0])
        for word in drawn.words
    ]
    assert_on_glyphs(words_of(ocr.read(np.asarray(picture, np.uint8), words=True)), moved)


@pytest.mark.parametrize("radius", [150, -150])
@pytest.mark.parametrize("middle", [0, 25])
def test_words_of_a_curved_line(ocr: OCR, radius: float, middle: float) -> None:
    straight = drawn_words.draw(["HARBOUR COFFEE 2031"], drawn_words.face(32), margin=8)
    drawn, outline = drawn_words.bent(straight, radius, middle)
    crop = crop_region(drawn.picture, Region(enclosing([outline])[0], 1.0, outline))
    assert crop.curved
    line = recognized(ocr, crop)
    assert_on_glyphs(line.words, drawn.words)


def test_words_of_a_long_line_that_is_read_in_pieces(ocr: OCR) -> None:
    text = " ".join((LINES[0], LINES[1], LINES[4]) * 6)
    drawn = drawn_words.draw([text], drawn_words.face(28), margin=6)
    line = recognized(ocr, Crop.whole(drawn.picture))
    assert line.text == text
    assert_on_glyphs(line.words, drawn.words)


@pytest.mark.parametrize("text", ["HHHHHH", "nnnnnn 000000", "mmmm uuuu"])
def test_characters_lie_on_their_glyphs(ocr: OCR, text: str) -> None:
    """All characters of such a word have one width."""
    drawn = drawn_words.draw([text], drawn_words.face(32), margin=8)
    line = recognized(ocr, Crop.whole(drawn.picture))
    assert_on_glyphs(line.characters, drawn.characters())


def test_chinese_characters_stand_evenly_on_the_labels_of_the_sample(
    ocr: OCR, pictures: Path, labels: dict[str, list[LabelledLine]]
) -> None:
    """They are all equally wide; one of the labels is turned by 180 degrees, and one runs down."""
    page = ocr.read(pictures / "sample.jpg", words=True)
    found = [each for line in page for each in line.characters]
    compared = 0
    for label in labels["sample.jpg"]:
        text, quad = label.text, label.polygon.astype(np.float32)
        if not all(map(is_cjk, text)) or "：" in text or len(quad) != 4:
            continue
        glyph = float(np.linalg.norm(quad[1] - quad[0])) / len(text)
        placed = [
            Placed(each, drawn_words.part_of(quad, i, i + 1, len(text)), glyph)
            for i, each in enumerate(text)
        ]
        assert_on_glyphs(found, placed)
        compared += len(placed)
    assert compared == 12


def test_words_lie_where_rapidocr_finds_them(ocr: OCR, pictures: Path, fixtures: Path) -> None:
    """RapidOCR runs the same networks; it gives Latin words, and single CJK characters.

    It leaves the boxes of a line that was turned upside down where they were before, so the sticker
    of the sample is left out.
    """
    boxes = json.loads((fixtures / "word_boxes.json").read_text("utf-8"))
    for name, theirs in boxes.items():
        page = ocr.read(pictures / name, characters=True)
        found = [*words_of(page), *(each for line in page for each in line.characters)]
        missing = 0
        for box in theirs:
            quad = np.array(box["quad"], np.float32)
            middle = quad.mean(axis=0)
            if name == "sample.jpg" and (middle > STICKER).all():
                continue
            same = [word for word in found if word.text == box["text"]]
            if not same:
                missing += 1
                continue
            apart = min(float(np.linalg.norm(word.quad.mean(axis=0) - middle)) for word in same)
            # Theirs are as high as the line, as ours are; Latin letters are half as wide as high.
            sides = np.linalg.norm(quad - np.roll(quad, 1, axis=0), axis=1)
            assert apart <= 0.25 * float(sides.max() if len(box["text"]) == 1 else sides.min()), box
        assert missing <= 0.05 * len(theirs)


def test_words_of_a_right_to_left_script_are_in_the_order_of_the_text(bundle: Bundle) -> None:
    """Its letters replaced, the network reads Hebrew as a network for Hebrew does."""
    stage = bundle.manifest.stages.recognition
    assert stage is not None
    hebrew = {chr(ord("a") + i): chr(ord("א") + i) for i in range(26)}
    recognizer = Recognizer(
        dataclasses.replace(stage, visual_order=True),
        bundle.read(stage.graph),
        [hebrew.get(each, each) for each in bundle.characters],
        placement=Placement("cpu"),
        pool=ThreadPool(1),
    )
    drawn = drawn_words.draw(["pages from 4711 (harbour) books"], drawn_words.face(32), margin=8)
    crop = Crop.whole(drawn.picture)
    (reading,) = recognizer.recognize([crop], peaks=True)
    line = Line(reading.text, reading.score, level(0, 0, 1, 1))
    line = with_words(line, crop, reading.peaks, "characters")
    # The rightmost word is read first, and its last letter is at its left; numbers stay.
    texts = ["".join(hebrew.get(c, c) for c in placed.text) for placed in drawn.words]
    read = [
        text if text.isdigit() else f"({text[-2:0:-1]})" if "(" in text else text[::-1]
        for text in texts
    ]
    assert [word.text for word in line.words] == read[::-1] == line.text.split()
    moved = [
        dataclasses.replace(placed, text=text)
        for placed, text in zip(drawn.words, read, strict=True)
    ]
    assert_on_glyphs(line.words, moved)
    assert "".join(each.text for each in line.characters) == "".join(line.text.split())
    middles = [float(each.quad[:, 0].mean()) for each in line.characters]
    assert middles[0] > middles[1] > middles[2]


def test_lines_have_words_and_characters_only_if_they_are_asked_for(
    ocr: OCR, pictures: Path
) -> None:
    plain, with_them, with_all = (
        ocr.read(pictures / "sample.jpg", words=words, characters=characters)
        for words, characters in ((False, False), (True, False), (False, True))
    )
    assert plain.texts == with_them.texts == with_all.texts
    assert "words" not in plain.milliseconds and "words" in with_them.milliseconds
    for line, worded, spelled in zip(plain, with_them, with_all, strict=True):
        assert line.words == line.characters == ()
        characters = "".join(line.text.split())
        assert "".join(word.text for word in worded.words) == characters
        assert "".join(each.text for each in spelled.characters) == characters
        assert [word.text for word in spelled.words] == [word.text for word in worded.words]
        # Only lines with Chinese characters have characters if words are asked for.
        expected = "" if line.text.isascii() or "¥" in line.text else characters
        assert "".join(each.text for each in worded.characters) == expected
        for each in (*spelled.words, *spelled.characters):
            assert 0 < each.score <= 1 and each.quad.shape == (4, 2)
        assert np.mean([c.score for c in spelled.characters]) == pytest.approx(line.score, abs=0.1)
    restored = Page.from_dict(json.loads(with_all.to_json()))
    assert [len(line.words) for line in restored] == [len(line.words) for line in with_all]


def test_scores_of_words_are_the_means_of_their_characters(ocr: OCR, pictures: Path) -> None:
    for line in ocr.read(pictures / "receipt.jpg", characters=True):
        scores = iter(each.score for each in line.characters)
        for word in line.words:
            assert word.score == pytest.approx(np.mean([next(scores) for _ in word.text]))


def test_many_pictures_are_read_with_words(ocr: OCR, pictures: Path) -> None:
    (page,) = ocr.read_many([pictures / "badge.jpg"], on_error="raise", words=True)
    assert [word.text for word in words_of(page)] == ["现磨咖啡", "OPEN", "07:30"]
    (page,) = ocr.read_many([pictures / "badge.jpg"], on_error="raise", characters=True)
    assert [len(line.characters) for line in page] == [4, 9]


def test_curved_lines_of_a_picture_have_words(bundle: Bundle, pictures: Path) -> None:
    with OCR(bundle, provider="cpu", shape="polygon") as ocr:
        page = ocr.read(pictures / "badge.jpg", words=True)
    words = {word.text: word.quad.mean(axis=0) for word in words_of(page)}
    # The upper arc runs from the left over the top to the right.
    assert words["HARBOUR"][0] < words["COFFEE"][0] < words["HOUSE"][0]
    assert words["COFFEE"][1] < min(words["HARBOUR"][1], words["HOUSE"][1])


def test_lines_of_a_spotting_network_are_divided_evenly() -> None:
    polygon = np.array([[10, 20], [60, 20], [110, 20], [110, 40], [60, 40], [10, 40]], np.float32)
    quad = level(10, 20, 100, 20)
    spotted = [Line("ab cdefg", 0.75, quad, polygon), Line("  ", 0.9, quad)]

    class Spotter:
        def spot(self, image: object, watch: object) -> list[Line]:
            return spotted

    stages: Any = OpenStages("spotting")
    object.__setattr__(stages, "spotting", Spotter())
    image = np.zeros((60, 120, 3), np.uint8)

    def read(detail: Detail | None) -> Line:
        found = read_lines(
            stages,
            Picture.whole(image),
            Stopwatch(),
            turn_pages=True,
            keep_pixels=True,
            detail=detail,
        )
        (line,) = found.upright.lines
        return line

    assert read(None) == spotted[0]
    line = read("words")
    assert [(word.text, word.score) for word in line.words] == [("ab", 0.75), ("cdefg", 0.75)]
    assert line.characters == ()
    edges = [(float(word.quad[0, 0]), float(word.quad[1, 0])) for word in line.words]
    np.testing.assert_allclose(edges, [(10, 35), (47.5, 110)], atol=1)
    assert len(read("characters").characters) == 7


def test_nothing_is_computed_for_words_unless_they_are_asked_for(
    ocr: OCR, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unexpected(*_: object) -> Any:
        raise AssertionError("computed")

    for name in ("ctc.runs", "bidi.in_logical_order"):
        monkeypatch.setattr(f"edgeocr.postprocess.{name}", unexpected)
    monkeypatch.setattr(Crop, "in_image", unexpected)
    assert len(ocr.read(pictures / "badge.jpg")) == 2
    with pytest.raises(AssertionError, match="computed"):
        ocr.read(pictures / "badge.jpg", words=True)
