"""Subtitles, read by somebody else's parser."""

from __future__ import annotations

import io
import random
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
import srt

from edgeocr.watch import Event, SrtWriter
from tests.support.events import event, quad

Row = tuple[float, float, str]


def written(events: Sequence[Event], end: float | None = None, hold: float = 5.0) -> str:
    stream = io.BytesIO()
    writer = SrtWriter(stream, hold=hold)
    for each in events:
        writer.add(each)
    writer.close(end)
    return stream.getvalue().decode()


def cues(document: str) -> list[Row]:
    """Parse a document strictly, and check what players need."""
    found = list(srt.parse(document, ignore_errors=False))
    assert [cue.index for cue in found] == list(range(1, len(found) + 1))
    assert all(cue.start < cue.end for cue in found)
    assert all(a.end <= b.start for a, b in pairwise(found))
    assert srt.compose(found, reindex=False) == document
    return [(cue.start.total_seconds(), cue.end.total_seconds(), cue.content) for cue in found]


def test_a_cue_for_each_text_from_its_appearance_to_its_change_or_end() -> None:
    events = [
        event("appeared", "one", 1.0, delay=0.2),
        event("changed", "two", 2.5, delay=0.2, previous="one"),
        event("gone", "two", 4.04, delay=0.5),
        event("appeared", "three", 10.0, track=2),
    ]
    expected = [(1.0, 2.5, "one"), (2.5, 4.04, "two"), (10.0, 12.5, "three")]
    assert cues(written(events, 12.5)) == expected


def test_times_are_written_as_players_want_them() -> None:
    events = [event("appeared", "text", 3723.0045), event("gone", "text", 3600 * 101)]
    assert written(events) == "1\n01:02:03,004 --> 101:00:00,000\ntext\n\n"


def test_texts_that_stand_at_the_same_time_are_rows_from_top_to_bottom() -> None:
    events = [
        event("appeared", "right", 1, track=1, quad=quad(200, 101)),
        event("appeared", "below", 2, track=2, quad=quad(10, 300)),
        event("appeared", "left", 2, track=3, quad=quad(10, 103)),
        event("gone", "right", 3, track=1, quad=quad(200, 101)),
    ]
    assert cues(written(events, 5)) == [
        (1, 2, "right"),
        (2, 3, "left\nright\nbelow"),
        (3, 5, "left\nbelow"),
    ]


def test_the_same_rows_go_on_as_one_cue_where_another_track_takes_over() -> None:
    events = [
        event("appeared", "text", 1),
        event("gone", "text", 2),
        event("appeared", "text", 2, track=2),
    ]
    assert cues(written(events, 3)) == [(1, 3, "text")]


def test_an_event_may_arrive_after_one_of_a_later_time() -> None:
    events = [
        event("appeared", "late", 3, track=1, delay=0.1),
        event("appeared", "early", 2, track=2, delay=1.5, quad=quad(10, 100)),
    ]
    assert cues(written(events, 4)) == [(2, 3, "early"), (3, 4, "late\nearly")]


def test_a_cue_is_written_once_nothing_can_change_it_and_later_news_does_not_overlap_it() -> None:
    stream = io.BytesIO()
    writer = SrtWriter(stream, hold=1)
    writer.add(event("appeared", "one", 1))
    writer.add(event("gone", "one", 2))
    writer.add(event("appeared", "two", 2.5))
    assert stream.getvalue() == b""
    writer.add(event("changed", "three", 10))
    assert cues(stream.getvalue().decode()) == [(1, 2, "one")]
    writer.add(event("appeared", "late", 0.5, track=7, quad=quad(10, 100)))
    writer.close(11)
    assert cues(stream.getvalue().decode()) == [
        (1, 2, "one"),
        (2.5, 10, "two\nlate"),
        (10, 11, "three\nlate"),
    ]


def test_texts_that_would_break_the_format_or_show_nothing_are_kept_harmless() -> None:
    events = [
        event("appeared", "00:00:01,000 --> 00:00:02,000", 1),
        event("changed", "a\n\nb\x1b", 2),
        event("changed", " ", 3),
        event("gone", "not known", 3, track=9),
        event("changed", "7", 4),
    ]
    assert cues(written(events, 5)) == [
        (1, 2, "00:00:01,000 → 00:00:02,000"),
        (2, 3, "a b"),
        (4, 5, "7"),
    ]


@pytest.mark.parametrize("end", [None, 0.5])
def test_without_a_later_time_what_stands_is_shown_until_the_last_event(end: float | None) -> None:
    events = [event("appeared", "text", 1, delay=0.25), event("gone", "other", 3, track=2)]
    assert cues(written(events, end)) == [(1, 3, "text")]
    assert written([], 4) == ""


@pytest.mark.parametrize("seed", range(20))
def test_at_every_time_the_rows_are_those_that_stand(seed: int) -> None:
    chance = random.Random(seed)
    spans, told = [], []
    for track in range(12):
        start = chance.randrange(0, 100) / 10
        end = start + chance.randrange(1, 40) / 10
        spans.append((start, end, str(track)))
        known: dict[str, Any] = {"track": track, "quad": quad(10, 40 * track)}
        delay = chance.randrange(0, 10) / 10
        told.append(event("appeared", str(track), start, delay=delay, **known))
        told.append(event("gone", str(track), end, delay=1.0, **known))
    told.sort(key=lambda each: each.seconds + each.delay)
    shown = cues(written(told, 20, hold=1.0))
    for tenth in range(200):
        at = tenth / 10 + 0.05
        expected = [text for start, end, text in spans if start <= at < end]
        found = [text.split("\n") for start, end, text in shown if start <= at < end]
        assert found == ([expected] if expected else []), at
