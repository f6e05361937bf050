"""A reader that dies or hangs: the service goes on, and everybody gets an answer."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from edgeocr.serve import Options, Server
from edgeocr.serve.reader_process import ending
from tests.edgeocr.serve.conftest import READER, halted
from tests.support.services import Client, Reply, multipart, serving, wait_until

Running = tuple[Client, Server]
HEADERS = {"Content-Type": "multipart/form-data; boundary=limit"}


@pytest.fixture(scope="module")
def frail() -> Iterator[Running]:
    """A service that kills a reader soon that doesn't give up a request."""
    with serving(Options(READER, port=0, stop_grace=0.1)) as (client, server):
        yield client, server


@pytest.fixture(scope="module")
def content(pictures: Path) -> bytes:
    return (pictures / "badge.jpg").read_bytes()


def kill(server: Server) -> None:
    """Kill the reader, and wait until it is gone."""
    reader = server.service.dispatcher.reader
    assert reader is not None
    os.kill(reader.pid, signal.SIGKILL)
    wait_until(lambda: server.service.dispatcher.reader is not reader)


def test_requests_that_were_being_read_are_read_again(frail: Running, content: bytes) -> None:
    client, server = frail
    restarts = client.metric("edgeocr_reader_restarts_total")
    with ThreadPoolExecutor(4) as pool:
        with halted(server):  # so that they are being read when the reader dies
            asked = [pool.submit(client.post, "/v1/read", content) for _ in range(4)]
            wait_until(lambda: server.service.dispatcher.waiting == 2)
            kill(server)
        assert client.get("/readyz").error == (503, "NotReadyError")
        answers = [each.result() for each in asked]
    assert [answer.status for answer in answers] == [200] * 4
    assert all(answer.json["lines"] == answers[0].json["lines"] != [] for answer in answers)
    assert client.get("/readyz").status == 200
    assert client.metric("edgeocr_reader_restarts_total") == restarts + 1


@pytest.mark.stress
def test_only_the_request_that_kills_the_reader_again_fails(frail: Running, content: bytes) -> None:
    client, server = frail
    deadly = multipart({f"{i}.jpg": content for i in range(12)})
    dispatcher = server.service.dispatcher

    def ask() -> Reply:
        return client.ask("POST", "/v1/read", deadly, HEADERS)

    with ThreadPoolExecutor(3) as pool:
        with halted(server):
            failing = pool.submit(ask)
            wait_until(lambda: dispatcher.reading == 1)
            others = [pool.submit(client.post, "/v1/read", content) for _ in range(2)]
            wait_until(lambda: dispatcher.reading + dispatcher.waiting == 3)
            kill(server)
        # It is read again, alone, and kills the reader again.
        wait_until(lambda: dispatcher.reading == 1)
        assert dispatcher.waiting == 2
        kill(server)
        answer = failing.result()
        assert answer.error == (500, "ReaderDiedError")
        assert "SIGKILL" in answer.json["error"]["message"]
        assert "0.jpg, 1.jpg" in answer.json["error"]["message"]
        assert [each.result().status for each in others] == [200, 200]
    assert client.metric('edgeocr_errors_total{type="ReaderDiedError"}') == 1


@pytest.mark.stress
def test_a_reader_that_hangs_is_killed(frail: Running, content: bytes) -> None:
    client, server = frail
    reader = server.service.dispatcher.reader
    assert reader is not None
    with ThreadPoolExecutor(2) as pool:
        with halted(server):
            other = pool.submit(client.post, "/v1/read", content)
            wait_until(lambda: server.service.dispatcher.reading == 1)
            connection = client.connect()
            connection.request("POST", "/v1/read", content)
            wait_until(lambda: server.service.dispatcher.reading == 2)
            connection.close()
            wait_until(lambda: server.service.dispatcher.reader is not reader)
        assert other.result().status == 200
    wait_until(lambda: server.service.places.taken == 0)


@pytest.mark.stress
def test_a_reader_that_dies_without_work_is_started_again(frail: Running, content: bytes) -> None:
    client, server = frail
    kill(server)
    assert client.post("/v1/read", content).status == 200


def test_how_a_process_ended_is_told() -> None:
    assert ending(3) == "ended with exit code 3"
    assert ending(-signal.SIGSEGV) == "was killed by SIGSEGV"
    assert ending(-63) == "was killed by signal 63"
