"""MJPEG from pipes, standard input and file objects."""

from __future__ import annotations

import contextlib
import io
import os
import socket
import subprocess
import sys
import threading
import time
from typing import Any

import pytest

from edgeocr.errors import VideoError
from edgeocr.watch import WatchOptions
from edgeocr.watch.sources import left_behind, open_source, reader
from tests.support.paths import ROOT
from tests.support.videos import jpeg, number_of

HEAD = b"\r\n--frame\r\nContent-Type: image/jpeg\r\n\r\n"
CLIP = b"".join(HEAD + jpeg(number) for number in range(8))
# What a child process does that watches its standard input.
WATCH_STDIN = """
import sys
from edgeocr.watch import WatchOptions
from edgeocr.watch.sources import open_source
from tests.support.videos import number_of
with open_source("-", WatchOptions(open_timeout=5)) as frames:
    for frame in frames:
        print(number_of(frame.image), flush=True)
        if len(sys.argv) > 1:
            break
"""


def numbers(source: Any, **options: Any) -> list[int]:
    with open_source(source, WatchOptions(**options)) as frames:
        return [number_of(frame.image) for frame in frames]


@contextlib.contextmanager
def pipe(*, buffered=True):
    """Yield the ends of a pipe, the reading one as a file object."""
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb", -1 if buffered else 0) as file:
        try:
            yield file, writing
        finally:
            with contextlib.suppress(OSError):
                os.close(writing)


def written(descriptor: int, *parts: bytes, pause: float = 0.0) -> threading.Thread:
    """Write into a pipe, and close it, in a thread of its own."""

    def write() -> None:
        with os.fdopen(descriptor, "wb", 0) as file:
            for part in parts:
                file.write(part)
                time.sleep(pause)

    thread = threading.Thread(target=write)
    thread.start()
    return thread


def test_file_objects_that_are_there_already(tmp_path):
    assert numbers(io.BytesIO(CLIP)) == list(range(8))
    file = tmp_path / "clip.bin"
    file.write_bytes(CLIP)
    with file.open("rb") as stream:
        assert numbers(stream) == list(range(8))
        assert not stream.closed  # it is the caller's


@pytest.mark.parametrize("buffered", [True, False])
def test_a_pipe_in_turn(buffered):
    with pipe(buffered=buffered) as (file, writing):
        thread = written(writing, *(CLIP[i : i + 5000] for i in range(0, len(CLIP), 5000)))
        assert numbers(file, pace="all") == list(range(8))
        thread.join()


def test_what_a_file_object_holds_already_is_not_lost():
    with pipe() as (file, writing):
        thread = written(writing, b"a line\n" + CLIP)
        assert file.readline() == b"a line\n"
        assert numbers(file, pace="all") == list(range(8))
        thread.join()


@pytest.mark.stress
def test_the_newest_picture_of_a_pipe():
    with pipe() as (file, writing):
        thread = written(writing, *([HEAD + jpeg(number) for number in range(8)]), pause=0.02)
        with open_source(file, WatchOptions()) as frames:
            first = next(frames)
            thread.join()
            time.sleep(0.1)
            rest = list(frames)
    assert number_of(first.image) == first.number < 7
    assert [(frame.number, number_of(frame.image)) for frame in rest] == [(7, 7)]


def test_a_named_pipe(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)

    def write() -> None:
        time.sleep(0.05)  # nobody writes yet when the watch begins
        path.write_bytes(CLIP)

    thread = threading.Thread(target=write)
    thread.start()
    assert numbers(path, pace="all") == list(range(8))
    thread.join()


def test_a_socket():
    near, far = socket.socketpair()
    with near, far, far.makefile("rb") as file:
        near.sendall(CLIP)
        near.shutdown(socket.SHUT_WR)
        assert numbers(file, pace="all") == list(range(8))


def test_a_pipe_that_says_nothing(monkeypatch):
    monkeypatch.setattr(reader, "GRACE", 0.0)
    with pipe() as (file, _), open_source(file, WatchOptions(open_timeout=0.1)) as frames:
        with pytest.raises(VideoError, match=r"no picture has arrived within 0\.1 seconds"):
            next(frames)
        start = time.monotonic()
    assert time.monotonic() - start < 0.5  # closing doesn't wait for the pipe
    assert not left_behind()


@pytest.mark.parametrize("content", [b"", b"no pictures", jpeg(1)[:-100]])
def test_a_pipe_without_a_whole_picture(content):
    with pipe() as (file, writing):
        written(writing, content).join()
        with pytest.raises(VideoError, match="ended without a complete JPEG picture"):
            numbers(file)


def test_a_picture_that_cant_be_decoded_is_left_out(caplog):
    broken = bytearray(jpeg(1))
    start = broken.index(b"\xff\xc0") + 5
    broken[start : start + 4] = b"\xff\xff\xff\xff"  # 65 535 pixels in each direction
    assert numbers(io.BytesIO(jpeg(0) + broken + jpeg(2))) == [0, 2]
    (record,) = caplog.records
    assert "a damaged picture was left out: it has 65535 × 65535 pixels" in record.message


class FailingFile:
    name = "tape"

    def __init__(self, *answers):
        self._answers = iter(answers)

    def read(self, _):
        answer = next(self._answers)
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_file_objects_that_fail():
    failing: Any = FailingFile(jpeg(3), OSError(5, "tape torn"))
    with open_source(failing, WatchOptions()) as frames:
        assert number_of(next(frames).image) == 3
        with pytest.raises(VideoError, match="tape: can't be read: tape torn"):
            next(frames)
    with pytest.raises(TypeError, match="yields text: open it in binary mode"):
        numbers(io.StringIO("text"))
    with pytest.raises(TypeError, match="yields text"):
        numbers(FailingFile("text"))


@pytest.mark.stress
def test_standard_input_of_a_command():
    command = [sys.executable, "-c", WATCH_STDIN]
    done = subprocess.run(command, input=CLIP, capture_output=True, cwd=ROOT, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.split()[-1] == b"7"
    # It ends, and doesn't crash, while the pipe is open and silent.
    with subprocess.Popen(
        [*command, "one"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        cwd=ROOT,
    ) as process:  # fmt: skip
        assert process.stdin is not None and process.stderr is not None
        process.stdin.write(jpeg(5))
        process.stdin.flush()
        assert process.wait(timeout=60) == 0
        assert process.stderr.read() == b""
