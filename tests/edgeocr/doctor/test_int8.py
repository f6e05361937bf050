"""An ONNX Runtime that multiplies int8 wrongly on this processor is a hint."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from edgeocr.doctor import findings


@pytest.mark.parametrize(
    ("release", "feature", "hinted"),
    [
        ("1.24.1", "avx512_vnni", True),
        ("1.21.0", "avx_vnni", True),
        ("1.24.1", "asimddp", False),
        ("1.20.1", "avx512_vnni", False),
        ("1.25.0", "avx512_vnni", False),
        (None, "avx512_vnni", False),
    ],
)
def test_versions_and_features_decide(release: str | None, feature: str, hinted: bool) -> None:
    facts: Any = SimpleNamespace(
        onnxruntime=SimpleNamespace(version=release), features={feature: True}
    )
    assert [each.partition(" multiplies")[0] for each in findings._int8(facts)] == (
        ["ONNX Runtime 1.21 to 1.24"] if hinted else []
    )
