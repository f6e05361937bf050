"""Results and errors of a batch of sources: one of them that fails must not end the rest."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from typing import Literal, TypeAlias, TypeVar

import numpy as np

from ..errors import ClosedError, EdgeOCRError, ForkedError

OnError: TypeAlias = Literal["raise", "return", "skip"]
Item = TypeVar("Item")
Result = TypeVar("Result")


def outcome(work: Callable[[Item], Result], item: Item) -> Result | EdgeOCRError:
    """Return the result of the work for an item, or the `EdgeOCRError` that the work raises.

    Raises:
        ClosedError, ForkedError: The item is not at fault, and no other item could be worked on.
    """
    try:
        return work(item)
    except (ClosedError, ForkedError):
        raise
    except EdgeOCRError as error:
        return _without_frames(error)


def handled(
    outcomes: Generator[Result | EdgeOCRError, None, None], on_error: OnError
) -> Iterator[Result | EdgeOCRError]:
    """Yield the outcomes; yield, skip or raise the errors among them.

    Args:
        outcomes: Results and errors. The generator is closed at the end.
        on_error: What to do with errors: "return" yields them like results.
    """
    with closing(outcomes):
        for each in outcomes:
            if not isinstance(each, EdgeOCRError) or on_error == "return":
                yield each
            elif on_error == "raise":
                raise each


def check_several(sources: object, called: str, instead: str, on_error: str) -> None:
    """Check the arguments of a method that takes several sources.

    Args:
        sources: What was given. Paths, bytes and arrays are single sources, although some of them
            can be iterated over.
        called: The method that was called.
        instead: The call that takes a single source.
        on_error: How errors are to be handled.

    Raises:
        TypeError: A single source was given.
        ValueError: The way to handle errors is unknown.
    """
    if isinstance(sources, (str, bytes, os.PathLike, np.ndarray)):
        raise TypeError(
            f"{called} takes several sources, this is one {type(sources).__name__}: use {instead}"
        )
    if on_error not in ("raise", "return", "skip"):
        raise ValueError(f"on_error must be 'raise', 'return' or 'skip', not {on_error!r}")


def _without_frames(error: EdgeOCRError) -> EdgeOCRError:
    """Drop the tracebacks of an error that has become a result.

    Their frames would keep the picture, and themselves, until Python collects reference cycles.
    """
    each: BaseException | None = error
    while each is not None:
        each.__traceback__ = None
        each = each.__cause__ or each.__context__
    return error
