"""What every request passes on its way in, and every answer on its way out.

On the way in, the token and the headers are checked. On the way out, an error becomes JSON, headers
for browsers are added, and the request is counted and logged.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from time import monotonic, perf_counter
from typing import TYPE_CHECKING, Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from .access import Access
from .dispatch import ReadingError
from .errors import InternalError, RequestError, ServiceError, UnauthorizedError, body_of
from .metrics import Metrics

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

logger = logging.getLogger(__name__)
access_logger = logging.getLogger("edgeocr.serve.access")

# The status in metrics and logs of a request whose client has gone away.
GONE = 499
# What browsers are told: no guessing of types, no frames, no referrer; results are not stored.
SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
# An answer to a request whose body has not been read: the rest is read and thrown away for so many
# seconds and bytes, so that the client, which is still sending, sees the answer and no reset.
LINGER_SECONDS, LINGER_BYTES = 2.0, 1 << 26


class Gate:
    """The middleware around the application."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        access: Access,
        metrics: Metrics,
        endpoints: frozenset[str],
        access_log: bool,
    ) -> None:
        """Create the gate.

        Args:
            app: The application.
            access: Decides who may use it.
            metrics: Counts the requests.
            endpoints: The paths that are counted under their own names.
            access_log: Whether to log each request.
        """
        self._app, self._access, self._metrics = app, access, metrics
        self._endpoints, self._access_log = endpoints, access_log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(scope, receive, send)
        try:
            _check_framing(exchange.headers)
            self._access.check(scope["path"], exchange.headers)
            await self._app(scope, exchange.receive, exchange.send)
        except ClientDisconnect:
            exchange.status = GONE
        except Exception as error:
            if not isinstance(error, ServiceError):
                logger.exception("a request failed")
                error = InternalError()
            if exchange.status is None:
                await answer_to(error)(scope, exchange.receive, exchange.send)
        finally:
            self._record(scope, exchange)

    def _record(self, scope: Scope, exchange: _Exchange) -> None:
        path, status = scope["path"], exchange.status or GONE
        endpoint = path if path in self._endpoints else "other"
        seconds = perf_counter() - exchange.began
        self._metrics.requests.labels(endpoint, str(status)).inc()
        self._metrics.request_seconds.labels(endpoint).observe(seconds)
        if exchange.error_type is not None:
            self._metrics.errors.labels(exchange.error_type).inc()
        if self._access_log:
            client = (scope.get("client") or ("-",))[0]
            target = scope.get("raw_path", b"").decode("ascii", "replace")
            row = (client, scope["method"], target, status, exchange.sent, 1000 * seconds)
            access_logger.info("%s %s %s %d %d bytes %.0f ms", *row)


class _Exchange:
    """A request and its answer.

    Attributes:
        headers: The request's headers.
        status: The answer's status; None before the answer begins.
        error_type: The type of the error that the answer reports.
        sent: The number of bytes of the answer's body.
    """

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.began = perf_counter()
        self.headers = Headers(scope=scope)
        self._receive, self._send = receive, send
        sized = self.headers.get("content-length", "0") != "0"
        self._body_left = sized or "transfer-encoding" in self.headers
        # A client that waits for "100 Continue" sends nothing after another answer.
        self._lingers = "expect" not in self.headers
        self.status: int | None = None
        self.error_type: str | None = None
        self.sent = 0

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            self._body_left = False
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            for name, value in SECURITY_HEADERS.items():
                headers.setdefault(name, value)
            self.error_type = headers.get(ERROR_TYPE)
            if self.error_type is not None:
                del headers[ERROR_TYPE]
            if self._body_left:
                headers["Connection"] = "close"
        elif message["type"] == "http.response.body":
            self.sent += len(message.get("body", b""))
            if self._body_left and self._lingers and not message.get("more_body", False):
                await self._send({**message, "more_body": True})
                await self._linger()
                message = {"type": "http.response.body", "body": b""}
        await self._send(message)

    async def _linger(self) -> None:
        left, end = LINGER_BYTES, monotonic() + LINGER_SECONDS
        while self._body_left and left > 0 and (seconds := end - monotonic()) > 0:
            try:
                message = await asyncio.wait_for(self.receive(), seconds)
            except asyncio.TimeoutError:
                return
            left -= len(message.get("body", b""))


def _check_framing(headers: Headers) -> None:
    """Refuse a body with two lengths.

    A proxy in front of the service may go by the other one, and take the rest of the body for the
    next request, which it hasn't checked.
    """
    if "content-length" in headers and "transfer-encoding" in headers:
        raise RequestError("the request has both Content-Length and Transfer-Encoding: send one")


# The header by which an answer tells the gate which error it reports; the client doesn't get it.
ERROR_TYPE = "X-Error-Type"


def answer_to(error: ServiceError) -> Response:
    """Return the answer that reports an error."""
    kind = error.kind if isinstance(error, ReadingError) else type(error).__name__
    headers = {}
    if error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, UnauthorizedError):
        headers["WWW-Authenticate"] = "Bearer"
    return error_response(error.status, kind, str(error), error.source, headers)


def error_response(
    status: int,
    kind: str,
    message: str,
    source: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return an answer that reports an error.

    Args:
        status: The HTTP status.
        kind: The error's type.
        message: What is wrong.
        source: The file at fault.
        headers: Further headers.
    """
    content: dict[str, Any] = body_of(kind, message, source)
    body = json.dumps(content, ensure_ascii=False).encode("utf-8", "replace")
    return Response(body, status, {**(headers or {}), ERROR_TYPE: kind}, "application/json")
