"""Folders that are wrong in one way: the words are misread, and the doctor says why."""

from __future__ import annotations

from pathlib import Path

import pytest

from converters.catalog import entries
from converters.doctor.examination import Examination, examine_folder
from converters.doctor.reading import Request
from tests.support import wrong_folders
from tests.support.wrong_folders import CASES

WORDS = 24


def examined(folder: Path, pictures: Path | None) -> Examination:
    return examine_folder(Request(folder, pictures), entries.load())


def right(examination: Examination) -> int:
    assert examination.facts.pictures is not None
    found = examination.facts.pictures.attempts[0].right
    assert found is not None
    return found


# These run by default; the others are many, and take a second each.
QUICK = ("a missing line", "Arabic")


@pytest.mark.parametrize(
    "name",
    [name if name in QUICK else pytest.param(name, marks=pytest.mark.stress) for name in CASES],
)
def test_cause_is_named(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    folder = wrong_folders.wrong(tmp_path / "export", case)
    case.words(tmp_path / "words", WORDS)
    found = examined(folder, tmp_path / "words")
    named = [each for each in found.problems if case.cause in each]
    assert named, (found.facts.pictures, found.problems)
    if found.facts.pictures is not None and found.facts.pictures.best:
        number = found.facts.pictures.number
        assert right(found) < 0.9 * number
        assert (found.facts.pictures.explained or 0) >= 0.8 * number


def test_right_folder_passes(tmp_path: Path) -> None:
    folder = wrong_folders.right(tmp_path / "export")
    wrong_folders.draw(tmp_path / "words", WORDS)
    found = examined(folder, tmp_path / "words")
    assert found.problems == []
    assert right(found) == WORDS
    assert found.facts.pictures is not None and found.facts.pictures.best == []
