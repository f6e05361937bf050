"""Bytes that are no proper HTTP, or are proper and hostile: each gets a short error in JSON."""

from __future__ import annotations

import json
import re
import socket

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgeocr.serve import Server
from tests.support.services import Client

HOST = b"Host: localhost\r\nConnection: close\r\n"
READ = b"POST /v1/read HTTP/1.1\r\n" + HOST
GET = b"GET /healthz HTTP/1.1\r\n" + HOST
BODY = b"Content-Length: 3\r\n\r\nabc"
CHUNKED = READ + b"Transfer-Encoding: chunked\r\n\r\n"
Running = tuple[Client, Server]
# The same examples in each run.
FEW = settings(max_examples=100, deadline=None, derandomize=True, database=None)
# More than a message of an error ever needs.
SHORT = 1500


def answers(service: Client, *pieces: bytes, ends: bool = False) -> list[tuple[int, bytes]]:
    """Send bytes over a connection, and wait until the service closes it.

    Args:
        service: The service.
        pieces: The bytes.
        ends: Whether the client says that it sends nothing more, which to the service is a client
            that has gone away. Otherwise what is sent has to make the service close.

    Returns:
        The status and the body of each answer.
    """
    received = b""
    with service.dial() as stream:
        try:
            for piece in pieces:
                stream.sendall(piece)
            if ends:
                stream.shutdown(socket.SHUT_WR)
            while part := stream.recv(65536):
                received += part
        except OSError:  # it was closed while this was still sending
            pass
    found = []
    while received:
        head, _, rest = received.partition(b"\r\n\r\n")
        status = int(head.split(b" ")[1])
        length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
        size = int(length[1]) if length else 0
        if status != 100:
            found.append((status, rest[:size]))
        received = rest[size:]
    return found


def check(found: list[tuple[int, bytes]]) -> None:
    """Check that all answers are what the service documents, and no fault of its own."""
    for status, body in found:
        assert status in {200, 400, 403, 404, 405, 408, 413, 415, 422}, body
        if status != 200:
            error = json.loads(body)["error"]
            assert set(error) == {"type", "message", "source"} and error["message"]
            assert len(body) < SHORT


WRONG = {
    "noise": (b"\x00\xff\x01\r\n\r\n", 400),
    "NUL in a header": (GET + b"X: a\0b\r\n\r\n", 400),
    "HTTP/0.9": (b"GET /healthz\r\n\r\n", 400),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 403),
    "no host": (b"GET /healthz HTTP/1.1\r\n\r\n", 400),
    "two hosts": (GET + b"Host: localhost\r\n\r\n", 400),
    "a host that is none": (b"GET /healthz HTTP/1.1\r\nHost: [\r\nConnection: close\r\n\r\n", 403),
    "an origin that is none": (READ + b"Origin: http://[\r\n" + BODY, 403),
    "a space before the colon": (READ + b"Content-Length : 3\r\n\r\nabc", 400),
    "two lengths": (READ + b"Content-Length: 4\r\n" + BODY, 400),
    "a negative length": (READ + b"Content-Length: -3\r\n\r\nabc", 400),
    "a length of 5000 digits": (READ + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n", 400),
    "a length and chunks": (
        READ + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        400,
    ),
    "chunks in gzip": (READ + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400),
    "chunked twice": (
        READ + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
    ),
    "a chunk of no size": (CHUNKED + b"zz\r\nabc\r\n", 400),
    "a chunk of negative size": (CHUNKED + b"-1\r\nabc\r\n", 400),
    "chunks that are all empty": (CHUNKED + b"0\r\n\r\n", 400),
    "a path that is a URL": (b"GET http://localhost/healthz HTTP/1.1\r\n" + HOST + b"\r\n", 404),
    "a path that is no URL": (b"GET //[ HTTP/1.1\r\n" + HOST + b"\r\n", 404),
    "a path with NUL": (b"GET /%00%ff%0a%0d HTTP/1.1\r\n" + HOST + b"\r\n", 404),
    "CONNECT": (b"CONNECT localhost:80 HTTP/1.1\r\n" + HOST + b"\r\n", 404),
    "OPTIONS": (b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n", 404),
    "TRACE": (b"TRACE /healthz HTTP/1.1\r\n" + HOST + b"\r\n", 405),
    "a method of 30 kB": (b"A" * 30000 + b" /healthz HTTP/1.1\r\n" + HOST + b"\r\n", 405),
    "a path of 60 kB": (b"GET /" + b"a" * 60000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 404),
    "7000 parameters": (
        b"POST /v1/read?" + b"&".join(b"a%d=1" % i for i in range(7000)) + b" HTTP/1.1\r\n"
        + HOST + BODY,
        422,
    ),
    "a parameter of 60 kB": (
        b"POST /v1/read?format=" + b"x" * 60000 + b" HTTP/1.1\r\n" + HOST + BODY, 422,
    ),
    "a parameter of control characters": (
        b"POST /v1/read?name=%ff%00%zz&words=%e2%80%ae HTTP/1.1\r\n" + HOST + BODY, 422,
    ),
    "a parameter twice": (
        b"POST /v1/read?format=json&format=pdf HTTP/1.1\r\n" + HOST + BODY, 422,
    ),
    "a websocket": (GET + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n", 200),
    "an old browser's line breaks": (GET.replace(b"\r\n", b"\n") + b"\n", 200),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_request_gets_one_answer(service: Client, name: str) -> None:
    sent, status = WRONG[name]
    found = answers(service, sent)
    check(found)
    assert found[0][0] == status
    assert len(found) == (2 if name == "HTTP/2" else 1)  # whose second line is no HTTP at all


def test_an_endless_head(service: Client) -> None:
    for endless in (GET + b"X: " + b"a" * 1_000_000, b"GET /" + b"a" * 1_000_000):
        check(answers(service, endless))  # the answer may be lost, since the client still sends
    assert service.get("/readyz").status == 200


def test_endless_chunks(service: Client) -> None:
    (answer,) = answers(
        service, CHUNKED, *[b"f4240\r\n" + bytes(1_000_000) + b"\r\n"] * 8, b"0\r\n\r\n"
    )
    assert answer[0] == 413
    check(answers(service, CHUNKED, b"1;" + b"e" * 1_000_000))


def test_nothing_follows_the_answer_to_a_body_that_breaks_later(service: Client) -> None:
    with service.dial() as stream:
        stream.sendall(CHUNKED.replace(b"/v1/read", b"/nothing") + b"1\r\na\r\n")
        received = stream.recv(65536)
        stream.sendall(b"zz\r\n")
        received += b"".join(iter(lambda: stream.recv(65536), b""))
    assert received.startswith(b"HTTP/1.1 404 ") and received.count(b"HTTP/1.1") == 1


def test_requests_in_a_row_are_answered_in_a_row(service: Client) -> None:
    alive = GET.replace(b"Connection: close\r\n", b"") + b"\r\n"
    found = answers(service, alive * 50 + READ + BODY)
    assert [status for status, _ in found] == [200] * 50 + [422]


def test_a_body_that_hides_a_request(service: Client) -> None:
    hidden = GET + b"\r\n"
    body = b"Content-Length: %d\r\n\r\n" % len(hidden)
    assert [status for status, _ in answers(service, READ + body + hidden)] == [422]
    # What follows a body whose end two parties may see differently is no request either.
    both = b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"
    alive = READ.replace(b"close", b"keep-alive")
    assert [status for status, _ in answers(service, alive + both + hidden)] == [400]


def test_a_client_that_asks_before_it_sends(service: Client) -> None:
    expecting = READ + b"Expect: 100-continue\r\n"
    assert answers(service, expecting + b"Content-Length: 99999999\r\n\r\n")[0][0] == 413
    with service.dial() as stream:
        stream.sendall(expecting + b"Content-Length: 3\r\n\r\n")
        assert stream.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        stream.sendall(b"abc")
        assert stream.recv(65536).startswith(b"HTTP/1.1 422 ")


PIECES = [
    *(b"GET", b"POST", b" ", b"/v1/read", b"/metrics", b"?name=", b"?format=", b" HTTP/1.1"),
    *(b"\r\n", b"\n", b"\r\n\r\n", b": ", b"Host", b"localhost", b"Content-Length", b"3", b"-1"),
    *(b"Transfer-Encoding", b"chunked", b"Content-Type", b"multipart/form-data; boundary=limit"),
    *(b"--limit", b"--limit--", b"Origin", b"http://", b"[", b"\x00", b"\xff", b"%", b"Expect"),
    *(b"100-continue", b"Content-Encoding", b"Authorization", b"Connection", b"Upgrade"),
]
HEADERS = [
    *(b"Host: localhost", b"Host: x", b"Content-Length: 3", b"Content-Length: 9"),
    *(b"Transfer-Encoding: chunked", b"Content-Type: multipart/form-data; boundary=limit"),
    *(b"Content-Encoding: gzip", b"Origin: null", b"Sec-Fetch-Site: cross-site", b"Expect: x"),
    *(b'Content-Type: ;="', b"Authorization: \xff", b"Connection: upgrade", b"Upgrade: h2c"),
]
TARGETS = [
    b"/",
    b"/v1/read",
    b"/v1/detect?shape=",
    b"/v1/recognize?name=%ff",
    b"/page/%2e%2e/",
    b"*",
]


@FEW
@given(st.lists(st.sampled_from(PIECES) | st.binary(max_size=8), max_size=20).map(b"".join))
def test_pieces_of_requests_in_any_order(running: Running, content: bytes) -> None:
    check(answers(running[0], content, ends=True))


@FEW
@given(
    method=st.sampled_from([b"GET", b"POST", b"PUT", b"\xffx"]),
    target=st.sampled_from(TARGETS) | st.binary(max_size=12).map(lambda end: b"/v1/read?" + end),
    headers=st.lists(st.sampled_from(HEADERS), max_size=5),
    body=st.binary(max_size=40) | st.lists(st.sampled_from(PIECES), max_size=8).map(b"".join),
)
def test_whole_requests_with_anything_in_them(
    running: Running, method: bytes, target: bytes, headers: list[bytes], body: bytes
) -> None:
    head = b"\r\n".join([method + b" " + target + b" HTTP/1.1", b"Host: localhost", *headers])
    check(answers(running[0], head + b"\r\n\r\n" + body, ends=True))


def test_nothing_has_failed(service: Client) -> None:
    """Runs last: none of these requests, or of those before, was a fault of the service."""
    assert service.metric('edgeocr_errors_total{type="InternalError"}') == 0
    assert service.metric("edgeocr_places_taken") == 0
    assert service.get("/readyz").status == 200
