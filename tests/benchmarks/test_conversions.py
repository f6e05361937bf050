"""Rows of the conversions' table."""

import shutil
import sys
from pathlib import Path

import pytest

from benchmarks import __main__ as benchmarks
from benchmarks.conversions import HEADER, table

ZOO = Path(__file__).parent.parent / "zoo" / "exports"


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="paddle2onnx 1.3.1 has no wheel")
def test_every_model_below_a_folder_is_a_row(tmp_path, monkeypatch, capsys):
    for form in ("legacy", "pir"):
        shutil.copytree(ZOO / "rec_mv3_none_none_ctc" / form, tmp_path / "rec" / form)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "inference.json").write_text('{"base_code": {"magic": "pir"}}')
    (tmp_path / "broken" / "inference.pdiparams").write_bytes(b"")
    arguments = ["benchmarks", "conversions", "--models", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", [*arguments, "--json", str(tmp_path / "result.json")])
    with pytest.raises(SystemExit) as exit:
        benchmarks.main()
    assert exit.value.code == 1  # one is broken, the others are measured all the same
    rows = [line for line in capsys.readouterr().out.splitlines() if line.startswith("| ")][1:]
    assert len(rows) == 3
    assert "not a PIR program" in rows[0]
    assert [row.split(" | ")[1:3] for row in rows[1:]] == [
        ["CTC", "paddle-legacy"],
        ["CTC", "paddle-pir"],
    ]
    assert (tmp_path / "result.json").is_file()


def test_a_verified_row_names_the_worst_output():
    row = {
        "network": "n",
        "algorithm": "CTC",
        "format": "paddle-pir",
        "repairs": ["inverse_of_constant"],
        "plain_bytes": 2_340_000,
        "times": [{"input": [1, 32, 100, 3], "plain_ms": 2.5, "edge_ms": 2.6}],
        "worst": {"max_abs": 3e-5, "relative": 2e-4, "own": 1e-5},
        "indices_equal": True,
    }
    last = table([row]).splitlines()[-1].strip("| ").split(" | ")
    assert dict(zip(HEADER, last, strict=True)) == {
        "Network": "n",
        "Algorithm": "CTC",
        "Format": "paddle-pir",
        "Repairs": "inverse_of_constant",
        "MB": "2.3",
        "Largest difference": "3e-05",
        "of the largest value": "2e-04",
        "Rounding of Paddle": "1e-05",
        "Indices": "equal",
        "Input": "1×32×100×3",
        "Plain ms": "2.5",
        "Edge ms": "2.6",
    }
