"""Engines, and the processes in which they read: one that stays open for each engine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from converters.child_process import ProcessResult
from edgeocr.runtime.onnx_runtime import import_onnxruntime

from . import environments
from .engines.measure import Answer, Ending, Request
from .progress import say

OURS = "edgeocr"
CHECKOUT = Path(__file__).parent.parent
WORKERS = f"{__package__}.engines"
# Seconds that an engine may take for a picture, or to set itself up and read the first one.
PATIENCE_S = 300.0


class EngineError(Exception):
    """An engine's process ended too early, or took too long and was killed."""

    def __init__(self, engine: str, ended: ProcessResult) -> None:
        """Make the message.

        Args:
            engine: Name of the engine.
            ended: How its process ended.
        """
        super().__init__(f"{engine}: the worker {ended}")


@dataclass(frozen=True)
class Engine:
    """An engine to measure.

    Attributes:
        name: Its name in the results.
        worker: The module that the worker is, such as "benchmarks.engines.rapidocr_worker".
        python: The Python that runs the worker.
        variables: The environment variables of the worker.
    """

    name: str
    worker: str
    python: Path
    variables: Mapping[str, str]


def make_engines(folder: Path, peers: Sequence[environments.Peer]) -> list[Engine]:
    """Return edgeocr and the chosen peers, and make environments that are missing.

    Args:
        folder: Folder of the peers' environments.
        peers: The peers.

    Raises:
        EnvironmentFailedError: An environment can't be made.
    """
    version = import_onnxruntime().__version__
    # pip compiles the peers when it installs them. edgeocr runs from the checkout, so its first
    # process must be allowed to keep what it compiles, or each cold start would compile again.
    ours = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    engines = [Engine(OURS, f"{WORKERS}.edgeocr_worker", Path(sys.executable), ours)]
    for peer in peers:
        python = environments.ensure(peer, version, folder, say)
        variables = environments.clean_variables()
        engines.append(Engine(peer.package, f"{WORKERS}.{peer.worker}", python, variables))
    return engines


class EngineProcess:
    """A process in which an engine is open and reads pictures one by one; a context manager.

    Leaving the context kills the process, if it has not ended.
    """

    def __init__(self, engine: Engine, request: Request, patience_s: float = PATIENCE_S) -> None:
        """Start the process, and let it set the engine up without waiting for it.

        Args:
            engine: The engine.
            request: How to set the engine up.
            patience_s: Seconds after which the process is killed if it doesn't answer.
        """
        self._name = engine.name
        self._patience_s = patience_s
        self._too_slow = threading.Event()
        # The process must not wait until somebody reads what it prints, so a file takes that.
        self._printed = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        self._process = subprocess.Popen(
            [str(engine.python), "-m", engine.worker],
            cwd=CHECKOUT,
            env=dict(engine.variables),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._printed,
            text=True,
            encoding="utf-8",
        )
        self._send(request)

    def __enter__(self) -> EngineProcess:
        """Return the process."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Kill the process, if it has not ended."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._printed):
            with suppress(OSError):  # what was written for the process can't be flushed any more
                stream.close()  # type: ignore[union-attr]

    def read(self, picture: Path) -> Answer:
        """Let the engine read a picture.

        Raises:
            EngineError: The process has ended, or took too long and was killed.
        """
        self._send(str(picture))
        answer: Answer = self._receive()
        return answer

    def finish(self) -> Ending:
        """Let the process end, and return what it reports then.

        Raises:
            EngineError: The process has ended before, or took too long and was killed.
        """
        assert self._process.stdin is not None
        self._process.stdin.close()
        ending: Ending = self._receive()
        self._process.wait()
        return ending

    def _send(self, message: Any) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(message) + "\n")
            self._process.stdin.flush()
        except OSError:
            raise self._ended() from None

    def _receive(self) -> Any:
        assert self._process.stdout is not None
        timer = threading.Timer(self._patience_s, self._give_up)
        timer.daemon = True
        timer.start()
        try:
            row = self._process.stdout.readline()
        finally:
            timer.cancel()
        if not row.endswith("\n"):
            raise self._ended()
        return json.loads(row)

    def _give_up(self) -> None:
        self._too_slow.set()
        self._process.kill()

    def _ended(self) -> EngineError:
        code = self._process.wait()
        self._printed.seek(0)
        printed = self._printed.read().decode(errors="replace")
        if self._too_slow.is_set():
            return EngineError(self._name, ProcessResult(None, printed, self._patience_s))
        return EngineError(self._name, ProcessResult(code, printed, None))
