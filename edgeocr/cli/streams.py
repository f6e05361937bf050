"""Standard input, output and error of a command, which may be closed, full or of any encoding."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, TextIO, cast

from ..errors import EdgeOCRError, OutputError, escaped
from ..outputs.encoding import ENCODING, ERRORS

STANDARD_OUTPUT = "standard output"


class _ClosedOutput(io.TextIOBase):
    """Standard output of a process that was started without one (`>&-`)."""

    @property
    def buffer(self) -> _ClosedOutput:
        return self

    def write(self, content: str | bytes) -> int:
        if content:
            raise OutputError(STANDARD_OUTPUT, "it is closed")
        return 0


class _ClosedErrors(io.TextIOBase):
    """Standard error of a process that was started without one (`2>&-`): drops everything."""

    def write(self, text: str) -> int:
        return len(text)


@contextmanager
def usable_streams() -> Iterator[None]:
    """Make the standard streams usable while the block runs, however the process was started.

    Standard output is UTF-8 whatever the locale says: JSON has to be, and texts may have characters
    that the locale's encoding lacks. A stream that is closed gets a replacement.
    """
    _occupy_closed_descriptors()
    output, errors = sys.stdout, sys.stderr
    if output is None:
        sys.stdout = cast(TextIO, _ClosedOutput())
    elif isinstance(output, io.TextIOWrapper):
        output.reconfigure(encoding=ENCODING, errors=ERRORS)
    if errors is None:
        sys.stderr = cast(TextIO, _ClosedErrors())
    try:
        yield
    finally:
        with suppress(OSError, ValueError):
            sys.stderr.flush()
        sys.stdout, sys.stderr = output, errors


def write_out(content: str | bytes) -> None:
    """Write text or bytes to standard output, and let whoever reads it have it at once.

    Raises:
        OutputError: It can't be written, or takes only text.
        BrokenPipeError: The program that reads it has ended.
    """
    try:
        if isinstance(content, str):
            sys.stdout.write(content)
        elif hasattr(sys.stdout, "buffer"):
            sys.stdout.buffer.write(content)
        else:  # a program that calls `main` has put a text stream in its place
            raise OutputError(STANDARD_OUTPUT, "it takes text only: choose a file with --output")
        sys.stdout.flush()
    except (BrokenPipeError, OutputError):
        raise
    except OSError as error:
        _silence(sys.stdout)
        raise OutputError(STANDARD_OUTPUT, error.strerror or str(error)) from error


def report(error: object) -> None:
    """Print an error as one line on standard error; where that can't be written, do nothing."""
    tell(f"edgeocr: error: {escaped(str(error))}")


def tell(text: str) -> None:
    """Print a line to standard error; where that can't be written, do nothing."""
    write_error(text + "\n")


def write_error(text: str) -> None:
    """Write to standard error; if that fails, the command goes on without the message."""
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except (OSError, ValueError):
        _silence(sys.stderr)


def silence_if_broken(stream: TextIO) -> None:
    """Let a stream that can't be written write to nowhere, so that Python can flush it at its end.

    Without that, Python would complain on standard error and exit with 120.
    """
    try:
        stream.flush()
    except OSError:
        _silence(stream)


def _silence(stream: TextIO) -> None:
    with suppress(OSError, ValueError):  # a stream without a descriptor, as in tests
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def standard_input() -> IO[bytes]:
    """Return standard input as a binary file.

    Raises:
        EdgeOCRError: It is closed.
    """
    if sys.stdin is None:
        raise EdgeOCRError("standard input is closed")
    try:
        # A file of its own: a thread that waits for input inside sys.stdin would hold its lock, and
        # Python aborts if it finds that lock held at its end.
        return open(sys.stdin.fileno(), "rb", closefd=False)
    except (AttributeError, OSError, ValueError):  # it has no descriptor, as in tests
        return sys.stdin.buffer


def _occupy_closed_descriptors() -> None:
    """Connect closed descriptors of the standard streams with nothing.

    Otherwise the first file that is opened would get such a number, and a library that prints an
    error would write it into that file.
    """
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            with suppress(OSError):
                os.open(os.devnull, os.O_RDWR)
