"""Multipart bodies that are malformed, many or endless, and names that look like paths or URLs."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import sys
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from edgeocr.serve import Options
from edgeocr.serve.bodies import MOST_NAME, File, files_of
from edgeocr.serve.errors import ServiceError
from tests.edgeocr.serve.test_command import ready, started
from tests.support import command
from tests.support.paths import ROOT
from tests.support.services import Client, multipart

OPTIONS = Options(max_body=10_000, max_files=4)
FORM = "multipart/form-data; boundary=limit"
DISPOSITION = b'Content-Disposition: form-data; name="f"; filename='
FEW = settings(max_examples=150, deadline=None, derandomize=True, database=None)
PIECES = st.sampled_from(
    [
        *(b"--limit", b"--limit--", b"\r\n", b"\r", b"\n", b"--", b"limit", b": ", b"=", b'"'),
        *(DISPOSITION, DISPOSITION + b'"a"\r\n\r\n', b"x", b"\x00", b"\xff", b"filename*=x''%ff"),
        *(b"Content-Type: multipart/mixed; boundary=limit", b"Content-Disposition", b"a" * 5000),
    ]
)  # fmt: skip
BODIES = st.lists(PIECES | st.binary(max_size=8), max_size=16).map(b"".join)


def received(body: bytes, kind: str = FORM, step: int = 65536) -> list[File] | ServiceError:
    """Return the files of a body, or the error."""

    async def chunks() -> AsyncIterator[bytes]:
        for begin in range(0, len(body), step):
            yield body[begin : begin + step]

    try:
        return asyncio.run(files_of({"content-type": kind}, chunks(), None, OPTIONS))
    except ServiceError as error:
        return error


def check(found: list[File] | ServiceError, body: bytes) -> None:
    """Check that a body became files within the limits, or a short error of its sender."""
    if isinstance(found, ServiceError):
        assert found.status in (400, 413, 415)
        assert str(found).isprintable() and len(str(found)) < 1000
        return
    assert 1 <= len(found) <= OPTIONS.max_files
    for file in found:
        assert file.content and bytes(file.content) in body
        assert file.name.isprintable() and 1 <= len(file.name) <= MOST_NAME


@FEW
@given(BODIES, st.integers(1, 40))
@example(b"--limit\r\n" + DISPOSITION + b'"a"\r\n\r\nx\r\n--limit--\r\n', 3)
def test_pieces_of_multipart_in_any_order(body: bytes, step: int) -> None:
    whole, pieces = received(body), received(body, step=step)
    check(whole, body)
    if isinstance(whole, ServiceError) or isinstance(pieces, ServiceError):
        assert isinstance(whole, ServiceError) and isinstance(pieces, ServiceError)
    else:
        assert [(f.name, f.content) for f in whole] == [(f.name, f.content) for f in pieces]


@FEW
@given(st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=30), BODIES)
@example("multipart/form-data; boundary*0*=none'x'%ff", b"x")
@example('multipart/form-data; boundary="', b"x")
@example("multipart/form-data; boundary=\xff", b"x")
@example("multipart/form-data; boundary=" + 'a;"' * 3000, b"x")
def test_any_content_type(kind: str, body: bytes) -> None:
    for each in (kind, "multipart/form-data;" + kind, "multipart/form-data; boundary=" + kind):
        check(received(body, each), body)


@FEW
@given(st.binary(max_size=300))
@example(b'"../../etc/passwd"')
@example(b'"http://localhost/a.png"')
@example(b'"a\\"b"')
@example(b'"\xe2\x80\xae\xc2\x85\xe2\x80\xa8\x1b[31m"')
@example(b'"' + b"n" * 300 + b'"')
@example(b'"a"; filename="b"; filename*=utf-8\'\'c')
def test_any_file_name(name: bytes) -> None:
    body = b"--limit\r\n" + DISPOSITION + name + b"\r\n\r\nx\r\n--limit--\r\n"
    check(received(body), body)


def test_thousands_of_parts_and_endless_headers(caplog: pytest.LogCaptureFixture) -> None:
    part = b"--limit\r\n" + DISPOSITION + b'"a"\r\n'
    for body in (
        part.join([b"", *[b"\r\nx\r\n"] * 5000]),
        part + b"X: " + b"a" * 1_000_000,
        part + b"X: a\r\n" * 100_000,
        b"--limit\r\n" * 10_000,
        part + b"\r\n" + b"x" * 1_000_000,
        b"--limit--\r\n" + b"\r\n--limit" * 100_000,
    ):
        for step in (100, 65536):
            found = received(body, step=step)
            assert isinstance(found, ServiceError)
            check(found, body)
    # Strangers can't fill the log.
    assert not [row for row in caplog.records if row.levelno >= logging.WARNING]


def test_multipart_within_multipart_is_one_file() -> None:
    inner = multipart({"a": b"x"}).replace(b"limit", b"inner")
    (file,) = received(multipart({"outer": inner}))  # type: ignore[misc]
    assert bytes(file.content) == inner


# Records whatever Python code of both processes opens, connects to or starts.
HOOK = """
import os, sys
_target = os.open(os.environ["AUDIT_LOG"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
def _record(event, details):
    if event in ("open", "socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.listdir"):
        os.write(_target, f"{os.getpid()} {event} {details!r}\\n".encode("utf-8", "replace"))
sys.addaudithook(_record)
"""


@pytest.mark.stress
@pytest.mark.skipif(sys.platform != "linux", reason="the test of the command needs /proc")
def test_names_are_never_opened(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitecustomize.py").write_text(HOOK)
    log, canary = tmp_path / "log", tmp_path / "canary.jpg"
    # A picture that a service would read, if it opened names, instead of the body.
    canary.write_bytes((pictures / "sample.jpg").read_bytes())
    before = canary.stat().st_atime_ns
    monkeypatch.setenv("AUDIT_LOG", str(log))
    imported = {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])}
    monkeypatch.setattr(command, "environment", lambda: {**os.environ, **imported})
    content = (pictures / "badge.jpg").read_bytes()
    with socket.create_server(("127.0.0.1", 0)) as listener, started() as (process, client):
        ready(process)
        port = listener.getsockname()[1]
        began = len(log.read_text().splitlines())
        names = [
            *(str(canary), canary.as_uri(), f"{canary}#1", f"http://127.0.0.1:{port}/canary.png"),
            *("/etc/passwd", "../" * 12 + "etc/passwd", "file:///etc/passwd", "/dev/stdin"),
            *("\\\\127.0.0.1\\canary\\a.png", "|canary", "canary\0.png", "-", "~/canary"),
        ]
        expected = client.post("/v1/detect", content).json["regions"]
        for name in names:
            for body in (content, b"no picture", name.encode()):
                for path in ("read", "detect", "recognize"):
                    client.post(f"/v1/{path}?name={quote(name)}", body)
                client.upload("/v1/read", {name: body})
            answer = client.post(f"/v1/detect?name={quote(name)}", content)
            assert answer.json["regions"] == expected
        client.post("/v1/read", str(canary).encode())
        client.get(f"/page/{quote(str(canary), safe='')}")
        client.get(f"/page//{canary}")
        listener.settimeout(0)
        with pytest.raises(BlockingIOError):
            listener.accept()
    rows = log.read_text().splitlines()
    assert any("tiny" in row or "edgeocr" in row for row in rows[:began])  # the hook works
    assert len({row.split()[0] for row in rows if " open " in row}) == 2  # in both processes
    for row in rows[began:]:
        assert not any(word in row for word in ("canary", "passwd", "stdin", " socket.")), row
    assert canary.stat().st_atime_ns == before


@pytest.mark.stress
def test_many_uploads_at_once(service: Client, pictures: Path) -> None:
    """Broken uploads at the same time as good ones, which keep their answers."""
    content = (pictures / "badge.jpg").read_bytes()
    whole = multipart({"a": content})
    headers = {"Content-Type": FORM}
    statuses: list[int] = []

    def ask(number: int) -> None:
        body = whole if number % 2 else whole[: -20 - 37 * number]
        for _ in range(20):
            statuses.append(service.ask("POST", "/v1/detect", body, headers).status)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200] * 40 + [400] * 40
