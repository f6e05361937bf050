"""Versions of ONNX Runtime in turn: with made-up answers, and with this environment as all."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import onnxruntimes
from benchmarks.environments import EnvironmentFailedError, requirements
from benchmarks.onnxruntimes_table import Comparison, VersionResult, markdown
from edgeocr.accuracy.agreement import Agreement
from edgeocr.bench.pictures import FIRST
from tests.benchmarks.proof.test_cell_process import OPENING

SAME = Agreement(lines=10, found=10, same=10)


def answers(*milliseconds: float) -> list[list[dict[str, object]]]:
    """Return rounds of one picture."""
    return [[{"ms": each, "stages_ms": {"detection": each / 2}}] for each in milliseconds]


def result(*milliseconds: float, same: Agreement = SAME) -> VersionResult:
    times, newest = answers(*milliseconds), answers(*[100.0] * len(milliseconds))
    return VersionResult.of({"onnxruntime": "1.22.1"}, [0.5, 0.7, 0.6], times, newest, None, same)


def comparison(**versions: VersionResult) -> Comparison:
    return Comparison(
        edgeocr="0.3.0",
        commit=None,
        date="2027-01-02",
        command="python -m benchmarks onnxruntimes",
        machine={"cpu": "A Processor", "cpus": 4, "os": "Linux", "python": "3.11"},
        bundle="tiny",
        sha256="ab" * 32,
        threads=4,
        pictures=["a.jpg"],
        repeat=3,
        versions=versions,
        left_out={"9.9": "there is no wheel of it"},
    )


def test_figures_are_medians_and_ratios_of_rounds() -> None:
    found = result(110.0, 130.0, 120.0)
    assert found.page_ms == 120 and found.cold_start_s == 0.6
    assert found.stages_ms == {"detection": 60.0}
    assert (found.ratio.middle, found.ratio.low, found.ratio.high) == pytest.approx((1.2, 1.1, 1.3))
    assert found.refusal is None


@pytest.mark.parametrize(
    ("times", "noticed"),
    [
        ((110.0, 130.0, 120.0), "slower"),
        ((80.0, 90.0, 85.0), "faster"),
        ((104.0, 130.0, 120.0), None),  # one round could as well be chance
        ((96.0, 80.0, 85.0), None),
    ],
)
def test_a_difference_counts_if_every_round_shows_it(
    times: tuple[float, ...], noticed: str | None
) -> None:
    assert result(*times).noticed == noticed


def test_table_says_what_differs_and_what_was_left_out() -> None:
    other = replace(SAME, same=8)
    text = markdown(comparison(old=result(120.0, 130.0, same=other), new=result(100.0, 100.0)))
    assert "| 1.22.1 | 0.60 | 125.0 | 62.5 | – | 1.25 (1.20 to 1.30) | 8 of 10 equal |" in text
    assert "old is slower than new: it takes 1.25 (1.20 to 1.30) times as long" in text
    assert "old gives other texts than new: it reads 2 of 10 lines differently" in text
    assert "9.9 is left out: there is no wheel of it" in text
    assert "A Processor, 4 CPUs" in text
    calm = markdown(comparison(old=result(101.0), new=result(100.0)))
    assert "no version is faster or slower than new by more than 5% in all rounds" in calm


def test_versions_have_environments_of_their_own() -> None:
    latest, exact = onnxruntimes.peer("1.22"), onnxruntimes.peer("1.22.1")
    assert latest.package != exact.package
    assert requirements(latest, "")[0] == "onnxruntime==1.22.*"
    assert requirements(exact, "")[0] == "onnxruntime==1.22.1"
    assert requirements(latest, "")[1:] == requirements(exact, "")[1:]


def test_versions_are_sorted_as_numbers() -> None:
    assert sorted(["1.9", "1.22.1", "1.22"], key=onnxruntimes.number) == ["1.9", "1.22", "1.22.1"]
    parser = argparse.ArgumentParser()
    onnxruntimes.add_arguments(parser)
    with pytest.raises(SystemExit):
        parser.parse_args(["latest"])


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("x\nERROR: No matching distribution found for onnxruntime==9.9.*", "there is no wheel"),
        ("x\nERROR: a\nERROR: ResolutionImpossible", "ERROR: ResolutionImpossible"),
        ("no pip", "no pip"),
    ],
)
def test_reason_of_pip_is_brief(message: str, said: str) -> None:
    assert onnxruntimes.pip_error(message).startswith(said)


@pytest.mark.stress
def test_versions_read_in_turn_without_those_that_fail(tmp_path: Path) -> None:
    def environment(version: str) -> Path:
        if version == "9.9":
            raise EnvironmentFailedError("ERROR: No matching distribution found")
        return tmp_path / "no-python" if version == "0.1" else Path(sys.executable)

    found, left_out = onnxruntimes.compare(
        ["1.1", "1.2", "9.9"], environment, OPENING, [str(FIRST)], repeat=2, starts=1
    )
    assert list(found) == ["1.1", "1.2"] and list(left_out) == ["9.9"]
    for each in found.values():
        assert each.same == each.lines > 0 and len(each.rounds_s) == 2
        assert "detection" in each.stages_ms and "onnxruntime" in " ".join(each.packages)
    assert found["1.2"].ratio.middle == 1


@pytest.mark.slow
def test_a_version_that_cannot_open_is_left_out() -> None:
    opening = {**OPENING, "provider": "qnn"}
    found, left_out = onnxruntimes.compare(
        ["1.1"], lambda version: Path(sys.executable), opening, [str(FIRST)], repeat=1, starts=1
    )
    assert found == {} and "provider 'qnn'" in left_out["1.1"]
