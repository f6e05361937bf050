"""`OCR` as a whole, on the labelled pictures and on pictures of any size and content."""

from __future__ import annotations

import copy
import gc
import json
import pickle
import threading
import weakref
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

from edgeocr import OCR, Bundle, BundleError, ClosedError, EdgeOCRError, ImageError, Page, Source
from edgeocr.accuracy.labels import LabelledLine
from edgeocr.accuracy.score import normalized
from edgeocr.crops import turn
from edgeocr.images import load
from edgeocr.memory.opening import PAGES_AT_ONCE
from tests.support.cutting import crop
from tests.support.overlap import pairs

Labels = dict[str, list[LabelledLine]]
NAMES = ["sample.jpg", "receipt.jpg", "poster.jpg"]
STAGES = [
    *("load", "resize", "detection", "postprocess", "crops", "orientation", "recognition"),
    "decoding",
    "layout",
]


def texts(page: Page) -> list[str]:
    return [normalized(line.text) for line in page.lines]


def labelled_texts(lines: list[LabelledLine]) -> list[str]:
    return [normalized(line.text) for line in lines]


@pytest.mark.parametrize(("name", "least"), [("sample.jpg", 1), (NAMES[1], 0.95), (NAMES[2], 0.95)])
def test_lines_match_the_labels(
    ocr: OCR, pictures: Path, labels: Labels, name: str, least: float
) -> None:
    page = ocr.read(pictures / name)
    expected = labels[name]
    matched = pairs([line.quad for line in page.lines], [line.polygon for line in expected])
    assert len(matched) == len(expected)
    right = [texts(page)[i] == normalized(expected[j].text) for i, j in matched.items()]
    assert sum(right) >= least * len(expected)
    assert len(page.lines) <= len(expected) + 1


def test_page_names_its_source_size_providers_and_times(ocr: OCR, pictures: Path) -> None:
    page = ocr.read(pictures / "sample.jpg")
    assert page.source == str(pictures / "sample.jpg")
    assert (page.width, page.height) == PIL.Image.open(pictures / "sample.jpg").size
    assert page.providers == dict.fromkeys(("detection", "orientation", "recognition"), "cpu")
    assert sorted(page.milliseconds) == sorted(STAGES)
    assert all(ms >= 0 for ms in page.milliseconds.values())
    assert page.text.splitlines() == [line.text for line in page.lines]
    as_text = json.dumps(page.to_dict())
    values = json.loads(as_text)
    keys = "source width height lines milliseconds providers blocks rotation frames"
    assert list(values) == keys.split()
    assert [line["text"] for line in values["lines"]] == [line.text for line in page.lines]
    for line in values["lines"]:
        assert list(line) == ["text", "score", "quad"]
        assert np.array(line["quad"]).shape == (4, 2)


def test_receipt_is_read_row_by_row(ocr: OCR, pictures: Path, labels: Labels) -> None:
    assert texts(ocr.read(pictures / "receipt.jpg")) == labelled_texts(labels["receipt.jpg"])


@pytest.mark.parametrize("degrees", [-5, 5])
def test_receipt_that_lies_askew_is_read_row_by_row(
    ocr: OCR, pictures: Path, labels: Labels, degrees: int
) -> None:
    picture = PIL.Image.open(pictures / "receipt.jpg").rotate(
        degrees, PIL.Image.Resampling.BICUBIC, fillcolor="grey"
    )
    expected = labelled_texts(labels["receipt.jpg"])
    read = texts(ocr.read(picture))
    assert Counter(read) == Counter(expected), "the texts differ, not only their order"
    assert read == expected


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "quarter_turns"),
    [
        pytest.param(name, turns, marks=[] if place == turns - 1 else [pytest.mark.stress])
        for place, name in enumerate(NAMES)
        for turns in (1, 2, 3)
    ],
)
def test_turned_picture_has_the_same_lines(
    ocr: OCR, pictures: Path, labels: Labels, name: str, quarter_turns: int
) -> None:
    picture = np.rot90(load(pictures / name), quarter_turns)
    expected = Counter(labelled_texts(labels[name]))
    lost = expected - Counter(texts(ocr.read(picture)))
    assert lost.total() <= 2


def test_curved_lines_are_read_as_polygons(bundle: Bundle, pictures: Path, labels: Labels) -> None:
    page = OCR(bundle, provider="cpu", shape="polygon").read(pictures / "badge.jpg")
    outlines = [line.polygon for line in page.lines if line.polygon is not None]
    expected = labels["badge.jpg"]
    assert len(outlines) == len(page.lines) == len(expected)
    matched = pairs(outlines, [line.polygon for line in expected])
    assert [page.lines[i].text for i in matched] == [expected[j].text for j in matched.values()]
    quads = OCR(bundle, provider="cpu", shape="quad").read(pictures / "badge.jpg")
    assert all(line.polygon is None for line in quads.lines) and len(quads.lines) == 2


@pytest.mark.slow
def test_without_orientation_a_picture_upside_down_is_not_read(
    bundle: Bundle, pictures: Path, labels: Labels
) -> None:
    ocr = OCR(bundle, provider="cpu", orientation=False, upright=False)
    assert sorted(ocr.providers) == ["detection", "recognition"]
    page = ocr.read(pictures / "receipt.jpg")
    assert "orientation" not in page.milliseconds and "orientation" not in page.providers
    expected = Counter(labelled_texts(labels["receipt.jpg"]))
    assert (expected - Counter(texts(page))).total() <= 2
    upside_down = ocr.read(np.rot90(load(pictures / "receipt.jpg"), 2))
    assert (expected & Counter(texts(upside_down))).total() < 10


def test_recognize_reads_what_read_reads(ocr: OCR, pictures: Path) -> None:
    picture = load(pictures / "sample.jpg")
    page = ocr.read(picture)
    crops = [crop(picture, line.quad) for line in page.lines]
    upright = ocr.recognize(crops)
    turned = ocr.recognize([turn(crop, 180) for crop in crops])
    kept = 0
    for line, one, other in zip(page.lines, upright, turned, strict=True):
        reading = one if line.text == one.text else other
        kept += reading is one
        assert reading.text == line.text
        # `crop` cuts at full size, and `read` cuts large text at the network's height.
        assert reading.score == pytest.approx(line.score, abs=0.01)
    assert kept == len(page.lines) - 1, "one sticker is upside down"


def test_recognize_takes_every_source(ocr: OCR, pictures: Path, tmp_path: Path) -> None:
    picture = load(pictures / "sample.jpg")
    cut = crop(picture, ocr.read(picture).lines[0].quad)
    path = tmp_path / "crop.png"
    PIL.Image.fromarray(cut[..., ::-1]).save(path)
    readings = ocr.recognize([cut, path, path.read_bytes(), PIL.Image.open(path)])
    assert len({reading.text for reading in readings}) == 1 and readings[0].text
    with pytest.raises(ImageError) as caught:
        ocr.recognize([cut, tmp_path / "none.png", path])
    assert caught.value.source == str(tmp_path / "none.png")


def test_bad_source_does_not_stop_the_others(ocr: OCR, pictures: Path, tmp_path: Path) -> None:
    text = tmp_path / "words.txt"
    text.write_text("no picture")
    good = pictures / "poster.jpg"
    sources: list[Source] = [
        good,
        text,
        tmp_path / "missing.png",
        np.zeros((4, 4, 7), np.uint8),
        b"",
        good,
    ]
    results = list(ocr.read_many(sources))
    assert len(results) == len(sources)
    first, *errors, last = results
    assert isinstance(first, Page) and isinstance(last, Page)
    assert first.text == last.text != ""
    assert all(isinstance(error, ImageError) for error in errors)
    names = [str(text), str(tmp_path / "missing.png"), "<ndarray>", "<bytes>"]
    assert [error.source for error in errors if isinstance(error, EdgeOCRError)] == names


def test_page_without_text_has_the_times_of_all_stages(ocr: OCR) -> None:
    page = ocr.read(np.full((80, 90, 3), 255, np.uint8))
    assert page.lines == () and list(page.milliseconds) == STAGES


def test_read_many_takes_sources_when_pages_are_asked_for(ocr: OCR) -> None:
    taken: list[int] = []

    def sources() -> Iterator[Source]:
        for number in range(100):
            taken.append(number)
            yield np.full((8, 8, 3), 255, np.uint8)

    pages = ocr.read_many(sources())
    assert taken == []
    assert isinstance(next(pages), Page)
    # The next pictures may have been begun, but not the rest.
    assert 1 <= len(taken) <= 1 + PAGES_AT_ONCE


@pytest.mark.parametrize(
    ("threads", "limit", "most"), [(1, None, 1), (3, None, 3), (6, None, 4), (3, "2GB", 2)]
)
def test_read_many_bounds_the_pages_that_are_in_memory(
    monkeypatch: pytest.MonkeyPatch, bundle: Bundle, threads: int, limit: str | None, most: int
) -> None:
    asked: list[int] = []

    def in_order(work: object, items: object, ahead: int) -> Iterator[Page]:
        asked.append(ahead)
        yield from ()

    monkeypatch.setattr("edgeocr.ocr.stream.in_order", in_order)
    with OCR(bundle, provider="cpu", threads=threads, memory_limit=limit) as reader:
        assert list(reader.read_many([])) == []
    assert asked == [most]


@pytest.mark.slow
def test_threads_share_one_ocr(ocr: OCR, pictures: Path) -> None:
    expected = {name: ocr.read(pictures / name).text for name in NAMES}
    work = NAMES * 2
    with ThreadPoolExecutor(len(work)) as pool:
        pages = list(pool.map(lambda name: ocr.read(pictures / name), work))
    assert [page.text for page in pages] == [expected[name] for name in work]


@pytest.mark.slow
@pytest.mark.parametrize("threads", [1, 2, 3])
def test_neither_a_stream_nor_the_number_of_threads_changes_a_line(
    ocr: OCR, bundle: Bundle, pictures: Path, threads: int
) -> None:
    names = ["badge.jpg", NAMES[0], "badge.jpg", NAMES[2]]
    expected = [ocr.read(pictures / name).to_dict() for name in names]
    with OCR(bundle, provider="cpu", threads=threads) as reader:
        sources = [pictures / name for name in names]
        found = [page.to_dict() for page in reader.read_many(sources, on_error="raise")]
        second = reader.stages["detection"].session._second
    for page in [*expected, *found]:
        del page["milliseconds"]
    # Boxes and scores are the same to the last digit, too.
    assert found == expected
    # With as many pages as threads, the runs of detection have one thread each.
    assert threads == 1 or (second is not None and second.runner is not None)


@pytest.mark.slow
@pytest.mark.parametrize(
    "size", [(1, 1), (1, 60), (60, 1), (10, 5000), (5000, 10), (3, 3), (480, 640), (90, 40000)]
)
@pytest.mark.parametrize("kind", ["white", "black", "stripes", "noise"])
def test_pictures_of_any_size_without_text_are_read(
    ocr: OCR, size: tuple[int, int], kind: str
) -> None:
    picture = np.full(size, 0 if kind == "black" else 255, np.uint8)
    if kind == "stripes":
        picture[::2] = 0
    elif kind == "noise":
        picture = np.random.default_rng(1).integers(0, 256, size, np.uint8)
    page = ocr.read(picture)
    assert (page.height, page.width) == size
    if kind in ("white", "black"):
        assert page.lines == () and page.text == ""
    for line in page.lines:
        assert (line.quad >= 0).all() and (line.quad <= [size[1] - 1, size[0] - 1]).all()
    json.dumps(page.to_dict())


def test_bundle_may_be_a_path(bundle: Bundle, pictures: Path) -> None:
    opened = OCR(bundle.path, provider="cpu")
    assert opened.bundle_digest == bundle.digest
    assert opened.read(pictures / "poster.jpg").lines
    with pytest.raises(BundleError, match="no such bundle"):
        OCR("none.edgeocr")


@pytest.mark.parametrize("one", ["a.jpg", Path("a.jpg"), b"bytes", np.zeros((8, 8, 3), np.uint8)])
def test_single_source_where_several_are_expected_is_a_type_error(ocr: OCR, one: Any) -> None:
    with pytest.raises(TypeError, match="read_many takes several"):
        ocr.read_many(one)
    with pytest.raises(TypeError, match="recognize takes several"):
        ocr.recognize(one)


def test_closed_ocr_refuses_to_read(bundle: Bundle, pictures: Path) -> None:
    with OCR(bundle, provider="cpu") as ocr:
        assert ocr.read(pictures / "sample.jpg").text
    for work in (ocr.read, ocr.detect, lambda source: ocr.recognize([source])):
        with pytest.raises(ValueError, match="this OCR is closed"):
            work(pictures / "sample.jpg")
    with pytest.raises(ValueError, match="this OCR is closed"):
        ocr.warm_up()
    ocr.close()  # closing again does nothing


def test_closing_ends_the_threads_and_frees_the_sessions(bundle: Bundle, pictures: Path) -> None:
    before = threading.active_count()
    ocr = OCR(bundle, provider="cpu", threads=3)
    ocr.read(pictures / "sample.jpg")
    assert threading.active_count() > before
    sessions = [weakref.ref(stage.session._runner) for stage in ocr.stages.values()]
    ocr.close()
    assert threading.active_count() == before
    gc.collect()
    assert all(session() is None for session in sessions)


def test_closing_while_threads_read_gives_pages_or_errors_that_say_so(
    bundle: Bundle, pictures: Path
) -> None:
    ocr = OCR(bundle, provider="cpu", threads=2)
    expected = ocr.read(pictures / "badge.jpg").text
    begun = threading.Barrier(4)

    def read(_: int) -> str:
        begun.wait()
        while True:
            assert ocr.read(pictures / "badge.jpg").text == expected

    with ThreadPoolExecutor(3) as pool:
        reading = [pool.submit(read, i) for i in range(3)]
        begun.wait()
        ocr.close()
        for each in reading:
            with pytest.raises(ClosedError, match="this OCR is closed"):
                each.result(60)


@pytest.mark.parametrize("threads", [1, 2])
def test_closing_ends_read_many(bundle: Bundle, pictures: Path, threads: int) -> None:
    ocr = OCR(bundle, provider="cpu", threads=threads)
    results = ocr.read_many(repeat(pictures / "badge.jpg"))
    assert isinstance(next(results), Page)
    ocr.close()
    with pytest.raises(ClosedError, match="this OCR is closed"):
        list(results)


def test_read_many_returns_skips_or_raises_errors(ocr: OCR, pictures: Path) -> None:
    sources: list[Source] = [pictures / "badge.jpg", "missing.jpg", pictures / "badge.jpg"]
    returned = list(ocr.read_many(sources))
    assert [type(each) for each in returned] == [Page, ImageError, Page]
    assert isinstance(returned[1], ImageError) and returned[1].source == "missing.jpg"
    assert [page.source for page in ocr.read_many(sources, on_error="skip")] == [
        str(pictures / "badge.jpg")
    ] * 2
    pages = ocr.read_many(sources, on_error="raise")
    assert next(pages).source == str(pictures / "badge.jpg")
    with pytest.raises(ImageError, match=r"missing\.jpg"):
        next(pages)


def test_recognize_returns_skips_or_raises_errors(ocr: OCR, pictures: Path) -> None:
    crop = load(pictures / "sample.jpg")[40:90]
    crops: list[Source] = [crop, "missing.jpg", crop]
    first, error, last = ocr.recognize(crops, on_error="return")
    assert isinstance(error, ImageError) and first == last
    assert ocr.recognize(crops, on_error="skip") == [first, last]
    with pytest.raises(ImageError, match=r"missing\.jpg"):
        ocr.recognize(crops)


def test_unknown_ways_to_handle_errors_are_refused(ocr: OCR) -> None:
    with pytest.raises(ValueError, match="on_error must be"):
        ocr.read_many([], on_error="ignore")  # type: ignore[call-overload]
    with pytest.raises(ValueError, match="on_error must be"):
        ocr.recognize([], on_error="ignore")  # type: ignore[call-overload]


def test_detections_know_their_picture(ocr: OCR, pictures: Path) -> None:
    found = ocr.detect(pictures / "sample.jpg")
    assert (found.width, found.height) == PIL.Image.open(pictures / "sample.jpg").size
    assert len(found) > 10 and found.source == str(pictures / "sample.jpg")
    assert sorted(found.milliseconds) == ["detection", "layout", "load", "postprocess", "resize"]
    assert found.providers == ocr.providers


def test_drawing_with_the_ocr_gives_the_same_as_drawing_the_page(ocr: OCR, pictures: Path) -> None:
    page = ocr.read(pictures / "badge.jpg")
    drawn = ocr.draw(pictures / "badge.jpg", page)
    assert np.array_equal(drawn, page.draw(pictures / "badge.jpg"))


@pytest.mark.parametrize("duplicate", [pickle.dumps, copy.copy, copy.deepcopy])
def test_ocr_can_not_be_pickled_or_copied(ocr: OCR, duplicate: Callable[[OCR], object]) -> None:
    with pytest.raises(TypeError, match="create one in each process"):
        duplicate(ocr)
