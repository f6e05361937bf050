"""Values and locks of one process, and objects that no other process frees."""

from __future__ import annotations

import os
import threading
import warnings
import weakref
from concurrent.futures import ThreadPoolExecutor
from time import monotonic

import pytest

from edgeocr.runtime import forks
from edgeocr.runtime.forks import PerProcess, ProcessLock, forks_wait, free_in_own_process

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


class Held:
    """An object whose end can be seen."""


def test_each_process_has_one_value(monkeypatch: pytest.MonkeyPatch) -> None:
    value = PerProcess(Held)
    with ThreadPoolExecutor(8) as pool:
        (parents,) = set(pool.map(lambda _: value.get(), range(50)))
    with monkeypatch.context() as child:
        child.setattr(os, "getpid", lambda: 1)
        assert value.get() is value.get() is not parents
    assert value.get() is parents


def test_a_lock_excludes_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    lock, took = ProcessLock(), threading.Event()

    def take() -> None:
        with lock:
            took.set()

    with lock:
        thread = threading.Thread(target=take)
        thread.start()
        assert not took.wait(0.05)
    thread.join()
    assert took.is_set()


def test_a_lock_that_the_parent_held_is_open_in_a_child(monkeypatch: pytest.MonkeyPatch) -> None:
    lock = ProcessLock()
    with lock, monkeypatch.context() as child:
        child.setattr(os, "getpid", lambda: 1)
        with lock:
            pass


@pytest.mark.parametrize("own", [True, False])
def test_only_the_process_that_made_an_object_frees_it(own: bool) -> None:
    held: list[object] = [Held()]
    alive = weakref.ref(held[0])
    free_in_own_process(held, os.getpid() if own else 1)
    assert held == []
    assert (alive() is None) is own


def fork() -> None:
    """Fork a child that ends at once, but first enters a block of its own."""
    with warnings.catch_warnings():  # Python 3.12 warns of every fork with threads
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        with forks_wait():
            os._exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


class Inside:
    """A thread that is in a block of `forks_wait` until it is let go."""

    def __init__(self) -> None:
        self.entered, self.leave = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self._run)
        self.thread.start()
        assert self.entered.wait(10)

    def _run(self) -> None:
        with forks_wait():
            self.entered.set()
            self.leave.wait(10)


@needs_fork
def test_a_fork_waits_for_the_blocks_of_other_threads() -> None:
    inside = Inside()
    begin = monotonic()
    threading.Timer(0.2, inside.leave.set).start()
    fork()
    assert monotonic() - begin >= 0.2
    inside.thread.join()
    begin = monotonic()
    fork()
    assert monotonic() - begin < forks.PATIENCE


@needs_fork
def test_a_fork_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forks, "PATIENCE", 0.1)
    inside = Inside()
    begin = monotonic()
    fork()
    assert 0.1 <= monotonic() - begin < 5
    inside.leave.set()
    inside.thread.join()


@needs_fork
def test_a_fork_inside_a_block_does_not_wait_for_its_own_thread() -> None:
    begin = monotonic()
    with pytest.raises(KeyboardInterrupt), forks_wait():
        fork()
        raise KeyboardInterrupt
    fork()
    assert monotonic() - begin < forks.PATIENCE
