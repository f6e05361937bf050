"""Sessions: the interface of an edge graph, runs, admission, closing, and the shared arena."""

from __future__ import annotations

import gc
import os
import weakref
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import current_thread
from time import perf_counter, sleep
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from edgeocr import ForkedError, GraphError
from edgeocr.runtime import arena, providers, start
from edgeocr.runtime.io_binding import BufferedRunner
from edgeocr.runtime.job import Job
from edgeocr.runtime.onnx_runtime import import_onnxruntime
from edgeocr.runtime.options import RuntimeOptions
from edgeocr.runtime.placement import Placement
from edgeocr.runtime.session import Session
from edgeocr.runtime.stopwatch import Stopwatch
from edgeocr.runtime.threads import ThreadPool
from tests.support.mean_graphs import mean_graph

JOB = Job("detection", "image", (1, 8, 8, 3))
STAGES = ("preparing", "running")


def session(content: bytes, *, threads: int = 2, concurrent: bool = False) -> Session:
    pool = ThreadPool(threads) if concurrent else None
    return Session(content, JOB, ["mean"], placement=Placement("cpu"), threads=threads, pool=pool)


@pytest.fixture
def picture() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (2, 7, 9, 3), np.uint8)


def test_a_run_returns_the_outputs_that_were_asked_for(picture: np.ndarray) -> None:
    (mean,) = session(mean_graph()).run(picture)
    assert mean == pytest.approx(picture.mean(axis=(1, 2)), rel=1e-5)


def test_a_batch_need_not_be_contiguous(picture: np.ndarray) -> None:
    view = picture[:, ::2, ::-1]
    (mean,) = session(mean_graph()).run(view)
    assert mean == pytest.approx(view.mean(axis=(1, 2)), rel=1e-5)


@pytest.mark.parametrize("concurrent", [False, True])
@pytest.mark.parametrize("threads", [1, 3])
def test_run_each_keeps_the_order_and_shares_the_time(threads: int, concurrent: bool) -> None:
    opened = session(mean_graph(), threads=threads, concurrent=concurrent)

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


def test_a_failing_run_is_raised_by_run_each() -> None:
    opened = session(mean_graph(), concurrent=True)

    def batch(channels: int) -> np.ndarray:
        return np.zeros((1, 4, 4, channels), np.uint8)

    with pytest.raises(GraphError, match=r"\(1, 4, 4, 5\)"):
        opened.run_each([3, 3, 5, 3], batch, Stopwatch(), STAGES)
    assert len(opened.run_each([3, 3], batch, Stopwatch(), STAGES)) == 2


def test_threads_share_a_session(picture: np.ndarray) -> None:
    opened = session(mean_graph(), concurrent=True)
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
def test_a_batch_of_a_wrong_type_or_shape_is_an_error(batch: np.ndarray) -> None:
    with pytest.raises(GraphError, match=r"failed on input"):
        session(mean_graph()).run(batch)


@pytest.mark.parametrize("content", [b"", b"no graph", b"\0" * 100])
def test_bytes_that_are_no_graph_are_an_error(content: bytes) -> None:
    with pytest.raises(GraphError, match="can't load the graph"):
        session(content)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(("FLOAT", ("N", "H", "W", 3)), id="float"),
        pytest.param(("UINT8", ("N", "H", "W")), id="no channels"),
    ],
)
def test_a_graph_with_another_input_is_an_error(content: tuple[str, Sequence[int | str]]) -> None:
    with pytest.raises(GraphError, match=r"one uint8 \[N, H, W, 3\] input"):
        session(mean_graph(*content))


def test_a_graph_without_a_wanted_output_is_an_error() -> None:
    with pytest.raises(GraphError, match="no output 'probability', only mean"):
        Session(mean_graph(), JOB, ["probability"], placement=Placement("cpu"), threads=1)


def test_opening_a_session_leaves_stderr_as_it_was(capfd: pytest.CaptureFixture[str]) -> None:
    session(mean_graph())
    with pytest.raises(GraphError):
        session(b"no graph")
    os.write(2, b"still here\n")
    assert capfd.readouterr().err == "still here\n"


def test_a_session_without_a_pool_does_one_run_at_a_time(picture: np.ndarray) -> None:
    """Two runs at once would share the threads, and need twice the memory."""
    opened = session(mean_graph())
    runner: Any = opened._runner
    inner = runner._session
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

    runner._session = Watched()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(opened.run, [picture] * 8))
    assert most == 1


def test_runs_on_a_gpu_are_done_by_the_device_thread(
    picture: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The CPU stands in for a GPU: one thread runs on its buffers, whichever thread asks."""
    gpu = replace(providers.PROVIDERS["cpu"], device="cpu")
    monkeypatch.setattr(start, "PROVIDERS", {**providers.PROVIDERS, "cpu": gpu})
    opened = Session(
        mean_graph(),
        replace(JOB, shapes=[(2, 7, 9, 3)]),
        ["mean"],
        placement=Placement("cpu", RuntimeOptions(fixed_shapes=True)),
        threads=1,
        pool=ThreadPool(3),
    )
    runner: Any = opened._runner
    assert type(runner) is BufferedRunner
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
    opened.close()
    with pytest.raises(ValueError, match="is closed"):
        opened.run(picture)


def test_sessions_share_one_arena(monkeypatch: pytest.MonkeyPatch) -> None:
    """The arena is made once. If other code in the process has made one, it is used instead."""
    ort = import_onnxruntime()
    made = []

    def refuse(*given: Any) -> None:
        made.append(given)
        raise RuntimeError("already registered")

    monkeypatch.setattr(ort, "create_and_register_allocator", refuse)
    monkeypatch.setattr(arena, "_arena_maker", None)
    session(mean_graph())
    session(mean_graph())
    assert len(made) == 1


def test_a_closed_session_refuses_to_run_and_frees_its_graph(picture: np.ndarray) -> None:
    opened = session(mean_graph())
    runner: Any = opened._runner
    freed = weakref.ref(runner._session)
    del runner
    opened.run(picture)
    opened.close()
    opened.close()
    gc.collect()
    assert freed() is None
    for call in (lambda: opened.run(picture), opened.warm_up, opened.run_smallest):
        with pytest.raises(ValueError, match="the session of stage 'detection' is closed"):
            call()


def test_a_session_of_another_process_refuses_to_run_and_is_not_freed(
    monkeypatch: pytest.MonkeyPatch, picture: np.ndarray
) -> None:
    """In a forked child, ONNX Runtime would wait for threads that only the parent has."""
    opened = session(mean_graph(), concurrent=True)
    monkeypatch.setattr(os, "getpid", lambda: 1)
    for call in (
        lambda: opened.run(picture),
        lambda: opened.run_each([picture], lambda each: each, Stopwatch(), STAGES),
        opened.warm_up,
    ):
        with pytest.raises(ForkedError, match="another process opened the session of stage"):
            call()
    runner: Any = opened._runner
    kept = weakref.ref(runner._session)
    del runner
    opened.close()
    gc.collect()
    assert kept() is not None


def test_a_forked_child_does_not_use_the_arena_of_its_parent(
    monkeypatch: pytest.MonkeyPatch, picture: np.ndarray
) -> None:
    """Another thread of the parent may have held the arena's lock."""
    session(mean_graph())  # makes the arena, unless another test has
    entries: list[str] = []
    options = import_onnxruntime().SessionOptions()
    monkeypatch.setattr(os, "getpid", lambda: 1)
    noting: Any = SimpleNamespace(add_session_config_entry=lambda key, _: entries.append(key))
    for limit, own_arena in ((None, True), (50_000_000, False)):
        arena.use_shared_arena(noting, limit)
        assert entries == [] and noting.enable_cpu_mem_arena is own_arena
    assert arena.arena_limit() is None
    assert options.enable_cpu_mem_arena  # ONNX Runtime knows the option by this name


class CountingAdmission:
    """Admits every run, and notes what each of them asks for."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, int]] = []

    def run(self, pixels: int, extra_bytes: int, work: Callable[[], Any], /) -> Any:
        self.asked.append((pixels, extra_bytes))
        return work()


@pytest.mark.parametrize("concurrent", [False, True])
def test_every_run_asks_for_admission(picture: np.ndarray, concurrent: bool) -> None:
    opened = session(mean_graph(), concurrent=concurrent)
    opened.admission = admission = CountingAdmission()
    (mean,) = opened.run(picture)
    assert mean == pytest.approx(picture.mean(axis=(1, 2)), rel=1e-5)
    opened.run_each([picture], lambda item: item, Stopwatch(), STAGES, lambda item: (126, 77))
    assert admission.asked == [(2 * 7 * 9, 0), (126, 77)]


def test_warming_up_runs_the_usual_shape() -> None:
    result = session(mean_graph()).warm_up()
    assert (result.provider, result.shapes) == ("cpu", 1) and result.seconds > 0
    assert result.to_dict() == {"provider": "cpu", "shapes": 1, "seconds": result.seconds}


def test_the_smallest_run_of_a_network_of_one_height_has_that_height() -> None:
    tall = (1, 224, 224, 3)
    job = replace(JOB, usual_shape=tall, fixed_height=True)
    graph = mean_graph(shape=("N", *tall[1:]))
    opened = Session(graph, job, ["mean"], placement=Placement("cpu"), threads=1)
    seen: list[tuple[int, ...]] = []
    opened.observer = lambda batch: seen.append(batch.shape)
    opened.run_smallest()
    assert seen == [tall]


def test_restricted_shapes_are_the_only_ones_that_are_taken(picture: np.ndarray) -> None:
    fixed = Placement("cpu", RuntimeOptions(fixed_shapes=True))
    job = replace(JOB, shapes=[(1, 8, 8, 3), (2, 7, 9, 3)])
    opened = Session(mean_graph(), job, ["mean"], placement=fixed, threads=1)
    opened.run(picture)
    assert opened.warm_up().shapes == 2
    opened.restrict_shapes([(1, 8, 8, 3)], None)
    assert opened.warm_up().shapes == 1
    opened.run_smallest()
    with pytest.raises(GraphError, match="none of the fixed shapes of stage 'detection'"):
        opened.run(picture)
