"""Results and errors of a batch of sources: one of them that fails must not end the rest."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from typing import Literal, TypeAlias, TypeVar

import numpy as np

from ..errors import EdgeOCRError

OnError: TypeAlias = Literal["raise", "return", "skip"]
Item = TypeVar("Item")
Result = TypeVar("Result")


def outcome(work: Callable[[Item], Result], item: Item) -> Result | EdgeOCRError:
    """Do the work for an item, and return what it raises as a result."""
    try:
        return work(item)
    except EdgeOCRError as error:
        return _without_frames(error)


def handled(
    outcomes: Generator[Result | EdgeOCRError, None, None], on_error: OnError
) -> Iterator[Result | EdgeOCRError]:
    """Return, skip or raise the errors among outcomes, which are closed at the end."""
    with closing(outcomes):
        for each in outcomes:
            if not isinstance(each, EdgeOCRError) or on_error == "return":
                yield each
            elif on_error == "raise":
                raise each


def check_on_error(on_error: str) -> None:
    """Raise `ValueError` for an unknown way to handle errors."""
    if on_error not in ("raise", "return", "skip"):
        raise ValueError(f"on_error must be 'raise', 'return' or 'skip', not {on_error!r}")


def check_several(sources: object, called: str, instead: str) -> None:
    """Raise `TypeError` for a path or an array, which are iterable but not into sources."""
    if isinstance(sources, (str, bytes, os.PathLike, np.ndarray)):
        raise TypeError(
            f"{called} takes several sources, this is one {type(sources).__name__}: use {instead}"
        )


def _without_frames(error: EdgeOCRError) -> EdgeOCRError:
    """Drop the tracebacks of an error that has become a result.

    Their frames would keep the picture, and themselves, until Python collects reference cycles.
    """
    each: BaseException | None = error
    while each is not None:
        each.__traceback__ = None
        each = each.__cause__ or each.__context__
    return error
