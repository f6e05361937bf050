"""Whether a further measuring process fits into memory."""

from __future__ import annotations

import pytest

from edgeocr.bench.cell import NotMeasured
from edgeocr.bench.measure import measure
from edgeocr.bench.room import GROWTH, RESERVE, Room
from edgeocr.device import machine
from tests.support.paths import IMAGES


def test_process_is_expected_to_need_what_earlier_ones_did(monkeypatch: pytest.MonkeyPatch) -> None:
    found = Room()
    found.note("tiny", "cpu", 300 << 20)
    found.note("tiny", "cpu", 200 << 20)
    found.note("tiny", "cpu", None)
    needed = int(GROWTH * (300 << 20)) + RESERVE
    monkeypatch.setattr(machine, "available_memory", lambda: needed)
    assert found.refusal("tiny", "cpu", 7 << 20) is None
    monkeypatch.setattr(machine, "available_memory", lambda: needed - 1)
    assert found.refusal("tiny", "cpu", 7 << 20) == (
        "it would not fit into memory beside the other cells: about 503 MiB are needed and 502 MiB "
        "are available; measure fewer cells at once"
    )
    monkeypatch.setattr(machine, "available_memory", lambda: None)
    assert found.refusal("tiny", "cpu", 7 << 20) is None


def test_new_provider_is_expected_to_need_what_it_did_with_another_bundle(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = Room()
    found.note("tiny", "cpu", 250 << 20)
    found.note("tiny", "openvino", 1000 << 20)
    monkeypatch.setattr(machine, "available_memory", lambda: 1200 << 20)
    assert found.refusal("small", "openvino", 40 << 20) is not None
    assert found.refusal("small", "cpu", 40 << 20) is None
    found.note("small", "openvino", 500 << 20)
    assert found.refusal("small", "openvino", 40 << 20) is None


def test_first_process_of_a_large_bundle_needs_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "available_memory", lambda: 600 << 20)
    assert Room().refusal("tiny", "cpu", 7 << 20) is None
    assert Room().refusal("large", "cpu", 300 << 20) is not None


def test_cells_that_do_not_fit_are_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    # There is room for a single process.
    monkeypatch.setattr(Room, "refusal", lambda self, *_: "no room" if self._peaks else None)
    result = measure(
        providers=["cpu"], threads=[1, 2], sources=[IMAGES / "sample.jpg"], repeat=1, labels=False
    )
    assert list(result.working) == ["cpu 1 thread"]
    assert result.cells[1].not_measured == NotMeasured("no memory", "no room")
