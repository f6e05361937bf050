"""A service: its places, its reader and its figures, and how a request goes through them."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import Any

from starlette.requests import ClientDisconnect, Request

from . import dispatch
from .access import Access
from .bodies import File, files_of
from .dispatch import Answer, Dispatcher, Turn, ending_error
from .errors import NotReadyError, TimeLimitError
from .metrics import Metrics
from .options import Options
from .places import Places
from .reader_process import ReaderStartError

logger = logging.getLogger(__name__)

# Seconds after which a service that is ending looks again whether its requests have been answered.
POLL = 0.05


class Service:
    """The parts of a service, which begins with `start` and ends with `close`.

    Attributes:
        access: Who may use it.
        metrics: Its figures.
        dispatcher: Hands requests to the reader.
        places: How many requests it holds.
        failure: Why no reader can be started; None if one can.
        is_ending: Whether it answers no new requests.
    """

    def __init__(self, options: Options, on_failure: Callable[[], None] | None = None) -> None:
        """Create a service.

        Args:
            options: What it is told.
            on_failure: Called when no reader can be started; `failure` says why.

        Raises:
            EdgeOCRError: The token can't be read.
        """
        self.options = options
        self.access = Access(options)
        self.metrics = Metrics()
        self.is_ending = False
        self.failure: Exception | None = None
        self._on_failure = on_failure
        self.places = Places(options.queue)
        self._running: asyncio.Task[None] | None = None
        self._receiving: set[asyncio.Task[list[File]]] = set()
        self.dispatcher = Dispatcher(options, self.places, self.metrics)

    def start(self) -> None:
        """Start the reader, in a running event loop."""
        dispatcher = self.dispatcher
        self.metrics.watch(
            {
                "edgeocr_places": ("Places", lambda: self.places.number),
                "edgeocr_places_taken": ("Places that are taken", lambda: self.places.taken),
                "edgeocr_waiting": ("Requests that wait", lambda: dispatcher.waiting),
                "edgeocr_reading": ("Requests that are being read", lambda: dispatcher.reading),
                "edgeocr_ready": ("Whether it is ready", lambda: not self.why_not_ready()),
            }
        )
        self.metrics.watch_memory(
            {
                "front": os.getpid,
                "reader": lambda: dispatcher.reader.pid if dispatcher.reader else None,
            }
        )
        self._running = asyncio.create_task(self._run())

    async def _run(self) -> None:
        try:
            await self.dispatcher.run()
        except Exception as error:
            if not isinstance(error, ReaderStartError):
                logger.exception("the service failed")
            self.failure = error
            self.dispatcher.give_up_all(lambda: NotReadyError("the service has no reader"))
            if self._on_failure is not None:
                self._on_failure()

    def why_not_ready(self) -> str | None:
        """Return why the service is not ready; None if it is."""
        if self.is_ending:
            return "the service is ending"
        if self.failure is not None:
            return f"the reader does not start: {self.failure}"
        if self.dispatcher.reader is None:
            return "the reader is starting"
        return None

    async def answer(
        self, request: Request, name: str | None, make: Callable[[list[File]], dispatch.Request]
    ) -> Answer:
        """Answer a request that has files.

        Args:
            request: The request.
            name: What a file is called that is the whole body.
            make: Makes of the files what the reader is asked for.

        Raises:
            ServiceError: It can't be answered.
            ClientDisconnect: The client has gone away.
        """
        if self.is_ending:
            raise ending_error()
        if self.failure is not None:
            raise NotReadyError(self.why_not_ready() or "")
        place = self.places.take()
        try:
            files = await self._received(request, name)
            turn = self.dispatcher.begin(make(files), place)
        except BaseException:
            place.free()
            raise
        return await self._answered(turn, request)

    async def _received(self, request: Request, name: str | None) -> list[File]:
        """Receive the files of a request, unless the service ends before they are there."""
        receiving = asyncio.create_task(
            files_of(request.headers, request.stream(), name, self.options)
        )
        self._receiving.add(receiving)
        try:
            return await receiving
        except asyncio.CancelledError:
            if self.is_ending and receiving.cancelled():
                raise ending_error() from None
            receiving.cancel()
            raise
        finally:
            self._receiving.discard(receiving)

    async def _answered(self, turn: Turn, request: Request) -> Answer:
        """Wait for the answer, as long as the client does and the limit allows."""
        gone = asyncio.create_task(_gone(request))
        try:
            waiting: set[asyncio.Future[Any]] = {turn.answer, gone}
            seconds = self.options.timeout
            await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if turn.answer.done():
                return turn.answer.result()
            if gone.done():
                raise ClientDisconnect
            doing = "was still being read" if turn.sent else "still waited"
            raise TimeLimitError(f"the request {doing} after {seconds:g} s, its limit")
        finally:
            gone.cancel()
            if not turn.answer.done():
                self.dispatcher.give_up(turn)

    async def drain(self, seconds: float) -> None:
        """Answer no new requests, and wait until the others are answered.

        Args:
            seconds: After these, they are answered with an error.
        """
        self.is_ending = True
        end = monotonic() + seconds
        while self.places.taken and monotonic() < end:
            await asyncio.sleep(POLL)
        for receiving in self._receiving:
            receiving.cancel()
        self.dispatcher.give_up_all(ending_error)

    async def close(self) -> None:
        """End the reader."""
        self.is_ending = True
        if self._running is not None:
            self._running.cancel()
            with suppress(asyncio.CancelledError):
                await self._running


async def _gone(request: Request) -> None:
    """Return when the client has gone away."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
