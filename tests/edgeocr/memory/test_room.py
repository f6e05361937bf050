"""Room that threads wait for, and runs that start when there is room."""

from __future__ import annotations

import threading

import pytest

from edgeocr import GraphError, MemoryLimitError
from edgeocr.memory.room import Room, RunAdmission

FRAGMENTED = GraphError("Available memory of 0 is smaller than requested bytes of 40632320")


def refuse(needed: int) -> MemoryLimitError:
    return MemoryLimitError("refused", needed=needed, limit=100)


def test_thread_waits_until_enough_room_is_free() -> None:
    room = Room(10)
    order = []

    def other() -> None:
        with room.taken(6):
            order.append("other")

    with room.taken(4), room.taken(1):
        thread = threading.Thread(target=other)
        thread.start()
        thread.join(0.05)
        order.append("first")
    thread.join(60)
    assert order == ["first", "other"]


def test_room_is_returned_when_the_block_fails() -> None:
    room = Room(10)
    with pytest.raises(KeyError), room.taken(10):
        raise KeyError
    with room.taken(10):
        pass


def test_runs_larger_than_the_room_are_refused() -> None:
    admission = RunAdmission(Room(1000), 10, refuse)
    assert admission.run(100, 0, lambda: "done") == "done"
    with pytest.raises(MemoryLimitError) as caught:
        admission.run(100, 1, lambda: "done")
    assert caught.value.needed == 1001


def test_run_that_a_fragmented_arena_refuses_is_repeated_alone() -> None:
    room = Room(1000)
    admission = RunAdmission(room, 1, refuse)
    free: list[int] = []

    def once() -> str:
        free.append(room.free)
        if len(free) == 1:
            raise FRAGMENTED
        return "done"

    assert admission.run(10, 0, once) == "done"
    assert free == [990, 0] and room.free == 1000


def test_run_that_fails_twice_for_lack_of_memory_is_a_memory_limit_error() -> None:
    def always() -> str:
        raise FRAGMENTED

    with pytest.raises(MemoryLimitError) as caught:
        RunAdmission(Room(1000), 1, refuse).run(10, 0, always)
    # More than there is, by a quarter.
    assert caught.value.needed == 1250 and caught.value.__cause__ is FRAGMENTED


def test_run_that_fails_for_another_reason_is_not_repeated() -> None:
    calls = []

    def fail() -> str:
        calls.append(1)
        raise GraphError("another input")

    with pytest.raises(GraphError, match="another input"):
        RunAdmission(Room(1000), 1, refuse).run(10, 0, fail)
    assert len(calls) == 1
