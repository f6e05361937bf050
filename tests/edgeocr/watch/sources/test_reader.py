"""The thread that reads, on sources that do whatever a test wants."""

from __future__ import annotations

import functools
import itertools
import logging
import random
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from edgeocr.errors import VideoError
from edgeocr.watch.sources import backoff, left_behind, reader
from edgeocr.watch.sources.arrivals import Arrival, DamagedError, DroppedError, Source
from edgeocr.watch.sources.reader import Reader
from tests.support.paths import ROOT
from tests.support.videos import number_of, picture, render


class Script:
    """A source that takes its pictures, errors and waits from a list."""

    def __init__(self, *steps, keeps=True, plays=False):
        self.plays, self.keeps = plays, keeps
        self.steps = iter(steps)
        self.opened = self.closed = self.decoded = 0
        self.released = threading.Event()

    def __call__(self, stopped):
        self.opened += 1
        return self

    def take(self):
        for step in self.steps:
            if isinstance(step, Exception):
                raise step
            if isinstance(step, threading.Event):
                step.wait(20)
                continue
            if isinstance(step, float):
                time.sleep(step)
                continue
            return Arrival(functools.partial(self.decode, step), keeps=self.keeps)
        return None

    def decode(self, step):
        self.decoded += 1
        if isinstance(step, str):
            raise DamagedError("it is torn")
        return step if isinstance(step, np.ndarray) else picture(step)

    def interrupt(self):
        pass

    def close(self):
        self.closed += 1


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(backoff, "FIRST", 0.02)
    monkeypatch.setattr(reader, "GRACE", 0.0)
    monkeypatch.setattr(reader, "LOOK", 0.02)
    monkeypatch.setattr(reader, "JOIN", 0.1)


def started(script, pace="all", *, live=True, stills=False, every=0.0, timeout=5.0, give_up=None):
    source = Source("cam", script, live=live, stills=stills)
    return Reader(source, pace, every=every, open_timeout=timeout, give_up=give_up)


def test_a_source_that_ends():
    script = Script(0, 1, 2)
    frames = started(script)
    assert [number_of(frame.image) for frame in frames] == [0, 1, 2]
    assert list(frames) == []
    frames.close()
    assert script.opened == script.closed == 1


@pytest.mark.parametrize("keeps", [True, False])
def test_only_what_is_looked_at_is_decoded(keeps):
    script = Script(*[step for number in range(200) for step in (number, 0.002)], keeps=keeps)
    frames = started(script, "newest")
    first = next(frames)
    time.sleep(0.1)
    later = next(frames)
    # The thread may have to wait for a processor, so only the order is certain.
    assert later.number - first.number > 2 and number_of(later.image) == later.number
    frames.close()
    assert script.decoded <= 4


def test_slow_pictures_are_there_when_they_are_asked_for():
    hang = threading.Event()
    script = Script(0, 0.12, 1, 0.12, 2, hang, keeps=False)
    frames = started(script, "newest", give_up=10)
    time.sleep(0.4)
    # No further picture arrives after the last one.
    while number_of(next(frames).image) != 2:
        pass
    hang.set()
    frames.close()


@pytest.mark.parametrize("pace", ["newest", "all"])
def test_every_leaves_out_frames_that_are_too_near(pace):
    script = Script(*[step for number in range(40) for step in (number, 0.002)])
    frames = started(script, pace, every=0.02)
    times = [frame.seconds for frame in frames]
    assert 2 <= len(times) < 20
    assert all(later - earlier >= 0.0199 for earlier, later in itertools.pairwise(times))


def test_a_clock_that_jumps_doesnt_matter(monkeypatch):
    chance = random.Random(4)
    monkeypatch.setattr(time, "time", lambda: chance.uniform(-1e9, 4e9))
    script = Script(*[step for number in range(20) for step in (number, 0.005)])
    frames = list(started(script, every=0.01, give_up=1.0))
    times = [frame.seconds for frame in frames]
    assert len(times) > 5 and times == sorted(times) and times[-1] < 5
    assert max(frame.time for frame in frames) > 1e9 > min(frame.time for frame in frames)


def test_damaged_pictures_are_left_out_and_told_seldom(caplog):
    green = np.full((240, 320, 3), (0, 135, 0), np.uint8)
    frames = list(started(Script(0, "damaged", "damaged", 1, green, "damaged", 2)))
    assert [frame.number for frame in frames] == [0, 3, 6]
    assert [record.message for record in caplog.records] == [
        "cam: a damaged picture was left out: it is torn"
    ]


@pytest.mark.stress
def test_nothing_but_damaged_pictures_is_no_picture():
    forever = itertools.chain.from_iterable(itertools.repeat(("damaged", 0.01)))
    frames = started(Script(*itertools.islice(forever, 2000)), timeout=0.1)
    with pytest.raises(VideoError, match=r"cam: no picture has arrived within 0\.1 seconds"):
        next(frames)
    frames.close()
    frames = started(Script(0, *itertools.islice(forever, 2000)), give_up=0.4)
    assert next(frames).number == 0
    with pytest.raises(VideoError, match=r"no picture has arrived for . seconds: given up"):
        next(frames)
    frames.close()


@pytest.mark.stress
def test_whoever_looks_at_frames_may_take_long(caplog):
    """Time that is spent elsewhere is no silence of the source."""
    frames = started(Script(*range(2)), give_up=0.4, timeout=0.4)
    for _ in range(2):
        time.sleep(0.5)
        next(frames)
    with pytest.raises(StopIteration):
        next(frames)
    assert not caplog.records


def test_a_call_that_hangs_is_noticed_and_left_behind(caplog, monkeypatch):
    monkeypatch.setattr(reader, "FIRST_SILENCE", 0.1)
    caplog.set_level(logging.INFO)
    hang = threading.Event()
    script = Script(0, hang)
    frames = started(script, give_up=0.5)
    next(frames)
    with pytest.raises(VideoError, match="given up"):
        next(frames)
    frames.close()
    assert left_behind() and [script.closed] == [0]
    messages = [record.message for record in caplog.records]
    # After 0.1, 0.2 and 0.4 seconds, on a machine that isn't busy.
    assert 1 <= messages.count("cam: no picture has arrived for 0 seconds") <= 3
    assert messages[-1:] == ["cam: the library that reads it has not returned, and is left behind"]
    hang.set()
    deadline = time.monotonic() + 10
    while left_behind() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not left_behind() and script.closed == 1


def test_reconnects_and_their_counts(caplog):
    script = Script(0, DroppedError("gone"), DroppedError("gone"), 1, DroppedError("gone"), 2)
    frames = list(started(script))
    assert [(frame.number, frame.opening) for frame in frames] == [(0, 0), (1, 1), (2, 2)]
    assert script.opened == script.closed == 4
    words = [record.message.split(":")[0].split(" after")[0] for record in caplog.records]
    first, second = ["cam has dropped", "cam can't be reached"], ["cam has dropped"]
    assert words == [*first, "cam is back", *second, "cam is back"]


@pytest.mark.parametrize("live", [True, False])
def test_a_source_that_never_gave_a_picture_is_not_tried_again(live):
    frames = started(Script(DroppedError("it is closed"), 0), live=live)
    with pytest.raises(VideoError, match=r"^cam: it is closed$"):
        next(frames)
    frames.close()


def test_faults_of_the_program_arrive_where_frames_are_wanted():
    frames = started(Script(0, MemoryError("no memory")))
    assert next(frames).number == 0
    with pytest.raises(MemoryError):
        next(frames)
    frames.close()


def test_closing_ends_every_wait():
    for pace in ("newest", "all"):
        frames = started(Script(*range(50)), pace)
        next(frames)
        frames.close()
        assert list(frames) == []
        assert not frames._thread.is_alive()


HANG = """
import logging, os, signal, socket, sys, threading, time
from edgeocr.watch import WatchOptions
from edgeocr.watch.sources import left_behind, open_source
logging.basicConfig(level=logging.INFO)
server = socket.create_server(("127.0.0.1", 0))
url = f"rtsp://user:secret@127.0.0.1:{server.getsockname()[1]}/live"
threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
start = time.monotonic()
try:
    with open_source(url, WatchOptions(open_timeout=60)) as frames:
        next(frames)
except KeyboardInterrupt:
    print(time.monotonic() - start < 4, left_behind(), flush=True)
    sys.exit(3)  # the server is closed meanwhile, so the call returns while the interpreter ends
"""


UNCLOSED = """
import sys
from edgeocr.watch import WatchOptions
from edgeocr.watch.sources import open_source
source = open_source(sys.argv[1], WatchOptions(pace="newest"))
frames = source.__enter__()
next(frames)
"""


@pytest.mark.stress
def test_a_program_that_ends_without_closing(tmp_path):
    # Its thread is in calls of OpenCV nearly all the time.
    clip = render(tmp_path / "clip.avi", range(3000), fps=1000, size=(160, 120))
    for _ in range(5):
        command = [sys.executable, "-c", UNCLOSED, str(clip)]
        done = subprocess.run(command, capture_output=True, cwd=ROOT, timeout=60)
        assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.stress
def test_ctrl_c_while_a_server_never_answers():
    done = subprocess.run(
        [sys.executable, "-c", HANG], capture_output=True, text=True, cwd=ROOT, timeout=60,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    assert (done.stdout, done.returncode) == ("True True\n", 3)
    (message,) = done.stderr.splitlines()
    assert "rtsp://user:***@" in message and message.endswith("and is left behind")
