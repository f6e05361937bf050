"""What native libraries write, kept out of the user's way."""

from __future__ import annotations

import io
import os
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout

_words_lock = threading.Lock()


@contextmanager
def captured_words() -> Iterator[Callable[[], str]]:
    """Keep what is written to file descriptor 2 and to sys.stdout; yields a function that gives it.

    ONNX Runtime tells why a provider failed there and nowhere else. Both belong to the whole
    process, so only one thread at a time may borrow them, and when nothing fails what was written
    meanwhile, by other threads, goes where it was meant to.
    """
    with _words_lock:
        printed = io.StringIO()
        with _descriptor(2) as written:

            def said() -> str:
                return written().decode("utf-8", "replace") + printed.getvalue()

            with redirect_stdout(printed):
                yield said
            words = written()
        # Only when nothing was raised.
        if sys.stdout is not None:
            sys.stdout.write(printed.getvalue())
        if words:
            os.write(2, words)


@contextmanager
def _descriptor(number: int) -> Iterator[Callable[[], bytes]]:
    """Turn a file descriptor to a file for a while; yields a function that gives what is in it."""
    with ExitStack() as stack:
        try:
            file = stack.enter_context(tempfile.TemporaryFile())
            saved = os.dup(number)
        except OSError:  # nowhere to write to, or no stderr at all
            yield bytes
            return
        stack.callback(os.close, saved)
        if sys.stderr is not None:
            sys.stderr.flush()
        os.dup2(file.fileno(), number)
        stack.callback(os.dup2, saved, number)

        def written() -> bytes:
            file.seek(0)
            return file.read()

        yield written
