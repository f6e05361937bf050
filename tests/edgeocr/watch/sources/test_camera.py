"""A real RTSP server, and an OpenCV with GStreamer: `.ci/run` installs both."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeocr import OCR
from edgeocr.errors import VideoError
from edgeocr.watch import WatchOptions
from edgeocr.watch.sources import backoff, open_source
from tests.support.paths import IMAGES, ROOT

pytestmark = pytest.mark.camera

# Debian's Python, for which Debian has the bindings of GStreamer.
SYSTEM_PYTHON = "/usr/bin/python3"
# What the Python with Debian's OpenCV does: a source, and what its first frame says.
READ = """
import json, sys
from edgeocr import OCR
from edgeocr.errors import VideoError
from edgeocr.watch import WatchOptions
from edgeocr.watch.sources import open_source
source, count = sys.argv[1], int(sys.argv[2])
found = {"shapes": [], "text": "", "error": ""}
try:
    with open_source(source, WatchOptions(open_timeout=10)) as frames:
        for frame in frames:
            found["shapes"].append(frame.image.shape)
            if len(found["shapes"]) == count:
                found["text"] = OCR().read(frame.image).text
                break
except VideoError as error:
    found["error"] = str(error)
print(json.dumps(found))
"""


def image_of(path: Path) -> np.ndarray:
    image = cv2.imread(str(path))
    assert image is not None
    return image


@pytest.fixture(scope="module")
def sign(tmp_path_factory) -> Path:
    """Return the sample picture as PNG, with even sides, as H.264 wants them."""
    image = image_of(IMAGES / "sample.jpg")
    height, width = (side // 2 * 2 for side in image.shape[:2])
    path = tmp_path_factory.mktemp("sign") / "sign.png"
    cv2.imwrite(str(path), image[:height, :width])
    return path


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@contextlib.contextmanager
def serving(picture: Path, port: int, credentials: str = "") -> Iterator[str]:
    server = ROOT / "tests" / "support" / "rtsp_server.py"
    command = [SYSTEM_PYTHON, str(server), str(picture), str(port)]
    with subprocess.Popen(
        [*command, *([credentials] if credentials else [])], stdout=subprocess.PIPE
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            yield f"rtsp://127.0.0.1:{port}/live"
        finally:
            process.kill()


def with_gstreamer(source: str, count: int = 1) -> dict:
    python = os.environ.get("EDGEOCR_GSTREAMER_PYTHON")
    assert python, "EDGEOCR_GSTREAMER_PYTHON must name a Python with Debian's python3-opencv"
    done = subprocess.run(
        [python, "-c", READ, source, str(count)],
        capture_output=True, text=True, timeout=120, cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_a_sign_over_rtsp(sign):
    with serving(sign, free_port()) as url, open_source(url, WatchOptions()) as frames:
        first, second = next(frames), next(frames)
    assert "NO PARKING" in OCR().read(second.image).text
    assert second.number > first.number and second.seconds > first.seconds
    assert first.image.shape == image_of(sign).shape


def test_the_newest_frame_of_a_stream_is_not_older_than_a_moment(sign):
    with serving(sign, free_port()) as url, open_source(url, WatchOptions()) as frames:
        first = next(frames)
        time.sleep(2)
        later = next(frames)
    # 10 frames per second: what waits in no queue is left out.
    assert later.number - first.number >= 12


def test_a_server_that_ends_and_starts_again(sign, monkeypatch, caplog):
    monkeypatch.setattr(backoff, "FIRST", 0.1)
    port = free_port()
    with contextlib.ExitStack() as stack:
        with serving(sign, port) as url:
            frames = stack.enter_context(open_source(url, WatchOptions()))
            assert next(frames).opening == 0
        deadline = time.monotonic() + 20
        while not caplog.records and time.monotonic() < deadline:
            time.sleep(0.05)
        stack.enter_context(serving(sign, port))
        while (frame := next(frames)).opening == 0:
            pass
    assert frame.image.shape == image_of(sign).shape
    messages = [record.message for record in caplog.records]
    assert messages[0].startswith(f"{url} has dropped: it gives no more pictures; next attempt in")
    assert messages[-1].startswith(f"{url} is back after")


def test_passwords_and_refusals(sign):
    with serving(sign, free_port(), "viewer:open-sesame") as url:
        known = url.replace("//", "//viewer:open-sesame@")
        with open_source(known, WatchOptions()) as frames:
            assert next(frames).image.any()
        for address in (url, url.replace("//", "//viewer:wrong-word@")):
            with (
                pytest.raises(VideoError, match="the server answers 401 Unauthorized") as caught,
                open_source(address, WatchOptions()) as frames,
            ):
                next(frames)
            assert "wrong-word" not in str(caught.value)
    with (
        serving(sign, free_port()) as url,
        pytest.raises(VideoError, match="the server answers 404 Not Found: look the path up"),
        open_source(url.replace("live", "dead"), WatchOptions()) as frames,
    ):
        next(frames)


def test_a_pipeline(sign):
    found = with_gstreamer("videotestsrc ! video/x-raw,width=320,height=240 ! appsink", 5)
    assert found["shapes"] == [[240, 320, 3]] * 5 and not found["error"]
    found = with_gstreamer(f"filesrc location={sign} ! pngdec ! imagefreeze")
    assert "NO PARKING" in found["text"]


def test_pipelines_that_fail():
    found = with_gstreamer("nosuchelement ! appsink")
    assert "GStreamer can't start the pipeline" in found["error"]
    found = with_gstreamer("rtspsrc location=rtsp://a:secret@127.0.0.1:9/x ! decodebin ! appsink")
    assert found["error"] and "secret" not in found["error"]


def test_other_sources_with_debians_opencv(sign, tmp_path):
    with serving(sign, free_port()) as url:
        assert "NO PARKING" in with_gstreamer(url, 3)["text"]
    writer = cv2.VideoWriter(
        str(tmp_path / "clip.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 10, (640, 480)
    )
    for _ in range(5):
        writer.write(cv2.resize(image_of(sign), (640, 480)))
    writer.release()
    found = with_gstreamer(str(tmp_path / "clip.avi"), 9)
    assert found["shapes"] == [[480, 640, 3]] * 5 and not found["error"]
