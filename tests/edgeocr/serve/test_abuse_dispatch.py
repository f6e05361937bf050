"""Requests that are cancelled and readers that die at any moment, with readers made of Python."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import pytest
from starlette.requests import ClientDisconnect, Request

from edgeocr.serve import Options, dispatch
from edgeocr.serve.bodies import File
from edgeocr.serve.dispatch import Answer, ReadingError
from edgeocr.serve.errors import BusyError, NotReadyError, ReaderDiedError, TimeLimitError
from edgeocr.serve.messages import Message
from edgeocr.serve.options import ReaderOptions
from edgeocr.serve.reader_process import ReaderStartError
from edgeocr.serve.service import Service

REQUESTS = 40
THREADS = 3
BUNDLE = {"name": "none", "digest": "0", "edgeocr": "0", "onnxruntime": "0"}


class FakeReader:
    """A reader that answers, fails, hangs and dies as chance has it."""

    bundle = BUNDLE
    threads = THREADS
    pid = 0

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._said: asyncio.Queue[Message | None] = asyncio.Queue()
        self._working: dict[int, asyncio.Task[None]] = {}
        self._is_dead = False
        self.most = 0

    async def send(self, header: Mapping[str, Any], contents: Sequence[bytes | bytearray]) -> None:
        for _ in range(self._chance.randrange(3)):
            await asyncio.sleep(0)
        number = header["number"]
        if self._is_dead:
            return
        if header["do"] == "stop":
            if self._chance.random() < 0.5:  # otherwise it is stuck
                self._say(number, {"is": "stopped"})
            return
        assert sum(map(len, contents)) == sum(each["size"] for each in header["files"])
        self._working[number] = asyncio.create_task(self._read(number))
        self.most = max(self.most, len(self._working))

    async def _read(self, number: int) -> None:
        await asyncio.sleep(self._chance.choice([0, 0, 0.001, 0.003, 0.02]))
        kind = self._chance.random()
        if kind < 0.7:
            done = {"is": "done", "pages": 1, "stages": {}, "failed": {}}
            self._say(number, done)
        elif kind < 0.85:
            failed = {"type": "ImageError", "status": 422, "message": "no picture", "source": None}
            self._say(number, {"is": "failed", **failed})
        elif kind < 0.9:
            self.kill()

    def _say(self, number: int, header: dict[str, Any]) -> None:
        if self._working.pop(number, None) is not None:
            self._said.put_nowait(Message({**header, "number": number}, b"%d" % number))

    async def receive(self) -> Message | None:
        return await self._said.get()

    def kill(self) -> None:
        self._is_dead = True
        self._said.put_nowait(None)

    async def ended(self) -> str:
        await asyncio.sleep(0)
        return "was killed by chance"

    async def close(self) -> None:
        for each in self._working.values():
            each.cancel()
        await asyncio.sleep(self._chance.choice([0, 0.001]))


def request(body: bytes, gone: asyncio.Event) -> Request:
    """Return a request whose client goes away when an event is set."""
    pieces = [body[:3], body[3:]]

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(0)
        if pieces:
            return {"type": "http.request", "body": pieces.pop(0), "more_body": bool(pieces)}
        await gone.wait()
        return {"type": "http.disconnect"}

    return Request({"type": "http", "method": "POST", "path": "/v1/read", "headers": []}, receive)


def asked(files: list[File]) -> dispatch.Request:
    return dispatch.Request("read", files)


async def life(service: Service, chance: random.Random) -> str:
    """Send a request, perhaps go away or be cancelled; return the name of what came of it."""
    gone = asyncio.Event()
    await asyncio.sleep(chance.random() * 0.05)
    task = asyncio.create_task(service.answer(request(b"a picture", gone), None, asked))
    kind, moment = chance.random(), chance.choice([0, 0, 0.0005, 0.002, 0.01])
    if kind < 0.5:
        for _ in range(chance.randrange(8)):  # at every await before the first wait
            await asyncio.sleep(0)
        await asyncio.sleep(moment)
        if kind < 0.25:
            task.cancel()
        else:
            gone.set()
    try:
        answer = await asyncio.wait_for(task, 10)
    except asyncio.CancelledError:
        return "cancelled"
    except (ClientDisconnect, ReadingError, BusyError, ReaderDiedError, TimeLimitError) as error:
        return type(error).__name__
    assert isinstance(answer, Answer) and answer.document
    return "answered"


@pytest.mark.parametrize(
    "seed", [*range(8), *(pytest.param(seed, marks=pytest.mark.stress) for seed in range(8, 200))]
)
def test_no_place_is_lost_and_everybody_gets_something(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(seed)
    readers: list[FakeReader] = []

    class Readers:
        @classmethod
        async def start(cls, options: ReaderOptions) -> FakeReader:
            await asyncio.sleep(chance.choice([0, 0.001]))
            if readers and chance.random() < 0.2:
                raise ReaderStartError("by chance")
            readers.append(FakeReader(chance))
            return readers[-1]

    monkeypatch.setattr(dispatch, "ReaderProcess", Readers)
    monkeypatch.setattr(dispatch, "PAUSES", (0.001,) * 20)

    async def lives() -> Counter[str]:
        service = Service(Options(queue=5, timeout=0.1, stop_grace=0.01))
        service.start()
        found = await asyncio.gather(*(life(service, chance) for _ in range(REQUESTS)))
        for _ in range(500):  # those that were being read when they were given up
            if service.places.taken == 0:
                break
            await asyncio.sleep(0.002)
        dispatcher = service.dispatcher
        assert (service.places.taken, dispatcher.waiting, dispatcher.reading) == (0, 0, 0)
        assert service.failure is None
        await service.drain(0)
        with pytest.raises(NotReadyError):
            await service.answer(request(b"late", asyncio.Event()), None, asked)
        await service.close()
        with suppress(asyncio.CancelledError):
            others = asyncio.all_tasks() - {asyncio.current_task()}
            await asyncio.wait_for(asyncio.gather(*others, return_exceptions=True), 1)
        return Counter(found)

    outcomes = asyncio.run(lives())
    assert sum(outcomes.values()) == REQUESTS
    assert max(reader.most for reader in readers) <= THREADS
