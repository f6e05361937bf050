"""Comparing with a baseline, with costs made up in small repositories; nothing is counted here."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import pytest

from benchmarks import regress
from benchmarks.engines import regress_worker
from benchmarks.regress import Baseline, Meter, RegressError, Verdict

CONDITIONS = {"cpu": "Some CPU", "numpy": "2.1"}
TEXTS = ["今日特价", "¥28.50"]


class Fake(Meter):
    """Takes what a read costs from a file of the checkout, and says what was asked for where."""

    def __init__(self, folder: Path, counts: bool) -> None:
        super().__init__(folder, None)
        self.counts, self.asked = counts, list[tuple[str, Path]]()
        self.busy: Callable[[int], float] = lambda number: 1.0

    def texts(self, checkout: Path) -> list[str]:
        return (checkout / "edgeocr" / "texts").read_text("utf-8").split()

    def instructions(self, checkout: Path) -> int | None:
        self.asked.append(("instructions", checkout))
        return self.cost(checkout) if self.counts else None

    def seconds(self, checkout: Path) -> float:
        self.asked.append(("seconds", checkout))
        return self.cost(checkout) / 1e9 * self.busy(len(self.asked))

    def cost(self, checkout: Path) -> int:
        return int((checkout / "edgeocr" / "cost").read_text())


def git(folder: Path, *arguments: str) -> str:
    person = ["-c", "user.name=n", "-c", "user.email=e", "-c", "commit.gpgsign=false"]
    return subprocess.run(
        ["git", "-C", str(folder), *person, *arguments], capture_output=True, text=True, check=True
    ).stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A read costs 1 000 000 at the commit, and 1 020 000 in the working tree."""
    folder = tmp_path / "repository"
    (folder / "edgeocr").mkdir(parents=True)
    (folder / "edgeocr" / "texts").write_text("\n".join(TEXTS), "utf-8")
    (folder / "edgeocr" / "cost").write_text("1000000")
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "first")
    (folder / "edgeocr" / "cost").write_text("1020000")
    return folder


def baseline(checkout: Path, **changes: Any) -> Baseline:
    commit = git(checkout, "rev-parse", "HEAD")
    return replace(Baseline(regress.JOB, commit, 1_010_000, TEXTS, CONDITIONS), **changes)


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
def test_verdict(now: int, worse: bool, better: bool) -> None:
    verdict = Verdict("", now, 1000, 0.05)
    assert (verdict.worse, verdict.better) == (worse, better)
    assert ("worse" in str(verdict), "update the baseline" in str(verdict)) == (worse, better)


def test_count_is_compared_where_all_is_as_it_was(checkout: Path, tmp_path: Path) -> None:
    meter = Fake(tmp_path, counts=True)
    verdict = regress.compare(baseline(checkout), meter, CONDITIONS, None, checkout)
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
def test_baseline_is_run_again_where_something_differs(
    checkout: Path, tmp_path: Path, changes: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    meter = Fake(tmp_path, counts=True)
    verdict = regress.compare(baseline(checkout, **changes), meter, CONDITIONS, 0.3, checkout)
    assert (verdict.now, verdict.before, verdict.margin) == (1_020_000, 1_000_000, 0.3)
    assert [what for what, _ in meter.asked] == ["instructions"] * 2
    assert worktrees(checkout) == 1
    said = capsys.readouterr().err
    for field, value in changes.items():
        if field == "conditions":
            assert any(f"{key} is" in said and value[key] in said for key in value)
        elif field == "job":
            assert "job is" in said and value in said


def test_what_differs_is_named(checkout: Path) -> None:
    made = baseline(checkout, job="another one")
    assert regress.changes(made, {"cpu": "Some CPU", "numpy": "2.2", "libc": "musl"}) == [
        f"job is {regress.JOB}, was another one",
        "numpy is 2.2, was 2.1",
        "libc is musl, was unknown",
    ]
    assert regress.changes(baseline(checkout), dict(CONDITIONS)) == []


def test_cpu_time_where_nothing_is_counted(checkout: Path, tmp_path: Path) -> None:
    meter = Fake(tmp_path, counts=False)
    # The first pair meets a busy machine, and the machine slows down all the time.
    meter.busy = lambda number: 1 + number / 1e4 + 5 * (number == 3)
    verdict = regress.compare(baseline(checkout), meter, CONDITIONS, None, checkout)
    assert verdict.ratio == pytest.approx(1.02, abs=2e-3)
    assert verdict.margin == regress.TIME_MARGIN
    timed = [where == checkout for what, where in meter.asked if what == "seconds"]
    assert len(timed) == 2 * regress.PAIRS
    assert timed[:4] == [False, True, True, False]
    assert worktrees(checkout) == 1


def test_margin_of_the_command_is_for_cpu_time_too(checkout: Path, tmp_path: Path) -> None:
    meter = Fake(tmp_path, counts=False)
    assert regress.compare(baseline(checkout), meter, CONDITIONS, 0.0, checkout).worse


def test_other_texts_are_told(
    checkout: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    meter = Fake(tmp_path, counts=True)
    regress.compare(baseline(checkout), meter, CONDITIONS, None, checkout)
    assert "other lines" not in capsys.readouterr().err
    regress.compare(baseline(checkout, texts=["x"]), meter, CONDITIONS, None, checkout)
    assert "other lines are read" in capsys.readouterr().err
    (checkout / "edgeocr" / "texts").write_text("y")
    regress.compare(baseline(checkout, job="another"), meter, CONDITIONS, None, checkout)
    assert "other lines are read" in capsys.readouterr().err


def test_commit_that_is_not_there(checkout: Path, tmp_path: Path) -> None:
    made = baseline(checkout, commit="0" * 40, job="another one")
    with pytest.raises(RegressError, match=f"{'0' * 40} is not in this.*--unshallow.*--update"):
        regress.compare(made, Fake(tmp_path, counts=True), CONDITIONS, None, checkout)


def test_worktree_is_gone_after_an_error(checkout: Path) -> None:
    commit = git(checkout, "rev-parse", "HEAD")
    with pytest.raises(ZeroDivisionError), regress.checked_out(commit, checkout) as tree:
        assert (tree / "edgeocr" / "cost").read_text() == "1000000"
        assert worktrees(checkout) == 2
        (tree / "edgeocr" / "new").touch()
        raise ZeroDivisionError
    assert worktrees(checkout) == 1
    assert not tree.parent.exists()


def test_update(checkout: Path, tmp_path: Path) -> None:
    meter, path = Fake(tmp_path, counts=True), tmp_path / "baseline.json"
    with pytest.raises(RegressError, match="commit first"):
        regress.update(path, meter, CONDITIONS, checkout)
    assert not path.exists()
    git(checkout, "commit", "--quiet", "-a", "-m", "second")
    (checkout / "README.md").touch()  # is not what is measured
    regress.update(path, meter, CONDITIONS, checkout)
    assert Baseline.load(path) == baseline(checkout, instructions=1_020_000)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (None, "No such file.*--update"),
        ("{", "is no baseline"),
        ("[1]", "is no baseline"),
        ({"more": 1}, "is no baseline.*more"),
        ({"job": 1}, "wrong job$"),
        ({"commit": "--upload-pack=x"}, "wrong commit$"),
        ({"commit": None}, "wrong commit$"),
        ({"instructions": 0}, "wrong instructions$"),
        ({"instructions": "5"}, "wrong instructions$"),
        ({"instructions": True}, "wrong instructions$"),
        ({"texts": "a"}, "wrong texts$"),
        ({"conditions": []}, "wrong conditions$"),
    ],
)
def test_what_is_no_baseline(tmp_path: Path, changes: Any, words: str) -> None:
    path = tmp_path / "baseline.json"
    right = {"job": "j", "commit": "a" * 40, "instructions": None, "texts": [], "conditions": {}}
    if changes is not None:
        path.write_text(changes if isinstance(changes, str) else json.dumps({**right, **changes}))
    with pytest.raises(RegressError, match=f"baseline.json.*{words}"):
        Baseline.load(path)
    path.write_text(json.dumps(right))
    assert Baseline.load(path).commit == "a" * 40


def parsed(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    regress.add_arguments(parser)
    return parser.parse_args(["--baseline", "none.json", *arguments])


@pytest.mark.parametrize("share", ["-0.1", "nan", "inf", "x"])
def test_margin_is_checked(share: str) -> None:
    assert parsed("--margin", "0.2").margin == 0.2
    with pytest.raises(SystemExit):
        parsed("--margin", share)


def test_exit_codes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "baseline.json"
    Baseline(regress.JOB, "a" * 40, 1, [], {}).write(path)
    options = parsed("--baseline", str(path))
    for now in (1000, 1001):
        verdict = Verdict("figures", now, 1000, 0.0)
        monkeypatch.setattr(regress, "compare", lambda *_, verdict=verdict: verdict)
        if now == 1000:
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


def test_second_read_is_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parts = {"": 9, ".1": 100, ".2": 50, ".3": 40}
    asked = []

    class Callgrind(Meter):
        def _read(self, checkout: Path, reads: int, tool: list[str] | None = None) -> Any:
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
    del parts[".3"]  # what is left of an earlier process is not taken for this one's
    assert meter.instructions(tmp_path) is None
    assert "can't count" in capsys.readouterr().err
    assert Callgrind(tmp_path, None).instructions(tmp_path) is None
    assert len(asked) == 2


def test_job_that_reads_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Meter, "_read", lambda *_: {"texts": [], "seconds": [0.1]})
    with pytest.raises(RegressError, match="reads nothing"):
        Meter(tmp_path, None).texts(tmp_path)


def test_the_job(tmp_path: Path) -> None:
    meter = Meter(tmp_path, None)
    assert meter.texts(regress.CHECKOUT) == TEXTS


def test_each_read_is_small_and_marked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    marks = []
    monkeypatch.setattr(os, regress_worker.MARK, lambda: marks.append(1) or 1)
    bundle, picture = regress_worker.prepare(regress.CHECKOUT, tmp_path / "job")
    target = tmp_path / "result.json"
    regress_worker.main(regress.CHECKOUT, str(bundle), str(picture), 2, target)
    assert len(marks) == 3
    assert cv2.imread(str(picture)).shape[:2] == (160, 160)
    manifest = json.loads((bundle / "manifest.json").read_text("utf-8"))
    assert manifest["stages"]["detection"]["resize"]["limit_side"] == 160
    read = json.loads(target.read_text("utf-8"))
    assert read["texts"] == TEXTS and len(read["seconds"]) == 2


def test_edgeocr_of_elsewhere_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="not of"):
        regress_worker.main(tmp_path, "", "", 1, tmp_path / "result.json")


def test_checkout_without_bundle(tmp_path: Path) -> None:
    with pytest.raises(RegressError, match=r"can't be prepared.*no bundle"):
        Meter(tmp_path, None).texts(tmp_path)


def test_conditions_name_all_that_counts() -> None:
    found = regress.conditions(None)
    libraries = {"numpy", "onnxruntime", "opencv", "pyclipper", "shapely"}
    assert set(found) == {"cpu", "architecture", "libc", "python", "valgrind"} | libraries
    assert found["valgrind"] == "none"


def test_the_stored_baseline_is_of_this_job() -> None:
    stored = Baseline.load(regress.CHECKOUT / "benchmarks" / "results" / "regress.json")
    assert stored.job == regress.JOB
    assert stored.instructions is not None
