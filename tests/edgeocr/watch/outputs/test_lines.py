"""Events as lines of JSON and of text."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Iterator

import pytest

from edgeocr.watch import JsonLinesWriter, TextWriter
from edgeocr.watch.outputs import jsonl, text
from tests.support.events import event


@pytest.fixture
def local_time(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A place in which clocks show two hours more than UTC, whatever the machine says."""
    monkeypatch.setenv("TZ", "XXX-02")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_json_lines_have_what_happened_and_further_fields() -> None:
    stream = io.BytesIO()
    writer = JsonLinesWriter(stream)
    writer.add(event("appeared", "营业时间\n", 1.5, delay=0.12))
    writer.add(event("changed", "12.5", 2, previous="12.4", match="5"), {"snapshot": None})
    writer.close(3)
    first, second = stream.getvalue().decode().splitlines()
    assert json.loads(first) == {
        "event": "appeared",
        "track": 1,
        "text": "营业时间\n",
        "score": 0.9877,
        "quad": [[10, 10], [90, 10], [90, 30], [10, 30]],
        "frame": 38,
        "seconds": 1.5,
        "time": "2026-11-29T08:30:01.500Z",
        "delay": 0.12,
    }
    assert "营业时间" in first
    more = json.loads(second)
    assert (more["previous"], more["match"], more["snapshot"]) == ("12.4", "5", None)


def test_text_lines_are_read_at_a_glance(local_time: None) -> None:
    stream = io.BytesIO()
    writer = TextWriter(stream)
    writer.add(event("appeared", "NO PARKING\x1b[2J", 1.5))
    writer.add(event("changed", "12.5", 62.25, track=12, previous="12.4"))
    writer.close()
    assert stream.getvalue().decode() == (
        "2026-11-29 10:30:01.500      1.500 s  #1    appeared  NO PARKING\\x1b[2J\n"
        "2026-11-29 10:31:02.250     62.250 s  #12   changed   12.5  (before: 12.4)\n"
    )


def test_lines_are_known_again_by_their_beginning() -> None:
    for writer, is_ours, other in (
        (JsonLinesWriter, jsonl.is_ours, text.is_ours),
        (TextWriter, text.is_ours, jsonl.is_ours),
    ):
        stream = io.BytesIO()
        writer(stream).add(event("gone", "text", 3))
        assert is_ours(stream.getvalue()) and not other(stream.getvalue())
        assert not is_ours(b'{"source": "a.jpg"}\n') and not is_ours(b"2026-11-29 my diary\n")
