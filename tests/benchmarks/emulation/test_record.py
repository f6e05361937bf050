"""The baseline of counts and the comparison with it."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.emulation.errors import EmulationError
from benchmarks.emulation.job import JOB
from benchmarks.emulation.machine import WHEELS
from benchmarks.emulation.record import Record, compared

CONDITIONS = {"qemu": "7.2", **dict.fromkeys(WHEELS, "1.0")}
RECORD = Record(JOB, "a" * 40, CONDITIONS, ["text"], {"cortex-a72": {"read": 10, "rest": 10}})


def test_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    RECORD.write(tmp_path / "arm.json")
    assert Record.load(tmp_path / "arm.json") == RECORD
    assert RECORD.wheels == dict.fromkeys(WHEELS, "1.0")


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"commit": "--upload-pack=x"}, "commit"),
        ({"conditions": {"qemu": "7.2"}}, "conditions"),
        ({"counts": {}}, "counts"),
        ({"counts": {"cortex-a9": {"read": 10}}}, "counts"),
        ({"counts": {"cortex-a72": {"rest": 10}}}, "counts"),
        ({"texts": None}, "texts"),
    ],
)
def test_invalid_record_is_an_error(tmp_path: Path, changes: dict[str, Any], named: str) -> None:
    path = tmp_path / "arm.json"
    path.write_text(json.dumps({**asdict(RECORD), **changes}))
    with pytest.raises(EmulationError, match=f"not a baseline: invalid {named}"):
        Record.load(path)


def test_missing_record_names_update(tmp_path: Path) -> None:
    with pytest.raises(EmulationError, match="--update"):
        Record.load(tmp_path / "arm.json")


def test_changes_name_what_differs() -> None:
    assert RECORD.changes(CONDITIONS) == []
    assert RECORD.changes({**CONDITIONS, "qemu": "8.0"}) == ["qemu is 8.0, was 7.2"]
    (change,) = replace(RECORD, job="other").changes(CONDITIONS)
    assert change == f"job is {JOB}, was other"


def test_a_part_is_worse_only_beyond_the_margin() -> None:
    before = {"cortex-a72": {"opening": 1000, "rest": 500, "decoding": 10, "read": 1000}}
    now = {"cortex-a72": {"opening": 1011, "rest": 505, "decoding": 90, "read": 980}}
    changes = {change.part: change for change in compared(now, before, 0.01)}
    assert {part: change.worse for part, change in changes.items()} == {
        "read": False,
        "opening": True,
        "rest": False,
    }, "decoding is too small to be compared by itself"
    assert "worse than the margin of 0.01" in str(changes["opening"])
    assert "within the margin" in str(changes["rest"])
    assert "record a new baseline" in str(changes["read"])
