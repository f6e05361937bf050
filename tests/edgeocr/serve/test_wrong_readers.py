"""Readers that end, or send what no reader sends: programs that take the reader's place."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgeocr import EdgeOCRError
from edgeocr.serve import Options, Server, dispatch, reader_process
from tests.support.services import serving, wait_until

BEGINNING = """
import os, sys
sys.path[:] = sys.argv[1:]
from pathlib import Path
from edgeocr.serve import messages
source, target = os.fdopen(0, "rb"), os.fdopen(1, "wb")
def send(header, payload=b""):
    target.write(messages.start_of(header, len(payload)) + payload)
    target.flush()
messages.read(source)
bundle = {"name": "none", "digest": "0", "edgeocr": "0", "onnxruntime": "0"}
"""
READY = """
send({"is": "ready", "threads": 1, "bundle": bundle})
number = messages.read(source).header["number"]
"""
DONE = {"is": "done", "pages": 1, "stages": {}, "failed": {}}


@pytest.mark.stress
@pytest.mark.parametrize(
    ("program", "how"),
    [
        ("os.abort()", "was killed by SIGABRT"),
        ("sys.exit(3)", "ended with exit code 3"),
        ("target.write(b'\\xff' * 64); target.flush(); source.read()", "was killed by SIGKILL"),
        ("send({'is': 'done'}); source.read()", "was killed by SIGKILL"),
        ("send({'is': 'done', 'number': number, 'failed': 0}); source.read()", "SIGKILL"),
        ("send({'is': 'stopped', 'number': number}); source.read()", "was killed by SIGKILL"),
        ("send({'is': 'failed', 'number': number}); source.read()", "was killed by SIGKILL"),
    ],
)
def test_a_reader_that_goes_wrong_twice(
    monkeypatch: pytest.MonkeyPatch, program: str, how: str
) -> None:
    monkeypatch.setattr(reader_process, "PROGRAM", BEGINNING + READY + program)
    with serving(Options(port=0)) as (client, server):
        server.service.options = Options(timeout=10)
        answer = client.post("/v1/read", b"anything")
        assert answer.error == (500, "ReaderDiedError")
        assert how in answer.json["error"]["message"]
        assert server.service.places.taken == 0


def test_a_reader_that_answers_what_nobody_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = f"send({{**{DONE}, 'number': number + 7}}, b'not this')\n"
    right = f"send({{**{DONE}, 'number': number}}, b'this')\nsource.read()"
    monkeypatch.setattr(reader_process, "PROGRAM", BEGINNING + READY + wrong + right)
    with serving(Options(port=0)) as (client, _):
        assert client.post("/v1/read", b"anything").body == b"this"


def test_an_answer_must_be_taken_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    long = f"send({{**{DONE}, 'number': number}}, bytes(50_000_000))\nsource.read()"
    monkeypatch.setattr(reader_process, "PROGRAM", BEGINNING + READY + long)
    with serving(Options(port=0, body_timeout=0.2)) as (client, server):
        connection = client.connect()
        connection.request("POST", "/v1/read", b"anything")
        wait_until(lambda: server.service.places.taken == 1)
        # The client takes nothing of the answer, which would stay in memory.
        wait_until(lambda: server.connections == 0)
        connection.close()


def failing(program: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run a service whose reader doesn't start, and return the error with which it ends."""
    monkeypatch.setattr(reader_process, "PROGRAM", BEGINNING + program)
    monkeypatch.setattr(dispatch, "PAUSES", (0.01, 0.01))
    with pytest.raises(EdgeOCRError) as raised:
        Server(Options(port=0)).run()
    return str(raised.value)


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("send({'is': 'failed', 'message': 'no such bundle'})", "no such bundle"),
        ("sys.exit(3)", "the process that reads ended with exit code 3 before it was ready"),
        ("target.write(b'x' * 64); target.flush()", "does not start: a message of"),
    ],
)
def test_a_reader_that_does_not_start_ends_the_service(
    monkeypatch: pytest.MonkeyPatch, program: str, message: str
) -> None:
    assert message in failing(program, monkeypatch)


def test_a_reader_that_can_not_be_started_again_ends_the_service(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    starts = tmp_path / "starts"
    program = f"""
with open({str(starts)!r}, "a") as file:
    file.write("x")
if os.path.getsize({str(starts)!r}) > 1:
    send({{"is": "failed", "message": "the bundle is gone"}})
else:
    send({{"is": "ready", "threads": 1, "bundle": bundle}})
"""
    assert failing(program, monkeypatch) == "the bundle is gone"
    assert starts.read_text() == "xxxx"  # once, and three times again
