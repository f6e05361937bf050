"""The conversions' table and result file."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import __main__ as benchmarks
from benchmarks.conversions import HEADER, Converted, Row, Verified, table
from converters.parity.compare import Comparison
from converters.parity.difference import Difference
from converters.report import OutputDifference, describe
from tests.support.paths import ZOO_EXPORTS


@pytest.mark.slow
def test_every_model_below_a_folder_is_a_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for form in ("legacy", "pir"):
        shutil.copytree(ZOO_EXPORTS / "rec_mv3_none_none_ctc" / form, tmp_path / "rec" / form)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "inference.json").write_text('{"base_code": {"magic": "pir"}}')
    (tmp_path / "broken" / "inference.pdiparams").write_bytes(b"")
    arguments = ["benchmarks", "conversions", "--models", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", [*arguments, "--json", str(tmp_path / "result.json")])
    with pytest.raises(SystemExit) as exit:
        benchmarks.main()
    assert exit.value.code == 1  # one model is broken; the others are measured all the same
    rows = [line for line in capsys.readouterr().out.splitlines() if line.startswith("| ")][1:]
    assert "failed: " in rows[0] and "not a PIR program" in rows[0]
    assert rows[1].startswith("| rec | CTC |")
    assert rows[1].count("not compared") == 2
    models = json.loads((tmp_path / "result.json").read_text())["models"]
    assert [set(model) for model in models] == [
        {"network", "format", "error"},
        *2 * [{"network", "format", *vars(CONVERTED)}],
    ]
    assert len(rows) == 2


CONVERTED = Converted("CTC", "edgeocr 0.3.0", ("unrolled_loops",), 2_340_000, 2_400_000)


def compared(max_abs: float, own: float) -> OutputDifference:
    difference = Difference("y", [[1, 2]], max_abs, 0.0, 0.5, own, 1e-3, None, None)
    (described,) = describe(Comparison("Paddle Inference", [], [difference]))["outputs"]
    return described


def test_both_formats_of_a_network_are_one_row_with_the_worst_figures() -> None:
    worst = compared(max_abs=1e-4, own=1e-5)
    verified = Verified(worst, "Paddle Inference", True)
    row = Row("n", "paddle-legacy", CONVERTED, verified)
    worse = compared(max_abs=2e-4, own=2e-5)
    pir = replace(row, format="paddle-pir", verified=Verified(worse, "Paddle Inference", False))
    assert row.to_dict()["worst"] == worst
    last = table([row, pir]).splitlines()[-1].strip("| ").split(" | ")
    assert dict(zip(HEADER, last, strict=True)) == {
        "Network": "n",
        "Algorithm": "CTC",
        "Changed": "unrolled_loops",
        "MB": "2.3",
        "Legacy": "2e-04",
        "PIR": "4e-04",
        "Rounding": "4e-05",
        "Indices": "differ",
    }
