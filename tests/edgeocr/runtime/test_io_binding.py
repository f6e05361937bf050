"""Runs on buffers of the device, and their recording as CUDA graphs.

The CPU's memory stands in for a GPU's: the same calls work on it, except that nothing is recorded.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgeocr import OCR, Bundle
from edgeocr.images import load
from edgeocr.runtime.io_binding import BufferedRunner, PlainRunner
from edgeocr.runtime.options import RuntimeOptions

OUTPUTS = ["indices", "scores"]


class FaultySession:
    """A session whose runs with a graph's number can be made to fail, or to replay garbage."""

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


@pytest.fixture(scope="module")
def plain(bundle: Bundle) -> PlainRunner:
    """The plain runner of a recognizer."""
    recognizer = OCR(bundle, provider="cpu", threads=1).stages["recognition"]
    assert recognizer is not None
    runner = recognizer.session._runner
    assert isinstance(runner, PlainRunner)
    return runner


@pytest.fixture
def batches() -> list[np.ndarray]:
    """Three of one shape, then three of another, then both in turns."""
    rng = np.random.default_rng(0)
    widths = [320] * 3 + [480] * 3 + [320, 480] * 2
    return [rng.integers(0, 256, (2, 48, width, 3), np.uint8) for width in widths]


def buffered(plain: PlainRunner, *, records: bool) -> tuple[BufferedRunner, FaultySession]:
    session: Any = FaultySession(plain._session)
    runner = BufferedRunner(session, "crops", OUTPUTS, device="cpu", number=0, records=records)
    return runner, session


def check(runner: BufferedRunner, plain: PlainRunner, batches: list[np.ndarray]) -> None:
    """Compare with plain runs, after all runs: no later run may write into earlier results."""
    got = [runner.run(batch) for batch in batches]
    for batch, (indices, scores) in zip(batches, got, strict=True):
        expected = plain.run(batch)
        np.testing.assert_array_equal(indices, expected[0])
        np.testing.assert_allclose(scores, expected[1], atol=1e-6)


def test_runs_without_recording_equal_plain_runs(
    plain: PlainRunner, batches: list[np.ndarray]
) -> None:
    runner, session = buffered(plain, records=False)
    check(runner, plain, batches)
    assert session.graphs == [None] * len(batches)


def test_each_shape_is_recorded_once(plain: PlainRunner, batches: list[np.ndarray]) -> None:
    runner, session = buffered(plain, records=True)
    check(runner, plain, batches)
    # The first run of a shape is plain. The second one takes a plain run with other input, a
    # recording, its replay with the other input, and the replay whose result is returned.
    first, second = ["-1", "-1", "1", "1", "1"], ["-1", "-1", "2", "2", "2"]
    assert session.graphs == [*first, "1", *second, "2", "1", "2", "1", "2"]
    assert runner.records


@pytest.mark.parametrize(
    ("fault", "graph"), [("fails", "1"), ("lies", "1"), ("stale", "1"), ("lies", "2")]
)
def test_a_bad_recording_ends_all_recording(
    plain: PlainRunner, batches: list[np.ndarray], fault: str, graph: str
) -> None:
    runner, session = buffered(plain, records=True)
    getattr(session, fault).add(graph)
    check(runner, plain, batches)
    assert not runner.records
    # Earlier recordings aren't replayed any more either: they may be wrong as well.
    played = len(session.graphs) - session.graphs[::-1].index(graph)
    assert set(session.graphs[played:]) == {"-1"} and played < len(session.graphs)


def test_a_batch_need_not_be_contiguous(plain: PlainRunner, batches: list[np.ndarray]) -> None:
    runner, _ = buffered(plain, records=True)
    check(runner, plain, [batch[:, :, ::-1] for batch in batches])


def test_a_batch_of_another_type_is_refused(plain: PlainRunner) -> None:
    runner, session = buffered(plain, records=True)
    with pytest.raises(TypeError, match="uint8, not float32"):
        runner.run(np.zeros((1, 48, 320, 3), np.float32))
    assert session.graphs == []


def test_a_shape_that_comes_once_is_not_recorded(
    plain: PlainRunner, batches: list[np.ndarray]
) -> None:
    runner, session = buffered(plain, records=True)
    check(runner, plain, batches[::3][:2])
    assert session.graphs == ["-1", "-1"] and runner.records


def test_a_run_that_fails_is_raised(plain: PlainRunner, batches: list[np.ndarray]) -> None:
    runner, session = buffered(plain, records=True)
    session.fails.add("-1")
    with pytest.raises(RuntimeError, match="no such luck"):
        runner.run(batches[0])
    session.fails.clear()
    check(runner, plain, batches)


@pytest.mark.stress
@pytest.mark.slow
def test_whole_pages_read_the_same_through_buffers(bundle: Bundle, pictures: Path) -> None:
    ocr = OCR(bundle, provider="cpu", threads=1, runtime=RuntimeOptions(fixed_shapes=True))
    pages = [load(path) for path in sorted(pictures.glob("*.jpg"))[:2]]
    expected = [ocr.read(page) for page in pages]
    for session in [stage.session for stage in ocr.stages.values()]:
        runner: Any = session._runner
        session._runner = BufferedRunner(
            runner._session,
            runner._input,
            runner._outputs,
            device="cpu",
            number=0,
            records=True,
        )
    for _ in range(2):  # the second time with the buffers of the first
        for page, before in zip(pages, expected, strict=True):
            after = ocr.read(page)
            assert [line.text for line in after.lines] == [line.text for line in before.lines]
            for one, other in zip(after.lines, before.lines, strict=True):
                np.testing.assert_array_equal(one.quad, other.quad)
