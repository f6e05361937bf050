"""Options of a watch that can't be meant are refused."""

from __future__ import annotations

import math
from typing import Any

import pytest

from edgeocr.watch import WatchOptions


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"every": -1}, "every must be 0 seconds or more, not -1"),
        ({"every": math.nan}, "every"),
        ({"patience": math.inf}, "patience"),
        ({"open_timeout": 0}, "open_timeout must be more than 0 seconds, not 0"),
        ({"give_up": -2.0}, "give_up"),
        ({"min_score": 1.1}, "min_score must be from 0 to 1, not 1.1"),
        ({"min_score": math.nan}, "min_score"),
        ({"until": 0}, "until must be at least 1 event, not 0"),
        ({"pace": "fast"}, "pace must be 'newest' or 'all', not 'fast'"),
        ({"region": (0, 0, 0, 5)}, "region"),
        ({"region": (-1, 0, 5, 5)}, "region"),
    ],
    ids=str,
)
def test_impossible_values_are_refused(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        WatchOptions(**arguments)


def test_values_at_the_limits_are_taken() -> None:
    options = WatchOptions(every=0, patience=0, min_score=1, until=1, region=(0, 0, 1, 1))
    assert options.pace is None and options.give_up is None
