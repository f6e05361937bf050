"""How much a request may be and take, and what becomes of a request whose client goes away."""

from __future__ import annotations

import http.client
import io
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from edgeocr.serve import Options, Server
from tests.edgeocr.serve.conftest import MOST_BYTES, halted
from tests.support.services import Client, multipart, wait_until


@contextmanager
def changed(server: Server, **limits: float) -> Iterator[None]:
    """Give a service other limits while the block runs."""
    service = server.service
    before, service.options = service.options, replace(service.options, **limits)  # type: ignore[arg-type]
    try:
        yield
    finally:
        service.options = before


@contextmanager
def sent(client: Client, content: bytes) -> Iterator[http.client.HTTPConnection]:
    """Send a request and leave it."""
    connection = client.connect()
    connection.request("POST", "/v1/read", content)
    try:
        yield connection
    finally:
        connection.close()


@pytest.fixture(scope="module")
def content(pictures: Path) -> bytes:
    return (pictures / "badge.jpg").read_bytes()


def test_too_many_bytes(service: Client) -> None:
    assert service.post("/v1/read", bytes(MOST_BYTES + 1)).error == (413, "TooLargeError")
    chunked = service.ask("POST", "/v1/read", iter([bytes(3 * MOST_BYTES)]))  # type: ignore[arg-type]
    assert chunked.error == (413, "TooLargeError")
    assert chunked.headers["connection"] == "close"
    assert service.upload("/v1/read", {"a": bytes(2 * MOST_BYTES)}).error == (413, "TooLargeError")


def test_the_answer_to_a_body_that_is_not_read_arrives(service: Client) -> None:
    # Without lingering, the client would see a reset while it sends.
    reply = service.post("/v1/read", bytes(40_000_000))
    assert reply.error == (413, "TooLargeError")


def test_too_many_files_and_pages(service: Client, content: bytes) -> None:
    many = {f"{i}": content for i in range(9)}
    assert service.upload("/v1/read", many).error == (413, "TooLargeError")
    file = io.BytesIO()
    page = Image.new("L", (40, 30), 255)
    page.save(file, "TIFF", save_all=True, append_images=[page] * 9)
    answer = service.post("/v1/read", file.getvalue())
    assert answer.error == (413, "TooLargeError")
    assert "10 pages or more, the limit is 9" in answer.json["error"]["message"]


def test_bodies_that_are_none(service: Client, content: bytes) -> None:
    assert service.post("/v1/read", b"").error == (400, "RequestError")
    kinds = {
        "multipart/form-data": (400, "RequestError"),
        "multipart/mixed; boundary=x": (415, "MediaTypeError"),
        "multipart/form-data; boundary=limit": (400, "RequestError"),
    }
    for kind, error in kinds.items():
        assert service.post("/v1/read", content, **{"Content-Type": kind}).error == error
    packed = service.post("/v1/read", content, **{"Content-Encoding": "gzip"})
    assert packed.error == (415, "MediaTypeError")


def test_wrong_parameters_and_paths(service: Client, content: bytes) -> None:
    for query in ("format=docx", "wrods=1", "words=perhaps", "shape=circle"):
        assert service.post(f"/v1/read?{query}", content).error == (422, "ParameterError")
    assert service.get("/v1/read").error == (405, "MethodNotAllowedError")
    assert service.get("/v1/nothing").error == (404, "NotFoundError")
    assert service.get("/page/..%2f..%2fapp.py").error == (404, "NotFoundError")


def test_more_requests_than_places(service: Client, server: Server, content: bytes) -> None:
    with ThreadPoolExecutor(4) as pool:
        with halted(server):
            waiting = [pool.submit(service.post, "/v1/detect", content) for _ in range(4)]
            wait_until(lambda: server.service.places.taken == 4)
            answer = service.post("/v1/detect", content)
            assert answer.error == (503, "BusyError")
            assert int(answer.headers["retry-after"]) >= 1
            assert service.get("/healthz").status == service.get("/readyz").status == 200
        assert [each.result().status for each in waiting] == [200] * 4


def test_a_client_that_goes_away_frees_its_place(
    service: Client, server: Server, content: bytes
) -> None:
    places = server.service.places
    with halted(server):
        with sent(service, content), sent(service, content):
            wait_until(lambda: server.service.dispatcher.reading == 2)
            with sent(service, content):
                wait_until(lambda: places.taken == 3)
            wait_until(lambda: places.taken == 2)  # it had waited
        # Those that are being read keep their places until the reader has stopped.
        assert places.taken == 2
    wait_until(lambda: places.taken == 0)


def test_what_nobody_waits_for_is_not_read_to_its_end(
    service: Client, server: Server, content: bytes
) -> None:
    before = service.metric("edgeocr_pages_total")
    body = multipart({str(i): content for i in range(8)})
    connection = service.connect()
    headers = {"Content-Type": "multipart/form-data; boundary=limit"}
    connection.request("POST", "/v1/read", body, headers)
    wait_until(lambda: server.service.dispatcher.reading == 1)
    connection.close()
    wait_until(lambda: server.service.places.taken == 0)
    assert service.metric("edgeocr_pages_total") == before


def test_a_request_may_take_so_long(service: Client, server: Server, content: bytes) -> None:
    with changed(server, timeout=0.05), halted(server):
        answer = service.post("/v1/read", content)
        assert answer.error == (504, "TimeLimitError")
    wait_until(lambda: server.service.places.taken == 0)
    assert service.post("/v1/read", content).status == 200


def test_a_body_must_arrive_in_time(service: Client, server: Server) -> None:
    with changed(server, body_timeout=0.05):
        connection = service.connect()
        connection.putrequest("POST", "/v1/read")
        connection.putheader("Content-Length", "1000")
        connection.endheaders(b"the beginning")
        answer = connection.getresponse()
        assert answer.status == 408 and b"BodyTimeoutError" in answer.read()
        connection.close()


def raw(service: Client, *pieces: bytes) -> bytes:
    """Send bytes, each piece once there is an answer to the one before; return the last answer."""
    connection = service.connect()
    connection.connect()
    assert isinstance(connection.sock, socket.socket)
    with connection.sock as stream:
        for piece in pieces[:-1]:
            stream.sendall(piece)
            assert stream.recv(65536).startswith(b"HTTP/1.1 200 ")
        stream.sendall(pieces[-1])
        return b"".join(iter(lambda: stream.recv(65536), b""))


def test_a_head_must_arrive_in_time(
    service: Client, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server.protocol, "head_timeout", 0.05)
    for begin in (b"", b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow"):
        answer = raw(service, begin)
        assert answer.startswith(b"HTTP/1.1 408 ") and b"HeadTimeoutError" in answer
    # Also for the second request of a connection.
    whole = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    answer = raw(service, whole, b"GET /")
    assert b"HTTP/1.1 408 " in answer


def test_what_is_no_http_is_an_error_in_json(service: Client) -> None:
    answer = raw(service, b"\x16\x03\x01 hello\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 ") and b'"type": "RequestError"' in answer


def test_more_connections_than_allowed(
    service: Client, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    wait_until(lambda: not server.connections)
    monkeypatch.setattr(server.protocol, "max_connections", 1)
    first = service.connect()
    first.connect()
    wait_until(lambda: server.connections)
    answer = service.get("/healthz")
    assert answer.error == (503, "BusyError") and answer.headers["retry-after"] == "1"
    first.close()
    wait_until(lambda: not server.connections)
    assert service.get("/healthz").status == 200


def test_impossible_limits_are_mistakes() -> None:
    for name, value in {"port": 70000, "queue": -1, "max_body": 0, "timeout": 0.0}.items():
        with pytest.raises(ValueError, match=name):
            Options(**{name: value})  # type: ignore[arg-type]
