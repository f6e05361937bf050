"""Test reading Total-Text's label files."""

from __future__ import annotations

from pathlib import Path

import pytest

from converters.accuracy.datasets import folder
from converters.accuracy.labels import LabelledPages
from edgeocr import DatasetError
from edgeocr.accuracy.labels import LabelledLine
from tests.support.datasets import picture, text

# Rows of the published set; the second one is broken as NumPy breaks long rows.
ROWS = (
    "x: [[ 53 120 121  56]], y: [[446 443 456 458]], ornt: [u'h'], transcriptions: [u'PERUNDING']",
    "x: [[115 152 191 232 275 320 366",
    "  366 320]], y: [[322 300 285 277 276 281 292",
    "  312 301]], ornt: [u'c'], transcriptions: [u\"Joe's\"]",
    "x: [[168 179 179 167]], y: [[439 439 452 453]], ornt: [u'#'], transcriptions: [u'#']",
    "x: [[1 9 9 1]], y: [[1 1 9 9]], ornt: [u'm'], transcriptions: [u'caf\\xe9, bar']",
    "x: [[1 9 9 1]], y: [[1 1 9 9]], ornt: [], transcriptions: []",
    "x: [[1 9 9 1]], y: [[1 1 9 9]], ornt: [u'#'], transcriptions: [u'blurred']",
)


def lines(path: Path) -> list[LabelledLine]:
    (found,) = folder.read(path)
    assert isinstance(found, LabelledPages) and found.kind == "total_text"
    (only,) = found.pictures.values()
    return list(only)


def test_polygons_of_the_published_files_are_read(tmp_path: Path) -> None:
    image = picture(tmp_path / "Images" / "Test" / "img1.jpg")
    text(tmp_path / "Groundtruth" / "Polygon" / "Test" / "poly_gt_img1.txt", *ROWS)
    (found,) = folder.read(tmp_path)
    assert isinstance(found, LabelledPages) and list(found.pictures) == [image]
    first, curved, unread, comma, empty, blurred = lines(tmp_path)
    assert (first.text, first.care) == ("PERUNDING", True)
    assert first.polygon.tolist() == [[53, 446], [120, 443], [121, 456], [56, 458]]
    assert (curved.text, curved.polygon.shape) == ("Joe's", (9, 2))
    assert curved.polygon[-1].tolist() == [320, 301]
    assert (comma.text, comma.care) == ("café, bar", True)
    assert not unread.care and not empty.care and not blurred.care


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("x: [[1 9 9]], y: [[1 1 9 9]], ornt: [u'h'], transcriptions: [u'a']", "3 numbers for x"),
        ("x: [[1 9]], y: [[1 1]], ornt: [u'h'], transcriptions: [u'a']", "3 or more pairs"),
        ("x: [[1 9 9 a]], y: [[1 1 9 9]], ornt: [u'h'], transcriptions: [u'a']", "could not"),
        ("x: [[1 9 9 1]], y: [[1 1 9 9]], ornt: [u'h'], transcriptions: [print(1)]", "malformed"),
        ("x: [[1 9 9 1]], y: [[1 1 9 9]]", "a row must have x, y, ornt and transcriptions"),
    ],
)
def test_wrong_row_is_named_by_its_first_line(row: str, message: str, tmp_path: Path) -> None:
    picture(tmp_path / "img1.jpg")
    text(tmp_path / "poly_gt_img1.txt", *ROWS[:4], row)
    with pytest.raises(DatasetError, match=rf"poly_gt_img1\.txt, row 5: .*{message}"):
        folder.read(tmp_path)


def test_labels_of_matlab_are_refused_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "poly_gt_img1.mat").touch()
    with pytest.raises(DatasetError, match=r"\.txt is read, not \.mat"):
        folder.read(tmp_path)
