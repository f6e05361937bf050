"""Bodies that are files, and bodies that are wrong, in pieces of any size."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping

import pytest

from edgeocr.serve import Options
from edgeocr.serve.bodies import File, files_of
from edgeocr.serve.errors import RequestError, TooLargeError
from tests.support.services import multipart

FORM = {"content-type": "multipart/form-data; boundary=limit"}
OPTIONS = Options(max_body=100_000, max_files=3)
FILES = {"a.png": b"\r\n--lim\r\n--limi" * 50, "b": bytes(range(256)), "-": b"\r"}


def received(
    body: bytes,
    headers: Mapping[str, str] = FORM,
    *,
    name: str | None = None,
    step: int = 65536,
) -> list[File]:
    async def chunks() -> AsyncIterator[bytes]:
        for begin in range(0, len(body), step):
            yield body[begin : begin + step]

    return asyncio.run(files_of(headers, chunks(), name, OPTIONS))


@pytest.mark.parametrize("step", [1, 2, 7, 65536])
def test_files_arrive_as_they_were_sent(step: int) -> None:
    found = received(multipart(FILES), step=step)
    assert {file.name: bytes(file.content) for file in found} == FILES
    (whole,) = received(b"anything", {"content-type": "text/plain"}, step=step)
    assert (whole.name, whole.content) == ("-", b"anything")


def test_names_are_one_short_line() -> None:
    (file,) = received(b"x", {}, name="a\n\x1b[1mb" + "c" * 300)
    assert file.name.startswith("a\ufffd\ufffd[1mbc") and len(file.name) == 255
    (file,) = received(multipart({"Rechnung ü.png": b"x"}))
    assert file.name == "Rechnung ü.png"
    (file,) = received(multipart({"": b"x"}))
    assert file.name == "-"


def part(headers: str, content: str = "x") -> bytes:
    return f"--limit\r\n{headers}\r\n\r\n{content}\r\n--limit--\r\n".encode()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"x",
        b"--limit--\r\n",
        b"--limit\r\n\r\n",
        multipart(FILES)[:-20],
        multipart({"empty": b""}),
        part('Content-Disposition: form-data; name="format"', "json"),
        part('Content-Disposition: attachment; filename="a"'),
        part("Content-Type: image/png"),
        part("no header at all"),
        part('Content-Disposition: form-data; name="f"; filename="' + "a" * 5000 + '"'),
        part("\r\n".join(f"X-{i}: 1" for i in range(100))),
    ],
)
@pytest.mark.parametrize("step", [1, 65536])
def test_wrong_multipart_is_an_error(body: bytes, step: int) -> None:
    with pytest.raises(RequestError):
        received(body, step=step)


def test_boundaries_that_are_none() -> None:
    for boundary in ("", "x" * 5000):
        kind = f"multipart/form-data; boundary={boundary}"
        with pytest.raises(RequestError):
            received(multipart(FILES), {"content-type": kind})


def test_too_much_is_refused_before_it_is_in_memory() -> None:
    with pytest.raises(TooLargeError, match="more than 3 files"):
        received(multipart({str(i): b"x" for i in range(4)}))
    with pytest.raises(TooLargeError, match="more than 100000 bytes"):
        received(bytes(100_001), {})
    with pytest.raises(TooLargeError):
        received(b"", {"content-length": "100001"})
    with pytest.raises(TooLargeError):
        received(multipart({"a": b"x" * 200_000}))
