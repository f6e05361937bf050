"""The parent's side of a measuring process: start it, ask it, and say how it ended."""

from __future__ import annotations

import json
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from time import perf_counter
from typing import IO, Any, Protocol

# Seconds without a message after which a process counts as hung: while it starts and warms up,
# where TensorRT may build engines for many minutes, and while it reads.
STARTING_PATIENCE = 3600.0
PAGE_PATIENCE = 300.0
# Seconds that a process that is no longer needed gets to end by itself.
ENDING_PATIENCE = 5.0
# How much of the log of a process that died is quoted in the error: lines, and characters.
LAST_LINES = 5
LAST_CHARACTERS = 600
# The code hands this process's sys.path to the measuring process. With `-m` the path would begin
# with the current folder, and a file numpy.py there would be imported.
WORKER = (
    "import sys; sys.path[:] = sys.argv[1:]; "
    "from edgeocr.bench.worker import main; sys.exit(main())"
)


class CellError(Exception):
    """A measuring process failed; the message is the reason, which may name folders."""


class Request(Protocol):
    """What a measuring process is asked to open."""

    def to_json(self) -> str:
        """Return it as the measuring process reads it."""


class CellProcess:
    """A process that measures one cell.

    Attributes:
        answer: What the process answered when it had opened the cell.
        start_ms: Milliseconds from starting it to that answer.
    """

    def __init__(self, request: Request, patience: float | None = None) -> None:
        """Start the process, and wait until it has opened the cell.

        Args:
            request: What it opens.
            patience: Seconds without a message after which it counts as hung; by default
                `STARTING_PATIENCE`.

        Raises:
            CellError: If it fails.
        """
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  it is closed by `close`
        self._messages: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        began = perf_counter()
        self._process = subprocess.Popen(
            [sys.executable, "-c", self._code(), *sys.path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            encoding="utf-8",
            errors="replace",
        )
        try:
            threading.Thread(target=self._listen, name="edgeocr-bench", daemon=True).start()
            self.answer = self._exchange(
                request.to_json(), patience or STARTING_PATIENCE, "starting"
            )
        except BaseException:
            self.kill()
            raise
        self.start_ms = 1000 * (perf_counter() - began)

    def ask(
        self,
        command: str,
        patience: float | None = None,
        on_page: Callable[[int], None] | None = None,
        **arguments: Any,
    ) -> dict[str, Any]:
        """Let the process carry out a command, and return its answer.

        Args:
            command: The command's name.
            patience: Seconds without a message after which it counts as hung; by default
                `PAGE_PATIENCE`.
            on_page: Called with the number of pages that were read so far by this command.
            **arguments: The command's arguments.

        Raises:
            CellError: If it fails.
        """
        row = json.dumps({"command": command, **arguments})
        return self._exchange(row, patience or PAGE_PATIENCE, command, on_page)

    def close(self) -> None:
        """End the process in order if it is idle, or else at once."""
        with suppress(OSError, ValueError):
            assert self._process.stdin is not None
            self._process.stdin.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(ENDING_PATIENCE)
        self.kill()

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()
        self._process.wait()
        self._log.close()

    def _code(self) -> str:
        """Return what Python runs in the process."""
        return WORKER

    def _exchange(
        self,
        row: str,
        patience: float,
        doing: str,
        on_page: Callable[[int], None] | None = None,
    ) -> dict[str, Any]:
        """Send a row and wait for its answer."""
        assert self._process.stdin is not None
        with suppress(OSError):  # it has died, and its end says why
            self._process.stdin.write(row + "\n")
            self._process.stdin.flush()
        while True:
            try:
                received = self._messages.get(timeout=patience)
            except queue.Empty:
                self._process.kill()
                said = _quoted(self._log)
                raise CellError(
                    f"the measuring process has hung: it sent nothing for {patience:g} seconds "
                    f"({doing}){said}"
                ) from None
            if received is None:
                raise CellError(_last_words(self._process.wait(), self._log))
            message = _message(received)
            if "error" in message:
                raise CellError(message["error"])
            if "done" in message:
                answer: dict[str, Any] = message["done"]
                return answer
            if "page" in message and on_page is not None:
                on_page(message["page"])

    def _listen(self) -> None:
        """Pass on what the process prints, row by row, and None at the end."""
        assert self._process.stdout is not None
        with self._process.stdout as output:
            for row in output:
                self._messages.put(row)
        self._messages.put(None)


def _message(row: str) -> dict[str, Any]:
    """Decode a row that the measuring process printed; return {} if the row is not a message."""
    try:
        message = json.loads(row)
    except ValueError:  # printed by a library before the messages had their own channel
        return {}
    return message if isinstance(message, dict) else {}


def _last_words(returncode: int, log: IO[bytes]) -> str:
    """Say how a process has ended that did not answer, and quote the end of its log."""
    if returncode < 0:
        name = next((each.name for each in signal.Signals if each == -returncode), "")
        how = f"was killed by signal {-returncode} {name}".rstrip()
        if name == "SIGKILL":
            how += ", as Linux does when memory runs out"
    else:
        how = f"ended with exit code {returncode}"
    return f"the measuring process {how}{_quoted(log)}"


def _quoted(log: IO[bytes]) -> str:
    """Return the end of a log as the end of a sentence; empty if there is none."""
    log.seek(0)
    rows = log.read().decode("utf-8", "replace").splitlines()
    # The rows of carets in a traceback mean nothing once the indentation is gone.
    words = "\n".join([row.strip() for row in rows if row.strip(" ^~")][-LAST_LINES:])
    if len(words) > LAST_CHARACTERS:
        words = "…" + words[-LAST_CHARACTERS:]
    return f"; the end of its log: {words}" if words else ""
