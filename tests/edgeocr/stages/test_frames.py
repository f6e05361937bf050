"""Files with several pictures: which frames there are, what they are called, what fails alone."""

from __future__ import annotations

import io
import os
import struct
import warnings
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from edgeocr import (
    OCR,
    EdgeOCRError,
    ImageError,
    MemoryLimitError,
    MoreFramesWarning,
    Page,
    Source,
    frames_of,
)
from edgeocr.decoding import tiff
from edgeocr.decoding.animation import CANVAS_BYTES
from edgeocr.decoding.limits import Limits
from edgeocr.images import Frame, load, name_of
from edgeocr.stages import frames as frames_module
from tests.edgeocr.test_images import NO_GIF
from tests.support import framed, transparent
from tests.support.pipes import feed


def levels(*values: int, size: tuple[int, int] = (40, 30)) -> list[PIL.Image.Image]:
    """Draw plain pictures, which are told apart by their grey."""
    return [PIL.Image.new("L", size, value) for value in values]


def greys(source: Source) -> list[int | str]:
    """Return the grey of each frame, or the error of one that can't be decoded."""
    found: list[int | str] = []
    for each in frames_of(source):
        try:
            found.append(int(load(each)[5, 5, 0]))
        except EdgeOCRError as error:
            found.append(str(error))
    return found


def directories(content: bytes | bytearray) -> list[int]:
    return tiff.pages(io.BytesIO(content), 100)


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    path = tmp_path / "scan.tif"
    path.write_bytes(framed.encode(levels(10, 120, 230), "TIFF tiff_lzw"))
    return path


@pytest.mark.parametrize(
    "form", [pytest.param(each, marks=[NO_GIF] if each == "GIF" else []) for each in framed.FORMS]
)
def test_every_way_to_hand_over_a_file_gives_its_frames(form: str, tmp_path: Path) -> None:
    values = [0, 255, 0] if form == "TIFF group4" else [10, 120, 230]
    content = framed.encode(levels(*values), form)
    path = tmp_path / "scan.bin"
    path.write_bytes(content)
    for source in (path, str(path), content, bytearray(content), memoryview(content)):
        assert greys(source) == pytest.approx(values, abs=3)
    with path.open("rb") as file:
        assert greys(file) == pytest.approx(values, abs=3)
    with PIL.Image.open(path) as image:
        image.seek(1)
        assert greys(image) == pytest.approx(values, abs=3)
        assert image.tell() == 1, "the caller's image stays where it is"


def test_frames_are_called_after_the_file_and_counted_from_one(scan: Path) -> None:
    frames = list(frames_of(scan))
    assert [name_of(frame) for frame in frames] == [f"{scan}#{i}" for i in (1, 2, 3)]
    assert all(isinstance(frame, Frame) and frame.count == 3 for frame in frames)
    assert [name_of(each) for each in frames_of(scan.read_bytes())][1] == "<bytes>#2"
    with PIL.Image.open(scan) as image:
        assert [name_of(each) for each in frames_of(image)][1] == f"{scan}#2"
    assert list(frames_of(frames[1])) == [frames[1]], "a frame has no frames"


def test_single_picture_is_yielded_as_it_is(pictures: Path) -> None:
    path = pictures / "sample.jpg"
    array = np.zeros((4, 5, 3), np.uint8)
    with PIL.Image.open(path) as image:
        for source in (path, str(path), path.read_bytes(), array, image, "missing.png", "a\0.png"):
            (only,) = frames_of(source)
            assert only is source
    (only,) = frames_of(io.BytesIO(path.read_bytes()))
    assert load(only).shape == (720, 960, 3), "a file object is read once, and its content kept"


def test_frames_have_their_own_sizes_modes_and_orientations(tmp_path: Path) -> None:
    first = PIL.Image.new("RGB", (30, 20), (200, 0, 0))
    second = PIL.Image.new("1", (64, 10), 1)
    third = PIL.Image.new("RGBA", (12, 50), (0, 0, 0, 0))
    fourth = PIL.Image.fromarray(np.full((7, 9), 257 * 80, np.uint16))
    stream = io.BytesIO()
    first.save(stream, "TIFF", save_all=True, append_images=[second, third, fourth])
    shapes = [load(each).shape for each in frames_of(stream.getvalue())]
    assert shapes == [(20, 30, 3), (10, 64, 3), (50, 12, 3), (7, 9, 3)]
    assert greys(stream.getvalue()) == [0, 255, 255, 80]


def test_smaller_copies_and_masks_are_no_pages() -> None:
    pages = levels(10, 120, 230, 60)
    stream = io.BytesIO()
    with PIL.TiffImagePlugin.AppendingTiffWriter(stream) as writer:
        for page, kind in zip(pages, (0, 1, 4, 2), strict=True):
            page.save(writer, "TIFF", tiffinfo={tiff.SUBFILE: kind})
            writer.newFrame()
    assert greys(stream.getvalue()) == [10, 60]


def test_broken_page_is_an_error_in_its_place(ocr: OCR, tmp_path: Path) -> None:
    content = bytearray(framed.draw(1, "TIFF raw", 4).content)
    third = directories(content)[2]
    struct.pack_into("<H", content, third + 2 + 2, 77)  # the type of the width
    path = tmp_path / "scan.tif"
    path.write_bytes(content)
    # The damaged directory still leads to the fourth page.
    results = list(ocr.read_many([path, path]))
    kinds = [type(result) for result in results]
    assert kinds == 2 * [Page, Page, ImageError, Page]
    assert results[2].source == f"{path}#3" and str(results[2]).startswith(f"{path}#3: ")
    assert [result.source for result in results[:4]] == [f"{path}#{i}" for i in (1, 2, 3, 4)]


def test_lost_pages_are_an_error_behind_those_that_are_there(scan: Path) -> None:
    content = scan.read_bytes()
    last = directories(content)[2]
    shown = greys(content[:last])
    assert shown[:2] == [10, 120] and len(shown) == 3 and str(shown[2]).startswith("<bytes>#3: ")


@pytest.mark.parametrize("form", [*framed.TIFF, "TIFF big"])
@pytest.mark.parametrize("share", [0.4, 0.7, 0.9, 0.99])
def test_pages_before_the_end_of_a_truncated_file_are_whole(form: str, share: float) -> None:
    noise = np.random.default_rng(3).integers(0, 2, (4, 60, 80), np.uint8) * 255
    content = framed.encode([PIL.Image.fromarray(each) for each in noise], form)
    whole = [load(frame) for frame in frames_of(content)]
    frames = list(frames_of(content[: int(share * len(content))]))
    loaded, errors = [], []
    for frame in frames:
        try:
            loaded.append(load(frame))
        except ImageError as error:
            errors.append(f"{name_of(frame)}: " in str(error))
    assert len(loaded) >= int(3 * share) and errors and all(errors)
    assert len(frames) == len(loaded) + len(errors), "the errors follow the pages"
    for one, other in zip(loaded, whole, strict=False):
        assert np.array_equal(one, other)


def test_circle_of_directories_comes_to_an_end() -> None:
    content = bytearray(framed.encode(levels(10, 120), "TIFF raw"))
    first, second = directories(content)
    (entries,) = struct.unpack_from("<H", content, second)
    struct.pack_into("<I", content, second + 2 + 12 * entries, first)
    assert greys(content) == [10, 120]


def test_too_many_pages_are_refused_after_the_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames_module, "MOST_PAGES", 3)
    monkeypatch.setattr(frames_module, "MOST_STEPS", 3)
    for form in ("TIFF raw", "PNG"):
        shown = greys(framed.encode(levels(10, 120, 230, 60, 90), form))
        assert shown[:3] == [10, 120, 230] and len(shown) == 4
        assert "no more than 3 frames" in str(shown[3])


def test_steps_that_look_like_the_one_before_are_left_out() -> None:
    moving = np.zeros((30, 400), np.uint8)
    steps = levels(10, 14, 12, 120, 118, 10, size=(400, 30))
    content = framed.encode(steps, "WEBP lossless")
    assert greys(content) == [10, 120, 10]
    names = [name_of(each) for each in frames_of(content)]
    assert names == ["<bytes>#1", "<bytes>#4", "<bytes>#6"], "numbers are those of the file"
    # Slow changes add up: each step is compared with the last one that was read.
    fading = [PIL.Image.fromarray(moving + level) for level in range(0, 200, 10)]
    assert len(greys(framed.encode(fading, "WEBP lossless"))) == 5
    # Pages of a TIFF file are never left out.
    assert greys(framed.encode(steps, "TIFF raw")) == [10, 14, 12, 120, 118, 10]


def test_further_pictures_of_a_telephone_are_no_frames(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    first, second = PIL.Image.new("RGB", (40, 30)), PIL.Image.new("RGB", (20, 15))
    first.save(path, "MPO", save_all=True, append_images=[second])
    with PIL.Image.open(path) as image:
        assert image.n_frames == 2
        assert list(frames_of(image)) == [image]
    assert list(frames_of(path)) == [path]


def test_read_warns_and_says_how_many_frames_there_are(ocr: OCR, tmp_path: Path) -> None:
    file = framed.draw(3, "TIFF tiff_lzw", 3)
    path = tmp_path / "scan.tif"
    path.write_bytes(file.content)
    with pytest.warns(MoreFramesWarning, match=r"scan\.tif has 3 frames.*read_many") as caught:
        page = ocr.read(path)
    assert [warning.filename for warning in caught] == [__file__]
    assert transparent.is_text(page.text, file.texts[0])
    assert (page.frames, page.source) == (3, str(path))
    assert Page.from_dict(page.to_dict()).frames == 3
    with pytest.warns(MoreFramesWarning):
        found = ocr.detect(path)
    assert found.frames == found.to_dict()["frames"] == 3


def test_read_many_reads_all_frames_without_a_warning(ocr: OCR, tmp_path: Path) -> None:
    files = [framed.draw(seed, form, 2) for seed, form in ((4, "TIFF jpeg"), (5, "PNG"))]
    sources: list[Source] = []
    for number, file in enumerate(files):
        path = tmp_path / f"{number}.bin"
        path.write_bytes(file.content)
        sources.append(path)
    sources.insert(1, np.full((40, 60, 3), 255, np.uint8))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pages = list(ocr.read_many(sources, on_error="raise"))
    assert [page.frames for page in pages] == [2, 2, 1, 2, 2]
    texts = [*files[0].texts, "", *files[1].texts]
    for page, text in zip(pages, texts, strict=True):
        assert transparent.is_text(page.text, text)


def test_one_frame_can_be_read_and_drawn(ocr: OCR, scan: Path) -> None:
    second = list(frames_of(scan))[1]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        page = ocr.read(second)
    assert page.source == f"{scan}#2" and page.frames == 3
    assert ocr.draw(second, page)[5, 5, 0] == page.draw(second)[5, 5, 0] == 120


def test_animation_waits_for_room_within_a_memory_limit(tmp_path: Path) -> None:
    """Its canvas counts, and the content of its file unless that is in memory already."""
    content = framed.encode(levels(10, 120), "WEBP lossless")
    path = tmp_path / "a.webp"
    path.write_bytes(content)
    asked: list[int] = []

    def refuse(needed: int) -> EdgeOCRError:
        asked.append(needed)
        return MemoryLimitError("too much", needed=needed, limit=1)

    for source in (content, path):
        (frame,) = frames_of(source, Limits(pictures=refuse))
        with pytest.raises(MemoryLimitError):
            load(frame)
    assert asked == [40 * 30 * CANVAS_BYTES, 40 * 30 * CANVAS_BYTES + len(content)]


@pytest.mark.stress
def test_files_drawn_at_random_are_read_frame_by_frame(ocr: OCR) -> None:
    wrong = []
    for seed in range(7000, 7020):
        file = framed.draw(seed)
        pages = list(ocr.read_many([file.content], on_error="raise"))
        assert [page.source for page in pages] == [
            f"<bytes>#{i}" for i in range(1, len(file.texts) + 1)
        ]
        for page, text in zip(pages, file.texts, strict=True):
            if not transparent.is_text(page.text, text):
                wrong.append((seed, file.form, page.text))
    assert len(wrong) <= 3, wrong


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
@pytest.mark.parametrize("first_only", [True, False])
def test_pipe_is_opened_once_and_read_to_its_end(tmp_path: Path, first_only: bool) -> None:
    picture, fifo = PIL.Image.effect_noise((300, 400), 50), tmp_path / "a.fifo"
    picture.save(tmp_path / "a.png")
    content = (tmp_path / "a.png").read_bytes()
    assert len(content) > frames_module.START
    feed(fifo, content)
    if first_only:
        source, count = frames_module.first_of(fifo)
        assert count == 1
    else:
        (source,) = frames_of(fifo)
        assert name_of(source) == str(fifo)
    assert np.array_equal(load(source)[..., 0], np.asarray(picture))
