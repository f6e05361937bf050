"""Test networks that another program runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from edgeocr import OCR, Bundle, GraphError, RuntimeOptions
from edgeocr.runtime import session
from tests.support.paths import EMBEDDED_BUNDLE


@pytest.fixture(scope="module")
def networks() -> Callable[..., Any]:
    """Run the embedded bundle's graphs in sessions of this test."""
    bundle = Bundle.open(EMBEDDED_BUNDLE)
    stages = vars(bundle.manifest.stages).items()
    sessions = {
        name: onnxruntime.InferenceSession(bundle.read(stage.graph))
        for name, stage in stages
        if stage
    }

    def run(stage: str, batch: Any, outputs: Sequence[str]) -> Any:
        found = sessions[stage]
        return found.run(outputs, {found.get_inputs()[0].name: batch})

    return run


@pytest.mark.parametrize("threads", [1, 2])
def test_same_lines_are_read_without_a_session(
    networks: Any, ocr: OCR, pictures: Path, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(session, "create_session")
    runtime = RuntimeOptions(networks=networks, tuned=False)
    with OCR(EMBEDDED_BUNDLE, threads=threads, runtime=runtime) as elsewhere:
        assert set(elsewhere.providers.values()) == {"elsewhere"}
        elsewhere.warm_up()
        page = elsewhere.read(pictures / "sample.jpg")
    assert page.to_dict()["lines"] == ocr.read(pictures / "sample.jpg").to_dict()["lines"]


def test_fixed_shapes_are_kept(networks: Any, pictures: Path) -> None:
    shapes: dict[str, set[tuple[int, ...]]] = {}

    def run(stage: str, batch: Any, outputs: Sequence[str]) -> Any:
        shapes.setdefault(stage, set()).add(batch.shape)
        return networks(stage, batch, outputs)

    runtime = RuntimeOptions(networks=run, fixed_shapes=True, tuned=False)
    with OCR(EMBEDDED_BUNDLE, threads=1, runtime=runtime) as elsewhere:
        elsewhere.read(pictures / "badge.jpg")
        for name, stage in elsewhere.stages.items():
            assert shapes.get(name, set()) <= set(stage.session.shapes)
    assert "recognition" in shapes


def test_wrong_outputs_are_an_error(pictures: Path) -> None:
    runtime = RuntimeOptions(networks=lambda *_: [], tuned=False)
    with (
        OCR(EMBEDDED_BUNDLE, threads=1, runtime=runtime) as elsewhere,
        pytest.raises(GraphError, match=r"detection: the network has 0 outputs, expected are prob"),
    ):
        elsewhere.read(pictures / "badge.jpg")


def test_wrong_map_is_an_error(pictures: Path) -> None:
    runtime = RuntimeOptions(networks=lambda *_: [np.zeros((1, 2, 2), np.float32)], tuned=False)
    with (
        OCR(EMBEDDED_BUNDLE, threads=1, runtime=runtime) as elsewhere,
        pytest.raises(GraphError, match="detection"),
    ):
        elsewhere.read(pictures / "badge.jpg")
