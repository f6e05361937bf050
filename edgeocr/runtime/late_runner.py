"""A second runner of a stage's graph, which is opened when it is first needed."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from ..errors import excerpt
from .io_binding import Runner
from .start import StartedSession

logger = logging.getLogger(__name__)


class LateRunner:
    """A runner that waits to be opened, because its session takes time and memory.

    Attributes:
        read_graph: Reads the graph's bytes when they are needed.
        runner: The runner; None until it is opened.
    """

    def __init__(
        self,
        stage: str,
        start: Callable[[bytes], StartedSession],
        read_graph: Callable[[], bytes],
        held: list[object],
    ) -> None:
        """Store how the runner is opened.

        Args:
            stage: The stage's name, for a warning.
            start: Opens a session for the graph.
            read_graph: Reads the graph's bytes.
            held: The list that keeps what has to be freed in this process; the runner is added.
        """
        self.read_graph = read_graph
        self.runner: Runner | None = None
        self._stage, self._held = stage, held
        self._start: Callable[[bytes], StartedSession] | None = start
        self._opening = threading.Lock()

    def get(self, make_runner: Callable[[StartedSession], Runner]) -> Runner | None:
        """Return the runner, which the first call opens.

        Args:
            make_runner: Makes the runner of the session.

        Returns:
            The runner; None if it can't be opened, which is tried once.
        """
        with self._opening:
            if self._start is not None:
                try:
                    self.runner = make_runner(self._start(self.read_graph()))
                    self._held.append(self.runner)
                except Exception as error:  # lack of memory has no error class of its own
                    logger.warning(
                        "the stage %r does one run at a time, because the session for pages side "
                        "by side can't be opened: %s",
                        self._stage,
                        excerpt(str(error)),
                    )
                self._start, self.read_graph = None, bytes  # both may hold the graph
        return self.runner
