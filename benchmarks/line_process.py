"""A process that answers each line of JSON with a line of JSON, within a time."""

from __future__ import annotations

import json
import subprocess
import tempfile
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from converters.child_process import ProcessResult

CHECKOUT = Path(__file__).parent.parent


class ProcessEndedError(Exception):
    """The process ended without an answer, or took too long and was killed.

    Attributes:
        ended: How the process ended, with the last lines that it printed.
    """

    def __init__(self, ended: ProcessResult) -> None:
        """Make the message.

        Args:
            ended: How the process ended.
        """
        super().__init__(str(ended))
        self.ended = ended

    @property
    def too_slow(self) -> bool:
        """Whether the process was killed because it took too long."""
        return self.ended.code is None


class LineProcess:
    """A process that takes and gives messages, one line of JSON each; a context manager.

    Leaving the context kills the process, if it has not ended.
    """

    def __init__(self, command: Sequence[str], variables: Mapping[str, str]) -> None:
        """Start the process in the folder of the checkout.

        Args:
            command: The program and its arguments.
            variables: Its environment variables.
        """
        self._too_slow = threading.Event()
        # The process must not wait until somebody reads what it prints, so a file takes that.
        self._printed = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        self.process = subprocess.Popen(
            list(command),
            cwd=CHECKOUT,
            env=dict(variables),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._printed,
            text=True,
            encoding="utf-8",
            # Ctrl-C is this process's matter: it kills the other one when it leaves the context.
            start_new_session=True,
        )

    def __enter__(self) -> LineProcess:
        """Return the process."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Kill the process, if it has not ended."""
        self.kill()

    def kill(self) -> None:
        """Kill the process, if it has not ended, and free what belongs to it."""
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self._printed):
            with suppress(OSError):  # what was written for the process can't be flushed any more
                stream.close()  # type: ignore[union-attr]

    def send(self, message: Any) -> None:
        """Send a message.

        Raises:
            ProcessEndedError: The process has ended.
        """
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps(message) + "\n")
            self.process.stdin.flush()
        except OSError:
            raise self._ended(None) from None

    def receive(self, patience_s: float) -> Any:
        """Wait for a message.

        Args:
            patience_s: Seconds after which the process is killed.

        Raises:
            ProcessEndedError: The process has ended, or took too long and was killed.
        """
        assert self.process.stdout is not None
        timer = threading.Timer(patience_s, self._give_up)
        timer.daemon = True
        timer.start()
        try:
            row = self.process.stdout.readline()
        finally:
            timer.cancel()
        if not row.endswith("\n"):
            raise self._ended(patience_s)
        return json.loads(row)

    @property
    def was_killed(self) -> bool:
        """Whether the process was killed because it took too long."""
        return self._too_slow.is_set()

    def end_input(self) -> None:
        """Tell the process that there will be no further message."""
        assert self.process.stdin is not None
        self.process.stdin.close()

    def _give_up(self) -> None:
        self._too_slow.set()
        self.process.kill()

    def _ended(self, patience_s: float | None) -> ProcessEndedError:
        code = self.process.wait()
        self._printed.seek(0)
        printed = self._printed.read().decode(errors="replace")
        if self._too_slow.is_set():
            return ProcessEndedError(ProcessResult(None, printed, patience_s))
        return ProcessEndedError(ProcessResult(code, printed, None))
