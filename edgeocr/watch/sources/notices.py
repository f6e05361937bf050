"""Log what may happen at every frame, without flooding the log."""

from __future__ import annotations

import logging
import time

# Seconds between two messages about the same thing.
INTERVAL = 10.0


class Notices:
    """Warnings about a source; each kind is logged at most once in `INTERVAL` seconds."""

    def __init__(self, name: str, logger: logging.Logger) -> None:
        """Create it.

        Args:
            name: The source's name in messages.
            logger: Logs the messages.
        """
        self._name, self._logger = name, logger
        # Kind → when it was logged last, and how many messages were held back since.
        self._kinds: dict[str, tuple[float, int]] = {}

    def warn(self, kind: str, message: str) -> None:
        """Log a message, or count it if one of its kind was logged a short time ago.

        Args:
            kind: The kind of message; there should be few kinds.
            message: What has happened.
        """
        now = time.monotonic()
        last, held = self._kinds.get(kind, (-INTERVAL, 0))
        if now - last < INTERVAL:
            self._kinds[kind] = last, held + 1
            return
        more = f" (and {held} more times since the last such message)" if held else ""
        self._logger.warning("%s: %s%s", self._name, message, more)
        self._kinds[kind] = now, 0
