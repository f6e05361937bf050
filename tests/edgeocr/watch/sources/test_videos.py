"""Video files, which OpenCV renders and reads."""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import sys
import time

import cv2
import numpy as np
import pytest

from edgeocr.decoding.limits import Limits
from edgeocr.errors import VideoError
from edgeocr.watch import Frame, WatchOptions
from edgeocr.watch.sources import capture, open_source
from tests.support.paths import ROOT
from tests.support.videos import number_of, picture, render, turned

KINDS = [("clip.avi", "MJPG"), ("clip.mp4", "mp4v"), ("clip.mkv", "MJPG"), ("clip.avi", "XVID")]


def read(source, **options):
    with open_source(source, WatchOptions(**options)) as frames:
        return list(frames)


@pytest.mark.parametrize(("name", "codec"), KINDS)
def test_every_frame_in_its_turn(tmp_path, name, codec):
    frames = read(render(tmp_path / name, range(20), codec=codec, fps=10))
    assert [number_of(frame.image) for frame in frames] == list(range(20))
    assert [frame.number for frame in frames] == list(range(20))
    assert [frame.seconds for frame in frames] == pytest.approx([i / 10 for i in range(20)])
    assert {frame.opening for frame in frames} == {0}
    assert frames[0].image.shape == (240, 320, 3) and frames[0].image.dtype == np.uint8


def test_every(tmp_path):
    clip = render(tmp_path / "clip.avi", range(20), fps=10)
    frames = read(clip, every=0.3)
    assert [frame.number for frame in frames] == [0, 3, 6, 9, 12, 15, 18]
    assert [number_of(frame.image) for frame in frames] == [0, 3, 6, 9, 12, 15, 18]
    assert [frame.number for frame in read(clip, every=0.35)] == [0, 4, 8, 12, 16]


def test_newest_plays_at_the_videos_own_speed(tmp_path):
    clip = render(tmp_path / "clip.avi", range(30), fps=50)
    start = time.monotonic()
    with open_source(clip, WatchOptions(pace="newest")) as frames:
        numbers = []
        for frame in frames:
            assert number_of(frame.image) == frame.number
            assert time.monotonic() - start >= frame.seconds - 0.01
            numbers.append(frame.number)
            time.sleep(0.1)  # whoever looks at the frames is slower than the video
    assert time.monotonic() - start >= 0.58
    assert len(numbers) < 9
    assert all(later - earlier >= 4 for earlier, later in itertools.pairwise(numbers))


@pytest.mark.parametrize(("name", "codec"), KINDS)
def test_a_file_that_is_cut_off(tmp_path, name, codec):
    clip = render(tmp_path / name, [i % 256 for i in range(100)], codec=codec, fps=5)
    content = clip.read_bytes()
    clip.write_bytes(content[: len(content) * 6 // 10])
    seen: list[Frame] = []
    with open_source(clip, WatchOptions()) as frames, pytest.raises(VideoError) as caught:
        seen.extend(frames)
    message = str(caught.value)
    assert message.startswith(f"{clip}: ")
    if name.endswith("mp4"):  # its index is at the end
        assert not seen and "cut off before the index" in message
        return
    told = re.search(r"decoded is ([0-9.]+) seconds from the start, of 20.0, after (\d+)", message)
    assert told is not None
    assert float(told[1]) == pytest.approx(seen[-1].seconds + 0.2, abs=0.06)
    assert int(told[2]) == seen[-1].number + 1
    assert 50 < len(seen) < 68
    assert [number_of(frame.image) for frame in seen[:-1]] == list(range(len(seen) - 1))


def test_a_file_without_its_last_frames_is_no_cut_file(tmp_path):
    # Cameras that lose their power leave such files, and so do programs that count wrongly.
    clip = render(tmp_path / "clip.avi", range(50))
    content = clip.read_bytes()
    assert content.count((50).to_bytes(4, "little")) >= 2
    clip.write_bytes(content.replace((50).to_bytes(4, "little"), (52).to_bytes(4, "little")))
    assert len(read(clip)) == 50


def test_what_is_no_video(tmp_path):
    file = tmp_path / "note.mp4"
    file.write_bytes(b"\0This is no video." * 100)
    with pytest.raises(VideoError, match=r"note\.mp4: is not a video that OpenCV can open"):
        read(file)


def test_a_video_that_lies_is_turned(tmp_path):
    clip = render(tmp_path / "clip.mp4", [5, 9], codec="mp4v")
    clip.write_bytes(turned(clip.read_bytes()))
    frames = read(clip)
    assert [frame.image.shape for frame in frames] == [(320, 240, 3)] * 2
    assert [number_of(np.rot90(frame.image)) for frame in frames] == [5, 9]


def test_pictures_that_are_too_large_end_it_at_once(tmp_path, monkeypatch):
    clip = render(tmp_path / "clip.avi", range(5))
    monkeypatch.setattr(capture, "DEFAULT_LIMITS", Limits(pixels=320 * 240 - 1))
    with pytest.raises(VideoError, match="its pictures are too large: it has 320 × 240 pixels"):
        read(clip)


def test_nothing_is_written_to_standard_error(tmp_path):
    good = render(tmp_path / "clip.avi", range(30))
    cut = tmp_path / "cut.avi"
    cut.write_bytes(good.read_bytes()[:20_000])
    (tmp_path / "note.mp4").write_bytes(b"\0no video" * 100)
    code = f"""
import cv2, os
from edgeocr.errors import VideoError
from edgeocr.watch import WatchOptions
from edgeocr.watch.sources import open_source
before = dict(os.environ), cv2.utils.logging.getLogLevel()
for name in ("note.mp4", "cut.avi", "clip.avi"):
    try:
        with open_source({str(tmp_path)!r} + "/" + name, WatchOptions()) as frames:
            print(len(list(frames)))
    except VideoError as error:
        print("VideoError")
try:
    with open_source("rtsp://127.0.0.1:9/", WatchOptions()) as frames:
        next(frames)
except VideoError as error:
    print(error)
assert before == (dict(os.environ), cv2.utils.logging.getLogLevel())
"""
    environment = {key: value for key, value in os.environ.items() if "OPENCV" not in key}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, env=environment
    )
    assert done.stderr == ""
    assert done.returncode == 0
    refused = "rtsp://127.0.0.1:9/: 127.0.0.1 can't be reached at port 9: Connection refused"
    assert done.stdout.splitlines() == ["VideoError", "VideoError", "30", refused]


class FakeCapture:
    """What `cv2.VideoCapture` would return, without a device or a file."""

    def __init__(self, frames, positions=(), properties=None):
        self._frames, self._positions = iter(frames), iter(positions)
        self._properties = properties or {}
        self.set_properties = {}
        self._image = None

    def isOpened(self):
        return True

    def grab(self):
        self._image = next(self._frames, "end")
        self._properties[cv2.CAP_PROP_POS_MSEC] = next(self._positions, 0.0)
        return not isinstance(self._image, str)

    def retrieve(self):
        return self._image is not None, self._image

    def get(self, prop):
        return self._properties.get(prop, 0.0)

    def set(self, prop, value):
        self.set_properties[prop] = value
        return True

    def release(self):
        pass


def opened_as(monkeypatch, fake):
    monkeypatch.setattr(cv2, "VideoCapture", lambda *_: fake)
    return fake


@pytest.mark.parametrize(
    ("positions", "fps", "wanted"),
    [
        ([0, 0, 0, 0], 10, [0, 0.1, 0.2, 0.3]),
        ([40, 80, 40, 200], 25, [0.04, 0.08, 0.12, 0.2]),
        ([float("nan")] * 4, 0, [0, 0.04, 0.08, 0.12]),
        ([-500, -460, 0, 40], 90_000, [0, 0.04, 0.08, 0.12]),
    ],
    ids=["missing", "back", "nan", "negative"],
)
def test_positions_that_are_wrong(tmp_path, monkeypatch, positions, fps, wanted):
    file = tmp_path / "clip.avi"
    file.write_bytes(b"any")
    opened_as(
        monkeypatch, FakeCapture([picture(i) for i in range(4)], positions, {cv2.CAP_PROP_FPS: fps})
    )
    assert [frame.seconds for frame in read(file)] == pytest.approx(wanted)


def test_empty_and_grey_and_strange_pictures(tmp_path, monkeypatch, caplog):
    file = tmp_path / "clip.avi"
    file.write_bytes(b"any")
    green = np.full((240, 320, 3), (0, 135, 0), np.uint8)
    images = [
        picture(1), None, np.empty((0, 0, 3), np.uint8), green, picture(2),
        cv2.cvtColor(picture(3), cv2.COLOR_BGR2GRAY), cv2.cvtColor(picture(4), cv2.COLOR_BGR2BGRA),
    ]  # fmt: skip
    opened_as(monkeypatch, FakeCapture(images))
    frames = read(file)
    assert [number_of(frame.image) for frame in frames] == [1, 2, 3, 4]
    assert [frame.number for frame in frames] == [0, 4, 5, 6]
    assert {frame.image.shape for frame in frames} == {(240, 320, 3)}
    assert [record.message for record in caplog.records] == [
        f"{file}: a damaged picture was left out: it is empty"
    ]
    opened_as(monkeypatch, FakeCapture([np.zeros((240, 320), np.uint16)]))
    with pytest.raises(VideoError, match="are uint16 arrays of shape"):
        read(file)


@pytest.mark.skipif(sys.platform != "linux", reason="devices have paths on Linux only")
def test_a_camera_is_asked_for_large_new_pictures(monkeypatch):
    # No device is here: /dev/null is a character device, too, and OpenCV is replaced.
    fake = opened_as(monkeypatch, FakeCapture([picture(7), picture(8)]))
    with open_source("/dev/null", WatchOptions(pace="all")) as frames:
        assert [number_of(next(frames).image) for _ in range(2)] == [7, 8]
    assert fake.set_properties[cv2.CAP_PROP_BUFFERSIZE] == 1
    assert fake.set_properties[cv2.CAP_PROP_FRAME_WIDTH] == 1920


def test_pipelines_need_gstreamer(monkeypatch):
    if capture.has_backend(cv2.CAP_GSTREAMER):
        pytest.skip("this OpenCV has GStreamer")
    with pytest.raises(VideoError, match="was built without GStreamer"):
        read("videotestsrc ! videoconvert ! appsink")


def test_the_end_of_a_pipeline():
    assert capture.with_sink("a ! appsink name=x", False) == "a ! appsink name=x"
    converted = "a ! b ! videoconvert ! video/x-raw,format=BGR ! appsink"
    assert capture.with_sink("a ! b", True) == converted
    assert capture.with_sink("a ! b", False) == f"{converted} drop=true max-buffers=1"
