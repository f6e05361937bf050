"""Events as dictionaries for JSON."""

from __future__ import annotations

import json

from tests.support.events import MOMENT, event


def test_an_event_as_json() -> None:
    made = event("appeared", "GATE 4711", 1.25, delay=0.10004)
    assert json.loads(json.dumps(made.to_dict())) == {
        "event": "appeared",
        "track": 1,
        "text": "GATE 4711",
        "score": 0.9877,
        "quad": [[10, 10], [90, 10], [90, 30], [10, 30]],
        "frame": 31,
        "seconds": 1.25,
        "time": "2026-11-29T08:30:01.250Z",
        "delay": 0.1,
    }


def test_what_there_is_not_is_left_out() -> None:
    assert {"previous", "match"}.isdisjoint(event("gone").to_dict())
    made = event("changed", "GATE 2", previous="GATE 1", match="")
    assert made.to_dict()["previous"] == "GATE 1" and made.to_dict()["match"] == ""


def test_the_time_does_not_depend_on_the_zone() -> None:
    assert event("gone", time=MOMENT).to_dict()["time"] == "2026-11-29T08:30:00.000Z"
    assert event("gone", time=0.0).to_dict()["time"] == "1970-01-01T00:00:00.000Z"
