"""Publish events over MQTT without ever waiting for the broker."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Mapping
from time import monotonic
from typing import TYPE_CHECKING, Any

from ....errors import EdgeOCRError, MissingLibraryError, excerpt
from ....outputs.encoding import encoded
from ...events import Event
from ..jsonl import record
from .broker import Broker

if TYPE_CHECKING:
    from .client import Client

# How many events may wait for the broker before the oldest is dropped, and how many of those that
# were sent may be unconfirmed at a time.
WAITING = 1000
UNCONFIRMED = 20
ONLINE, OFFLINE = b"online", b"offline"
# Seconds between two attempts to connect: the first pause and the longest one.
PAUSES = (1, 30)
# Seconds without a packet after which the client asks the broker for a sign of life.
KEEPALIVE = 30
# Seconds to tell a connected broker that this is the end, and to disconnect.
GOODBYE = 1.0

logger = logging.getLogger(__name__)


class Publisher:
    """A connection to a broker, which publishes the events that are added.

    `add` never waits: a thread sends the events in their order, and connects again after the
    connection was lost. Events arrive at least once (QoS 1). While the connection lasts, the
    retained message of `TOPIC/status` is `online`; afterwards it is `offline`, even if the process
    was killed.
    """

    def __init__(self, broker: Broker, *, waiting: int = WAITING) -> None:
        """Begin to connect, in a thread, and return at once.

        Args:
            broker: The broker and the topic.
            waiting: How many events may wait while the broker can't be reached. If there are more,
                the oldest is dropped.

        Raises:
            MissingLibraryError: paho-mqtt is not installed.
            EdgeOCRError: The certificates of the authorities can't be read.
        """
        try:
            from .client import Client
        except ModuleNotFoundError:
            raise MissingLibraryError("paho-mqtt", "mqtt") from None
        self._broker, self._most_waiting = broker, waiting
        # All of the following is read and written while this condition is held. It is never held
        # while the client is called, since the client holds locks of its own when it calls back.
        self._changed = threading.Condition()
        self._waiting: deque[bytes] = deque()
        self._sending = False  # a message has left the queue, and isn't among the sent ones yet
        self._sent: set[int] = set()  # the numbers of messages that are not confirmed yet
        self._confirmed_early: set[int] = set()  # confirmed before `publish` returned the number
        self._dropped = 0
        self._problem: str | None = None
        self._connected = self._was_connected = self._closing = self._closed = False
        self._client = Client(self._failed)
        self._start(self._client)

    def _start(self, client: Client) -> None:
        broker = self._broker
        if broker.encrypted:
            file = broker.authorities
            try:
                client.tls_set(None if file is None else str(file))
            except (OSError, ValueError) as error:
                reason = getattr(error, "strerror", None) or error
                raise EdgeOCRError(f"{file}: has no certificates in PEM: {reason}") from error
        if broker.user is not None:
            client.username_pw_set(broker.user, broker.password)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        client.will_set(broker.status, OFFLINE, qos=1, retain=True)
        client.reconnect_delay_set(*PAUSES)
        client.connect_async(broker.host, broker.port, keepalive=KEEPALIVE)
        client.loop_start()
        threading.Thread(target=self._send, name="edgeocr-mqtt", daemon=True).start()

    def add(self, event: Event, more: Mapping[str, Any] | None = None) -> None:
        """Take an event, which is sent as soon as the broker can be reached; return at once.

        Args:
            event: The event.
            more: Further fields of the message.

        Raises:
            ValueError: The publisher is closed.
        """
        message = encoded(record(event, more))
        with self._changed:
            if self._closing:
                raise ValueError("the publisher is closed")
            self._waiting.append(message)
            if len(self._waiting) > self._most_waiting:
                self._waiting.popleft()
                self._dropped += 1
                if self._dropped == 1:
                    logger.warning(
                        "%s: %d events wait for the broker; the oldest are dropped from now on",
                        self._broker,
                        self._most_waiting,
                    )
            self._changed.notify_all()

    def close(self, seconds: float = 5.0) -> None:
        """Send the events that wait, publish the status `offline`, and disconnect.

        Args:
            seconds: How long to wait until the broker has confirmed all events.
        """
        with self._changed:
            if self._closing:
                return
            self._closing = True
            self._changed.wait_for(self._is_idle, seconds)
            lost = self._dropped + len(self._waiting) + self._sending + len(self._sent)
            self._closed, connected = True, self._connected
            self._changed.notify_all()
        if lost:
            logger.warning("%s: events that were not delivered: %d", self._broker, lost)
        end = monotonic() + GOODBYE
        if connected:
            # The broker publishes the last will only for clients that vanish.
            self._publish(self._broker.status, OFFLINE, retain=True)
            with self._changed:
                self._changed.wait_for(lambda: not self._sent, end - monotonic())
        self._client.disconnect()
        with self._changed:
            self._changed.wait_for(lambda: not self._connected, end - monotonic())

    def _is_idle(self) -> bool:
        return not (self._waiting or self._sending or self._sent)

    def _may_send(self) -> bool:
        return bool(self._waiting) and self._connected and len(self._sent) < UNCONFIRMED

    def _send(self) -> None:
        """Send the events that wait, one after the other, until the publisher is closed."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._may_send())
                if self._closed:
                    return
                message, self._sending = self._waiting.popleft(), True
            self._publish(self._broker.topic, message)

    def _publish(self, topic: str, message: bytes, *, retain: bool = False) -> None:
        """Give the client a message, which it repeats after lost connections until confirmed."""
        number = self._client.publish(topic, message, qos=1, retain=retain).mid
        with self._changed:
            if number in self._confirmed_early:
                self._confirmed_early.remove(number)
            else:
                self._sent.add(number)
            if not retain:  # it is an event, from the thread that sends
                self._sending = False
            self._changed.notify_all()

    # What follows runs in the client's thread.

    def _on_publish(
        self, client: Any, data: Any, number: int, reason: Any, properties: Any
    ) -> None:
        with self._changed:
            if number in self._sent:
                self._sent.remove(number)
            else:
                self._confirmed_early.add(number)
            self._changed.notify_all()

    def _on_connect(self, client: Any, data: Any, flags: Any, reason: Any, properties: Any) -> None:
        if reason.is_failure:
            self._failed(f"the broker says: {reason}")
            return
        with self._changed:
            closed, again = self._closed, self._was_connected
            dropped, self._dropped = self._dropped, 0
            self._problem = None
        if closed:  # the publisher was closed while the connection was being made
            client.disconnect()
            return
        self._publish(self._broker.status, ONLINE, retain=True)
        logger.info("%s: connected%s", self._broker, " again" if again else "")
        if dropped:
            logger.warning(
                "%s: events that were dropped in the meantime: %d", self._broker, dropped
            )
        with self._changed:
            self._connected = self._was_connected = True
            self._changed.notify_all()

    def _on_disconnect(
        self, client: Any, data: Any, flags: Any, reason: Any, properties: Any
    ) -> None:
        with self._changed:
            lost = self._connected and not self._closed
            self._connected = False
            self._changed.notify_all()
        if lost:
            logger.warning(
                "%s: the connection is lost; up to %d events wait until it is there again",
                self._broker,
                self._most_waiting,
            )

    def _failed(self, reason: str) -> None:
        """Log why there is no connection, unless the last message gave the same reason."""
        with self._changed:
            told = reason == self._problem or self._closed
            self._problem = reason
        if not told:
            logger.warning(
                "%s: can't connect: %s; this is tried again until it works, and up to %d events "
                "wait in the meantime",
                self._broker,
                excerpt(reason),
                self._most_waiting,
            )
