"""Values and locks of one process, and objects that no other process frees."""

from __future__ import annotations

import os
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

import pytest

from edgeocr.runtime.forks import PerProcess, ProcessLock, free_in_own_process


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
