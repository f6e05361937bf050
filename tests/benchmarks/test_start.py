"""The table of cold starts compares programs round by round, and a failing program is named."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks import start
from benchmarks.inputs import MeasurementError


def test_programs_are_compared_round_by_round() -> None:
    """A disturbed round of both doesn't change the ratio."""
    ours = [[1.0, 2.0, 3.0, 4.0], [10.0, 20.0, 30.0, 40.0], [1.0, 2.0, 3.0, 4.0]]
    theirs = [[2 * part for part in each] for each in ours]
    head, first, second = start.table({"edgeocr": ours, "other": theirs}).splitlines()
    parts = ["interpreter", "imports", "opening", "first", "read"]
    assert head.split() == [*parts, "median", "minimum", "ratio"]
    assert " ".join(first.replace(" ms", "").split()) == "edgeocr 1 2 3 4 10 10 1.00"
    assert " ".join(second.replace(" ms", "").split()) == "other 2 4 6 8 20 20 0.50"


def test_the_parts_of_a_process_add_up_to_its_time(tmp_path: Path) -> None:
    parts = start.start(sys.executable, "print('[1, 2, 3]')", tmp_path, [])
    assert parts[1:] == [1, 2, 3] and parts[0] > 0


def test_a_program_that_fails_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(MeasurementError, match="no such thing"):
        start.start(sys.executable, "raise SystemExit('no such thing')", tmp_path, [])
