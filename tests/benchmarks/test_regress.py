"""Comparison with a baseline, with made-up costs in small repositories; valgrind is not run."""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import cv2
import pytest

from benchmarks import baseline, regress
from benchmarks.baseline import Baseline, RegressError
from benchmarks.engines import regress_worker
from benchmarks.regress import Meter, Verdict

CONDITIONS = {"cpu": "Some CPU", "numpy": "2.1"}
TEXTS = ["今日特价", "¥28.50"]


class FakeMeter(Meter):
    """Takes the cost of a read from a file of the checkout, and records what it was asked for."""

    def __init__(self, folder: Path, counts: bool) -> None:
        super().__init__(folder, None)
        self.counts, self.asked = counts, list[tuple[str, Path]]()
        self.slowdown: Callable[[int], float] = lambda number: 1.0

    def texts(self, checkout: Path) -> list[str]:
        return (checkout / "edgeocr" / "texts").read_text("utf-8").split()

    def instructions(self, checkout: Path) -> int | None:
        self.asked.append(("instructions", checkout))
        return self.cost(checkout) if self.counts else None

    def seconds(self, checkout: Path) -> float:
        self.asked.append(("seconds", checkout))
        return self.cost(checkout) / 1e9 * self.slowdown(len(self.asked))

    def cost(self, checkout: Path) -> int:
        return int((checkout / "edgeocr" / "cost").read_text())


def git(folder: Path, *arguments: str) -> str:
    person = ["-c", "user.name=n", "-c", "user.email=e", "-c", "commit.gpgsign=false"]
    return subprocess.run(
        ["git", "-C", str(folder), *person, *arguments], capture_output=True, text=True, check=True
    ).stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Make a repository in which a read costs 1 000 000 at the commit and 1 020 000 in the tree."""
    folder = tmp_path / "repository"
    (folder / "edgeocr").mkdir(parents=True)
    (folder / "edgeocr" / "texts").write_text("\n".join(TEXTS), "utf-8")
    (folder / "edgeocr" / "cost").write_text("1000000")
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "first")
    (folder / "edgeocr" / "cost").write_text("1020000")
    return folder


def baseline_of(checkout: Path, **changes: Any) -> Baseline:
    commit = git(checkout, "rev-parse", "HEAD")
    return replace(Baseline(regress_worker.JOB, commit, 1_010_000, TEXTS, CONDITIONS), **changes)


def worktrees(checkout: Path) -> int:
    return len(git(checkout, "worktree", "list").splitlines())


@pytest.mark.parametrize(
    ("now", "worse", "better"),
    [
        (1060, True, False),
        (1050, False, False),
        (1000, False, False),
        (950, False, False),
        (940, False, True),
    ],
)
def test_verdict_tells_worse_and_better_from_the_margin(
    now: int, worse: bool, better: bool
) -> None:
    verdict = Verdict(now, 1000, 0.05, "")
    assert (verdict.worse, verdict.better) == (worse, better)
    assert ("worse" in str(verdict), "record a new baseline" in str(verdict)) == (worse, better)


def test_count_is_compared_with_the_baseline_under_equal_conditions(
    checkout: Path, tmp_path: Path
) -> None:
    meter = FakeMeter(tmp_path, counts=True)
    verdict = regress.compare(baseline_of(checkout), meter, CONDITIONS, None, checkout)
    assert (verdict.now, verdict.before) == (1_020_000, 1_010_000)
    assert verdict.margin == regress.COUNT_MARGIN
    assert meter.asked == [("instructions", checkout)]


@pytest.mark.parametrize(
    "changes",
    [
        {"conditions": {**CONDITIONS, "numpy": "2.0"}},
        {"conditions": {**CONDITIONS, "libc": "musl"}},
        {"job": "another one"},
        {"instructions": None},
    ],
)
def test_commit_is_counted_again_under_other_conditions(
    checkout: Path, tmp_path: Path, changes: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    meter = FakeMeter(tmp_path, counts=True)
    verdict = regress.compare(baseline_of(checkout, **changes), meter, CONDITIONS, 0.3, checkout)
    assert (verdict.now, verdict.before, verdict.margin) == (1_020_000, 1_000_000, 0.3)
    assert [what for what, _ in meter.asked] == ["instructions"] * 2
    assert worktrees(checkout) == 1
    printed = capsys.readouterr().err
    for field, value in changes.items():
        if field == "conditions":
            assert any(f"{key} is" in printed and value[key] in printed for key in value)
        elif field == "job":
            assert "job is" in printed and value in printed


def test_differing_conditions_are_named(checkout: Path) -> None:
    made = baseline_of(checkout, job="another one")
    assert baseline.changes(made, {"cpu": "Some CPU", "numpy": "2.2", "libc": "musl"}) == [
        f"job is {regress_worker.JOB}, was another one",
        "numpy is 2.2, was 2.1",
        "libc is musl, was unknown",
    ]
    assert baseline.changes(baseline_of(checkout), dict(CONDITIONS)) == []


def test_cpu_times_of_alternating_pairs_are_compared_without_counts(
    checkout: Path, tmp_path: Path
) -> None:
    meter = FakeMeter(tmp_path, counts=False)
    # The first pair meets a busy machine, and the machine slows down all the time.
    meter.slowdown = lambda number: 1 + number / 1e4 + 5 * (number == 3)
    verdict = regress.compare(baseline_of(checkout), meter, CONDITIONS, None, checkout)
    assert verdict.ratio == pytest.approx(1.02, abs=2e-3)
    assert verdict.margin == regress.TIME_MARGIN
    timed = [where == checkout for what, where in meter.asked if what == "seconds"]
    assert len(timed) == 2 * regress.PAIRS
    assert timed[:4] == [False, True, True, False]
    assert worktrees(checkout) == 1


def test_given_margin_applies_to_cpu_time_too(checkout: Path, tmp_path: Path) -> None:
    meter = FakeMeter(tmp_path, counts=False)
    assert regress.compare(baseline_of(checkout), meter, CONDITIONS, 0.0, checkout).worse


def test_lines_that_differ_from_the_baseline_are_reported(
    checkout: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    meter = FakeMeter(tmp_path, counts=True)
    regress.compare(baseline_of(checkout), meter, CONDITIONS, None, checkout)
    assert "the lines differ" not in capsys.readouterr().err
    regress.compare(baseline_of(checkout, texts=["x"]), meter, CONDITIONS, None, checkout)
    assert "the lines differ" in capsys.readouterr().err
    (checkout / "edgeocr" / "texts").write_text("y")
    regress.compare(baseline_of(checkout, job="another"), meter, CONDITIONS, None, checkout)
    assert "the lines differ" in capsys.readouterr().err


def test_missing_commit_is_named_with_what_to_do(checkout: Path, tmp_path: Path) -> None:
    made = baseline_of(checkout, commit="0" * 40, job="another one")
    with pytest.raises(RegressError, match=f"{'0' * 40} is not in this.*--unshallow.*--update"):
        regress.compare(made, FakeMeter(tmp_path, counts=True), CONDITIONS, None, checkout)


def test_worktree_is_removed_after_an_error(checkout: Path) -> None:
    commit = git(checkout, "rev-parse", "HEAD")
    with pytest.raises(ZeroDivisionError), regress.checked_out(commit, checkout) as tree:
        assert (tree / "edgeocr" / "cost").read_text() == "1000000"
        assert worktrees(checkout) == 2
        (tree / "edgeocr" / "new").touch()
        raise ZeroDivisionError
    assert worktrees(checkout) == 1
    assert not tree.parent.exists()


def test_update_records_committed_code_only(checkout: Path, tmp_path: Path) -> None:
    meter, path = FakeMeter(tmp_path, counts=True), tmp_path / "baseline.json"
    with pytest.raises(RegressError, match="commit them first"):
        regress.update(path, meter, CONDITIONS, checkout)
    assert not path.exists()
    git(checkout, "commit", "--quiet", "-a", "-m", "second")
    (checkout / "README.md").touch()  # a change outside edgeocr/ does not matter
    regress.update(path, meter, CONDITIONS, checkout)
    assert Baseline.load(path) == baseline_of(checkout, instructions=1_020_000)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (None, "No such file.*--update"),
        ("{", "is not a baseline"),
        ("[1]", "is not a baseline"),
        ({"more": 1}, "is not a baseline.*more"),
        ({"job": 1}, "invalid job$"),
        ({"commit": "--upload-pack=x"}, "invalid commit$"),
        ({"commit": None}, "invalid commit$"),
        ({"instructions": 0}, "invalid instructions$"),
        ({"instructions": "5"}, "invalid instructions$"),
        ({"instructions": True}, "invalid instructions$"),
        ({"texts": "a"}, "invalid texts$"),
        ({"conditions": []}, "invalid conditions$"),
    ],
)
def test_invalid_baseline_is_refused(tmp_path: Path, changes: Any, words: str) -> None:
    path = tmp_path / "baseline.json"
    valid = asdict(Baseline("j", "a" * 40, None, [], {}))
    if changes is not None:
        path.write_text(changes if isinstance(changes, str) else json.dumps({**valid, **changes}))
    with pytest.raises(RegressError, match=f"baseline.json.*{words}"):
        Baseline.load(path)
    path.write_text(json.dumps(valid))
    assert Baseline.load(path).commit == "a" * 40


def parsed(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    regress.add_arguments(parser)
    return parser.parse_args(["--baseline", "none.json", *arguments])


@pytest.mark.parametrize("share", ["-0.1", "nan", "inf", "x"])
def test_impossible_margin_is_refused(share: str) -> None:
    assert parsed("--margin", "0.2").margin == 0.2
    with pytest.raises(SystemExit):
        parsed("--margin", share)


def test_exit_code_is_1_if_worse_or_if_nothing_can_be_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "baseline.json"
    Baseline(regress_worker.JOB, "a" * 40, 1, [], {}).write(path)
    options = parsed("--baseline", str(path))
    for measured in (1000, 1001):
        verdict = Verdict(measured, 1000, 0.0, "figures")
        monkeypatch.setattr(regress, "compare", lambda *_, verdict=verdict: verdict)
        if measured == 1000:
            regress.run(options)
        else:
            with pytest.raises(SystemExit) as ended:
                regress.run(options)
            assert ended.value.code == 1
        assert capsys.readouterr().out.startswith("figures\nratio 1.00")
    with pytest.raises(SystemExit) as ended:
        regress.run(parsed("--baseline", str(tmp_path / "none.json")))
    assert ended.value.code == 1
    assert capsys.readouterr().err.startswith("error: ")


def test_second_read_of_the_same_process_is_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parts = {"": 9, ".1": 100, ".2": 50, ".3": 40}
    asked: list[tuple[int, Sequence[str]]] = []

    class Callgrind(Meter):
        def run_job(self, checkout: Path, reads: int, tool: Sequence[str] = ()) -> Any:
            asked.append((reads, tool))
            for end, count in parts.items():
                (tmp_path / f"callgrind.out{end}").write_text(
                    f"events: Ir\n+1 7\ntotals: {count}\n"
                )

    meter = Callgrind(tmp_path, "/bin/valgrind")
    assert meter.instructions(tmp_path) == 40
    ((reads, tool),) = asked
    assert reads == 2 and tool[0] == "/bin/valgrind" and "--dump-before=getppid" in tool
    assert capsys.readouterr().err == ""
    del parts[".3"]  # the file of an earlier process must not count for this one
    assert meter.instructions(tmp_path) is None
    assert "can't count instructions" in capsys.readouterr().err
    assert Callgrind(tmp_path, None).instructions(tmp_path) is None
    assert len(asked) == 2


def test_job_that_reads_nothing_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Meter, "run_job", lambda *_: {"texts": [], "seconds": [0.1]})
    with pytest.raises(RegressError, match="reads nothing"):
        Meter(tmp_path, None).texts(tmp_path)


def test_job_reads_both_lines(tmp_path: Path) -> None:
    meter = Meter(tmp_path, None)
    assert meter.texts(regress.CHECKOUT) == TEXTS


def test_worker_marks_each_read_of_the_small_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    marks = itertools.count()
    monkeypatch.setattr(os, regress_worker.MARK, lambda: next(marks))
    bundle, picture = regress_worker.prepare(regress.CHECKOUT, tmp_path / "job")
    target = tmp_path / "result.json"
    regress_worker.main(regress.CHECKOUT, str(bundle), str(picture), 2, target)
    assert next(marks) == 3  # before each read and at the end
    image = cv2.imread(str(picture))
    assert image is not None and image.shape[:2] == (160, 160)
    manifest = json.loads((bundle / "manifest.json").read_text("utf-8"))
    assert manifest["stages"]["detection"]["resize"]["limit_side"] == 160
    result = json.loads(target.read_text("utf-8"))
    assert result["texts"] == TEXTS and len(result["seconds"]) == 2


def test_worker_refuses_edgeocr_from_elsewhere(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="not from"):
        regress_worker.main(tmp_path, "", "", 1, tmp_path / "result.json")


def test_checkout_without_bundle_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RegressError, match=r"can't be prepared.*is not a bundle"):
        Meter(tmp_path, None).texts(tmp_path)


def test_conditions_name_everything_that_is_counted() -> None:
    found = baseline.conditions(None)
    libraries = {"numpy", "onnxruntime", "opencv", "pyclipper", "shapely"}
    assert set(found) == {"cpu", "architecture", "libc", "python", "valgrind"} | libraries
    assert found["valgrind"] == "none"


def test_recorded_baseline_is_of_this_job() -> None:
    stored = Baseline.load(regress.CHECKOUT / "benchmarks" / "results" / "regress.json")
    assert stored.job == regress_worker.JOB
    assert stored.instructions is not None
