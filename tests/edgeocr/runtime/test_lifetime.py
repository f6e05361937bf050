"""The time from opening to closing: uses, closing, forked children, and the interpreter's end."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import monotonic

import pytest

from edgeocr import ClosedError, EdgeOCRError
from edgeocr.runtime import lifetime
from edgeocr.runtime.lifetime import Lifetime

# Seconds that are enough on any machine; only a failing test waits so long.
PATIENCE = 20.0


class Door:
    """Something to open and close."""

    def __init__(self) -> None:
        self.closed = 0

    def close(self) -> None:
        self.closed += 1


def never(opened: Door) -> Door:
    raise AssertionError("this process has opened it already")


@pytest.fixture
def door() -> Door:
    return Door()


@pytest.fixture
def life(door: Door) -> Lifetime[Door]:
    return Lifetime(door, never, "the door")


def held(life: Lifetime[Door]) -> tuple[threading.Thread, Callable[[], None]]:
    """Use it in another thread until the function that is returned is called."""
    using, done = threading.Event(), threading.Event()

    def use() -> None:
        with life.using():
            using.set()
            assert done.wait(PATIENCE)

    thread = threading.Thread(target=use)
    thread.start()
    assert using.wait(PATIENCE)
    return thread, done.set


def test_what_is_open_is_used_and_closed_once(life: Lifetime[Door], door: Door) -> None:
    with life.using() as first, life.using() as second:
        assert first is second is life.opened() is door
    life.check()
    life.close()
    life.close()
    assert door.closed == 1
    assert life.opened() is door


def test_use_after_closing_is_refused(life: Lifetime[Door]) -> None:
    life.close()
    with pytest.raises(ClosedError, match="the door is closed: create a new one"), life.using():
        pass
    with pytest.raises(ValueError, match="the door is closed"):
        life.check()


def test_closing_waits_for_uses_and_refuses_new_ones(life: Lifetime[Door], door: Door) -> None:
    thread, release = held(life)
    with ThreadPoolExecutor(3) as pool:
        closing = [pool.submit(life.close) for _ in range(3)]
        while not life._closed:
            pass
        with pytest.raises(ClosedError):
            life.check()
        assert door.closed == 0 and not any(each.done() for each in closing)
        release()
        for each in closing:
            each.result(PATIENCE)
    thread.join()
    assert door.closed == 1


def test_a_thread_can_close_what_it_uses(life: Lifetime[Door], door: Door) -> None:
    """A signal handler closes while the thread that it interrupts is reading."""
    before = signal.signal(signal.SIGTERM, lambda *_: life.close())
    try:
        with life.using():
            signal.raise_signal(signal.SIGTERM)
            assert door.closed == 1
    finally:
        signal.signal(signal.SIGTERM, before)
    with pytest.raises(ClosedError):
        life.check()


@pytest.mark.parametrize("error", [KeyboardInterrupt, GeneratorExit, ValueError])
def test_a_use_that_fails_ends(
    life: Lifetime[Door], door: Door, error: type[BaseException]
) -> None:
    with pytest.raises(error), life.using():
        raise error
    assert life._uses.get().threads == {}
    life.close()
    assert door.closed == 1


def test_the_end_of_the_interpreter_closes_what_is_open(life: Lifetime[Door], door: Door) -> None:
    life.end(monotonic())
    assert door.closed == 1
    with pytest.raises(ClosedError, match="the door is closed because the interpreter is ending"):
        life.check()


def test_the_end_of_the_interpreter_leaves_what_is_in_use_for_too_long(
    life: Lifetime[Door], door: Door
) -> None:
    thread, release = held(life)
    life.end(monotonic() + 0.01)
    assert door.closed == 0
    with pytest.raises(ClosedError):
        life.check()
    release()
    thread.join()


def test_every_open_one_is_ended_and_forgotten_ones_are_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lifetime, "_open", type(lifetime._open)())
    doors = [Door() for _ in range(3)]
    lives = [Lifetime(each, never, "a door") for each in doors]
    lives.pop()
    lifetime._end_all()
    assert [each.closed for each in doors] == [1, 1, 0]


def test_a_forked_child_opens_its_own_when_it_needs_it(
    monkeypatch: pytest.MonkeyPatch, door: Door
) -> None:
    opened: list[tuple[Door, Door]] = []

    def reopen(parents: Door) -> Door:
        opened.append((parents, Door()))
        return opened[-1][1]

    life = Lifetime(door, reopen, "the door")
    thread, release = held(life)
    with monkeypatch.context() as child:
        child.setattr(os, "getpid", lambda: 1)
        assert opened == []
        with ThreadPoolExecutor(4) as pool:
            got = list(pool.map(lambda _: life.opened(), range(20)))
        [(parents, own)] = opened
        assert parents is door and set(map(id, got)) == {id(own)}
        life.close()  # does not wait for threads of the parent
        assert (own.closed, door.closed) == (1, 0)
    release()
    thread.join()


def test_a_child_that_could_not_open_it_tries_again(
    monkeypatch: pytest.MonkeyPatch, door: Door
) -> None:
    answers: list[Door] = []

    def reopen(parents: Door) -> Door:
        if not answers:
            raise EdgeOCRError("there is no file")
        return answers[0]

    life = Lifetime(door, reopen, "the door")
    monkeypatch.setattr(os, "getpid", lambda: 1)
    with pytest.raises(EdgeOCRError, match="there is no file"):
        life.check()
    answers.append(Door())
    assert life.opened() is answers[0]


def test_what_the_parent_closed_is_closed_in_a_child(
    monkeypatch: pytest.MonkeyPatch, life: Lifetime[Door]
) -> None:
    life.close()
    monkeypatch.setattr(os, "getpid", lambda: 1)
    with pytest.raises(ClosedError):
        life.check()
    life.close()
