from __future__ import annotations

from edgeocr.watch.sources.backoff import FIRST, JITTER, MOST, Backoff


def test_waits_double_up_to_a_limit_and_begin_again():
    backoff = Backoff()
    waits = [backoff.seconds() for _ in range(12)]
    for i, wait in enumerate(waits):
        middle = min(MOST, FIRST * 2**i)
        assert middle * (1 - JITTER) <= wait <= middle * (1 + JITTER)
    backoff.reset()
    assert backoff.seconds() <= FIRST * (1 + JITTER)


def test_cameras_that_dropped_together_dont_come_back_together():
    assert len({Backoff().seconds() for _ in range(10)}) > 5
