"""Where the time of a page goes: medians, shares and operators."""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path
from time import perf_counter
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from benchmarks import breakdown
from edgeocr import OCR, Page

INSIDE_AND_LOAD = ("load", "detection", "orientation", "recognition")


def options(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    breakdown.add_arguments(parser)
    return parser.parse_args(list(words))


def summary() -> dict[str, Any]:
    runs = [
        {"load": 10.0, "resize": 1.0, "detection": 50.0, "recognition": 20.0},
        {"load": 30.0, "resize": 3.0, "detection": 40.0, "recognition": 21.0},
        {"load": 20.0, "resize": 8.0, "detection": 60.0, "recognition": 29.0},
    ]
    # 19, 6 and 33 more than the stages.
    return breakdown.summarize(runs, [100.0, 100.0, 150.0], [1.5, 1.9, 1.0])


def test_medians_of_the_runs() -> None:
    made = summary()
    assert made["stages_ms"] == {
        "load": 20.0,
        "resize": 3.0,
        "detection": 50.0,
        "recognition": 21.0,
        "rest": 19.0,
    }
    assert list(made["stages_ms"]) == ["load", "resize", "detection", "recognition", "rest"]
    assert made["total_ms"] == 100.0
    assert made["cores_busy"] == 1.5


def test_outside_is_what_neither_reads_files_nor_runs_networks() -> None:
    assert summary()["outside_share"] == (3 + 19) / (100 - 20)
    run = {stage: 2.0**n for n, stage in enumerate(breakdown.STAGES) if stage != "rest"}
    total = sum(run.values()) + 1000
    made = breakdown.summarize([run], [total], [1.0])
    assert made["stages_ms"] == {**run, "rest": 1000.0}
    inside = sum(run[stage] for stage in INSIDE_AND_LOAD)
    expected = (total - inside) / (total - run["load"])
    assert made["outside_share"] == pytest.approx(expected, abs=5e-5)


def figures(**more: Any) -> dict[str, Any]:
    run = {stage: 10.0 * n for n, stage in enumerate(breakdown.STAGES) if stage != "rest"}
    made = breakdown.summarize([run], [400.0], [1.25])
    return {"bundle": "tiny", "pages": 4, "threads": 2, **made, **more}


def test_the_table_has_every_stage() -> None:
    head, *rows = breakdown.table(figures()).splitlines()
    assert head.split() == ["stage", "ms", "per", "page", "share"]
    assert [row[:16].rstrip() for row in rows[:10]] == [*breakdown.STAGES.values(), "total"]
    cells = [row[16:].split() for row in rows[:10]]
    # Of stages of 0, 10, 20, … 70 ms of 400 ms, on four pages.
    assert cells[1] == ["2.50", "2.5%"]
    assert cells[7] == ["17.50", "17.5%"]
    assert cells[8] == ["30.00", "30.0%"]
    assert cells[9] == ["100.00"]
    assert {len(row) for row in [head, *rows[:9]]} == {len(head)}
    assert rows[10].endswith(": 67.5% of the time")
    assert rows[11] == "cores busy: 1.25 of 2"
    assert len(rows) == 12


def test_a_stage_that_never_ran_is_not_in_the_table() -> None:
    made = figures()
    del made["stages_ms"]["orientation"]
    assert "orientation" not in breakdown.table(made)


def test_the_table_has_the_largest_operators() -> None:
    operators = {f"Op{n}": float(n) for n in range(12)}
    text = breakdown.table(figures(operators={"detection": operators}))
    title, *rows = text.splitlines()[13:]
    assert title == "detection, one thread: 16.50 ms per page in operators, of it"
    assert [row.split()[0] for row in rows] == [f"Op{n}" for n in range(11, 3, -1)]
    assert rows[0].split() == ["Op11", "2.75", "16.7%"]


def test_profile_counts_the_operators_of_a_graph() -> None:
    graph = helper.make_graph(
        [
            helper.make_node("Cast", ["x"], ["float"], to=TensorProto.FLOAT),
            helper.make_node("MatMul", ["float", "weight"], ["product"]),
            helper.make_node("Softmax", ["product"], ["y"]),
        ],
        "tiny",
        [helper.make_tensor_value_info("x", TensorProto.UINT8, ["n", 64])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 64])],
        [helper.make_tensor("weight", TensorProto.FLOAT, [64, 64], np.eye(64).ravel())],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    content = model.SerializeToString()
    batch = np.ones((2000, 64), np.uint8)
    begin = perf_counter()
    spent = breakdown.profile(content, [batch, batch[:1]])
    assert 0 < sum(spent.values()) < 1000 * (perf_counter() - begin)
    assert set(spent) == {"Cast", "MatMul", "Softmax"}
    assert list(spent.values()) == sorted(spent.values(), reverse=True)
    assert breakdown.profile(content, []) == {}


def test_profile_counts_kernels_only(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []
    given: list[Any] = []

    class Session:
        def __init__(self, graph: bytes, options: Any, providers: list[str]) -> None:
            made.append(options)

        def get_inputs(self) -> list[Any]:
            return [SimpleNamespace(name="x")]

        def run(self, outputs: None, inputs: dict[str, Any]) -> None:
            given.append(inputs)

        def end_profiling(self) -> str:
            def event(name: str, cat: str, dur: int) -> dict[str, Any]:
                return {"name": name, "cat": cat, "dur": dur, "args": {"op_name": name[:4]}}

            events = [
                {"name": "model_run", "cat": "Session", "dur": 9000},
                event("Relu_a_fence_before", "Node", 400),
                event("Relu_a_kernel_time", "Node", 1000),
                event("Conv_b_kernel_time", "Node", 2000),
                event("Relu_c_kernel_time", "Node", 500),
                event("Conv_b_kernel_time", "Api", 8000),
            ]
            path = Path(f"{made[0].profile_file_prefix}.json")
            path.write_text(json.dumps(events))
            return str(path)

    fake = SimpleNamespace(SessionOptions=SimpleNamespace, InferenceSession=Session)
    monkeypatch.setattr(breakdown, "import_onnxruntime", lambda: fake)
    first, second = np.zeros((1, 2), np.uint8), np.ones((3, 4), np.uint8)
    assert breakdown.profile(b"", [first, second]) == {"Conv": 2.0, "Relu": 1.5}
    assert [inputs["x"].shape for inputs in given] == [(1, 2), (3, 4)]
    assert made[0].intra_op_num_threads == 1 and made[0].enable_profiling is True
    assert not Path(made[0].profile_file_prefix).parent.exists()


def test_the_command(
    tmp_path: Path, pictures: Path, capsys: pytest.CaptureFixture[str], monkeypatch: Any
) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    # The slower one first: without it little would be left.
    shutil.copy(pictures / "receipt.jpg", folder / "1.jpg")
    shutil.copy(pictures / "badge.jpg", folder / "2.jpg")
    monkeypatch.chdir(tmp_path)
    breakdown.run(
        options(
            *("--images", str(folder), "--repeat", "2", "--threads", "2", "--orientation"),
            *("--operators", "--json", str(tmp_path / "figures.json")),
        )
    )
    made = json.loads((tmp_path / "figures.json").read_text())
    assert capsys.readouterr().out == breakdown.table(made) + "\n"
    assert (made["bundle"], made["pages"], made["threads"]) == ("tiny", 2, 2)
    stages = made["stages_ms"]
    assert list(stages) == list(breakdown.STAGES)
    assert all(ms > 0 for ms in stages.values())
    assert stages["rest"] < 0.25 * made["total_ms"]
    # A median of two is their mean, so the parts make up the whole.
    assert sum(stages.values()) == pytest.approx(made["total_ms"], abs=0.01)
    assert 0 < made["outside_share"] < 1
    assert 0 < made["cores_busy"] < 4
    for stage in ("detection", "recognition"):
        assert "Conv" in " ".join(made["operators"][stage])
        assert sum(made["operators"][stage].values()) > 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["figures.json", "pictures"]


def test_the_classifier_is_left_out_unless_asked_for(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Path] = []

    class Counting(OCR):
        def read(self, source: Any) -> Page:
            read.append(source)
            return super().read(source)

    monkeypatch.setattr(breakdown, "OCR", Counting)
    shutil.copy(pictures / "badge.jpg", tmp_path)
    made = breakdown._measure(options("--images", str(tmp_path), "--repeat", "3"))
    assert read == [tmp_path / "badge.jpg"] * 4  # the first read doesn't count
    assert set(made["stages_ms"]) == set(breakdown.STAGES) - {"orientation"}
    assert "operators" not in made


@pytest.mark.parametrize(
    ("words", "message"),
    [(["--images", "none"], "no such folder"), (["--images", "."], "no pictures in it")],
)
def test_a_folder_without_pictures(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        breakdown.run(options(*words))
    assert ended.value.code == 1
    assert message in capsys.readouterr().err


def test_a_bundle_that_is_none(
    tmp_path: Path, pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        breakdown.run(options("--images", str(pictures), "--bundle", str(tmp_path / "none")))
    assert ended.value.code == 1
    assert capsys.readouterr().err.startswith("error: ")
