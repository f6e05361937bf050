"""JPEG pictures over HTTP, from cameras on loopback."""

from __future__ import annotations

import base64
import hashlib
import logging
import re
import time

import pytest

from edgeocr.errors import VideoError
from edgeocr.watch import WatchOptions
from edgeocr.watch.sources import backoff, open_source, opening, web
from tests.support.cameras import HEAD, Connection, camera, part
from tests.support.videos import jpeg, number_of, render

ALL = WatchOptions(pace="all")


@pytest.fixture(autouse=True)
def quick_attempts(monkeypatch):
    monkeypatch.setattr(backoff, "FIRST", 0.02)


def first(source: str, count: int, options: WatchOptions = ALL):
    with open_source(source, options) as frames:
        return [next(frames) for _ in range(count)]


def test_pictures_arrive_in_turn():
    with camera(lambda connection: connection.stream(range(10))) as url:
        frames = first(url, 8)
    assert [number_of(frame.image) for frame in frames] == list(range(8))
    assert [frame.number for frame in frames] == list(range(8))
    times = [frame.seconds for frame in frames]
    assert times == sorted(times) and times[-1] >= 0.07


def test_the_newest_picture_is_given():
    with (
        camera(lambda connection: connection.stream(range(200))) as url,
        open_source(url, WatchOptions()) as frames,
    ):
        one = next(frames)
        time.sleep(0.3)
        # What had arrived when the thread of the reader was asked is at most one picture old.
        other = next(frames)
    assert other.number - one.number > 5
    assert number_of(other.image) == other.number


def test_half_pictures_cost_only_themselves(caplog):
    def script(connection: Connection) -> None:
        connection.send(HEAD)
        for number in range(12):
            whole = jpeg(number)
            connection.send(part(whole[: len(whole) // 2] if number % 3 == 1 else whole))
        connection.wait()

    with camera(script) as url:
        frames = first(url, 8)
    assert [number_of(frame.image) for frame in frames] == [0, 2, 3, 5, 6, 8, 9, 11]
    assert [record.message for record in caplog.records].count(
        f"{url}: a broken picture was left out"
    ) == 1


def test_a_stream_that_drops_is_opened_again(caplog):
    def script(connection: Connection) -> None:
        if connection.number in (1, 2):
            connection.send(b"HTTP/1.0 503 Busy\r\n\r\n")
        else:
            connection.stream(range(3 * connection.number, 3 * connection.number + 3))

    with camera(script) as url:
        frames = first(url, 6)
    assert [number_of(frame.image) for frame in frames] == [0, 1, 2, 9, 10, 11]
    assert [frame.opening for frame in frames] == [0, 0, 0, 1, 1, 1]
    assert [frame.number for frame in frames] == list(range(6))
    messages = [re.sub(r"[0-9.]+ seconds", "N seconds", each.message) for each in caplog.records]
    assert messages[:4] == [
        f"{url} has dropped: the server has ended the stream; next attempt in N seconds",
        f"{url} can't be reached: the server answers 503 Busy; next attempt in N seconds",
        f"{url} can't be reached: the server answers 503 Busy; next attempt in N seconds",
        f"{url} is back after N seconds",
    ]


@pytest.mark.stress
def test_a_stream_that_goes_silent_is_opened_again(monkeypatch):
    monkeypatch.setattr(opening, "SILENCE", 0.3)

    def script(connection: Connection) -> None:
        connection.stream(range(2 * connection.number, 2 * connection.number + 2))
        connection.wait()

    with camera(script) as url:
        frames = first(url, 4)
    assert [number_of(frame.image) for frame in frames] == [0, 1, 2, 3]
    assert frames[2].opening == 1 and frames[2].seconds - frames[1].seconds >= 0.3


@pytest.mark.stress
def test_a_stream_without_pictures_is_opened_again(monkeypatch):
    monkeypatch.setattr(opening, "SILENCE", 0.3)

    def script(connection: Connection) -> None:
        connection.stream(range(1))
        while not connection.over.wait(0.02):
            connection.send(b"--frame\r\nContent-Type: image/jpeg\r\n\r\n")

    with camera(script) as url:
        assert [frame.opening for frame in first(url, 2)] == [0, 1]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"HTTP/1.0 404 Not Found\r\n\r\n", "the server answers 404 Not Found"),
        (b"HTTP/1.0 401 No\r\nWWW-Authenticate: Basic realm=x\r\n\r\n", "401 Unauthorized: give"),
        (b"\x00\x01garbage\r\n\r\n", "BadStatusLine"),
        (b"", "closed connection without response"),
        (HEAD, "the server has ended the stream"),
        (HEAD + part(b"no picture"), "the server has ended the stream"),
        (
            b"HTTP/1.0 200 OK\r\nContent-Type: image/jpeg\r\n\r\nno",
            "is not a complete JPEG picture",
        ),
        (b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n<p>Hello", "no video that OpenCV"),
        (b"HTTP/1.0 302 Moved\r\nLocation: rtsp://a/\r\n\r\n", "answers 302"),
    ],
)
def test_answers_that_are_no_stream_end_it_at_once(answer, message):
    with (
        camera(lambda connection: connection.send(answer)) as url,
        pytest.raises(VideoError) as caught,
    ):
        first(url, 1)
    assert str(caught.value).startswith(f"{url}: ")
    assert message in str(caught.value)


def test_nobody_listens():
    with pytest.raises(VideoError, match=r"http://u:\*\*\*@127\.0\.0\.1:9/: Connection refused"):
        first("http://u:secret@127.0.0.1:9/", 1)


def test_a_server_that_never_answers():
    start = time.monotonic()
    with camera(Connection.wait) as url, pytest.raises(VideoError, match="timed out"):
        first(url, 1, WatchOptions(open_timeout=0.3))
    assert time.monotonic() - start < 5


@pytest.mark.stress
def test_give_up(caplog):
    def script(connection: Connection) -> None:
        if connection.number:
            connection.send(b"HTTP/1.0 500 Broken\r\n\r\n")
        else:
            connection.stream(range(2))

    jpeg(0), jpeg(1)  # encoding takes long on a busy machine
    with camera(script) as url, open_source(url, WatchOptions(pace="all", give_up=0.6)) as frames:
        assert len([next(frames), next(frames)]) == 2
        with pytest.raises(VideoError, match=r"no picture has arrived for .* seconds: given up"):
            next(frames)
        with pytest.raises(StopIteration):
            next(frames)


def test_basic_authorization():
    def script(connection: Connection) -> None:
        wanted = "Basic " + base64.b64encode(b"us er:p@ss").decode()
        if connection.headers.get("Authorization") == wanted:
            connection.stream(range(2))
        else:
            connection.send(b'HTTP/1.0 401 No\r\nWWW-Authenticate: Basic realm="cam"\r\n\r\n')

    with camera(script) as url:
        assert len(first(url.replace("//", "//us%20er:p%40ss@"), 2)) == 2
        with pytest.raises(VideoError, match="answers 401"):
            first(url.replace("//", "//user:wrong@"), 1)


@pytest.mark.stress
def test_digest_authorization():
    def script(connection: Connection) -> None:
        said = dict(re.findall(r'(\w+)="([^"]*)"', connection.headers.get("Authorization", "")))

        def hashed(text: str) -> str:
            return hashlib.md5(text.encode()).hexdigest()

        one, two = hashed("user:cam:pass"), hashed(f"GET:{connection.path}")
        if said.get("response") == hashed(f"{one}:abc:{two}"):
            connection.stream(range(2))
        else:
            challenge = b'WWW-Authenticate: Digest realm="cam", nonce="abc"\r\n'
            connection.send(b"HTTP/1.0 401 No\r\n" + challenge + b"\r\n")

    with camera(script) as url:
        assert len(first(url.replace("//", "//user:pass@"), 2)) == 2


@pytest.mark.stress
def test_an_address_that_gives_one_picture_is_asked_again(monkeypatch, caplog):
    monkeypatch.setattr(web, "STILL_PAUSE", 0.02)

    def script(connection: Connection) -> None:
        head = b"HTTP/1.0 200 OK\r\nContent-Type: image/jpeg\r\n\r\n"
        connection.send(head + jpeg(connection.number))

    with camera(script) as url:
        frames = first(url, 4)
    assert [number_of(frame.image) for frame in frames] == [0, 1, 2, 3]
    assert {frame.opening for frame in frames} == {0} and not caplog.records


def test_a_video_file_over_http_ends(tmp_path):
    content = render(tmp_path / "clip.avi", range(12)).read_bytes()

    def script(connection: Connection) -> None:
        length = len(content)
        head = f"HTTP/1.1 200 OK\r\nContent-Type: video/x-msvideo\r\nContent-Length: {length}"
        connection.send(head.encode() + b"\r\nConnection: close\r\n\r\n" + content)

    with camera(script) as url, open_source(url, ALL) as frames:
        found = [(number_of(frame.image), round(frame.seconds, 3)) for frame in frames]
    assert found == [(i, round(i / 25, 3)) for i in range(12)]


def test_changing_size_is_told(caplog):
    def script(connection: Connection) -> None:
        connection.send(HEAD)
        for number, size in enumerate([(320, 240), (640, 480), (640, 480)]):
            connection.send(part(jpeg(number, size)))
        connection.wait()

    with caplog.at_level(logging.WARNING), camera(script) as url:
        frames = first(url, 3)
    assert [frame.image.shape[:2] for frame in frames] == [(240, 320), (480, 640), (480, 640)]
    assert [each.message for each in caplog.records] == [
        f"{url}: the size of the pictures has changed from 320 × 240 to 640 × 480"
    ]
