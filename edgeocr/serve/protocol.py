"""Limits of connections that an application can't set: slow heads, and the number of clients."""

from __future__ import annotations

import asyncio
import json
import socket
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

from .errors import body_of


class Protocol(H11Protocol):
    """uvicorn's protocol with four limits more.

    Attributes:
        head_timeout: Seconds in which the head of a request must arrive, from the beginning of the
            connection or from the head's first byte.
        answer_timeout: Seconds in which the client must have taken an answer, which is in memory
            until then.
        most_unsent: The most bytes of answers that the clients of all connections together have not
            taken yet. Beyond, the connections whose answers are the oldest are closed.
        max_connections: The most connections at a time.
    """

    head_timeout = 10.0
    answer_timeout = 30.0
    most_unsent = 1 << 28
    max_connections = 512

    def __init__(self, *args: Any, **options: Any) -> None:
        """Create the protocol of a connection, as uvicorn does."""
        super().__init__(*args, **options)
        self._head_timer: asyncio.TimerHandle | None = None
        self._answer_timer: asyncio.TimerHandle | None = None
        self._answered = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection, unless there are too many."""
        super().connection_made(transport)
        # uvicorn writes head and body of an answer one after the other. Without this option the
        # body waits until the client confirms the head, which clients do after 40 ms. asyncio sets
        # the option only for sockets that were made with the number of the protocol.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if len(self.connections) > self.max_connections:
            transport.write(_raw(503, "BusyError", "too many connections"))
            transport.close()
        else:
            self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._stop_waiting()
        if self._answer_timer is not None:
            self._answer_timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes; while they are no whole head, the time for it runs."""
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._stop_waiting()
        elif self._head_timer is None and self.timeout_keep_alive_task is None:
            self._await_head()

    def on_response_complete(self) -> None:
        """Wait for the next request; from now on uvicorn's timer of idle connections runs."""
        self._stop_waiting()
        if self._answer_timer is not None:
            self._answer_timer.cancel()
        self._answer_timer = self.loop.call_later(self.answer_timeout, self._abort_if_unsent)
        self._answered = self.loop.time()
        self._bound_unsent()
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP, unless the request that it belongs to has been answered."""
        if self.cycle is None or not self.cycle.response_started or self.cycle.response_complete:
            self.transport.write(_raw(400, "RequestError", msg))
        self.transport.close()

    def _await_head(self) -> None:
        self._head_timer = self.loop.call_later(self.head_timeout, self._give_up)

    def _stop_waiting(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _bound_unsent(self) -> None:
        """Close the connections with the oldest answers while too much is in memory."""
        if not self.transport.get_write_buffer_size():  # the usual case, which costs nothing
            return
        # This one is not among them: a client with a long answer gets the time to take it.
        others = [each for each in self.connections if isinstance(each, Protocol)]
        others.sort(key=lambda each: each._answered)
        unsent = sum(each.transport.get_write_buffer_size() for each in others)
        for each in others:
            if unsent <= self.most_unsent:
                break
            if each is not self and (size := each.transport.get_write_buffer_size()):
                each.transport.abort()
                unsent -= size

    def _abort_if_unsent(self) -> None:
        if self.transport.get_write_buffer_size():
            self.transport.abort()

    def _give_up(self) -> None:
        if not self.transport.is_closing():
            self.transport.write(
                _raw(408, "HeadTimeoutError", "the head of the request did not arrive in time")
            )
            self.transport.close()


REASONS = {400: "Bad Request", 408: "Request Timeout", 503: "Service Unavailable"}


def _raw(status: int, kind: str, message: str) -> bytes:
    """Return a whole answer that reports an error, where there is no application to make it."""
    body = json.dumps(body_of(kind, message)).encode()
    retry = "Retry-After: 1\r\n" if status == 503 else ""
    return (
        f"HTTP/1.1 {status} {REASONS[status]}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n{retry}Connection: close\r\n\r\n"
    ).encode() + body
