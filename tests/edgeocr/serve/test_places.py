"""The places of a service, and the time after which one is free."""

from __future__ import annotations

import pytest

from edgeocr.serve.errors import BusyError
from edgeocr.serve.places import LONGEST_WAIT, Places


def test_places_are_taken_and_freed() -> None:
    places = Places(queue=1)
    places.at_once = 2
    taken = [places.take() for _ in range(3)]
    with pytest.raises(BusyError, match="all 3 places are taken"):
        places.take()
    taken[0].free()
    taken[0].free()
    assert places.taken == 2
    places.take()
    with pytest.raises(BusyError):
        places.take()


def test_a_service_without_a_queue_takes_a_request_while_its_reader_starts() -> None:
    places = Places(queue=0)
    places.take()
    with pytest.raises(BusyError):
        places.take()


def test_the_time_until_a_place_is_free() -> None:
    places = Places(queue=6)
    places.at_once = 2
    assert places.seconds_until_free() == 1
    for _ in range(8):
        places.take()
    assert places.seconds_until_free() == 4  # rounds of a second each, as long as nothing is known
    places.record(2.0)
    places.record(4.0)
    assert places.seconds_until_free() == 12
    places.record(1e6)
    assert places.seconds_until_free() == LONGEST_WAIT
    with pytest.raises(BusyError) as raised:
        places.take()
    assert raised.value.retry_after == LONGEST_WAIT
