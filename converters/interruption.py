"""End a command cleanly when the system asks it to: temporary folders and child processes go."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

# SIGTERM asks a process to end, as `kill`, `timeout`, systemd and containers do. SIGHUP says that
# its terminal is gone. Windows has only the first.
_SIGNALS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]


@contextmanager
def ends_cleanly() -> Iterator[None]:
    """Let SIGTERM and SIGHUP raise `SystemExit` in the `with` block.

    Without this, both end the process at once, and what `with` and `finally` would remove stays.
    The exit code is 128 plus the signal's number, as shells have it. A signal that the caller
    handles or ignores already (`nohup` ignores SIGHUP) is left alone. Outside the main thread
    nothing happens, since only the main thread receives signals.
    """
    before = {}
    if threading.current_thread() is threading.main_thread():
        before = {number: signal.getsignal(number) for number in _SIGNALS}
    ours = [number for number, handler in before.items() if handler is signal.SIG_DFL]
    for number in ours:
        signal.signal(number, _end)
    try:
        yield
    finally:
        for number in ours:
            signal.signal(number, signal.SIG_DFL)


def _end(number: int, frame: FrameType | None) -> None:
    for other in _SIGNALS:  # a second signal doesn't interrupt the cleaning up
        signal.signal(other, signal.SIG_IGN)
    raise SystemExit(128 + number)
