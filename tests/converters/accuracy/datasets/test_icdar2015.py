"""Test reading ICDAR 2015's label files."""

from __future__ import annotations

from pathlib import Path

import pytest

from converters.accuracy.datasets import folder
from converters.accuracy.labels import LabelledPages
from edgeocr import DatasetError
from tests.support.datasets import ROW, picture, text


def read(path: Path, pictures: Path | None = None) -> LabelledPages:
    (found,) = folder.read(path, None, pictures)
    assert isinstance(found, LabelledPages) and found.kind == "icdar2015"
    return found


def test_words_of_the_official_files_are_read(tmp_path: Path) -> None:
    """The rows are of the set's first test picture, and a text with commas and quotes."""
    image = picture(tmp_path / "img_1.jpg")
    text(
        tmp_path / "gt_img_1.txt",
        "377,117,463,117,465,130,378,130,Genaxis Theatre",
        "493,115,519,115,519,131,493,131,[06]",
        "374,155,409,155,409,170,374,170,###",
        "492,151,551,151,551,170,492,170,62-03, 2nd",
        '376,198,422,198,422,212,376,212,"Carpark"',
        "494,190,539,189,539,205,494,206,*",
        encoding="utf-8-sig",
    )
    lines = read(tmp_path).pictures[image]
    assert [line.text for line in lines] == [
        *("Genaxis Theatre", "[06]", "###", "62-03, 2nd", "Carpark", "*")
    ]
    assert [line.care for line in lines] == [True, True, False, True, True, True]
    assert lines[0].polygon.tolist() == [[377, 117], [463, 117], [465, 130], [378, 130]]


def test_pictures_are_beside_the_labels_or_in_another_folder(tmp_path: Path) -> None:
    labels = tmp_path / "Challenge4_Test_Task1_GT"
    for number in (1, 2, 10):
        text(labels / f"gt_img_{number}.txt", ROW.format("a"))
    images = tmp_path / "ch4_test_images"
    expected = [picture(images / f"img_{number}.jpg") for number in (1, 2, 10)]
    assert list(read(tmp_path).pictures) == expected
    assert list(read(labels).pictures) == expected
    elsewhere = tmp_path / "mine" / "copies"
    copies = [picture(elsewhere / f"img_{number}.png") for number in (1, 2, 10)]
    assert list(read(labels, tmp_path / "mine").pictures) == copies


def test_picture_that_could_be_another_sets_is_refused(tmp_path: Path) -> None:
    labels = tmp_path / "gt"
    text(labels / "gt_img_1.txt", ROW.format("a"))
    for name in ("ch4_test_images", "ch4_training_images"):
        picture(tmp_path / name / "img_1.jpg")
    with pytest.raises(DatasetError, match=r"gt_img_1\.txt: its picture may be .*test.* or "):
        folder.read(tmp_path)
    assert list(read(labels, tmp_path / "ch4_test_images").pictures)
    text(tmp_path / "training" / "gt_img_1.txt", ROW.format("a"))
    with pytest.raises(DatasetError, match=r"several folders; name one of them: gt, training"):
        folder.read(tmp_path)


def test_missing_picture_is_named(tmp_path: Path) -> None:
    text(tmp_path / "gt_img_7.txt", ROW.format("a"))
    with pytest.raises(DatasetError, match=r"gt_img_7\.txt: there is no picture img_7\.jpg"):
        folder.read(tmp_path)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("1,2,3,4,5,6,7,8", "a row must have 8 numbers and a text"),
        ("1,2,3,4,5,6,7,x,text", "could not convert"),
        ("1,2,3,4,5,6,7,nan,text", "must be finite"),
        ('38, 43, 920, 215, "Tiredness"', "8 numbers and a text"),  # ICDAR 2013's
    ],
)
def test_wrong_row_is_named(row: str, message: str, tmp_path: Path) -> None:
    picture(tmp_path / "img_1.jpg")
    path = text(tmp_path / "gt_img_1.txt", ROW.format("a"), "", row)
    with pytest.raises(DatasetError, match=rf"gt_img_1\.txt, row 3: .*{message}") as caught:
        folder.read(tmp_path)
    assert (caught.value.path, caught.value.row) == (path, 3)
