"""The results of reading: pages, detections, lines, regions and readings."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from edgeocr import (
    Character,
    Detections,
    ImageError,
    Line,
    OutputError,
    Page,
    Reading,
    Region,
    Word,
)
from edgeocr.images import load
from edgeocr.results.lines import Block, scaled
from tests.support.quads import level

POLYGON = np.array([[0, 0], [5.126, 0], [2, 9]], np.float32)


@pytest.fixture
def page() -> Page:
    quad = level(1 / 3, 2, 30, 10)
    lines = (Line("Straße 上海", 0.98765, quad), Line("two", 0.5, quad, POLYGON))
    blocks = (Block(lines, quad),)
    run = ({"load": 1.23456}, {"detection": "cpu"})
    return Page("a.png", 64, 48, lines, *run, blocks, rotation=90, frames=3)


@pytest.fixture
def detections() -> Detections:
    regions = (Region(level(0, 0, 4, 2), 0.75), Region(level(5, 5, 9, 9), 0.5, POLYGON))
    return Detections("b.png", 20, 10, regions, {"load": 2.0}, {"detection": "cpu"})


def test_page_is_a_sequence_of_lines(page: Page) -> None:
    assert len(page) == 2
    assert [line.text for line in page] == page.texts == ["Straße 上海", "two"]
    assert page[0] is page.lines[0] and page[-1] is page.lines[1]
    assert page[1:] == page.lines[1:]
    assert page.lines[1] in page


def test_detections_are_a_sequence_of_regions(detections: Detections) -> None:
    assert len(detections) == 2 and list(detections) == list(detections.regions)
    assert detections[0] is detections.regions[0] and detections[:1] == detections.regions[:1]
    assert detections.boxes.shape == (2, 4, 2) and detections.scores.tolist() == [0.75, 0.5]


def test_boxes_and_scores_are_float32_arrays(page: Page) -> None:
    assert page.boxes.dtype == page.scores.dtype == np.float32
    assert page.boxes.shape == (2, 4, 2) and page.scores.shape == (2,)
    np.testing.assert_array_equal(page.boxes[0], page[0].quad)


def test_an_empty_page_has_empty_arrays() -> None:
    page = Page("a.png", 64, 48, ())
    assert page.boxes.shape == (0, 4, 2) and page.scores.shape == (0,)
    assert page.text == "" and list(page) == []


def test_text_has_one_row_for_each_line(page: Page) -> None:
    assert page.text == "Straße 上海\ntwo"


def test_repr_is_short(page: Page, detections: Detections) -> None:
    assert repr(page) == "<Page 'a.png', 64 × 48, 2 lines>"
    assert repr(Page("a.png", 64, 48, page.lines[:1])) == "<Page 'a.png', 64 × 48, 1 line>"
    assert repr(detections) == "<Detections 'b.png', 20 × 10, 2 regions>"


def test_page_to_dict_rounds_and_names_providers(page: Page) -> None:
    quad = [[0.33, 2.0], [30.33, 2.0], [30.33, 12.0], [0.33, 12.0]]
    expected = {
        "source": "a.png",
        "width": 64,
        "height": 48,
        "lines": [
            {"text": "Straße 上海", "score": 0.9877, "quad": quad},
            {
                "text": "two",
                "score": 0.5,
                "quad": quad,
                "polygon": [[0.0, 0.0], [5.13, 0.0], [2.0, 9.0]],
            },
        ],
        "milliseconds": {"load": 1.235},
        "providers": {"detection": "cpu"},
        "blocks": [{"lines": [0, 1], "quad": quad}],
        "rotation": 90,
        "frames": 3,
    }
    assert page.to_dict() == expected
    assert json.loads(json.dumps(page.to_dict())) == expected


def test_region_and_reading_to_dict() -> None:
    region = Region(level(0, 0, 4, 2), 0.5)
    quad = [[0.0, 0.0], [4.0, 0.0], [4.0, 2.0], [0.0, 2.0]]
    assert region.to_dict() == {"score": 0.5, "quad": quad}
    assert Reading("a", 0.98765).to_dict() == {"text": "a", "score": 0.9877}


def test_results_round_trip_through_json(
    page: Page, detections: Detections, tmp_path: Path
) -> None:
    path = tmp_path / "page.json"
    text = page.to_json(path)
    assert path.read_text("utf-8") == text and "上海" in text
    again = Page.from_dict(json.loads(text))
    assert again.to_dict() == page.to_dict()
    assert again[1].polygon is not None and again[1].polygon.dtype == np.float32
    restored = Detections.from_dict(json.loads(detections.to_json()))
    assert restored.to_dict() == detections.to_dict()
    assert Reading.from_dict(Reading("a", 0.5).to_dict()) == Reading("a", 0.5)


def test_pages_written_without_providers_can_be_restored(page: Page) -> None:
    data = page.to_dict()
    del data["providers"], data["milliseconds"]
    assert Page.from_dict(data).providers == {}


@pytest.mark.parametrize("name", ["width", "lines", "providers"])
def test_results_are_frozen(page: Page, name: str) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(page, name, 1)
    with pytest.raises(dataclasses.FrozenInstanceError):
        page[0].text = "other"  # type: ignore[misc]


def test_drawing_leaves_the_picture_and_marks_each_line(page: Page) -> None:
    picture = np.full((48, 64, 3), 255, np.uint8)
    drawn = page.draw(picture)
    assert drawn.shape == picture.shape and (picture == 255).all()
    assert (drawn[2:13, 0:31] != 255).any() and (drawn[20:, 40:] == 255).all()


def test_drawing_onto_a_smaller_copy_scales_the_outlines() -> None:
    page = Page("a.png", 200, 100, (Line("a", 1.0, level(100, 50, 80, 40)),))
    drawn = page.draw(np.full((50, 100, 3), 255, np.uint8))
    marked = np.argwhere((drawn != 255).any(axis=2))
    assert marked.min(axis=0).tolist() == pytest.approx([25, 50], abs=2)
    assert marked.max(axis=0).tolist() == pytest.approx([45, 90], abs=2)


def test_detections_draw_from_a_path(pictures: Path) -> None:
    image = load(pictures / "sample.jpg")
    found = Detections(
        "sample.jpg", image.shape[1], image.shape[0], (Region(level(9, 9, 90, 40), 1.0),)
    )
    assert (found.draw(pictures / "sample.jpg") != image).any()


def test_scaling_multiplies_quad_and_polygon() -> None:
    line = Line("a", 1.0, level(2, 3, 4, 5), POLYGON)
    larger = scaled(line, (2.0, 3.0))
    np.testing.assert_allclose(larger.quad, line.quad * [2, 3])
    assert larger.polygon is not None
    np.testing.assert_allclose(larger.polygon, POLYGON * np.array([2, 3], np.float32))
    assert scaled(line, (1.0, 1.0)) is line


def test_words_and_characters_travel_with_their_line() -> None:
    quad = level(0, 0, 4, 2)
    words = (Word("ab", 0.91234, quad), Word("c", 0.5, quad + 5))
    line = Line("ab c", 0.8, quad, None, words, (Character("a", 0.9, quad),))
    record = json.loads(json.dumps(line.to_dict()))
    assert record["words"][0] == {"text": "ab", "score": 0.9123, "quad": quad.tolist()}
    assert record["characters"] == [{"text": "a", "score": 0.9, "quad": quad.tolist()}]
    restored = Line.from_dict(record)
    assert restored.to_dict() == record
    assert isinstance(restored.characters[0], Character)
    doubled = scaled(line, (2.0, 3.0))
    np.testing.assert_array_equal(doubled.words[1].quad, words[1].quad * (2, 3))
    np.testing.assert_array_equal(doubled.characters[0].quad, quad * (2, 3))


def test_a_line_without_words_says_nothing_about_them() -> None:
    record = Line("ab", 0.8, level(0, 0, 4, 2)).to_dict()
    assert "words" not in record and "characters" not in record
    assert Line.from_dict(record).words == ()


@pytest.mark.parametrize(
    ("name", "beginning"),
    [
        ("a.txt", b"Stra"),
        ("a.json", b"{\n"),
        ("a.jsonl", b'{"source"'),
        ("a.tsv", b"level\t"),
        ("a.hocr", b"<?xml"),
        ("a.xml", b"<?xml"),
        ("Label.txt", b""),
        ("a.md", b"Stra"),
    ],
)
def test_page_is_saved_by_the_ending(
    page: Page, tmp_path: Path, name: str, beginning: bytes
) -> None:
    page.save(tmp_path / name)
    assert (tmp_path / name).read_bytes().startswith(beginning)
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_page_is_saved_in_a_format_by_its_name(page: Page, tmp_path: Path) -> None:
    page.save(tmp_path / "a", format="text")
    page.save(str(tmp_path / "a.hocr"), format="json")
    assert (tmp_path / "a").read_text("utf-8") == page.to_text() == "Straße 上海\ntwo\n"
    assert Page.from_dict(json.loads((tmp_path / "a.hocr").read_bytes())).texts == page.texts


def test_page_that_cannot_be_saved_leaves_the_old_file(page: Page, tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"old")
    with pytest.raises(ImageError, match=r"a\.png"):
        page.save(path)
    with pytest.raises(ValueError, match="its ending should be one of"):
        page.save(tmp_path / "a.doc")
    with pytest.raises(OutputError, match="missing"):
        page.save(tmp_path / "missing" / "a.txt")
    assert [path] == list(tmp_path.iterdir()) and path.read_bytes() == b"old"


@pytest.mark.parametrize("ending", ["jpg", "jpeg", "png"])
def test_overlays_are_saved_with_the_outlines_drawn(
    page: Page, detections: Detections, tmp_path: Path, ending: str
) -> None:
    for result in (page, detections):
        picture = np.full((result.height, result.width, 3), 255, np.uint8)
        path = tmp_path / f"a.{ending}"
        result.save(path, picture=picture)
        saved = load(path).astype(int)
        assert np.abs(saved - result.draw(picture)).mean() < (1 if ending == "png" else 16)
        assert np.abs(saved - picture).max() > 100


def test_detections_are_saved_as_records_only(detections: Detections, tmp_path: Path) -> None:
    detections.save(tmp_path / "a.json")
    assert len(Detections.from_dict(json.loads((tmp_path / "a.json").read_bytes()))) == 2
    detections.save(tmp_path / "a.txt")
    assert (tmp_path / "a.txt").read_text() == detections.to_text()
    assert detections.to_text().splitlines()[0] == "0.0,0.0 4.0,0.0 4.0,2.0 0.0,2.0\t0.750"
    with pytest.raises(ValueError, match="hOCR holds pages that were read; choose from text, json"):
        detections.save(tmp_path / "a.hocr")
