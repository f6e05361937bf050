"""Runs on buffers of the device. The CPU's memory stands in for a GPU's: the same calls work on it,
and what is not recorded there runs plainly.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeocr import OCR, Bundle
from edgeocr.images import load
from edgeocr.runtime.io_binding import Bound, Copied

OUTPUTS = ["indices", "scores"]


class Recorded:
    """A session whose runs with a graph's number can be made to fail, or to play back garbage."""

    def __init__(self, session: Any) -> None:
        self.session = session
        self.graphs: list[str | None] = []
        self.fails: set[str] = set()
        self.lies: set[str] = set()
        self.stale: set[str] = set()

    def io_binding(self) -> Any:
        return self.session.io_binding()

    def run_with_iobinding(self, binding: Any, options: Any) -> None:
        graph = None if options is None else options.get_run_config_entry("gpu_graph_id")
        self.graphs.append(graph)
        if graph in self.fails:
            raise RuntimeError("no such luck")
        if graph in self.stale and self.graphs.count(graph) > 1:
            return  # what is in the buffers stays
        self.session.run_with_iobinding(binding, options)
        if graph in self.lies:
            for output in binding.get_outputs():
                output.update_inplace(np.full_like(output.numpy(), 7))


@pytest.fixture
def copied(bundle: Bundle) -> Copied:
    """The plain runner of a recognizer."""
    runner = OCR(bundle, provider="cpu", threads=1)._recognizer.session._runner
    assert type(runner) is Copied
    return runner


@pytest.fixture
def batches() -> list[np.ndarray]:
    """Three of one shape, then three of another, then both in turns."""
    rng = np.random.default_rng(0)
    widths = [320] * 3 + [480] * 3 + [320, 480] * 2
    return [rng.integers(0, 256, (2, 48, width, 3), np.uint8) for width in widths]


def bound(copied: Copied, *, capture: bool) -> tuple[Bound, Recorded]:
    session = Recorded(copied._session)
    return Bound(session, "crops", OUTPUTS, device="cpu", number=0, capture=capture), session


def check(runner: Bound, copied: Copied, batches: list[np.ndarray]) -> None:
    """All runs are done before they are looked at: no later one may write into their results."""
    got = [runner.run(batch) for batch in batches]
    for batch, (indices, scores) in zip(batches, got, strict=True):
        expected = copied.run(batch)
        np.testing.assert_array_equal(indices, expected[0])
        np.testing.assert_allclose(scores, expected[1], atol=1e-6)


def test_without_recording(copied: Copied, batches: list[np.ndarray]) -> None:
    runner, session = bound(copied, capture=False)
    check(runner, copied, batches)
    assert session.graphs == [None] * len(batches)


def test_each_shape_is_recorded_once(copied: Copied, batches: list[np.ndarray]) -> None:
    runner, session = bound(copied, capture=True)
    check(runner, copied, batches)
    # Plainly; the second time other input plainly, recorded, played back with that, and played.
    first, second = ["-1", "-1", "1", "1", "1"], ["-1", "-1", "2", "2", "2"]
    assert session.graphs == [*first, "1", *second, "2", "1", "2", "1", "2"]
    assert runner.captures


@pytest.mark.parametrize("fault", ["fails", "lies", "stale"])
@pytest.mark.parametrize("graph", ["1", "2"])
def test_a_recording_that_is_no_good_ends_it(
    copied: Copied, batches: list[np.ndarray], fault: str, graph: str
) -> None:
    runner, session = bound(copied, capture=True)
    getattr(session, fault).add(graph)
    check(runner, copied, batches)
    assert not runner.captures
    # What has been recorded before isn't played any more either: it may be as wrong.
    played = len(session.graphs) - session.graphs[::-1].index(graph)
    assert set(session.graphs[played:]) == {"-1"} and played < len(session.graphs)


def test_a_view_is_taken(copied: Copied, batches: list[np.ndarray]) -> None:
    runner, _ = bound(copied, capture=True)
    check(runner, copied, [batch[:, :, ::-1] for batch in batches])


def test_another_type_is_refused(copied: Copied) -> None:
    runner, session = bound(copied, capture=True)
    with pytest.raises(TypeError, match="uint8, not float32"):
        runner.run(np.zeros((1, 48, 320, 3), np.float32))
    assert session.graphs == []


def test_a_shape_that_comes_once_is_not_recorded(copied: Copied, batches: list[np.ndarray]) -> None:
    runner, session = bound(copied, capture=True)
    check(runner, copied, batches[::3][:2])
    assert session.graphs == ["-1", "-1"] and runner.captures


def test_a_run_that_fails_is_raised(copied: Copied, batches: list[np.ndarray]) -> None:
    runner, session = bound(copied, capture=True)
    session.fails.add("-1")
    with pytest.raises(RuntimeError, match="no such luck"):
        runner.run(batches[0])
    session.fails.clear()
    check(runner, copied, batches)


def test_whole_pages(bundle: Bundle, pictures: Path) -> None:
    ocr = OCR(bundle, provider="cpu", threads=1, few_shapes=True)
    pages = [load(path) for path in sorted(pictures.glob("*.jpg"))]
    plain = [ocr.read(page) for page in pages]
    for session in ocr._sessions().values():
        copied: Any = session._runner
        session._runner = Bound(
            copied._session, copied._input, copied._outputs, device="cpu", number=0, capture=True
        )
    for _ in range(2):  # the second time with the buffers of the first
        for page, before in zip(pages, plain, strict=True):
            after = ocr.read(page)
            assert [line.text for line in after.lines] == [line.text for line in before.lines]
            for one, other in zip(after.lines, before.lines, strict=True):
                np.testing.assert_array_equal(one.quad, other.quad)
