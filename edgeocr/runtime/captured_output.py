"""Capture what native libraries write to the process's output."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout

from .forks import ProcessLock

STDERR = 2

_lock = ProcessLock()


@contextmanager
def captured_output() -> Iterator[Callable[[], str]]:
    """Capture what is written to file descriptor 2 and to `sys.stdout` in the block.

    ONNX Runtime writes the reason why a provider failed there and nowhere else. Both streams belong
    to the whole process, so only one thread at a time captures them. The captured output, some of
    which may come from other threads, is written to its destination at the end, unless the block
    raises.

    Yields:
        A function that returns what has been captured so far.
    """
    with _lock:
        printed = io.StringIO()
        with _redirected(STDERR) as written:

            def captured() -> str:
                return written().decode("utf-8", "replace") + printed.getvalue()

            with redirect_stdout(printed):
                yield captured
            errors = written()
        # These lines are reached only if nothing was raised.
        if sys.stdout is not None:
            sys.stdout.write(printed.getvalue())
        if errors:
            os.write(STDERR, errors)


@contextmanager
def _redirected(descriptor: int) -> Iterator[Callable[[], bytes]]:
    """Redirect a file descriptor to a file, and yield a function that returns its content."""
    import tempfile  # the CPU, which always starts, needs no captured output

    with ExitStack() as stack:
        try:
            file = stack.enter_context(tempfile.TemporaryFile())
            saved = os.dup(descriptor)
        except OSError:  # no folder for temporary files, or the process has no such descriptor
            yield bytes
            return
        stack.callback(os.close, saved)
        if sys.stderr is not None:
            sys.stderr.flush()
        os.dup2(file.fileno(), descriptor)
        stack.callback(os.dup2, saved, descriptor)

        def written() -> bytes:
            file.seek(0)
            return file.read()

        yield written
