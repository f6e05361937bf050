"""The front's side of the reader: start it, exchange messages, end it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from . import messages
from .messages import Message, MessageError
from .options import ReaderOptions

# The code hands this process's sys.path to the reader. With `-m` the path would begin with the
# current folder, and a file numpy.py there would be imported.
PROGRAM = """
import sys
sys.path[:] = sys.argv[1:]
from edgeocr.serve.reader import main
main()
"""
# OpenCV prints lines about each broken picture, which answers report: strangers could fill the log.
QUIET = {"OPENCV_LOG_LEVEL": "SILENT"}
# The bytes that are handed to the pipe at a time: asyncio copies what the pipe can't take at once.
PIECE = 1 << 18
# Seconds that a reader gets to end by itself once its pipe is closed.
ENDING_PATIENCE = 2.0


class ReaderStartError(Exception):
    """The reader does not start: its bundle, its provider or the machine doesn't allow it."""


class ReaderProcess:
    """A reader.

    Attributes:
        bundle: What `GET /v1/bundle` answers.
        threads: How many requests it reads at a time.
    """

    def __init__(self, process: asyncio.subprocess.Process, ready: Message) -> None:
        """Take over a process that is ready; `start` makes one."""
        self._process = process
        self.bundle: dict[str, Any] = ready.header["bundle"]
        self.threads: int = ready.header["threads"]

    @classmethod
    async def start(cls, options: ReaderOptions) -> ReaderProcess:
        """Start a reader, and wait until it is ready.

        Raises:
            ReaderStartError: It reports an error, or it ends.
        """
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", PROGRAM, *sys.path),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=PIECE,
            env={**QUIET, **os.environ},
        )
        try:
            first = await _first_message(process, options)
        except BaseException:
            await _end(process)
            raise
        return cls(process, first)

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    async def send(self, header: Mapping[str, Any], contents: Sequence[bytes | bytearray]) -> None:
        """Send a message, one at a time; a reader that has died gets nothing.

        Args:
            header: What the message says.
            contents: The parts of its payload.
        """
        stream = self._process.stdin
        assert stream is not None
        with suppress(ConnectionError):
            stream.write(messages.start_of(header, sum(map(len, contents))))
            for content in contents:
                whole = memoryview(content)
                for begin in range(0, len(whole), PIECE):
                    stream.write(whole[begin : begin + PIECE])
                    await stream.drain()

    async def receive(self) -> Message | None:
        """Return the reader's next message; None if there will be no further one.

        Bytes that are no message mean that a picture has taken the reader over, so it is killed.
        """
        assert self._process.stdout is not None
        try:
            return await messages.receive(self._process.stdout)
        except MessageError:
            self.kill()
            return None

    def kill(self) -> None:
        """End the process at once."""
        _kill(self._process)

    async def ended(self) -> str:
        """Wait until the process has ended; return how, as the rest of a sentence."""
        return ending(await self._process.wait())

    async def close(self) -> None:
        """End the process: its pipe is closed, and it is killed if that is not enough."""
        await _end(self._process, ENDING_PATIENCE)


def ending(code: int) -> str:
    """Return how a process has ended, as the rest of a sentence."""
    if code >= 0:
        return f"ended with exit code {code}"
    with suppress(ValueError):
        return f"was killed by {signal.Signals(-code).name}"
    return f"was killed by signal {-code}"


async def _first_message(process: asyncio.subprocess.Process, options: ReaderOptions) -> Message:
    """Tell a reader how to read, and return the message by which it says that it is ready."""
    assert process.stdin is not None and process.stdout is not None
    with suppress(ConnectionError):
        process.stdin.write(messages.start_of(options.to_dict()))
        await process.stdin.drain()
    try:
        first = await messages.receive(process.stdout)
    except MessageError as error:
        raise ReaderStartError(f"the process that reads does not start: {error}") from error
    if first is None:
        how = ending(await process.wait())
        raise ReaderStartError(f"the process that reads {how} before it was ready")
    if first.header["is"] != "ready":
        raise ReaderStartError(first.header["message"])
    return first


async def _end(process: asyncio.subprocess.Process, patience: float = 0.0) -> None:
    """Close the pipe of a process, and kill the process if it hasn't ended after some seconds."""
    assert process.stdin is not None
    process.stdin.close()
    try:
        await asyncio.wait_for(process.wait(), patience)
    except asyncio.TimeoutError:
        _kill(process)
        await process.wait()


def _kill(process: asyncio.subprocess.Process) -> None:
    with suppress(ProcessLookupError):
        process.kill()
