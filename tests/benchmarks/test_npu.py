"""What the table of compilers for NPUs says about their answers."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.npu import Row

REFUSED: dict[str, list[str]] = {"rknn": ["GridSample"], "qnn": [], "coreml": ["LSTM", "Erf"]}


@pytest.mark.parametrize(
    ("rknn", "qnn", "said"),
    [
        (None, None, "not run | not run"),
        ({"difference": 0.0123}, {"parts": 1, "cpu": {}}, "yes, 1.2e-02 | whole"),
        (
            {"error": "build failed"},
            {"parts": 2, "cpu": {"Erf": 3, "Cast": 1}},
            "no: build failed | 2 parts; on the CPU 3 Erf, 1 Cast",
        ),
        ({"error": "x" * 99}, {"parts": 0, "cpu": {}}, f"no: {'x' * 80} | nothing"),
        (None, {"error": "RuntimeError: none"}, "not run | no: RuntimeError: none"),
    ],
)
def test_a_row_says_what_each_compiler_answered(
    rknn: dict[str, Any] | None, qnn: dict[str, Any] | None, said: str
) -> None:
    row = str(Row("net", [1, 3, 32, 100], REFUSED, rknn, qnn))
    assert row == f"| net | 1x3x32x100 | GridSample | none | LSTM, Erf | {said} |"
