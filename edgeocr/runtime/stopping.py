"""Give up reading before the next run of a network, if the caller wants that."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import ParamSpec, TypeVar

from ..errors import StoppedError

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

_wanted: ContextVar[Callable[[], bool] | None] = ContextVar("edgeocr_stop_wanted", default=None)


@contextmanager
def stoppable(is_stopped: Callable[[], bool]) -> Iterator[None]:
    """Let what the block reads be given up.

    Before each run of a network, and so some milliseconds apart, it is asked whether to go on.

    >>> stop = threading.Event()
    >>> with stoppable(stop.is_set):
    ...     page = ocr.read("photo.jpg")  # raises StoppedError once another thread has set `stop`

    Args:
        is_stopped: Tells whether to give up. Several threads call it, so it should only look.

    Raises:
        StoppedError: What the block read was given up.
    """
    token = _wanted.set(is_stopped)
    try:
        yield
    finally:
        _wanted.reset(token)


def carried(work: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Return work that is given up in whatever thread does it, if it would be in this thread.

    Args:
        work: A run of a network, or reading a picture. It is returned as it is unless this thread
            is in a `stoppable` block.
    """
    is_stopped = _wanted.get()
    if is_stopped is None:
        return work

    def stoppable_work(*args: Parameters.args, **options: Parameters.kwargs) -> Result:
        if is_stopped():
            raise StoppedError
        with stoppable(is_stopped):
            return work(*args, **options)

    return stoppable_work
