"""The claims: what they make of answers, and a short real run of two of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.proof.budget import Budget
from benchmarks.proof.cells import Cell, Setup, cells_for
from benchmarks.proof.claims import doctor, engines, memory, parity, speed
from benchmarks.proof.judgement import CellVerdict, MapDifference, Ratio
from benchmarks.proof.trial import Trial
from benchmarks.proof.turns import Rounds
from edgeocr.bench.pictures import FIRST

EXAMINED: dict[str, Any] = {
    "edgeocr": "0.3.0",
    "onnxruntime": {"version": "1.32.0", "started": {"cpu": None, "cuda": None}},
    "nvidia": {
        "driver": "13.0",
        "driver_release": "580.1",
        "gpus": [{"name": "NVIDIA L4", "compute": "8.9", "memory_bytes": 1}],
        "cuda": "13.0",
        "cudnn": "9.1.0",
        "tensorrt": None,
    },
    "problems": [],
    "hints": ["nothing much"],
}


def test_doctor_holds_where_the_provider_starts() -> None:
    found = doctor.finding(EXAMINED, "cuda")
    assert found.outcome == "holds"
    rows = dict(map(tuple, found.tables[0].rows))
    assert rows["cuDNN"] == "9.1.0" and rows["TensorRT"] is None
    assert rows["GPU"] == "NVIDIA L4, compute capability 8.9"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"problems": ["cuDNN is missing"]}, "cuDNN is missing"),
        ({"onnxruntime": {"started": {"cuda": "libcudnn.so.9 is missing"}}}, "libcudnn.so.9"),
        ({"onnxruntime": {"started": {"cpu": None}}}, "has no provider 'cuda'"),
        ({"onnxruntime": None}, "has no provider 'cuda'"),
    ],
)
def test_doctor_fails_with_what_is_missing(change: dict[str, Any], said: str) -> None:
    found = doctor.finding({**EXAMINED, **change}, "cuda")
    assert found.outcome == "fails" and said in found.reason


@pytest.mark.parametrize("gpus", [None, "none", [None], [{"name": None}]])
def test_doctor_takes_whatever_nvidia_says(gpus: object) -> None:
    examined = {**EXAMINED, "nvidia": {**EXAMINED["nvidia"], "gpus": gpus}}
    assert doctor.finding(examined, "cuda").outcome == "holds"
    assert doctor.finding({**examined, "nvidia": []}, "cuda").outcome == "holds"


def test_maps_are_compared_value_by_value() -> None:
    one = {"arr_0": np.array([[1, 2, 3, 4]]), "arr_1": np.array([0.5, 0.25], np.float32)}
    other = {"arr_0": np.array([[1, 2, 3, 5]]), "arr_1": np.array([0.5, 0.75], np.float32)}
    assert parity.difference([(one, one)]) == MapDifference(1, 0.0, 0.0, 0.0)
    assert parity.difference([(one, other), (one, one)]) == MapDifference(2, 0.5, 0.125, 0.125)


def test_outputs_of_another_shape_are_as_far_apart_as_can_be() -> None:
    one, other = ({"arr_0": np.zeros(size, np.float32)} for size in (2, 3))
    found = parity.difference([(one, other)])
    assert found.refusal(reduced=True) is not None and found.refusal(reduced=False) is not None


def test_maps_of_a_folder_are_grouped_by_stage(tmp_path: Path) -> None:
    for folder, value in (("cpu", 0.0), ("gpu", 0.5)):
        (tmp_path / folder).mkdir()
        for name in ("detection-0", "detection-1", "recognition-0"):
            np.savez(tmp_path / folder / f"{name}.npz", np.full(4, value, np.float32))
    (tmp_path / "gpu" / "detection-1.npz").unlink()  # a shape that the provider isn't given
    found = parity.differences(tmp_path / "cpu", tmp_path / "gpu")
    assert {stage: each.inputs for stage, each in found.items()} == {
        "detection": 1,
        "recognition": 1,
    }
    assert found["detection"].largest == 0.5


def samples(number: int, **more: Any) -> list[dict[str, Any]]:
    usual = {"rss": 200_000_000, "descriptors": 5, "threads": 9, "gpu": 1 << 30, "ms": 50.0}
    return [usual | more for _ in range(number)]


def test_samples_are_divided_into_windows() -> None:
    windows, gpu = memory.divided([*samples(8), *samples(2, rss=300_000_000, gpu=2 << 30)])
    assert [each.rss for each in windows] == [200e6] * 4 + [300e6]
    assert gpu == [1 << 30] * 4 + [2 << 30]
    assert memory.divided(samples(10, gpu=None))[1] == []
    assert memory.divided(samples(4)) == ([], [])


def test_a_system_that_does_not_tell_what_is_held_is_not_judged() -> None:
    unknown = samples(10, descriptors=None, threads=None)
    verdict = memory.judged("x", unknown, *memory.divided(unknown))
    assert verdict.outcome == "not tried" and "only Linux tells" in verdict.reason


def test_rows_of_speed_name_those_that_were_left_out() -> None:
    cpu, cuda, other = (Cell(name, Setup("cpu")) for name in ("cpu", "cuda", "other"))
    rounds = Rounds(
        {"cpu": [[{"ms": 10.0}], [{"ms": 20.0}]], "cuda": [[{"ms": 5.0}], [{"ms": 5.0}]]},
        {"other": CellVerdict("other", "not tried", "it needs a GPU")},
    )
    assert rounds.ratios("cpu")["cuda"] == Ratio(0.375, 0.25, 0.5)
    rows = speed.table_rows(rounds, cpu, [cuda, other], dict(rounds.left_out))
    assert [row[:4] for row in rows] == [
        ["cpu", 15.0, 2, 1.0],
        ["cuda", 5.0, 2, 0.375],
        ["other", None, None, None],
    ]
    assert rows[2][-1] == "not tried: it needs a GPU"


@pytest.fixture
def trial(tmp_path: Path) -> Trial:
    """Return a trial in which the CPU with padded inputs stands in for the GPU."""
    padded = Cell("cpu padded", Setup("cpu", fixed_shapes=True))
    slow = Cell("built", Setup("cpu", cache="fp32"), builds=True)
    cells = replace(
        cells_for("openvino", ()), main=padded, parity=(padded,), reduced=(), engines=(slow,)
    )
    time = Budget(120, {"all": 1}).whole
    return Trial(cells, None, [str(FIRST)], tmp_path, "1.32.0", time, pages=50)


@pytest.mark.stress
def test_parity_of_the_cpu_holds(trial: Trial) -> None:
    found = parity.try_parity(trial)
    assert found.outcome == "holds", found.reason
    texts, maps = found.tables
    assert texts.rows[1][:4] == ["cpu padded", *[texts.rows[0][1]] * 3]
    assert {row[1] for row in maps.rows} == {"detection", "orientation", "recognition"}
    assert all(row[3] == 0 for row in maps.rows)


@pytest.mark.stress
def test_memory_of_the_cpu_is_flat(trial: Trial) -> None:
    trial.pages = 60
    held = memory.try_memory(trial)
    assert len(held.tables[0].rows) == 5
    assert held.outcome == "holds", held.reason


@pytest.mark.stress
def test_nothing_kept_is_no_reuse_and_leaves_the_cell_out(trial: Trial) -> None:
    found = engines.try_engines(trial)
    assert found.outcome == "fails" and "kept nothing in the folder" in found.reason
    assert trial.cells.engines[0].name not in trial.unready  # it works, but keeps nothing
