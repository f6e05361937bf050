"""`benchmarks arm` with made-up counts, and its worker on this machine; nothing is emulated."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks import arm
from benchmarks.emulation.counts import Counts
from benchmarks.emulation.job import JOB, WORKER, Counted, Counter, Subject
from benchmarks.emulation.machine import WHEELS, Machine
from benchmarks.emulation.record import MARGIN, Record
from benchmarks.engines import arm_worker, regress_worker
from benchmarks.engines.arm_worker import DETECTION, FIRST_READ, IMPORT, OPENING, RECOGNITION, REST
from benchmarks.regress import CHECKOUT
from tests.support.paths import EMBEDDED_BUNDLE, ROOT

CONDITIONS = {"qemu": "7.2", **dict.fromkeys(WHEELS, "1.0")}
TEXTS = ["今日特价", "¥28.50"]
RECORDED = ROOT / "benchmarks" / "results" / "arm.json"


def made_up(read: int) -> dict[str, dict[str, int]]:
    return {"cortex-a72": {REST: read, "read": read}}


class FakeMachine(Machine):
    """A machine that isn't made; it keeps what would be installed."""

    def __init__(self) -> None:
        super().__init__(Path("/nonexistent"), print)
        self.installed: list[str] = []

    def make(self) -> None:
        pass

    def install(self, folder: str, requirements: Any) -> None:
        self.installed += requirements

    def conditions(self) -> dict[str, str]:
        return {"qemu": CONDITIONS["qemu"]}


def costs(monkeypatch: pytest.MonkeyPatch, now: int, before: int = 0) -> list[Path]:
    """Let this checkout cost `now`, and every other one `before`; returns what is counted."""
    asked: list[Path] = []

    def counts_of(checkout: Path, counter: Counter, processors: Iterable[str]) -> Any:
        asked.append(checkout)
        return TEXTS, made_up(now if checkout == CHECKOUT else before)

    monkeypatch.setattr(arm, "counts_of", counts_of)
    return asked


@pytest.mark.parametrize(("now", "right"), [(1009, True), (1011, False), (900, True)])
def test_count_is_compared_with_the_baseline(
    monkeypatch: pytest.MonkeyPatch, now: int, right: bool
) -> None:
    asked = costs(monkeypatch, now)
    machine = FakeMachine()
    record = Record(JOB, "a" * 40, CONDITIONS, TEXTS, made_up(1000))
    assert arm.compare(record, machine, MARGIN) is right
    assert asked == [CHECKOUT]
    assert machine.installed == [f"{name}==1.0" for name in WHEELS]


def test_other_conditions_have_the_commit_counted_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = costs(monkeypatch, now=1009, before=900)
    checkout = tmp_path / "before"

    class CheckedOut:
        def __init__(self, commit: str, of: Path) -> None:
            assert commit == "a" * 40 and of == CHECKOUT

        def __enter__(self) -> Path:
            return checkout

        def __exit__(self, *_: object) -> None:
            pass

    monkeypatch.setattr(arm, "checked_out", CheckedOut)
    record = Record(JOB, "a" * 40, {**CONDITIONS, "qemu": "6.0"}, ["other"], made_up(1009))
    assert not arm.compare(record, FakeMachine(), MARGIN)
    assert asked == [CHECKOUT, checkout]
    assert "counted again: qemu is 7.2, was 6.0" in capsys.readouterr().err


def test_table_sums_the_parts_of_the_second_read() -> None:
    parts = {
        IMPORT: Counts(10**9),
        DETECTION: Counts(67_000_000, 50_000_000, 9_000_000, 0),
        RECOGNITION: Counts(100_000_000, 60_000_000, 8_000_000, 5_000_000),
        REST: Counts(3_000_000),
    }
    subject = Subject("edgeocr", "tiny", [])
    operators = {DETECTION: {"Conv": Counts(900), "Gelu": Counts(99), "Cast": Counts(1)}}
    result = arm.Result(subject, "cortex-a76", Counted(TEXTS, parts, operators))
    row = arm.table([result]).splitlines()[-1]
    assert row == (
        "| tiny | edgeocr | cortex-a76 | 170.0 | 67.0 | 100.0 | 0.0 | 3.0 | 110.0 | 17.0 | 5.0 |"
    )
    shares = [line.split("|")[-2].strip() for line in arm.operator_table([result]).splitlines()[2:]]
    assert shares == ["90.0%", "9.9%"]  # Cast is left out
    assert replace(result, processor="x").to_dict()["processor"] == "x"


def test_update_without_baseline_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    arm.add_arguments(parser)
    with pytest.raises(SystemExit):
        arm.run(parser.parse_args(["--update"]))
    assert "--update needs --baseline" in capsys.readouterr().err


def test_recorded_baseline_is_of_this_job() -> None:
    stored = Record.load(RECORDED)
    assert stored.job == JOB and stored.texts == TEXTS
    assert set(stored.counts) == set(arm.DEFAULT_PROCESSORS)
    for parts in stored.counts.values():
        assert parts["read"] == sum(parts[part] for part in arm_worker.READ)


def test_worker_marks_the_parts_of_a_read_and_lists_its_nodes(tmp_path: Path) -> None:
    regress_worker.prepare_picture(tmp_path / "picture.png")
    regress_worker.prepare_bundle(EMBEDDED_BUNDLE, tmp_path / "bundle")
    job: arm_worker.Job = {
        "engine": "edgeocr",
        "picture": str(tmp_path / "picture.png"),
        "side": regress_worker.SIDE,
        "bundle": str(tmp_path / "bundle"),
        "models": [],
        "reads": 2,
        "profile": True,
    }
    (tmp_path / "job.json").write_text(json.dumps(job))
    files = [str(tmp_path / name) for name in ("job.json", "done.json")]
    subprocess.run(
        [sys.executable, str(WORKER), *files],
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    done: arm_worker.Done = json.loads((tmp_path / "done.json").read_text())
    assert done["texts"] == TEXTS
    marks = done["marks"]
    assert marks[:4] == [arm_worker.START, IMPORT, OPENING, FIRST_READ] and marks[-1] == REST
    networks = [mark for mark in marks if mark in arm_worker.NETWORKS]
    assert networks[0] == DETECTION and RECOGNITION in networks
    assert len(done["runs"]) == len(networks)
    assert all("Conv" in {operator for operator, _, _ in run} for run in done["runs"])
    assert set(marks[4:]) == {*arm_worker.NETWORKS, arm_worker.DECODING, REST}


def test_parts_at_the_same_time_are_an_error() -> None:
    marks = arm_worker.Marks()
    inner = marks.around(lambda: 1, lambda: arm_worker.DECODING)
    outer = marks.around(lambda: inner(), lambda: arm_worker.DECODING)
    assert outer() == 1  # outside a read nothing is marked
    marks.reading = True
    with pytest.raises(RuntimeError, match="same time"):
        outer()
