"""Compilers that run on a computer take the graphs (stage `npu`)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from benchmarks.npu import asked, exported
from tests.support.paths import TRAINED_EXPORTS, ZOO_EXPORTS

pytestmark = pytest.mark.npu
NETWORKS = [
    TRAINED_EXPORTS / "crnn",
    TRAINED_EXPORTS / "db",
    ZOO_EXPORTS / "PP-OCRv5_mobile_rec" / "pir",
]


@pytest.mark.parametrize("folder", NETWORKS, ids=lambda folder: folder.parent.name + folder.name)
def test_rknn_toolkit_builds_and_simulates(folder: Path) -> None:
    python = Path(os.environ["EDGEOCR_RKNN_PYTHON"])
    answer = asked(exported(folder)["rknn"], python, "rknn")
    # The simulator computes in float16.
    assert answer.get("difference", 1) < 0.02, answer


@pytest.mark.parametrize("folder", NETWORKS, ids=lambda folder: folder.parent.name + folder.name)
def test_qnn_compiles_the_whole_graph(folder: Path) -> None:
    python = Path(os.environ["EDGEOCR_QNN_PYTHON"])
    answer = asked(exported(folder)["qnn"], python, "qnn")
    assert answer == {"parts": 1, "cpu": {}}, answer
