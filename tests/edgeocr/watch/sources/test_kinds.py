"""What a source is, and what messages call it."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import pytest

from edgeocr import EdgeOCRError
from edgeocr.errors import VideoError
from edgeocr.watch.sources.kinds import place_of, shown

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="devices have paths on Linux only")


@pytest.mark.parametrize(
    ("address", "shown_as"),
    [
        ("rtsp://admin:secret@10.0.0.7/live", "rtsp://admin:***@10.0.0.7/live"),
        ("rtsp://admin:se#c?r/e@t@10.0.0.7/live", "rtsp://admin:***@10.0.0.7/live"),
        ("http://:secret@cam/", "http://:***@cam/"),
        ("http://cam:8080/video?user=a&password=secret&x=1", None),
        ("http://cam/snapshot.cgi?usr=a&pwd=secret", None),
        ("rtspsrc location=rtsp://a:secret@cam ! decodebin ! appsink", None),
        ("rtspsrc location=x user-id=a user-pw=secret ! decodebin ! appsink", None),
        ("http://cam:8080/video", "http://cam:8080/video"),
        ("udp://@:5000", "udp://@:5000"),
        ("http://cam/\x1b[2J", "http://cam/\N{REPLACEMENT CHARACTER}[2J"),
    ],
)
def test_passwords_are_hidden(address, shown_as):
    assert "secret" not in shown(address) and "t@10" not in shown(address)
    assert shown_as is None or shown(address) == shown_as


def test_kinds(tmp_path):
    file = tmp_path / "clip.avi"
    file.write_bytes(b"RIFF")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    stream = io.BytesIO()
    kinds = {
        "rtsp://cam/1": "stream",
        "HTTP://cam/1": "stream",
        "udp://@:5000": "stream",
        "videotestsrc ! appsink": "pipeline",
        str(file): "video",
        file: "video",
        f"file://{file}": "video",
        tmp_path: "folder",
        pipe: "pipe",
        stream: "pipe",
    }
    assert {source: place_of(source).kind for source in kinds} == kinds
    assert place_of(stream).value is stream


@pytest.mark.parametrize(
    ("source", "error", "message"),
    [
        ("", ValueError, "empty text"),
        (" ", ValueError, "empty text"),
        (-1, ValueError, "numbered from 0, not -1"),
        (True, TypeError, "not a bool"),
        (None, TypeError, "not a NoneType"),
        (1.5, TypeError, "not a float"),
        ("no-such.mp4", VideoError, "no-such.mp4: there is no such file or folder"),
        ("a\0b", VideoError, "can't be read"),
        ("/proc/self/mem/x", VideoError, "can't be read: Not a directory"),
    ],
)
def test_what_is_no_source(source, error, message):
    with pytest.raises(error) as caught:
        place_of(source)
    assert message in str(caught.value)
    assert isinstance(caught.value, EdgeOCRError) == (error is VideoError)


def test_empty_and_unreadable_files(tmp_path):
    empty = tmp_path / "empty.mp4"
    empty.touch()
    with pytest.raises(VideoError, match=r"empty\.mp4: the file is empty"):
        place_of(empty)


@on_linux
def test_cameras_that_are_missing(tmp_path, monkeypatch):
    for source in (63, "63", "/dev/video63", "/dev/v4l/by-id/usb-none-index0"):
        with pytest.raises(VideoError, match="there is no such camera; this machine has "):
            place_of(source)
    monkeypatch.setattr(Path, "glob", lambda *_: [Path("/dev/video10"), Path("/dev/video2")])
    with pytest.raises(VideoError, match=r"has /dev/video2, /dev/video10$"):
        place_of(63)


@on_linux
def test_cameras_that_may_not_be_used(monkeypatch):
    # Any character device will do; a container has no camera.
    assert place_of("/dev/null").kind == "device"
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(VideoError, match=r"/dev/null: .* add the user to the group `video`"):
        place_of("/dev/null")
