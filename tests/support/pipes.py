"""Named pipes that tests read from."""

from __future__ import annotations

import os
import threading
import time
from contextlib import suppress
from pathlib import Path


def feed(path: Path, content: bytes) -> None:
    """Make a named pipe that gives content to the first that opens it, and nothing to the others.

    Without further writers, code that opens the pipe twice would wait for ever.

    Args:
        path: The pipe, which does not exist yet.
        content: What it gives.
    """
    os.mkfifo(path)

    def write() -> None:
        path.write_bytes(content)
        while path.is_fifo():
            with suppress(OSError):
                os.close(os.open(path, os.O_WRONLY))  # waits until somebody reads
            time.sleep(0.01)

    threading.Thread(target=write, daemon=True).start()
