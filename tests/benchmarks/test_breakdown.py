"""Breakdown of a page's time: medians, shares and operators."""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from benchmarks import breakdown, operators
from benchmarks.breakdown import Breakdown, Run
from benchmarks.operators import Limits, Profile, Work
from edgeocr import OCR, Page

INSIDE_AND_LOAD = ("load", "detection", "orientation", "recognition")


def options(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    breakdown.add_arguments(parser)
    return parser.parse_args(list(words))


PROFILE = Profile([Work("Conv", 8.0, 1.0, 0.5)], [], Limits(100.0, 10.0))


def summarize(*runs: Run, operators: dict[str, Profile] | None = None) -> Breakdown:
    return breakdown.summarize(runs, bundle="tiny", pages=4, threads=2, operators=operators)


def three_runs() -> Breakdown:
    """Return the summary of three runs whose rests are 19, 6 and 33 ms."""
    return summarize(
        Run({"load": 10.0, "resize": 1.0, "detection": 50.0, "recognition": 20.0}, 100.0, 1.5),
        Run({"load": 30.0, "resize": 3.0, "detection": 40.0, "recognition": 21.0}, 100.0, 1.9),
        Run({"load": 20.0, "resize": 8.0, "detection": 60.0, "recognition": 29.0}, 150.0, 1.0),
    )


def test_figures_are_medians_of_the_runs() -> None:
    figures = three_runs()
    assert list(figures.stages_ms.items()) == [
        ("load", 20.0),
        ("resize", 3.0),
        ("detection", 50.0),
        ("recognition", 21.0),
        ("rest", 19.0),
    ]
    assert figures.total_ms == 100.0
    assert figures.cores_busy == 1.5


def test_outside_share_excludes_networks_and_file_decoding() -> None:
    assert three_runs().outside_share == (3 + 19) / (100 - 20)
    stages = {stage: 2.0**n for n, stage in enumerate(breakdown.STAGES) if stage != "rest"}
    total = sum(stages.values()) + 1000
    figures = summarize(Run(stages, total, 1.0))
    assert figures.stages_ms == {**stages, "rest": 1000.0}
    inside = sum(stages[stage] for stage in INSIDE_AND_LOAD)
    expected = (total - inside) / (total - stages["load"])
    assert figures.outside_share == pytest.approx(expected, abs=5e-5)


def test_record_keeps_the_keys_of_the_result_file() -> None:
    record = three_runs().to_dict()
    assert list(record) == [
        *("bundle", "pages", "threads", "stages_ms", "total_ms", "outside_share", "cores_busy"),
    ]
    found = summarize(RUN, operators={"detection": PROFILE}).to_dict()["operators"]
    assert found == {"detection": PROFILE.to_dict()}


# A run with stages of 0, 10, 20, … 110 ms.
RUN = Run(
    {stage: 10.0 * n for n, stage in enumerate(breakdown.STAGES) if stage != "rest"}, 710.0, 1.25
)


def test_table_has_every_stage() -> None:
    head, *rows = breakdown.table(summarize(RUN)).splitlines()
    assert head.split() == ["stage", "ms", "per", "page", "share"]
    assert [row[:16].rstrip() for row in rows[:14]] == [*breakdown.STAGES.values(), "total"]
    cells = [row[16:].split() for row in rows[:14]]
    assert cells[1] == ["2.50", "1.4%"]
    assert cells[7] == ["17.50", "9.9%"]
    assert cells[12] == ["12.50", "7.0%"]
    assert cells[13] == ["177.50"]
    assert {len(row) for row in [head, *rows[:13]]} == {len(head)}
    assert rows[14].endswith(": 73.2% of the time")
    assert rows[15] == "cores busy: 1.25 of 2"
    assert len(rows) == 16


def test_table_leaves_out_a_stage_that_never_ran() -> None:
    assert "orientation" not in breakdown.table(three_runs())


def test_table_shows_the_operators() -> None:
    text = breakdown.table(summarize(RUN, operators={"detection": PROFILE}))
    assert text.splitlines()[17:] == operators.table("detection", PROFILE, 4)


@pytest.mark.stress
@pytest.mark.slow
def test_command_prints_and_records_the_figures_of_a_folder(
    tmp_path: Path,
    pictures: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    # The slower picture comes first, so that a sum over the last picture alone would be noticed.
    shutil.copy(pictures / "receipt.jpg", folder / "1.jpg")
    shutil.copy(pictures / "badge.jpg", folder / "2.jpg")
    monkeypatch.chdir(tmp_path)
    breakdown.run(
        options(
            *("--images", str(folder), "--repeat", "2", "--threads", "2", "--orientation"),
            *("--operators", "--json", str(tmp_path / "figures.json")),
        )
    )
    record = json.loads((tmp_path / "figures.json").read_text())
    printed = capsys.readouterr().out
    figures = Breakdown(**{**record, "operators": None})
    assert printed.startswith(breakdown.table(figures) + "\n")
    assert (figures.bundle, figures.pages, figures.threads) == ("tiny", 2, 2)
    stages = figures.stages_ms
    absent = ("page_orientation", "unwarping", "words")
    assert list(stages) == [stage for stage in breakdown.STAGES if stage not in absent]
    assert all(ms > 0 for ms in stages.values())
    assert stages["rest"] < 0.25 * figures.total_ms
    # The median of two runs is their mean, so the stages add up to the total.
    assert sum(stages.values()) == pytest.approx(figures.total_ms, abs=0.01)
    assert 0 < figures.outside_share < 1
    assert 0 < figures.cores_busy < 4
    for stage in ("detection", "recognition"):
        found = record["operators"][stage]
        assert "Conv" in {each["name"] for each in found["operators"]}
        assert sum(each["ms"] for each in found["operators"]) > 1
        assert f"{stage} with one thread:" in printed
    # ONNX Runtime's profiles are gone.
    assert sorted(path.name for path in tmp_path.iterdir()) == ["figures.json", "pictures"]


def test_classifier_and_profile_are_left_out_unless_asked_for(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Path] = []

    class CountingOCR(OCR):
        def read(self, source: Any, **details: Any) -> Page:
            read.append(source)
            return super().read(source, **details)

    monkeypatch.setattr(breakdown, "OCR", CountingOCR)
    shutil.copy(pictures / "badge.jpg", tmp_path)
    figures = breakdown.measure(options("--images", str(tmp_path), "--repeat", "3"))
    assert read == [tmp_path / "badge.jpg"] * 4  # the first read doesn't count
    assert set(figures.stages_ms) == set(breakdown.STAGES) - {
        "page_orientation",
        "unwarping",
        "orientation",
        "words",
    }
    assert figures.operators is None and figures.words_cost is None


def test_words_are_compared_with_reading_without_them(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []

    class AskedOCR(OCR):
        def read(self, source: Any, *, words: bool = False, **details: Any) -> Page:
            asked.append(words)
            return super().read(source, words=words, **details)

    monkeypatch.setattr(breakdown, "OCR", AskedOCR)
    shutil.copy(pictures / "badge.jpg", tmp_path)
    figures = breakdown.measure(options("--images", str(tmp_path), "--repeat", "2", "--words"))
    assert asked == [False, False, True, False, True]  # the first read doesn't count
    assert figures.stages_ms["words"] > 0
    assert "words add" in breakdown.table(figures) and "words_cost" in figures.to_dict()
    fast, slow = (Run({"load": 1.0}, total, 1.0) for total in (100.0, 102.0))
    summary = breakdown.summarize(
        [slow] * 3, bundle="b", pages=1, threads=1, without_words=[fast, slow, fast]
    )
    assert summary.words_cost == 0.02


def test_folder_or_bundle_that_is_missing_is_named(
    tmp_path: Path, pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = str(tmp_path / "missing")
    for words, message in (
        (["--images", missing], f"{missing}: there is no such folder"),
        (["--images", str(tmp_path)], f"{tmp_path}: there are no pictures"),
        (["--images", str(pictures), "--bundle", missing], missing),
    ):
        with pytest.raises(SystemExit) as ended:
            breakdown.run(options(*words))
        assert ended.value.code == 1
        printed = capsys.readouterr().err
        assert printed.startswith("error: ") and message in printed
