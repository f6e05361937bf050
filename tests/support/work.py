"""Count work, which is the same on every machine, where a clock would measure the machine."""

from __future__ import annotations

from collections.abc import Callable, Sized
from typing import Any

import pytest

from edgeocr.postprocess import maps, nms


def length(first: Sized, *_: Any, **__: Any) -> int:
    """Return the length of a call's first argument."""
    return len(first)


def most_comparisons(pixels: int) -> int:
    """Return how many pairs of quads suppression compares at most for a map of so many pixels.

    Merging along rows may compare each quad `nms.MAX_COMPARISONS` times before its last round,
    which compares each of them once more. The rest stops after the block of quads that exceeds its
    limit.
    """
    return (nms.MAX_COMPARISONS + 1) * pixels + nms.MAX_PAIRS + nms.BLOCK * maps.MAX_REGIONS


class Counter:
    """Counts the calls of a function, and adds up a size that each call has.

    Attributes:
        calls: How often the function was called.
        total: Sum of the sizes.
    """

    def __init__(self) -> None:
        self.calls = 0
        self.total = 0


def count(
    monkeypatch: pytest.MonkeyPatch,
    owner: Any,
    name: str,
    size: Callable[..., int] = lambda *_, **__: 1,
) -> Counter:
    """Count the calls of `owner.name` until the test ends.

    Args:
        monkeypatch: Restores the function.
        owner: Module or object that has the function.
        name: The function's name.
        size: Returns the size of a call, from its arguments.
    """
    counter, function = Counter(), getattr(owner, name)

    def counted(*arguments: Any, **named: Any) -> Any:
        counter.calls += 1
        counter.total += size(*arguments, **named)
        return function(*arguments, **named)

    monkeypatch.setattr(owner, name, counted)
    return counter
