"""The doctor's pictures: what is used, and what is left out."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from converters.doctor import material
from edgeocr.errors import DatasetError
from tests.support import wrong_folders

DAMAGED = b"\x89PNG\r\n\x1a\nxx"


def test_pictures_that_cannot_be_read_are_left_out(tmp_path: Path) -> None:
    wrong_folders.draw(tmp_path / "words", 3)
    (tmp_path / "words" / "001.png").write_bytes(DAMAGED)
    labelled = material.lines(tmp_path / "words")
    assert [line.name for line in labelled.items] == ["000.png", "002.png"]
    assert all(line.label for line in labelled.items)
    assert labelled.left_out == 1 and labelled.labels == "rec_gt"
    (why,) = labelled.unreadable
    assert why.startswith("001.png: this is a PNG picture that is damaged")
    assert "max_image_pixels" not in why  # the doctor has no such option
    (tmp_path / "words" / "rec_gt.txt").unlink()
    for found in (material.lines(tmp_path / "words"), material.pages(tmp_path / "words")):
        assert found.labels is None and len(found.items) == 2
        assert found.unreadable == [why]


def test_folder_without_usable_pictures_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="no pictures in it"):
        material.lines(tmp_path)
    (tmp_path / "a.png").write_bytes(DAMAGED)
    with pytest.raises(DatasetError, match=r"no picture in it can be used \(a\.png: this is"):
        material.pages(tmp_path)


def test_single_picture_and_pictures_of_other_forms_are_read(tmp_path: Path) -> None:
    transparent = np.dstack([np.full((20, 60, 3), 200, np.uint8), np.full((20, 60), 255, np.uint8)])
    for name, image in (("grey", transparent[:, :, 0]), ("transparent", transparent)):
        cv2.imwrite(str(tmp_path / f"{name}.png"), image)
        (line,) = material.lines(tmp_path / f"{name}.png").items
        assert line.crop.pixels.shape == (20, 60, 3)


def test_many_pictures_are_chosen_from_the_whole_folder(tmp_path: Path) -> None:
    for number in range(25):
        cv2.imwrite(str(tmp_path / f"{number:02}.png"), np.zeros((8, 8, 3), np.uint8))
    pages = material.pages(tmp_path)
    assert len(pages.items) == 10 and pages.left_out == 15
    assert [pages.items[0].name, pages.items[-1].name] == ["00.png", "22.png"]
