"""Lines are followed from frame to frame by their texts and places."""

from __future__ import annotations

import numpy as np
import pytest

from edgeocr.results.lines import Line
from edgeocr.watch.likeness import likeness, says_same
from edgeocr.watch.quads import height_of, is_at_edge, overlap_of
from edgeocr.watch.tracks import Moment, Track, matched
from tests.support.events import quad

SIZE = 360, 640


def moment(frame: int) -> Moment:
    return Moment(frame, frame / 10, 0.0)


def line(text: str, left: float, top: float, width: float = 100, score: float = 0.95) -> Line:
    return Line(text, score, quad(left, top, width))


def track(text: str, left: float, top: float, frame: int = 0) -> Track:
    return Track(line(text, left, top), moment(frame), SIZE)


def test_lines_that_stay_are_matched() -> None:
    tracks = [track("GATE 4711", 40, 40), track("EXIT 12", 40, 100)]
    lines = [line("EXIT 12", 41, 100), line("GATE 4711", 40, 41)]
    assert matched(tracks, lines, moment(1), SIZE) == {0: 1, 1: 0}


def test_a_line_at_the_same_place_is_matched_whatever_it_says() -> None:
    assert matched([track("0381", 40, 40)], [line("9999", 42, 40)], moment(1), SIZE) == {0: 0}
    cut = matched([track("0381", 40, 40)], [line("9999", 42, 40)], moment(1), SIZE, is_cut=True)
    assert cut == {}


def test_lines_that_scroll_are_matched_by_what_they_say() -> None:
    """Each line comes to where another one has been."""
    texts = ["GATE 4711", "EXIT 12", "ROOM 208", "OPEN 24 H"]
    tracks = [track(text, 40, 40 + 24 * i) for i, text in enumerate(texts)]
    lines = [line(text, 40, 16 + 24 * i) for i, text in enumerate(texts)]
    assert matched(tracks, lines, moment(1), SIZE) == {0: 0, 1: 1, 2: 2, 3: 3}


@pytest.mark.parametrize(
    "other", [line("GATE 4711", 40, 320), Line("GATE 4711", 0.9, quad(40, 40, 400, 80))]
)
def test_lines_far_away_or_of_another_height_are_others(other: Line) -> None:
    assert matched([track("GATE 4711", 40, 40)], [other], moment(1), SIZE) == {}


def test_a_line_may_come_far_in_a_long_time() -> None:
    late = Moment(1, 2.0, 0.0)
    assert matched([track("GATE 4711", 40, 40)], [line("GATE 4711", 40, 320)], late, SIZE) == {0: 0}


def test_lines_that_scroll_by_their_pitch_are_matched_by_what_they_say() -> None:
    texts = ["ITEM alpha", "ITEM bravo", "ITEM delta", "ITEM hotel"]
    tracks = [track(text, 40, 40 + 24 * i) for i, text in enumerate(texts)]
    lines = [line(text, 40, 16 + 24 * i) for i, text in enumerate(texts)]
    assert matched(tracks, lines, moment(1), SIZE) == {0: 0, 1: 1, 2: 2, 3: 3}


def test_of_a_line_that_leaves_the_place_is_known_and_not_its_rest() -> None:
    leaving = track("GATE 4711", 60, 40)
    leaving.see(line("GATE 4711", 30, 40), moment(1), SIZE, is_new=True)
    leaving.see(line("4711", 0, 40, width=55), moment(2), SIZE, is_new=True)
    assert leaving.text.votes.text == "GATE 4711"
    assert leaving.quad[:, 0].min() == pytest.approx(0, abs=1)
    assert leaving.quad[:, 0].max() == pytest.approx(100, abs=1)


def test_a_line_at_the_edge_has_entered_once_it_has_moved() -> None:
    at_edge = Track(line("GATE", 60, SIZE[0] - 21), moment(0), SIZE)
    assert not at_edge.has_entered(SIZE)
    at_edge.shift(0, -12)
    assert at_edge.has_entered(SIZE)


def test_a_line_is_matched_once() -> None:
    tracks = [track("GATE 4711", 40, 40), track("GATE 4711", 40, 52)]
    assert matched(tracks, [line("GATE 4711", 40, 51)], moment(1), SIZE) == {1: 0}
    lines = [line("GATE 4711", 40, 30), line("GATE 4711", 40, 42)]
    assert matched(tracks[:1], lines, moment(1), SIZE) == {0: 1}


def test_a_line_is_expected_where_it_moves() -> None:
    followed = track("GATE 4711", 40, 40)
    for frame in range(1, 4):
        followed.see(line("GATE 4711", 40 + 15 * frame, 40), moment(frame), SIZE, is_new=True)
    assert followed.is_moving
    np.testing.assert_allclose(followed.expected(moment(5)), quad(40 + 15 * 5, 40, 100), atol=1)
    assert not followed.has_left(moment(5), SIZE) and followed.has_left(moment(60), SIZE)
    followed.see(line("GATE 4711", 85, 40), moment(5), SIZE, is_new=True)
    assert not followed.is_moving
    np.testing.assert_array_equal(followed.expected(moment(50)), quad(85, 40, 100))


def test_a_line_moves_with_the_picture() -> None:
    followed = track("GATE 4711", 40, 40)
    followed.shift(-12.5, 3)
    np.testing.assert_array_equal(followed.quad, quad(27.5, 43, 100))
    followed.stay(moment(1), SIZE)
    np.testing.assert_array_equal(followed.seen_at, quad(27.5, 43, 100))
    followed.shift(-100, 0)
    followed.stay(moment(2), SIZE)
    assert followed.seen_at.min() >= 0


def test_a_line_that_is_seen_again_is_not_missing() -> None:
    followed = track("GATE 4711", 40, 40)
    followed.miss(moment(1))
    followed.miss(moment(2))
    assert followed.missing == moment(1) and followed.missed == 2
    followed.see(line("GATE 4711", 40, 40), moment(3), SIZE, is_new=True)
    assert followed.missing is None and followed.missed == 0 and followed.last == moment(3)


@pytest.mark.parametrize(
    ("one", "other", "low", "high"),
    [
        ("GATE 4711", "GATE 4711", 1, 1),
        ("GATE 4711", "gate4711", 1, 1),
        ("GATE 4711", "GATE 4712", 0.5, 0.9),
        ("GATE 4711", "OPEN 24 H", 0, 0.1),
        ("a", "b", 0, 0.1),
        ("", "", 1, 1),
        ("", "GATE", 0, 0.1),
        ("城市读书节", "城市读书日", 0.5, 0.9),
    ],
)
def test_likeness(one: str, other: str, low: float, high: float) -> None:
    assert low <= likeness(one, other) <= high
    assert likeness(one, other) == likeness(other, one)


def test_spaces_and_the_width_of_characters_are_no_change() -> None:
    assert says_same("GATE 4711", "GATE4711") and says_same("(12)", "（12）")
    assert not says_same("GATE 4711", "GATE 4712") and not says_same("Gate", "GATE")


def test_overlap() -> None:
    assert overlap_of(quad(0, 0, 10, 10), quad(0, 0, 10, 10)) == 1
    assert overlap_of(quad(0, 0, 10, 10), quad(5, 0, 10, 10)) == pytest.approx(1 / 3)
    assert overlap_of(quad(0, 0, 10, 10), quad(10, 0, 10, 10)) == 0
    assert overlap_of(quad(0, 0, 0, 0), quad(0, 0, 0, 0)) == 0


def test_the_height_of_a_line_that_slants() -> None:
    assert height_of(quad(10, 10, 80, 20)) == pytest.approx(20)
    turn = np.array([[0.8, 0.6], [-0.6, 0.8]], np.float32)
    assert height_of(quad(10, 10, 80, 20) @ turn) == pytest.approx(20, abs=0.01)


def test_the_edge_of_the_picture() -> None:
    assert not is_at_edge(quad(10, 10), SIZE)
    assert is_at_edge(quad(0, 10), SIZE) and is_at_edge(quad(10, 0), SIZE)
    assert is_at_edge(quad(560, 10, 79), SIZE) and is_at_edge(quad(10, 340, 80, 19), SIZE)
