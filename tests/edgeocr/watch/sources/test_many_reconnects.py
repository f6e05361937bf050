"""Nothing grows where a camera drops again and again."""

from __future__ import annotations

import gc
import threading
import time
from pathlib import Path

import pytest

from edgeocr.watch import WatchOptions
from edgeocr.watch.sources import backoff, left_behind, open_source
from tests.support.cameras import Connection, camera
from tests.support.videos import render

pytestmark = pytest.mark.stress


def resources() -> tuple[int, int, int]:
    """Return the open descriptors, the threads, and the resident memory in KiB."""
    gc.collect()
    status = Path("/proc/self/status").read_text()
    memory = int(status.split("VmRSS:")[1].split()[0])
    return len(list(Path("/proc/self/fd").iterdir())), threading.active_count(), memory


def settled(before: tuple[int, int, int]) -> tuple[int, int, int]:
    """Return the resources, when those of the server on this side have been given back."""
    deadline = time.monotonic() + 10
    while (now := resources())[:2] > before[:2] and time.monotonic() < deadline:
        time.sleep(0.05)
    return now


@pytest.mark.parametrize("kind", ["jpeg", "video"])
def test_reconnects(monkeypatch, tmp_path, kind):
    monkeypatch.setattr(backoff, "FIRST", 0.001)
    clip = render(tmp_path / "clip.avi", range(12), fps=1).read_bytes()

    def jpeg(connection: Connection) -> None:
        connection.stream(range(2), pause=0)

    def video(connection: Connection) -> None:
        # FFmpeg takes the length from the head: the stream breaks in the middle.
        head = b"HTTP/1.0 200 OK\r\nContent-Type: video/x-msvideo\r\n\r\n"
        connection.send(head + clip[: len(clip) * 2 // 3])

    script = {"jpeg": jpeg, "video": video}[kind]
    with camera(script) as url, open_source(url, WatchOptions(pace="all")) as frames:
        # The C library gives each thread of the server memory of its own, until there are enough.
        while next(frames).opening < 150:
            pass
        before = resources()
        while next(frames).opening < 400:
            pass
        descriptors, threads, memory = resources()
    # Threads of the server, and what they hold, may take a moment to end.
    assert descriptors <= before[0] + 10 and threads <= before[1] + 10
    assert memory - before[2] < 12_000


def test_sources_that_are_opened_and_closed(tmp_path):
    clip = render(tmp_path / "clip.avi", range(30))

    def use(times: int) -> None:
        for _ in range(times):
            for source in (clip, tmp_path, url):
                with open_source(source, WatchOptions(open_timeout=5)) as frames:
                    if source is not tmp_path:
                        next(frames)

    with camera(lambda connection: connection.stream(range(10))) as url:
        use(5)
        before = resources()
        use(60)
        descriptors, threads, memory = settled(before)
    assert (descriptors, threads) <= before[:2]
    assert memory - before[2] < 12_000
    assert not left_behind()
