"""The pictures in a stream of JPEG data, wherever its bytes come from."""

from __future__ import annotations

import logging
from collections import deque

from ... import images
from ...errors import EdgeOCRError
from .arrivals import Arrival, DamagedError
from .mjpeg import Splitter
from .notices import Notices

logger = logging.getLogger(__name__)


class Jpegs:
    """Takes bytes, and returns the pictures in them.

    Attributes:
        count: How many pictures have been found.
    """

    def __init__(self, name: str) -> None:
        """Start without bytes.

        Args:
            name: The source's name in messages.
        """
        self.count = 0
        self._splitter = Splitter()
        self._found: deque[bytes] = deque()
        self._notices = Notices(name, logger)

    def feed(self, data: bytes) -> None:
        """Take a piece of the stream."""
        splitter = self._splitter
        before = len(self._found)
        self._found.extend(splitter.feed(data))
        self.count += len(self._found) - before
        if splitter.broken:
            self._notices.warn("broken", "a broken picture was left out")
        if splitter.oversized:
            self._notices.warn("large", "a picture with too many bytes was left out")
        splitter.broken = splitter.oversized = 0

    def next(self) -> Arrival | None:
        """Return the next picture, or None if more bytes are needed."""
        if not self._found:
            return None
        content = self._found.popleft()
        return Arrival(lambda: _decoded(content), keeps=True)


def _decoded(content: bytes) -> images.Image:
    try:
        return images.load(content)
    except EdgeOCRError as error:
        raise DamagedError(str(error)) from error
