"""The client of paho-mqtt, extended to report why it can't connect."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from paho.mqtt.client import Client as PahoClient
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode


class Client(PahoClient):
    """A client that reports each failed attempt to connect."""

    def __init__(self, failed: Callable[[str], None]) -> None:
        """Create the client, which doesn't connect yet.

        Args:
            failed: Called with the reason for each failed attempt, in the client's thread.
        """
        super().__init__(CallbackAPIVersion.VERSION2, f"edgeocr-{secrets.token_hex(6)}")
        self._failed = failed

    def reconnect(self) -> MQTTErrorCode:
        """Connect; `loop_start` calls this again and again until it succeeds.

        Raises:
            OSError: The attempt failed. Any other exception would end the client's thread.
        """
        try:
            return super().reconnect()
        except Exception as error:
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            self._failed(reason)
            raise OSError(reason) from error
