"""What native libraries write, kept out of the user's way."""

from __future__ import annotations

import io
import os
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout

_words_lock = threading.Lock()


@contextmanager
def captured_words() -> Iterator[Callable[[], str]]:
    """Keep what is written to file descriptor 2 and to sys.stdout; yields a function that gives it.

    ONNX Runtime tells why a provider failed there and nowhere else. Both belong to the whole
    process, so only one thread at a time may borrow them.
    """
    with _words_lock, tempfile.TemporaryFile() as file, redirect_stdout(io.StringIO()) as printed:
        try:
            saved = os.dup(2)
        except OSError:  # no stderr at all
            yield printed.getvalue
            return
        if sys.stderr is not None:
            sys.stderr.flush()

        def said() -> str:
            file.seek(0)
            return file.read().decode("utf-8", "replace") + printed.getvalue()

        os.dup2(file.fileno(), 2)
        try:
            yield said
        finally:
            os.dup2(saved, 2)
            os.close(saved)
