"""Drawn signs and pages: their labels are where the ink is."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from random import Random

import cv2
import numpy as np
import pytest
from PIL import Image, ImageFont

from benchmarks import conditions, drawn_picture, number_columns, pages
from edgeocr import OCR
from edgeocr.accuracy import label_file
from edgeocr.accuracy.score import Score


def draw(folder: Path, *words: str) -> None:
    parser = argparse.ArgumentParser()
    pages.add_arguments(parser)
    pages.run(parser.parse_args(["--output", str(folder), *words]))


@pytest.fixture
def two_signs_and_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "SIGNS", 2)
    monkeypatch.setattr(pages, "PAGES", ((72, 9),))
    monkeypatch.setattr(conditions, "COUNT", 1)
    monkeypatch.setattr(conditions, "CONDITIONS", ("sparse",))
    monkeypatch.setattr(number_columns, "TABLES", 1)
    monkeypatch.setattr(number_columns, "GAPS", (1.0,))
    monkeypatch.setattr(pages, "SCREENSHOTS", ((400, 20),))
    monkeypatch.setattr(pages, "RECEIPTS", ((72, 9),))


@pytest.mark.usefixtures("two_signs_and_a_page")
def test_command_draws_all_kinds_with_labels(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draw(tmp_path)
    printed = capsys.readouterr().out
    for kind, names in (
        ("signs", ["00.jpg", "01.jpg"]),
        ("pages", ["72dpi-09pt.jpg"]),
        ("large", ["screen-400.jpg", "receipt-72dpi-09pt.jpg"]),
        ("columns", ["gap-1.00-0.jpg"]),
    ):
        read = label_file.labels_of(tmp_path / kind / "Label.txt")
        assert [path.name for path in read] == names
        assert all(path.is_file() for path in read)
        count = sum(line.care for lines in read.values() for line in lines)
        assert count > 5
        assert f"{kind}: {len(names)} pictures, {count} lines that count\n" in printed
    assert Image.open(tmp_path / "pages" / "72dpi-09pt.jpg").info["dpi"] == (72, 72)


@pytest.mark.usefixtures("two_signs_and_a_page")
def test_command_draws_one_kind_if_asked(tmp_path: Path) -> None:
    draw(tmp_path, "--kind", "signs")
    assert [path.name for path in tmp_path.iterdir()] == ["signs"]


@pytest.mark.stress
@pytest.mark.slow
@pytest.mark.usefixtures("two_signs_and_a_page")
def test_seed_determines_the_files(tmp_path: Path) -> None:
    def files(name: str, seed: int) -> dict[str, bytes]:
        draw(tmp_path / name, "--seed", str(seed))
        return {
            str(path.relative_to(tmp_path / name)): path.read_bytes()
            for path in (tmp_path / name).glob("*/*")
        }

    first, again, other = files("first", 1), files("again", 1), files("other", 2)
    assert first == again
    assert len(first) == len(other)
    assert not set(first.values()) & set(other.values())


@pytest.fixture(scope="module")
def signs() -> list[drawn_picture.Picture]:
    """Draw the whole set of signs, which takes seconds."""
    return list(pages.signs(pages.SEED))


@pytest.mark.slow
def test_signs_and_pages_cover_the_sizes(signs: list[drawn_picture.Picture]) -> None:
    sizes = {dpi: [points for d, points in pages.PAGES if d == dpi] for dpi, _ in pages.PAGES}
    assert sizes == {300: [5, 6, 7, 8, 10, 12], 200: [6, 7, 9, 10], 150: [7, 10, 12]}
    assert len(signs) == 40
    lines = [(sign.image.size, line) for sign in signs for line in sign.lines]
    for sign in signs:
        assert 320 <= sign.image.width <= 1000 and 260 <= sign.image.height <= 700
        assert 60 <= sign.quality <= 92
        assert len(sign.lines) > 2
    for (width, height), line in lines:
        inside = all(0 <= x <= width and 0 <= y <= height for x, y in line.corners)
        assert (line.text == "###") != inside
        assert 1 <= len(line.text.split()) <= 5
    assert 0 < sum(line.text == "###" for _, line in lines) < 0.1 * len(lines)
    slopes = [
        np.degrees(np.arctan2(y1 - y0, x1 - x0))
        for _, line in lines
        for (x0, y0), (x1, y1) in [line.corners[:2]]
    ]
    assert -pages.TILT <= min(slopes) < -3 and 3 < max(slopes) <= pages.TILT


@pytest.mark.slow
def test_lines_of_a_sign_do_not_touch(signs: list[drawn_picture.Picture]) -> None:
    for sign in signs:
        for upper, lower in zip(sign.lines, sign.lines[1:], strict=False):
            (x0, y0), (x1, y1), _, below = upper.corners
            along = np.array([x1 - x0, y1 - y0]) / np.hypot(x1 - x0, y1 - y0)
            gap = np.array([-along[1], along[0]]) @ (np.array(lower.corners[0]) - below)
            assert 5.9 <= gap <= 27.1


def drawn(kind: str, number: int) -> drawn_picture.Picture:
    if kind == "signs":
        return pages.draw_sign("a.jpg", Random(number))
    return pages.draw_page("a.jpg", 100, 6 + number, Random(number))


def test_words_that_do_not_fit_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "SIGN_SIZES", (50,))
    monkeypatch.setattr(drawn_picture, "WORDS", ["important"])
    for picture in (drawn("signs", number) for number in range(6)):
        for line in picture.lines:
            (x0, y0), (x1, y1) = line.corners[:2]
            assert np.hypot(x1 - x0, y1 - y0) <= picture.image.width - 9


@pytest.mark.parametrize(
    ("kind", "number"), [*(("signs", number) for number in range(4)), ("pages", 0), ("pages", 2)]
)
def test_all_ink_is_inside_the_labels(kind: str, number: int) -> None:
    picture = drawn(kind, number)
    grey = np.asarray(picture.image.convert("L")).astype(float)
    ink = grey < np.median(grey) - 60
    labelled = np.zeros(grey.shape, np.uint8)
    for line in picture.lines:
        corners = np.array(line.corners)
        one = np.zeros(grey.shape, np.uint8)
        cv2.fillPoly(one, [np.round(corners).astype(np.int32)], 1)
        if line.text != "###":
            # There is ink at both ends of the label, so it is not longer than the text.
            for start, end in ((0, 0.1), (0.9, 1)):
                begin, along = corners[0], corners[1] - corners[0]
                piece = np.array([begin + start * along, begin + end * along])
                piece = np.vstack([piece, piece[::-1] + corners[3] - begin])
                part = np.zeros(grey.shape, np.uint8)
                cv2.fillPoly(part, [np.round(piece).astype(np.int32)], 1)
                assert ink[part > 0].any(), line
            assert 0.05 < ink[one > 0].mean() < 0.7
        labelled |= one
    around = cv2.dilate(labelled, np.ones((5, 5), np.uint8))
    assert not ink[around == 0].any()


def test_page_is_printed_in_paragraphs_within_margins() -> None:
    page = drawn("pages", 2)
    assert page.image.size == (827, 1169)
    tops = [line.corners[0][1] for line in page.lines]
    steps = np.diff(tops)
    assert (steps > 12).all()
    assert 2 <= (steps > 24).sum() < len(steps) / 3
    assert all(x < 827 - 80 and y < 1169 - 80 for line in page.lines for x, y in line.corners)


def test_words_have_all_cases_and_numbers() -> None:
    rng = Random(0)
    words = {drawn_picture.random_word(rng) for _ in range(2000)}
    assert all(word.isascii() and word.strip() == word for word in words)
    for kind in (str.islower, str.isupper, str.istitle, str.isdigit):
        assert sum(map(kind, words)) > 40


def test_most_lines_of_a_sign_are_read(tmp_path: Path, ocr: OCR) -> None:
    pages.write(tmp_path, (drawn("signs", number) for number in range(2)))
    score = Score()
    for path, expected in label_file.labels_of(tmp_path / "Label.txt").items():
        found = [(line.quad.astype(float), line.text) for line in ocr.read(path).lines]
        score.add(expected, found)
    assert score.figures()["hmean"] > 0.7


@pytest.mark.usefixtures("two_signs_and_a_page")
@pytest.mark.parametrize("missing", [True, False])
def test_missing_or_old_pillow_is_named(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    missing: bool,
) -> None:
    if missing:
        monkeypatch.setitem(sys.modules, "PIL", None)
    else:
        monkeypatch.setattr(ImageFont, "load_default", lambda: None)
    with pytest.raises(SystemExit) as ended:
        draw(tmp_path)
    assert ended.value.code == 1
    assert 'pip install "edgeocr[overlay]" "pillow>=10.1"' in capsys.readouterr().err
    assert not any(tmp_path.iterdir())


@pytest.mark.usefixtures("two_signs_and_a_page")
def test_unwritable_folder_ends_with_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit) as ended:
        draw(tmp_path / "file")
    assert ended.value.code == 1
    assert capsys.readouterr().err.startswith("error: ")


def test_columns_of_numbers_stand_as_far_apart_as_asked() -> None:
    near, far = (number_columns.draw_table("any", gap, Random(3)) for gap in (1.0, 3.0))
    assert [line.text for line in near.lines] == [line.text for line in far.lines]
    first = near.lines[0].corners[0][0]
    moved = {
        round(b.corners[0][0] - a.corners[0][0]) for a, b in zip(near.lines, far.lines, strict=True)
    }
    # Each column moves by two sizes more than the one before it.
    size = min(moved - {0}) / 2
    assert size in number_columns.SIZES
    assert moved == {round(2 * size * column) for column in range(len(moved))}
    assert first == far.lines[0].corners[0][0]
