"""Readers that pictures crash or hang, that are killed at any time, and services told to end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from edgeocr.serve import Options, Server, dispatch, reader_process
from tests.edgeocr.serve.conftest import READER, halted
from tests.edgeocr.serve.test_command import children, ready, started
from tests.support.services import PATIENCE, Client, Reply, multipart, serving, wait_until

pytestmark = [
    pytest.mark.stress,
    pytest.mark.skipif(sys.platform != "linux", reason="/proc tells about processes"),
]

# The reader with networks that files of these contents crash or stop for good, as a fault in a
# decoder would.
FRAIL = """
import ctypes, sys, threading
sys.path[:] = sys.argv[1:]
from edgeocr.serve import reader
read = reader.Reader._read
def frail(self, job):
    content = job.files[0][1]
    if content == b"crash":
        ctypes.string_at(0)
    if content == b"hang":
        threading.Event().wait()
    return read(self, job)
reader.Reader._read = frail
reader.main()
"""
FORM = {"Content-Type": "multipart/form-data; boundary=limit"}


@pytest.fixture
def frail(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Client, Server]]:
    """A service with a frail reader, little patience and room for all requests of these tests."""
    monkeypatch.setattr(reader_process, "PROGRAM", FRAIL)
    monkeypatch.setattr(dispatch, "PAUSES", (0.1, 0.1))
    with serving(Options(READER, port=0, queue=64, timeout=20, stop_grace=0.1)) as running:
        yield running


@pytest.fixture(scope="module")
def content(pictures: Path) -> bytes:
    return (pictures / "badge.jpg").read_bytes()


def reader_pid(server: Server) -> int:
    reader = server.service.dispatcher.reader
    assert reader is not None
    return reader.pid


def kill(server: Server, number: int) -> None:
    """Let a signal end the reader, and wait until the service has seen that."""
    reader = server.service.dispatcher.reader
    os.kill(reader_pid(server), number)
    wait_until(lambda: server.service.dispatcher.reader is not reader)


def is_ready(client: Client) -> bool:
    return client.get("/readyz").status == 200


def statuses(answers: list[Reply]) -> list[int]:
    return sorted(answer.status for answer in answers)


def test_pictures_that_crash_the_reader_harm_nobody_else(
    frail: tuple[Client, Server], content: bytes
) -> None:
    client, server = frail
    bodies = [content, b"crash", content, content, b"crash", content, content, content]
    with ThreadPoolExecutor(len(bodies)) as pool:
        answers = list(pool.map(lambda body: client.post("/v1/read?name=it", body), bodies))
    for body, answer in zip(bodies, answers, strict=True):
        if body == content:
            assert answer.status == 200 and answer.json["lines"]
        else:
            assert answer.error == (500, "ReaderDiedError")
            message = answer.json["error"]["message"]
            assert "SIGSEGV" in message and message.endswith(": it")
    assert server.service.places.taken == 0
    wait_until(lambda: is_ready(client))
    restarts = client.metric("edgeocr_reader_restarts_total")
    assert 2 <= restarts <= 4  # twice for each; the first time perhaps for both
    assert client.metric('edgeocr_errors_total{type="ReaderDiedError"}') == 2


def test_a_picture_that_hangs_the_reader_harms_nobody_else(
    frail: tuple[Client, Server], content: bytes
) -> None:
    client, server = frail
    with ThreadPoolExecutor(8) as pool:
        connection = client.connect()
        connection.request("POST", "/v1/read", b"hang")
        wait_until(lambda: server.service.dispatcher.reading == 1)
        before = reader_pid(server)
        asked = [pool.submit(client.post, "/v1/read", content) for _ in range(6)]
        assert [each.result().status for each in asked] == [200] * 6
        assert reader_pid(server) == before  # whose other thread has answered them
        asked = [pool.submit(client.post, "/v1/read", content) for _ in range(6)]
        connection.close()
        assert [each.result().status for each in asked] == [200] * 6
    wait_until(lambda: server.service.places.taken == 0)
    wait_until(lambda: is_ready(client))
    assert reader_pid(server) != before


def test_all_threads_hang(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr(reader_process, "PROGRAM", FRAIL)
    options = Options(READER, port=0, timeout=0.5, stop_grace=0.1)
    with serving(options) as (client, server), ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda _: client.post("/v1/read", b"hang"), range(2)))
        assert [answer.error for answer in answers] == [(504, "TimeLimitError")] * 2
        wait_until(lambda: server.service.places.taken == 0)
        wait_until(lambda: is_ready(client))
        assert client.post("/v1/detect", content).status == 200


def test_killed_twice_in_a_row_and_while_it_starts(
    frail: tuple[Client, Server], content: bytes
) -> None:
    client, server = frail
    for number in (signal.SIGSEGV, signal.SIGKILL):
        kill(server, number)
        assert client.get("/readyz").error == (503, "NotReadyError")
        assert client.get("/healthz").status == client.get("/v1/bundle").status == 200
        wait_until(lambda: is_ready(client))
    kill(server, signal.SIGKILL)
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(client.post, "/v1/read", content)
        wait_until(lambda: server.service.dispatcher.waiting == 1)
        wait_until(lambda: len(readers()) == 1)
        os.kill(readers()[0], signal.SIGKILL)
        assert asked.result().status == 200
    assert client.metric("edgeocr_places_taken") == 0


def own_children() -> list[int]:
    """Return the processes that threads of this process have started."""
    rows = [path.read_text() for path in Path("/proc/self/task").glob("*/children")]
    return [int(pid) for row in rows for pid in row.split()]


def readers() -> list[int]:
    """Return those of them that are readers, also while they start."""
    found = []
    for pid in own_children():
        with suppress(OSError):  # it has ended
            if "edgeocr.serve" in Path(f"/proc/{pid}/cmdline").read_text():
                found.append(pid)
    return found


def test_killed_again_and_again_under_load(frail: tuple[Client, Server], content: bytes) -> None:
    """Each request is answered once: with its text, or after two deaths with an error."""
    client, server = frail
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(client.post, "/v1/read", content) for _ in range(60)]
        for _ in range(4):
            wait_until(lambda: server.service.dispatcher.reader is not None)
            wait_until(lambda: server.service.dispatcher.reading > 0)
            kill(server, signal.SIGKILL)
        answers = [each.result() for each in asked]
    deaths = [answer for answer in answers if answer.status != 200]
    assert all(answer.error == (500, "ReaderDiedError") for answer in deaths)
    assert len(deaths) <= 2  # a request that two of the four deaths have met
    wait_until(lambda: is_ready(client))
    counter = 'edgeocr_requests_total{endpoint="/v1/read",status="200"}'
    assert client.metric(counter) == 60 - len(deaths)


def test_a_reader_that_is_halted_without_work(frail: tuple[Client, Server], content: bytes) -> None:
    client, server = frail
    before = reader_pid(server)
    with halted(server):
        connection = client.connect()
        connection.request("POST", "/v1/read", content)
        wait_until(lambda: server.service.dispatcher.reading == 1)
        connection.close()  # now the reader is told to stop, which it can't
        wait_until(lambda: before not in own_children())
    assert client.post("/v1/read", content).status == 200


@contextmanager
def working(content: bytes) -> Iterator[tuple[subprocess.Popen[str], Client, int]]:
    """A service in a process of its own that reads a long request; with the reader's pid."""
    body = multipart({f"{i}.jpg": content for i in range(16)})
    with started() as (process, client), ThreadPoolExecutor(1) as pool:
        ready(process)
        (reader,) = children(process.pid)
        asked = pool.submit(client.ask, "POST", "/v1/read", body, FORM)
        wait_until(lambda: client.metric("edgeocr_reading") == 1)
        try:
            yield process, client, reader
        finally:
            process.kill()
            with suppress(OSError):
                asked.result()


def gone(pid: int) -> bool:
    """Tell whether a process has ended, also if nobody has asked for its exit code."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    return True


def test_told_twice_to_end_it_ends_at_once(default_signals: None, content: bytes) -> None:
    with working(content) as (process, client, reader):
        process.terminate()
        wait_until(lambda: client.get("/readyz").status == 503)
        process.terminate()
        assert process.wait(PATIENCE) == 0
        wait_until(lambda: gone(reader))


def test_told_to_end_while_the_reader_hangs(default_signals: None, content: bytes) -> None:
    with working(content) as (process, client, reader):
        os.kill(reader, signal.SIGSTOP)
        process.terminate()
        wait_until(lambda: client.get("/readyz").status == 503)
        process.terminate()
        assert process.wait(PATIENCE) == 0
        wait_until(lambda: gone(reader))


def test_a_front_that_is_killed_leaves_no_reader(content: bytes) -> None:
    with working(content) as (process, _, reader):
        process.kill()
        process.wait(PATIENCE)
        wait_until(lambda: gone(reader))


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_told_to_end_while_the_reader_starts(
    default_signals: None, name: str, content: bytes
) -> None:
    with started() as (process, client), ThreadPoolExecutor(1) as pool:
        wait_until(lambda: children(process.pid))
        (reader,) = children(process.pid)
        asked = pool.submit(client.post, "/v1/read", content)
        wait_until(lambda: client.metric("edgeocr_places_taken") == 1)
        began = time.monotonic()
        os.kill(process.pid, getattr(signal, name))
        assert asked.result().status == 200  # it had come before the signal
        assert process.wait(PATIENCE) == 0
        assert gone(reader)
        assert time.monotonic() - began < PATIENCE
    with started() as (process, _):
        process.send_signal(getattr(signal, name))
        assert process.wait(PATIENCE) == 0
