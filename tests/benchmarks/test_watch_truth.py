"""The truth of rendered videos: the events that follow from what stands in each frame."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.watch_drawing import box_quad
from benchmarks.watch_truth import FPS, Expected, Shown, expected_events

QUAD = box_quad(100, 100, 300, 140)
FAR = box_quad(500, 100, 700, 140)
PATIENCE = 0.5


def frames(*parts: tuple[int, str | None, bool]) -> list[list[Shown]]:
    """Return the truth of one place: for some frames each a text, and whether it is whole."""
    return [
        [] if text is None else [Shown("sign", text, QUAD, whole)]
        for number, text, whole in parts
        for _ in range(number)
    ]


def required(truth: list[list[Shown]]) -> list[tuple[str, str, int]]:
    return [
        (each.kinds[0], each.text, each.end)
        for each in expected_events(truth, PATIENCE)
        if each.required
    ]


def test_a_text_appears_when_it_is_whole_and_is_gone_when_nothing_of_it_is_there() -> None:
    truth = frames((5, None, True), (4, "Open", False), (30, "Open", True), (6, "Open", False))
    truth += frames((40, None, True))
    assert required(truth) == [("appeared", "Open", 9), ("gone", "Open", 45)]
    first, last = expected_events(truth, PATIENCE)
    assert (first.begin, first.stop, first.kinds) == (5, 39, ("appeared", "changed"))
    assert (last.begin, last.end, last.any_text) == (39, 45, True)


def test_another_text_at_the_same_place_is_a_change() -> None:
    truth = frames((30, "Open", True), (30, "Shut", True))
    assert required(truth) == [("appeared", "Open", 0), ("changed", "Shut", 30)]
    (_, changed) = expected_events(truth, PATIENCE)
    assert (changed.previous, changed.kinds) == ("Open", ("changed",))


def test_a_text_that_follows_elsewhere_may_be_told_as_gone_and_appeared() -> None:
    truth = [*frames((30, "Open", True)), *([[Shown("sign", "Shut", FAR)]] * 30)]
    changed, gone = expected_events(truth, PATIENCE)[1:]
    assert changed.kinds == ("changed", "appeared")
    assert gone.kinds == ("gone",) and not gone.required


@pytest.mark.parametrize(
    ("hidden", "absent", "expected"),
    [
        (0, 10, []),  # less than the patience
        (2, 4, []),
        (0, 15, ["allowed gone", "allowed appeared"]),  # about as long
        (12, 2, ["allowed gone", "allowed appeared"]),  # partly visible meanwhile
        (0, 30, ["gone", "appeared"]),
        (8, 30, ["gone", "appeared"]),
    ],
)
def test_patience_decides_whether_a_gap_is_told(
    hidden: int, absent: int, expected: list[str]
) -> None:
    parts = [(hidden // 2, "Open", False), (absent, None, True), (hidden // 2, "Open", False)]
    truth = frames((30, "Open", True), *parts, (30, "Open", True))
    later = expected_events(truth, PATIENCE)[1:]
    assert [("" if each.required else "allowed ") + each.kinds[0] for each in later] == expected


def test_moments_and_ends_are_not_asked_for() -> None:
    assert required(frames((2, "Open", True), (40, None, True))) == []
    assert required(frames((30, "Open", False))) == []
    # The video ends before the patience does.
    assert required(frames((30, "Open", True), (10, None, True))) == [("appeared", "Open", 0)]


def test_events_are_in_the_order_of_their_frames() -> None:
    truth = [[Shown(name, name, QUAD + 50 * i) for i, name in enumerate("abc")]] * FPS
    truth = [lines[: 1 + number // 8] for number, lines in enumerate(truth)]
    events = expected_events(truth, PATIENCE)
    assert [event.place for event in events] == ["a", "b", "c"]
    assert all(isinstance(event, Expected) for event in events)
    assert np.diff([event.end for event in events]).tolist() == [8, 8]
