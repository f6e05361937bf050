"""Frames from a pipe or a file object: JPEG pictures, one after the other."""

from __future__ import annotations

import io
import os
import select
import stat
from threading import Event
from typing import Any, Protocol

from ...decoding.contents import described
from ...errors import VideoError
from .arrivals import Arrival
from .jpegs import Jpegs
from .kinds import Place

# Bytes that are read at a time: the capacity of a pipe on Linux.
PIECE = 1 << 16
# Milliseconds after which a wait for bytes checks whether it should end.
WAIT_MS = 200


class Pipe:
    """MJPEG from a named pipe, from standard input, or from any binary file object."""

    plays = False

    def __init__(self, place: Place, stopped: Event) -> None:
        """Open it.

        Args:
            place: A path of a named pipe, or a binary file object.
            stopped: Ends all waiting.

        Raises:
            VideoError: A named pipe can't be opened.
        """
        self._name, self._stopped = place.name, stopped
        self._jpegs = Jpegs(place.name)
        self._own: int | None = None
        if isinstance(place.value, str):
            try:
                # Without O_NONBLOCK this would wait until somebody writes into the pipe.
                self._own = os.open(place.value, os.O_RDONLY | os.O_NONBLOCK)
            except OSError as error:
                raise VideoError(f"{place.name}: can't be read: {error.strerror}") from error
            self._bytes: _Bytes = _Descriptor(self._own, stopped, wait_for_writer=True)
        else:
            self._bytes = _bytes_of(place.value, stopped)

    def take(self) -> Arrival | None:
        """Wait for the next picture; see `Pictures.take`."""
        while (arrival := self._jpegs.next()) is None:
            try:
                piece = self._bytes.read()
            except Exception as error:  # the file object may be anyone's code
                raise VideoError(f"{self._name}: can't be read: {described(error)}") from error
            if isinstance(piece, str):
                raise TypeError(f"{self._name} yields text: open it in binary mode ('rb')")
            if not piece:
                self._check_end()
                return None
            self._jpegs.feed(piece)
        return arrival

    def interrupt(self) -> None:
        """Do nothing, because each wait ends when `stopped` is set."""

    def close(self) -> None:
        """Close a named pipe; a file object stays open, because it is the caller's."""
        if self._own is not None:
            os.close(self._own)
            self._own = None

    def _check_end(self) -> None:
        if not self._jpegs.count and not self._stopped.is_set():
            raise VideoError(
                f"{self._name}: ended without a complete JPEG picture: let the program that writes "
                "into the pipe write MJPEG, as in `ffmpeg … -f mjpeg -`, and look at the messages "
                "of that program"
            )


def is_recording(file: Any) -> bool:
    """Tell whether a file object is a recording, which can wait until its pictures are read."""
    try:
        return stat.S_ISREG(os.fstat(file.fileno()).st_mode)
    except (AttributeError, OSError, ValueError):
        return isinstance(file, io.BytesIO)


class _Bytes(Protocol):
    def read(self) -> Any:
        """Wait for bytes; return `b""` at the end, or if all waiting has to end."""


class _Descriptor:
    """The bytes of a pipe, waited for in steps, so that the wait can end at any time."""

    def __init__(self, descriptor: int, stopped: Event, *, wait_for_writer: bool = False) -> None:
        self._descriptor, self._stopped = descriptor, stopped
        self._wait_for_writer = wait_for_writer
        self._poll = select.poll()
        self._poll.register(descriptor, select.POLLIN)

    def read(self) -> bytes:
        while not self._stopped.is_set():
            if not self._poll.poll(WAIT_MS):
                continue
            try:
                piece = os.read(self._descriptor, PIECE)
            except BlockingIOError:
                continue
            if piece or not self._wait_for_writer:
                self._wait_for_writer = False
                return piece
            self._stopped.wait(WAIT_MS / 1000)  # no one has opened the pipe for writing yet
        return b""


class _File:
    """The bytes of any file object. A wait for them can't end before they arrive."""

    def __init__(self, file: Any) -> None:
        # `read1` returns what is there; `read` waits for the full number of bytes.
        self._read = getattr(file, "read1", None) or file.read

    def read(self) -> Any:
        return self._read(PIECE)


def _bytes_of(file: Any, stopped: Event) -> _Bytes:
    """Choose how to read a file object.

    A thread that waits in a `BufferedReader` holds its lock, and the interpreter can't end while
    that lock is held. So pipes and sockets are read below their file object, after what it has
    buffered.
    """
    if not isinstance(file, (io.BufferedReader, io.FileIO)) or not hasattr(select, "poll"):
        return _File(file)
    try:
        descriptor = file.fileno()
        mode = os.fstat(descriptor).st_mode
    except (OSError, ValueError):
        return _File(file)
    if not isinstance(getattr(file, "raw", file), io.FileIO) or stat.S_ISREG(mode):
        return _File(file)
    bytes_ = _Descriptor(descriptor, stopped)
    return bytes_ if isinstance(file, io.FileIO) else _Rest(file, bytes_)


class _Rest:
    """The bytes that a `BufferedReader` has buffered, then those of the file below it."""

    def __init__(self, file: io.BufferedReader, below: _Bytes) -> None:
        self._file: io.BufferedReader | None = file
        self._below = below

    def read(self) -> Any:
        if self._file is not None:
            held, self._file = _held(self._file), None
            if held:
                return held
        return self._below.read()


def _held(file: io.BufferedReader) -> bytes:
    """Return what a file object has buffered, without waiting for more."""
    descriptor = file.fileno()
    blocking = os.get_blocking(descriptor)
    os.set_blocking(descriptor, False)  # otherwise `peek` would wait if nothing is buffered
    try:
        return file.read1(len(file.peek()))
    finally:
        os.set_blocking(descriptor, blocking)
