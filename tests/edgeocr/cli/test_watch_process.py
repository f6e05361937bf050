"""`edgeocr watch` as a process: a camera in a pipe, signals, and a reader that has enough."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from pathlib import Path
from typing import BinaryIO

import cv2
import pytest

from tests.support import command
from tests.support.brokers import until
from tests.support.clips import frame
from tests.support.paths import IMAGES

pytestmark = [
    pytest.mark.stress,
    pytest.mark.skipif(os.name != "posix", reason="needs the signals of POSIX"),
    pytest.mark.usefixtures("default_signals"),
]


@contextmanager
def camera(*words: str | Path) -> Iterator[subprocess.Popen[str]]:
    """Watch a camera that shows "OPEN" and never ends, through a pipe."""
    picture = cv2.imencode(".jpg", frame("OPEN"))[1].tobytes()
    process = command.start("watch", "-", *words, stdin=subprocess.PIPE)
    assert isinstance(process.stdin, TextIOWrapper)
    ended = threading.Event()

    def show(pipe: BinaryIO) -> None:
        with suppress(BrokenPipeError), pipe:
            while not ended.wait(0.05):
                pipe.write(picture)
                pipe.flush()

    thread = threading.Thread(target=show, args=(process.stdin.buffer,))
    thread.start()
    try:
        yield process
    finally:
        ended.set()
        process.kill()
        process.wait()
        thread.join()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_an_endless_watch_with_code_0(tmp_path: Path, number: int) -> None:
    output = tmp_path / "events.jsonl"
    with camera("--output", output, "--snapshot", tmp_path / "pictures") as process:
        until(lambda: output.exists() and output.stat().st_size > 0, "the first event")
        process.send_signal(number)
        assert process.wait(command.PATIENCE) == 0
        assert process.stderr is not None
        errors = process.stderr.read().splitlines()
    (line,) = output.read_text("utf-8").splitlines()
    event = json.loads(line)
    assert (event["event"], event["text"]) == ("appeared", "OPEN")
    assert Path(event["snapshot"]).read_bytes().startswith(b"\xff\xd8")
    assert errors[0].startswith("edgeocr: watching standard input, the newest frame each time;")
    assert errors[-1].startswith("edgeocr: a signal has ended the watch: ")
    assert errors[-1].endswith(" looked at, 1 event") and len(errors) == 2


def test_a_reader_that_has_enough_ends_it_without_a_word() -> None:
    process = command.start("watch", IMAGES / "meter.mp4")
    assert process.stdout is not None and process.stderr is not None
    assert json.loads(process.stdout.readline())["event"] == "appeared"
    process.stdout.close()
    assert process.wait(command.PATIENCE) == 1
    errors = process.stderr.read()
    assert "Traceback" not in errors and "error:" not in errors
