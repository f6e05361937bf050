"""Hand requests to the reader, in order, and start it again when it has died.

When the reader dies, the requests that it was reading are read again, one at a time and alone. The
one that lets it die again is answered with an error; it has no effect on the others but their time.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import count
from time import monotonic
from typing import Any, Literal

from ..bundle.postprocess_settings import Shape
from .bodies import File
from .errors import NotReadyError, ReaderDiedError, ServiceError
from .messages import Message
from .metrics import Metrics
from .options import Options
from .places import Place, Places
from .reader_process import ReaderProcess, ReaderStartError

logger = logging.getLogger(__name__)

# How often in a row the reader may fail to start again, and the seconds before the next attempts.
PAUSES = (1.0, 5.0)


@dataclass(frozen=True)
class Request:
    """What a client wants of the reader.

    Attributes:
        do: "read", "detect" or "recognize".
        files: The files, in order.
        format: The name of the document's format.
        words: Whether lines are given their words.
        characters: Whether lines are given their words and characters.
        shape: The shape of regions; None for the service's.
        max_pages: The most pages of all files together.
    """

    do: Literal["read", "detect", "recognize"]
    files: Sequence[File]
    format: str = "json"
    words: bool = False
    characters: bool = False
    shape: Shape | None = None
    max_pages: int = 1

    def to_dict(self) -> dict[str, Any]:
        """Return the request as the header of a message."""
        files = [{"name": file.name, "size": len(file.content)} for file in self.files]
        options = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {**options, "files": files}


@dataclass(frozen=True)
class Answer:
    """What the reader answered.

    Attributes:
        document: The document.
        failed: How many pages of several could not be read.
    """

    document: bytes
    failed: int = 0


class ReadingError(ServiceError):
    """An error that the reader reports.

    Attributes:
        kind: The name of the error's class in the reader.
    """

    def __init__(self, kind: str, status: int, message: str, source: str | None) -> None:
        """Create the error from what the reader said."""
        super().__init__(message)
        self.kind, self.status, self.source = kind, status, source


class Turn:
    """A request on its way through the queue and the reader.

    Attributes:
        number: The number by which front and reader know it.
        request: The request.
        answer: The answer, once there is one.
        place: The place that is free again when the turn is over.
        deaths: How often the reader has died while it read this request.
        given_up: Whether nobody wants the answer any more.
    """

    def __init__(self, number: int, request: Request, place: Place) -> None:
        """Begin to wait."""
        self.number, self.request, self.place = number, request, place
        self.answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self.deaths = 0
        self.given_up = False
        self.began = monotonic()
        self.sent = 0.0

    def end(self, result: Answer | Exception | None) -> None:
        """Answer, if anybody still wants that, and free the place."""
        if not self.answer.done():
            if isinstance(result, Answer):
                self.answer.set_result(result)
            elif result is None or self.given_up:
                self.answer.cancel()
            else:
                self.answer.set_exception(result)
        # The contents are freed with the place, whatever still refers to the turn, such as a timer
        # that `Dispatcher.give_up` has started: places bound the memory that requests take.
        self.request = replace(self.request, files=())
        self.place.free()


class Dispatcher:
    """The queue of requests, and the reader that answers them.

    Attributes:
        reader: The reader; None while none is ready.
        bundle: What `GET /v1/bundle` answers; None until a reader has been ready.
    """

    def __init__(self, options: Options, places: Places, metrics: Metrics) -> None:
        """Create a dispatcher; `run` makes it work."""
        self._options, self._places, self._metrics = options, places, metrics
        self._numbers = count(1)
        self._waiting: deque[Turn] = deque()
        # Requests that may have let the reader die, which are read one at a time and alone.
        self._suspects: deque[Turn] = deque()
        self._reading: dict[int, Turn] = {}
        self._stops: deque[int] = deque()
        self._changed = asyncio.Event()
        self._killed = False
        self.reader: ReaderProcess | None = None
        self.bundle: dict[str, Any] | None = None

    @property
    def waiting(self) -> int:
        """The number of requests that wait."""
        return len(self._waiting) + len(self._suspects)

    @property
    def reading(self) -> int:
        """The number of requests that are being read."""
        return len(self._reading)

    def begin(self, request: Request, place: Place) -> Turn:
        """Put a request at the end of the queue."""
        turn = Turn(next(self._numbers), request, place)
        self._waiting.append(turn)
        self._changed.set()
        return turn

    def give_up(self, turn: Turn) -> None:
        """Take a request out, since its time is over or its client has gone away.

        Its place is free at once if it was waiting, else when the reader has stopped reading it. A
        reader that doesn't stop is killed.
        """
        turn.given_up = True
        turn.answer.cancel()
        for queue in (self._waiting, self._suspects):
            if turn in queue:
                queue.remove(turn)
                turn.end(None)
        if turn.number in self._reading and self.reader is not None:
            self._stops.append(turn.number)
            self._changed.set()
            loop = asyncio.get_running_loop()
            loop.call_later(self._options.stop_grace, self._kill_if_reading, self.reader, turn)

    def give_up_all(self, error: Callable[[], ServiceError]) -> None:
        """Answer all requests with an error."""
        for turn in [*self._waiting, *self._suspects, *self._reading.values()]:
            if not turn.answer.done():
                turn.answer.set_exception(error())
            self.give_up(turn)

    async def run(self) -> None:
        """Keep a reader running until this task is cancelled.

        Raises:
            ReaderStartError: The reader doesn't start.
        """
        failures = 0
        while True:
            try:
                reader = await ReaderProcess.start(self._options.reader)
            except ReaderStartError as error:
                if self.bundle is None or failures == len(PAUSES):
                    raise
                logger.error("the reader can't be started again: %s", error)
                await asyncio.sleep(PAUSES[failures])
                failures += 1
                continue
            failures = 0
            try:
                await self._serve_with(reader)
            finally:
                self.reader = None
                await reader.close()
            how = await reader.ended()
            self._reader_died(how)

    async def _serve_with(self, reader: ReaderProcess) -> None:
        """Exchange messages with a reader until it has died."""
        self.bundle, self._places.at_once = reader.bundle, reader.threads
        self.reader, self._killed = reader, False
        logger.info("ready, with the bundle %s", reader.bundle["name"])
        feeding = asyncio.create_task(self._feed(reader))
        try:
            while (message := await reader.receive()) is not None:
                try:
                    self._take(message)
                except (KeyError, TypeError, AttributeError, ValueError) as error:
                    # A picture has taken the reader over: nothing else sends such messages.
                    logger.error("the reader sent a wrong message: %r", error)
                    reader.kill()
                    break
                del message  # it is freed now, and not when the next one arrives
        finally:
            feeding.cancel()

    async def _feed(self, reader: ReaderProcess) -> None:
        """Send requests to the reader whenever it can take one."""
        while True:
            while self._stops:
                await reader.send({"do": "stop", "number": self._stops.popleft()}, ())
            turn = self._next()
            if turn is None:
                self._changed.clear()
                await self._changed.wait()
                continue
            self._reading[turn.number] = turn
            turn.sent = monotonic()
            self._metrics.queue_seconds.observe(turn.sent - turn.began)
            header = {**turn.request.to_dict(), "number": turn.number}
            await reader.send(header, [file.content for file in turn.request.files])
            del turn, header  # the files are freed once they are read

    def _next(self) -> Turn | None:
        """Return the request that is to be read next; None while there is none."""
        if any(turn.deaths for turn in self._reading.values()):
            return None
        if self._suspects:
            return None if self._reading else self._suspects.popleft()
        if self._waiting and len(self._reading) < self._places.at_once:
            return self._waiting.popleft()
        return None

    def _take(self, message: Message) -> None:
        """Pass an answer of the reader on.

        Raises:
            KeyError, TypeError, AttributeError, ValueError: It is no answer.
        """
        number = message.header["number"]
        turn = self._reading.get(number)
        if turn is None:
            return
        result = self._result(message, turn)
        del self._reading[number]
        self._changed.set()
        if isinstance(result, Answer):
            self._places.record(monotonic() - turn.sent)
        turn.end(result)

    def _result(self, message: Message, turn: Turn) -> Answer | ReadingError | None:
        """Return what an answer says; None if the reader has given the request up."""
        header = message.header
        if header["is"] == "done":
            failed = sum(header["failed"].values())
            self._metrics.count_pages(header)
            return Answer(message.payload, failed)
        if header["is"] == "failed":
            kind, text, source = (header[name] for name in ("type", "message", "source"))
            return ReadingError(str(kind), int(header["status"]), str(text), source)
        if header["is"] != "stopped" or not turn.given_up:
            raise ValueError(f"{header['is']!r:.40} is no answer")
        return None

    def _reader_died(self, how: str) -> None:
        """Decide what becomes of the requests that a reader was reading."""
        turns = list(self._reading.values())
        self._reading.clear()
        self._stops.clear()
        self._metrics.restarts.inc()
        logger.error("the reader %s while it read %d requests: starting again", how, len(turns))
        for turn in reversed(turns):
            if turn.given_up:
                turn.end(None)
            elif self._killed:  # because of another request
                self._waiting.appendleft(turn)
            elif turn.deaths:
                names = ", ".join(file.name for file in turn.request.files)
                turn.end(
                    ReaderDiedError(
                        f"the process that reads {how} twice while it read this: {names}"
                    )
                )
            else:
                turn.deaths += 1
                self._suspects.appendleft(turn)

    def _kill_if_reading(self, reader: ReaderProcess, turn: Turn) -> None:
        if turn.number in self._reading and reader is self.reader:
            logger.error("the reader does not give up a request: killing it")
            self._killed = True
            reader.kill()


def ending_error() -> NotReadyError:
    """Return the error for requests that the end of the service cuts off."""
    return NotReadyError("the service is ending: send the request again, to the next one")
