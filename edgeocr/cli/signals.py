"""End a command in the same way whichever signal asks for it: Ctrl+C, SIGTERM or SIGHUP."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

# SIGHUP arrives when the terminal is closed. Windows has none.
NAMES = ("SIGTERM", "SIGHUP")


class Terminated(KeyboardInterrupt):
    """A signal that asks the process to end. It unwinds the program as Ctrl+C does.

    Attributes:
        number: The signal's number.
    """

    def __init__(self, number: int) -> None:
        """Create the exception for a signal."""
        super().__init__()
        self.number = number


@contextmanager
def signals_raised() -> Iterator[None]:
    """Raise `Terminated` in the main thread while the block runs, if a signal asks to end.

    Signals that are ignored, as `nohup` does with SIGHUP, stay ignored, and handlers of a program
    that calls `main` stay its own.
    """
    if threading.current_thread() is not threading.main_thread():  # others get no signals
        yield
        return
    present = [getattr(signal, name) for name in NAMES if hasattr(signal, name)]
    handled = [number for number in present if signal.getsignal(number) is signal.SIG_DFL]
    for number in handled:
        signal.signal(number, _raise)
    try:
        yield
    finally:
        for number in handled:
            signal.signal(number, signal.SIG_DFL)


@contextmanager
def signals_deferred() -> Iterator[None]:
    """Let a signal that arrives while the block runs take effect when the block has ended.

    Only signals that have a handler in Python are deferred, and only in the main thread, which
    alone gets them.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    present = [getattr(signal, name) for name in ("SIGINT", *NAMES) if hasattr(signal, name)]
    arrived: list[int] = []
    before = {
        number: signal.signal(number, lambda number, frame: arrived.append(number))
        for number in present
        if callable(signal.getsignal(number))
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if arrived:
            signal.raise_signal(arrived[0])


def exit_code(interruption: KeyboardInterrupt) -> int:
    """Return the exit code by which shells know a process that a signal has ended."""
    number = interruption.number if isinstance(interruption, Terminated) else signal.SIGINT
    return 128 + number


def let_signals_end_the_process() -> None:
    """Let the next Ctrl+C end the process at once, when it only waits for its threads to end."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def _raise(number: int, frame: FrameType | None) -> None:
    # A second signal doesn't interrupt the cleaning up.
    for name in NAMES:
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    raise Terminated(number)
