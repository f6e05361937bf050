"""Clients in crowds, slow ones, and those that go away or never read: places come free again."""

from __future__ import annotations

import gc
import io
import random
import socket
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from PIL import Image

from edgeocr.serve import Options, Server
from edgeocr.serve.bodies import File
from tests.edgeocr.serve.conftest import READER, halted
from tests.edgeocr.serve.test_limits import changed
from tests.support.services import Client, Reply, multipart, serving, wait_until

HEAD = b"POST /v1/detect HTTP/1.1\r\nHost: localhost\r\nContent-Length: "
GET = b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n"
CLIENTS = 100


@pytest.fixture(scope="module")
def content() -> bytes:
    """A small picture, which is read in little time."""
    Image.new("L", (96, 64), 255).save(stream := io.BytesIO(), "PNG")
    return stream.getvalue()


@contextmanager
def connected(service: Client, sent: bytes = b"") -> Iterator[socket.socket]:
    """Connect, and send bytes."""
    with service.dial() as stream:
        stream.sendall(sent)
        yield stream


def whole(content: bytes) -> bytes:
    return HEAD + b"%d\r\n\r\n" % len(content) + content


def taken(stream: socket.socket) -> bytes:
    """Return all that arrives until the service closes the connection."""
    return b"".join(iter(lambda: stream.recv(1 << 20), b""))


def busy(answer: Reply) -> bool:
    """Tell whether a client was sent away, and check that it was told when to come back."""
    if answer.status == 503:
        assert answer.error[1] == "BusyError"
        assert 1 <= int(answer.headers["retry-after"]) <= 120
    return answer.status == 503


@pytest.mark.stress
def test_a_crowd_is_answered_or_sent_away(content: bytes) -> None:
    """The reader is halted, so that the numbers are known: 16 + 2 places, and 82 too many."""
    with (
        serving(Options(READER, port=0, queue=16)) as (client, server),
        ThreadPoolExecutor(CLIENTS) as pool,
    ):
        places = server.service.places
        with halted(server):
            asked = [pool.submit(client.post, "/v1/detect", content) for _ in range(CLIENTS)]
            wait_until(lambda: sum(each.done() for each in asked) == CLIENTS - places.number)
            assert places.taken == places.number == 18
            assert client.get("/readyz").status == 200
        answers = [each.result() for each in asked]
        assert Counter(map(busy, answers)) == {False: 18, True: 82}
        assert {answer.status for answer in answers} == {200, 503}
        for status, number in ((200, 18), (503, 82)):
            counter = f'edgeocr_requests_total{{endpoint="/v1/detect",status="{status}"}}'
            assert client.metric(counter) == number
        assert client.metric('edgeocr_errors_total{type="BusyError"}') == 82
        assert client.metric("edgeocr_queue_seconds_count") == 18
        assert client.metric('edgeocr_request_seconds_count{endpoint="/v1/detect"}') == CLIENTS
        assert client.metric("edgeocr_pages_total") == 18
        for name in ("places_taken", "waiting", "reading"):
            assert client.metric(f"edgeocr_{name}") == 0


@pytest.mark.stress
def test_a_crowd_that_comes_back_is_answered_in_the_end(service: Client, content: bytes) -> None:
    def insist(_: int) -> int:
        for attempt in range(1000):
            if not busy(service.post("/v1/detect", content)):
                return attempt
            time.sleep(0.05)
        raise AssertionError("this client was sent away a thousand times")

    answered = 'edgeocr_requests_total{endpoint="/v1/detect",status="200"}'
    turned = 'edgeocr_requests_total{endpoint="/v1/detect",status="503"}'
    before = service.metric(answered), service.metric(turned)
    with ThreadPoolExecutor(CLIENTS) as pool:
        attempts = list(pool.map(insist, range(CLIENTS)))
    assert service.metric(answered) - before[0] == CLIENTS
    assert service.metric(turned) - before[1] == sum(attempts) > 0


def test_slow_heads_keep_nobody_waiting(
    service: Client, server: Server, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    monkeypatch.setattr(server.protocol, "head_timeout", 0.3)
    with ExitStack() as open_:
        slow = [open_.enter_context(connected(service, b"POST /v1/re")) for _ in range(CLIENTS)]
        assert service.post("/v1/detect", content).status == 200
        for _ in range(10):
            for stream in slow:
                try:
                    stream.sendall(b"a")
                except ConnectionError:  # its time is over
                    stream.close()
            slow = [stream for stream in slow if stream.fileno() >= 0]
            time.sleep(0.05)
        wait_until(lambda: server.connections == 0)


def test_slow_bodies_free_their_places(service: Client, server: Server, content: bytes) -> None:
    slow = HEAD + b"1000\r\n\r\nbegin"
    with changed(server, body_timeout=0.3), ExitStack() as open_:
        streams = [open_.enter_context(connected(service, slow)) for _ in range(4)]
        wait_until(lambda: server.service.places.taken == 4)
        assert busy(service.post("/v1/detect", content))
        for stream in streams:
            stream.sendall(b"more")
            assert stream.recv(65536).startswith(b"HTTP/1.1 408 ")
        assert service.post("/v1/detect", content).status == 200


def test_a_client_that_never_reads_is_cut_off(
    service: Client, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server.protocol, "answer_timeout", 0.2)
    with connected(service) as stream:
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        stream.settimeout(0.1)
        # Requests in a row, until the service takes no more, since its answers are not read.
        with pytest.raises(OSError):
            for _ in range(10_000):
                stream.sendall(GET * 100)
        wait_until(lambda: server.connections == 0)
    assert service.get("/readyz").status == 200


@pytest.mark.stress
def test_answers_that_nobody_takes_do_not_fill_the_memory() -> None:
    """The oldest of them are given up, and the newest is sent whole."""
    noise = Image.frombytes("L", (900, 900), random.Random(0).randbytes(900 * 900))
    noise.save(stream := io.BytesIO(), "JPEG", quality=85)
    content = stream.getvalue()
    head = b"POST /v1/read?format=pdf HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    asked = head + b"Content-Length: %d\r\n\r\n" % len(content) + content
    answered = 'edgeocr_requests_total{endpoint="/v1/read",status="200"}'
    options = Options(READER, port=0, queue=1, max_body=len(content))
    with serving(options) as (service, server), ExitStack() as open_:
        # Connections inherit this: the system holds little, and the service the rest.
        server._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 14)
        address = urlsplit(service.url)
        clients = []
        for number in range(1, 5):
            client = open_.enter_context(socket.socket())
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 12)
            client.connect((address.hostname, address.port))
            client.sendall(asked)
            clients.append(client)
            wait_until(lambda number=number: service.metric(answered) == number)
        wait_until(lambda: server.connections == 1)
        answers = [taken(client) for client in clients]
    assert all(answer.startswith(b"HTTP/1.1 200 ") for answer in answers)
    assert [answer.endswith(b"%%EOF\n") for answer in answers] == [False, False, False, True]


def test_a_client_that_says_that_it_is_done_has_gone_away(
    service: Client, server: Server, content: bytes
) -> None:
    with halted(server), connected(service, whole(content)) as stream:
        wait_until(lambda: server.service.dispatcher.reading == 1)
        stream.shutdown(socket.SHUT_WR)
        assert stream.recv(65536) == b""
    wait_until(lambda: server.service.places.taken == 0)
    assert service.metric('edgeocr_requests_total{endpoint="/v1/detect",status="499"}') >= 1


def kept() -> list[str]:
    """Return the names of the files that are in memory."""
    return [each.name for each in gc.get_objects() if isinstance(each, File)]


def test_contents_are_freed_with_the_place(service: Client, server: Server, content: bytes) -> None:
    """Memory is bounded by the places only if nothing of a request outlives its place."""
    places = server.service.places
    gc.collect()
    gc.disable()  # what only the collector of circles frees stays for a long time
    try:
        assert service.post("/v1/detect", content).status == 200
        assert service.post("/v1/detect", b"no picture").status == 422
        assert service.upload("/v1/detect", {"a": content, "b": b""}).status == 400
        with halted(server):
            for number in (1, 2, 3):
                with connected(service, whole(content)):
                    wait_until(lambda number=number: places.taken == number)
            with changed(server, timeout=0.01):
                assert service.post("/v1/detect", content).status == 504
        wait_until(lambda: places.taken == 0)
        wait_until(lambda: not kept(), 5)  # less than the time after which readers are killed
    finally:
        gc.enable()


@pytest.mark.stress
def test_clients_that_go_away_at_any_point(
    service: Client, server: Server, content: bytes, pictures: Path
) -> None:
    chance = random.Random(0)
    form = b"Content-Type: multipart/form-data; boundary=limit\r\nContent-Length: "
    photo = (pictures / "badge.jpg").read_bytes()
    parts = multipart({"a": photo, "b": content})
    several = HEAD.replace(b"Content-Length: ", form) + b"%d\r\n\r\n" % len(parts) + parts
    kinds = [whole(content), whole(photo), several, GET]

    def leave(_: int) -> None:
        sent = chance.choice(kinds)
        with connected(service, sent[: chance.randrange(len(sent) + 1)]) as stream:
            time.sleep(chance.choice([0, 0, 0.01, 0.05]))
            if chance.random() < 0.3:  # a reset instead of an orderly end
                stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    for _ in range(6):
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(leave, range(100)))
        wait_until(lambda: server.service.places.taken == 0)
        assert service.post("/v1/detect", content).status == 200
    wait_until(lambda: server.connections == 0)
    for name in ("waiting", "reading", "places_taken"):
        assert service.metric(f"edgeocr_{name}") == 0
