"""Readings that are compared with a reference and with labels."""

from __future__ import annotations

import builtins
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeocr.bench.readings import compared, labels_of, scored
from edgeocr.errors import DatasetError, MissingLibraryError
from edgeocr.results.lines import Line


def line(text: str, top: float, score: float = 0.9) -> Line:
    quad = [[0, top], [100, top], [100, top + 20], [0, top + 20]]
    return Line(text, score, np.array(quad, np.float32))


def labelled(folder: Path, **pictures: list[Line]) -> list[str]:
    """Write a Label.txt and empty pictures, and return the pictures' paths."""
    rows = []
    for name, lines in pictures.items():
        (folder / f"{name}.jpg").write_bytes(b"")
        regions = [{"transcription": each.text, "points": each.quad.tolist()} for each in lines]
        rows.append(f"{name}.jpg\t{json.dumps(regions)}\n")
    (folder / "Label.txt").write_text("".join(rows), encoding="utf-8")
    return [str(folder / f"{name}.jpg") for name in pictures]


def test_readings_are_compared_over_pictures_that_both_have_read() -> None:
    reference = [[line("one", 0), line("two", 50)], [line("three", 0)], [line("four", 0)]]
    other = [[line("one", 1, 0.8), line("too", 51)], None, [line("four", 0)]]
    found = compared(reference, other)
    assert (found.lines, found.found, found.same) == (3, 3, 2)
    assert found.score_difference == pytest.approx(0.1)


def test_accuracy_is_that_of_the_labelled_pictures(tmp_path: Path) -> None:
    paths = labelled(tmp_path, a=[line("abcd", 0), line("efgh", 50)], b=[line("ij", 0)])
    known = labels_of([str(tmp_path / "other.jpg"), *paths])
    assert known is not None and set(known.lines) == {1, 2}
    assert (known.record.name, known.record.pictures, known.record.lines) == ("Label.txt", 2, 3)
    right = scored(known, [None, [line("abcd", 1), line("efgh", 51)], [line("ij", 0)]])
    assert (right.hmean, right.cer, right.pictures, right.lines) == (1, 0, 2, 3)
    wrong = scored(known, [None, [line("abcx", 1), line("efgh", 51)], None])
    assert (wrong.pictures, wrong.lines) == (1, 2)
    assert (wrong.detection_hmean, wrong.hmean, wrong.cer) == (1, 0.5, 0.125)


def test_labels_come_from_the_named_file_or_from_the_pictures_folders(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    paths = [*labelled(one, a=[line("a", 0)]), *labelled(two, b=[line("b", 0)])]
    both = labels_of(paths)
    assert both is not None and set(both.lines) == {0, 1}
    single = labels_of(paths, two / "Label.txt")
    assert single is not None and set(single.lines) == {1}
    assert single.record.sha256 != both.record.sha256
    assert labels_of([str(tmp_path / "c.jpg")]) is None


def test_labels_of_other_pictures_are_an_error_if_they_are_named(tmp_path: Path) -> None:
    labelled(tmp_path, a=[line("a", 0)])
    other = str(tmp_path / "b.jpg")
    assert labels_of([other]) is None
    with pytest.raises(DatasetError, match=r"has no labels of the pictures that are read"):
        labels_of([other], tmp_path / "Label.txt")
    with pytest.raises(DatasetError, match="can't be read"):
        labels_of([other], tmp_path / "missing.txt")


def test_missing_library_is_named_before_anything_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = labelled(tmp_path, a=[line("a", 0)])
    import_module = builtins.__import__

    def fail(name: str, *rest: Any) -> Any:
        if name.startswith("rapidfuzz"):
            raise ImportError(name)
        return import_module(name, *rest)

    monkeypatch.setattr(builtins, "__import__", fail)
    with pytest.raises(MissingLibraryError, match=r"edgeocr\[bench\]"):
        labels_of(paths)
