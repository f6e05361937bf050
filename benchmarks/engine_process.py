"""Engines, and the processes in which they read: one that stays open for each engine."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from converters.child_process import ProcessResult
from edgeocr.runtime.onnx_runtime import import_onnxruntime

from . import environments
from .engines.measure import Answer, Ending, Request
from .line_process import LineProcess, ProcessEndedError
from .progress import say

OURS = "edgeocr"
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
        self._lines = LineProcess([str(engine.python), "-m", engine.worker], engine.variables)
        self._process = self._lines.process
        with self._failures():
            self._lines.send(request)

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
        self._lines.kill()

    def read(self, picture: Path) -> Answer:
        """Let the engine read a picture.

        Raises:
            EngineError: The process has ended, or took too long and was killed.
        """
        with self._failures():
            self._lines.send(str(picture))
            answer: Answer = self._lines.receive(self._patience_s)
        return answer

    def finish(self) -> Ending:
        """Let the process end, and return what it reports then.

        Raises:
            EngineError: The process has ended before, or took too long and was killed.
        """
        with self._failures():
            self._lines.end_input()
            ending: Ending = self._lines.receive(self._patience_s)
        self._process.wait()
        return ending

    @contextmanager
    def _failures(self) -> Iterator[None]:
        """Name the engine in the errors of its process."""
        try:
            yield
        except ProcessEndedError as error:
            raise EngineError(self._name, error.ended) from None
