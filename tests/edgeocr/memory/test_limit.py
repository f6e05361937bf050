"""Limits of memory: what their texts mean, and who waits for room."""

from __future__ import annotations

import sys
import threading
import time

import pytest

from edgeocr import EdgeOCRError, GraphError, MemoryLimitError
from edgeocr.memory import limit as limits
from edgeocr.memory.room import Room, RunAdmission

MB = 10**6


@pytest.mark.parametrize(
    ("text", "number"),
    [
        (None, None),
        (0, 0),
        ("0", 0),
        ("none", 0),
        (300 * MB, 300 * MB),
        ("300MB", 300 * MB),
        ("300 mb", 300 * MB),
        ("300MiB", 300 << 20),
        ("1.5GB", 1500 * MB),
        ("1.5GiB", 3 << 29),
        ("64kB", 64000),
        ("1000000", MB),
        ("12B", 12),
    ],
)
def test_limits_as_texts(text, number):
    assert limits.parse(text) == number


@pytest.mark.parametrize(
    "text",
    [
        *("", "MB", "-1MB", "300XB", "300M", "1e3MB", "nan", "1,5GB", "٣MB", -1, 1.5, True),
        *("9" * 30, "9" * 400 + "MB"),
    ],
)
def test_texts_that_are_no_limit(text):
    with pytest.raises((ValueError, TypeError), match="must be"):
        limits.parse(text)


def test_who_finds_no_room_waits_for_it():
    room = Room(10)
    order = []

    def other() -> None:
        with room.taken(6):
            order.append("other")

    with room.taken(4), room.taken(1):
        thread = threading.Thread(target=other)
        thread.start()
        time.sleep(0.05)
        order.append("first")
    thread.join(5)
    assert order == ["first", "other"]


def refuse(needed: int) -> MemoryLimitError:
    return limits.exceeded(needed, 100, "advice")


def test_runs_that_cannot_have_room_are_errors():
    runs = RunAdmission(Room(1000), 10, refuse)
    assert runs.run(100, 0, lambda: "done") == "done"
    with pytest.raises(MemoryLimitError) as caught:
        runs.run(100, 1, lambda: "done")
    assert caught.value.needed >= 1001


def test_a_run_that_the_arena_refuses_is_done_again_alone():
    error = GraphError("Available memory of 0 is smaller than requested bytes of 40632320")
    runs = RunAdmission(Room(1000), 1, refuse)
    failing = iter([error])

    def once() -> str:
        for each in failing:
            raise each
        return "done"

    def always() -> str:
        raise error

    def otherwise() -> str:
        raise GraphError("another input")

    assert runs.run(10, 0, once) == "done"
    with pytest.raises(MemoryLimitError):
        runs.run(10, 0, always)
    with pytest.raises(GraphError, match="another input"):
        runs.run(10, 0, otherwise)


def test_other_systems_are_refused_with_a_reason(monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(EdgeOCRError, match="Linux only"):
        limits.resident_bytes()
