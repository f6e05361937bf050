"""Rows of the conversions' table."""

import shutil
import sys

import pytest

from benchmarks import __main__ as benchmarks
from benchmarks.conversions import HEADER, table
from tests.support.paths import ZOO_EXPORTS

ZOO = ZOO_EXPORTS


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
    assert "failed: " in rows[0] and "not a PIR program" in rows[0]
    assert rows[1].startswith("| rec | CTC |")
    assert rows[1].count("not compared") == 2
    assert (tmp_path / "result.json").is_file()
    assert len(rows) == 2


def test_both_formats_are_one_row_that_names_the_worst_output():
    row = {
        "network": "n",
        "algorithm": "CTC",
        "format": "paddle-legacy",
        "repairs": ["inverse_of_constant"],
        "plain_bytes": 2_340_000,
        "worst": {"relative": 2e-4, "own": 1e-5, "magnitude": 0.5},
        "indices_equal": True,
    }
    pir = {
        **row,
        "format": "paddle-pir",
        "worst": {"relative": 4e-4, "own": 2e-5, "magnitude": 0.5},
        "indices_equal": False,
    }
    last = table([row, pir]).splitlines()[-1].strip("| ").split(" | ")
    assert dict(zip(HEADER, last, strict=True)) == {
        "Network": "n",
        "Algorithm": "CTC",
        "Repairs": "inverse_of_constant",
        "MB": "2.3",
        "Legacy": "2e-04",
        "PIR": "4e-04",
        "Rounding": "4e-05",
        "Indices": "differ",
    }
