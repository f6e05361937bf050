"""Two pages that are run side by side, each on one thread, by a second session."""

from __future__ import annotations

import gc
import logging
import sys
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from threading import Barrier, Event, Thread
from typing import Any

import numpy as np
import pytest

from edgeocr import BundleError, ClosedError, GraphError
from edgeocr.runtime import providers, start
from edgeocr.runtime.job import Job
from edgeocr.runtime.placement import Placement
from edgeocr.runtime.session import Session
from edgeocr.runtime.threads import ThreadPool
from tests.support.mean_graphs import mean_graph

JOB = Job("detection", "image", (1, 8, 8, 3))


@pytest.fixture
def picture() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (2, 7, 9, 3), np.uint8)


@contextmanager
def each_core_has_a_page(pool: ThreadPool) -> Iterator[None]:
    """Keep both cores of a pool busy: one in this thread, the other in a new one."""
    inside, leave = Barrier(2), Event()

    def other() -> None:
        with pool.working():
            inside.wait(20)
            leave.wait(20)

    caller = Thread(target=other)
    caller.start()
    inside.wait(20)
    try:
        with pool.working():
            yield
    finally:
        leave.set()
        caller.join()


def test_a_run_has_one_thread_while_each_core_has_a_page(picture: np.ndarray) -> None:
    pool = ThreadPool(2)
    opened = Session(mean_graph(), JOB, ["mean"], placement=Placement("cpu"), threads=2, pages=pool)
    expected = opened.run(picture)
    assert opened._second is not None
    assert opened._second.runner is None  # it is opened when it is first needed
    with each_core_has_a_page(pool):
        np.testing.assert_array_equal(opened.run(picture), expected)
    runner: Any = opened._second.runner
    assert runner._session.get_session_options().intra_op_num_threads == 1
    # Its graph is freed with the other one.
    freed = weakref.ref(runner)
    del runner
    opened.close()
    gc.collect()
    assert freed() is None
    with pytest.raises(ClosedError):
        opened.run(picture)


def test_the_second_session_reads_the_graph_again(picture: np.ndarray) -> None:
    """Neither ONNX Runtime nor the session keeps the file's bytes meanwhile."""
    graph, pool = mean_graph(), ThreadPool(2)
    holders = sys.getrefcount(graph)
    opened = Session(graph, JOB, ["mean"], placement=Placement("cpu"), threads=2, pages=pool)
    opened.forget_graph(mean_graph)
    gc.collect()
    assert sys.getrefcount(graph) == holders
    expected = opened.run(picture)
    with each_core_has_a_page(pool):
        np.testing.assert_array_equal(opened.run(picture), expected)
    assert opened._second is not None and opened._second.runner is not None


def test_without_the_file_there_is_no_second_session(picture: np.ndarray) -> None:
    pool = ThreadPool(2)
    opened = Session(mean_graph(), JOB, ["mean"], placement=Placement("cpu"), threads=2, pages=pool)
    expected = opened.run(picture)

    def gone() -> bytes:
        raise BundleError("no such bundle")

    opened.forget_graph(gone)
    with each_core_has_a_page(pool):
        np.testing.assert_array_equal(opened.run(picture), expected)
    assert opened._second is not None and opened._second.runner is None


@pytest.mark.parametrize(
    "error", [MemoryError("Failed to allocate memory"), GraphError("no graph"), OSError("gone")]
)
def test_pages_take_turns_if_the_second_session_cannot_be_opened(
    picture: np.ndarray,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
) -> None:
    pool = ThreadPool(2)
    opened = Session(mean_graph(), JOB, ["mean"], placement=Placement("cpu"), threads=2, pages=pool)
    tries: list[int] = []

    def refused(*_: object) -> None:
        tries.append(1)
        raise error

    monkeypatch.setattr(opened._second, "_start", refused)
    expected = opened.run(picture)
    with caplog.at_level(logging.WARNING), each_core_has_a_page(pool):
        for _ in range(3):
            np.testing.assert_array_equal(opened.run(picture), expected)
    (record,) = caplog.records
    assert str(error) in record.getMessage() and "'detection'" in record.getMessage()
    assert len(tries) == 1


def test_a_provider_for_which_it_was_not_measured_does_one_page_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The CPU stands in for XNNPACK, which takes any shape, too."""
    stand_in = replace(providers.PROVIDERS["cpu"], name="xnnpack")
    monkeypatch.setattr(start, "PROVIDERS", {**providers.PROVIDERS, "cpu": stand_in})
    pool = ThreadPool(2)
    opened = Session(mean_graph(), JOB, ["mean"], placement=Placement("cpu"), threads=2, pages=pool)
    assert opened.provider == "xnnpack"
    assert opened._pages is None and opened._second is None


@pytest.mark.parametrize(
    ("threads", "limit", "concurrent"), [(1, None, False), (2, 50_000_000, False), (2, None, True)]
)
def test_other_sessions_run_in_one_way_only(
    threads: int, limit: int | None, concurrent: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edgeocr.runtime.session_options.use_shared_arena", lambda *_: None)
    pool = ThreadPool(threads)
    opened = Session(
        mean_graph(),
        JOB,
        ["mean"],
        placement=Placement("cpu", arena_limit=limit),
        threads=threads,
        pool=pool if concurrent else None,
        pages=pool,
    )
    assert opened._pages is None and opened._second is None
