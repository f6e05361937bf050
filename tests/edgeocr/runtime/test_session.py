"""Sessions: the contract of an edge graph, its runs, and what it leaves alone."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import current_thread
from time import perf_counter, sleep
from typing import Any

import numpy as np
import pytest

from edgeocr import GraphError
from edgeocr.runtime import arena
from edgeocr.runtime import session as session_module
from edgeocr.runtime.io_binding import Bound
from edgeocr.runtime.onnx_runtime import import_onnxruntime
from edgeocr.runtime.placement import Job, Placement
from edgeocr.runtime.session import Session
from edgeocr.runtime.stopwatch import Stopwatch
from edgeocr.runtime.threads import Workers


def graph(kind: str = "UINT8", shape: Sequence[int | str] = ("N", "H", "W", 3)) -> bytes:
    """A graph that gives each picture's mean over height and width, as `mean`."""
    onnx = pytest.importorskip("onnx")
    helper, types = onnx.helper, onnx.TensorProto
    nodes = [
        helper.make_node("Cast", ["image"], ["float"], to=types.FLOAT),
        helper.make_node("ReduceMean", ["float", "axes"], ["mean"], keepdims=0),
    ]
    made = helper.make_graph(
        nodes,
        "mean",
        [helper.make_tensor_value_info("image", getattr(types, kind), list(shape))],
        [helper.make_tensor_value_info("mean", types.FLOAT, None)],
        [helper.make_tensor("axes", types.INT64, [2], [1, 2])],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 18)])
    model.ir_version = 8
    return model.SerializeToString()


JOB = Job("detection", "image", (1, 8, 8, 3))
STAGES = ("preparing", "running")


def session(content: bytes, *, threads: int = 2, concurrent: bool = False) -> Session:
    workers = Workers(threads) if concurrent else None
    return Session(
        content, JOB, ["mean"], placement=Placement("cpu"), threads=threads, workers=workers
    )


@pytest.fixture
def picture() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (2, 7, 9, 3), np.uint8)


def test_a_run_gives_the_outputs_asked_for(picture: np.ndarray) -> None:
    (mean,) = session(graph()).run(picture)
    assert mean == pytest.approx(picture.mean(axis=(1, 2)), rel=1e-5)


def test_a_batch_that_is_not_contiguous(picture: np.ndarray) -> None:
    view = picture[:, ::2, ::-1]
    (mean,) = session(graph()).run(view)
    assert mean == pytest.approx(view.mean(axis=(1, 2)), rel=1e-5)


@pytest.mark.parametrize("concurrent", [False, True])
@pytest.mark.parametrize("threads", [1, 3])
def test_run_each_keeps_the_order(threads: int, concurrent: bool) -> None:
    opened = session(graph(), threads=threads, concurrent=concurrent)

    def batch(value: int) -> np.ndarray:
        return np.full((1, 1 + value * 3 % 50, 8, 3), value, np.uint8)

    values = list(range(60))
    watch = Stopwatch()
    start = perf_counter()
    means = [float(mean[0, 0]) for (mean,) in opened.run_each(values, batch, watch, STAGES)]
    assert means == pytest.approx(values)
    taken = watch.milliseconds
    assert list(taken) == list(STAGES) and min(taken.values()) > 0
    assert sum(taken.values()) <= 1000 * (perf_counter() - start)
    assert opened.run_each([], batch, watch, STAGES) == []


def test_a_failure_of_one_run_is_not_lost() -> None:
    opened = session(graph(), concurrent=True)

    def batch(channels: int) -> np.ndarray:
        return np.zeros((1, 4, 4, channels), np.uint8)

    with pytest.raises(GraphError, match=r"\(1, 4, 4, 5\)"):
        opened.run_each([3, 3, 5, 3], batch, Stopwatch(), STAGES)
    assert len(opened.run_each([3, 3], batch, Stopwatch(), STAGES)) == 2


def test_threads_share_a_session(picture: np.ndarray) -> None:
    opened = session(graph(), concurrent=True)
    expected = picture.mean(axis=(1, 2))
    with ThreadPoolExecutor(8) as pool:
        results = pool.map(
            lambda _: opened.run_each([picture] * 3, lambda item: item, Stopwatch(), STAGES),
            range(24),
        )
        for result in results:
            for (mean,) in result:
                assert mean == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("batch", [np.zeros((1, 4, 4, 3)), np.zeros((4, 4, 3), np.uint8)])
def test_a_batch_that_does_not_fit(batch: np.ndarray) -> None:
    with pytest.raises(GraphError, match=r"failed on input"):
        session(graph()).run(batch)


@pytest.mark.parametrize("content", [b"", b"no graph", b"\0" * 100])
def test_what_is_no_graph(content: bytes) -> None:
    with pytest.raises(GraphError, match="can't load the graph"):
        session(content)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(("FLOAT", ("N", "H", "W", 3)), id="float"),
        pytest.param(("UINT8", ("N", "H", "W")), id="no channels"),
    ],
)
def test_a_graph_that_takes_something_else(content: tuple[str, Sequence[int | str]]) -> None:
    with pytest.raises(GraphError, match=r"one uint8 \[N, H, W, 3\] input"):
        session(graph(*content))


def test_a_graph_without_the_output() -> None:
    with pytest.raises(GraphError, match="no output 'probability', only mean"):
        Session(graph(), JOB, ["probability"], placement=Placement("cpu"), threads=1)


def test_stderr_is_given_back(capfd: pytest.CaptureFixture[str]) -> None:
    session(graph())
    with pytest.raises(GraphError):
        session(b"no graph")
    os.write(2, b"still here\n")
    assert capfd.readouterr().err == "still here\n"


def test_a_session_without_workers_does_one_run_at_a_time(picture: np.ndarray) -> None:
    """Two would share the threads, and need twice the memory."""
    opened = session(graph())
    inner: Any = opened._runner._session
    running, most = 0, 0

    class Watched:
        def run(self, *given: Any) -> Any:
            nonlocal running, most
            running += 1
            most = max(most, running)
            sleep(0.005)
            result = inner.run(*given)
            running -= 1
            return result

    opened._runner._session = Watched()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(opened.run, [picture] * 8))
    assert most == 1


def test_a_gpus_runs_are_done_by_its_thread(
    picture: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here the CPU stands in for a GPU. Whoever asks, one thread runs on the device's buffers."""
    monkeypatch.setattr(session_module, "DEVICES", {"cpu": "cpu"})
    opened = Session(
        graph(),
        JOB._replace(shapes=[picture.shape]),
        ["mean"],
        placement=Placement("cpu", few_shapes=True),
        threads=1,
        workers=Workers(3),
    )
    runner: Any = opened._runner
    assert type(runner) is Bound
    names: set[str] = set()
    run = runner.run

    def noted(batch: np.ndarray) -> Any:
        names.add(current_thread().name)
        return run(batch)

    monkeypatch.setattr(runner, "run", noted)
    pictures = [np.full_like(picture, value) for value in range(40)]
    with ThreadPoolExecutor(4) as pool:
        means = [float(mean[0, 0]) for (mean,) in pool.map(opened.run, pictures)]
    assert means == pytest.approx(list(range(40)))
    (name,) = names
    assert name.startswith("edgeocr-device")


def test_sessions_share_one_arena(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is made once; when somebody else has made one, as older versions say, theirs serves."""
    ort = import_onnxruntime()
    made = []

    def refuse(*given: Any) -> None:
        made.append(given)
        raise RuntimeError("already registered")

    monkeypatch.setattr(ort, "create_and_register_allocator", refuse)
    monkeypatch.setattr(arena, "_arena_is_there", False)
    session(graph())
    session(graph())
    assert len(made) == 1
