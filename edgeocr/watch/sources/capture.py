"""Frames that OpenCV captures: video files, streams, cameras and GStreamer pipelines."""

from __future__ import annotations

import functools
import logging
import math
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ...decoding.limits import DEFAULT_LIMITS
from ...errors import ImageError, VideoError
from ...images import Image
from . import quiet
from .arrivals import Arrival, DamagedError, DroppedError
from .kinds import Place
from .refusals import refusal

logger = logging.getLogger(__name__)

# Seconds without a picture after which a stream or a camera is considered dropped.
SILENCE = 10.0
# The size that is requested from a camera, which gives the nearest size that it has. OpenCV's
# default, 640 × 480, is too small for most texts.
CAMERA_SIZE = 1920, 1080
# How much of a recording may be missing at its end before it is considered cut off. Files of these
# kinds contain the exact number of their frames; others contain the length of their longest track,
# which may be sound.
EXACT_KINDS = (b"ftyp", b"AVI ")
EXACT_SECONDS, ROUGH_SECONDS, ROUGH_PART = 0.25, 2.0, 0.05
# The frame rate that is assumed if a recording has none, and the highest one that is believed.
USUAL_FPS, MOST_FPS = 25.0, 1000.0


class Capture:
    """An open `cv2.VideoCapture`."""

    def __init__(
        self, place: Place, open_timeout: float, read_timeout: float, *, every_frame: bool
    ) -> None:
        """Open it.

        Args:
            place: A device, a video, a stream or a pipeline.
            open_timeout: How many seconds a stream may take.
            read_timeout: After how many seconds without a picture a stream has dropped.
            every_frame: Whether a pipeline must wait while pictures are looked at, instead of
                dropping pictures.

        Raises:
            DroppedError: It can't be opened; the message is the reason, as far as it is known.
            VideoError: This OpenCV can't open sources of this kind.
        """
        self.plays = False
        self._place = place
        self._taken = 0
        self._position = -math.inf
        start = time.monotonic()
        quiet.hush()
        try:
            with quiet.ffmpeg_quiet():
                self._capture = _opened(place, open_timeout, read_timeout, every_frame)
        except BaseException:
            quiet.unhush()
            raise
        if not self._capture.isOpened():
            self.close()
            if place.kind == "stream" and time.monotonic() - start >= open_timeout:
                raise DroppedError(f"the server has not answered within {open_timeout:g} seconds")
            raise _failure(place)
        count, fps = self._get(cv2.CAP_PROP_FRAME_COUNT), self._get(cv2.CAP_PROP_FPS)
        self._interval = 1 / (fps if 0 < fps <= MOST_FPS else USUAL_FPS)
        self._count = count if place.kind in ("video", "stream") and count > 0 else 0.0
        self.plays = place.kind == "video" or self._count > 0

    def take(self) -> Arrival | None:
        """Wait for the next picture; see `Pictures.take`."""
        if not self._capture.grab():
            self._check_end()
            return None
        self._taken += 1
        return Arrival(self._decode, keeps=False, position=self._next_position())

    def interrupt(self) -> None:
        """Do nothing: OpenCV's calls can't be interrupted."""

    def close(self) -> None:
        """Release the device or the connection."""
        self._capture.release()
        quiet.unhush()

    def _next_position(self) -> float | None:
        """Return where the picture is; by the frame rate if the file's position is wrong."""
        if not self.plays:
            return None
        position = self._get(cv2.CAP_PROP_POS_MSEC) / 1000
        if self._taken == 1:
            position = max(position, 0.0)
        elif position <= self._position:
            position = self._position + self._interval
        self._position = position
        return position

    def _decode(self) -> Image:
        width, height = (
            int(self._get(each)) for each in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT)
        )
        try:
            DEFAULT_LIMITS.check_size(width, height)
        except ImageError as error:
            # All other pictures would be as large.
            raise VideoError(f"{self._place.name}: its pictures are too large: {error}") from error
        try:
            read, image = self._capture.retrieve()
        except cv2.error as error:
            raise DamagedError(f"OpenCV can't convert it: {error.err or error}") from error
        if not read or image is None or not image.size:
            raise DamagedError("it is empty")
        if image.ndim == 2:
            image = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] not in (3, 4):
            raise VideoError(
                f"{self._place.name}: its pictures are {image.dtype} arrays of shape "
                f"{image.shape}, not 8-bit colours: let the pipeline end with "
                "`videoconvert ! video/x-raw,format=BGR ! appsink`"
            )
        return np.ascontiguousarray(image[..., :3])

    def _check_end(self) -> None:
        if not self._count:
            if self._place.kind != "video":
                raise DroppedError("it gives no more pictures")
            if not self._taken:
                raise VideoError(f"{self._place.name}: no picture in it can be decoded")
            return
        length = self._count * self._interval
        reached = self._position + self._interval if self._taken else 0.0
        missing = length - reached
        if self._taken >= self._count or missing <= self._tolerance(length):
            return
        if self._place.kind == "stream":
            raise DroppedError(f"it ended after {reached:.1f} of {length:.1f} seconds")
        raise VideoError(
            f"{self._place.name}: the file is cut off or damaged: the last picture that can be "
            f"decoded is {reached:.1f} seconds from the start, of {length:.1f}, after "
            f"{self._taken} of about {self._count:.0f} frames"
        )

    def _tolerance(self, length: float) -> float:
        if self._place.kind == "video":
            with Path(self._place.value).open("rb") as file:
                start = file.read(12)
            if start[4:8] in EXACT_KINDS or start[8:12] in EXACT_KINDS:
                return max(EXACT_SECONDS, 3 * self._interval)
        return max(ROUGH_SECONDS, ROUGH_PART * length)

    def _get(self, prop: int) -> float:
        value = float(self._capture.get(prop))
        return value if math.isfinite(value) else 0.0


def _opened(
    place: Place, open_timeout: float, read_timeout: float, every_frame: bool
) -> cv2.VideoCapture:
    if place.kind == "device":
        return _camera(place.value)
    if place.kind == "pipeline":
        if not has_backend(cv2.CAP_GSTREAMER):
            raise VideoError(
                f"{place.name}: this OpenCV ({cv2.__version__}) was built without GStreamer, as "
                "those of PyPI are: use the one of the system (JetPack's, or `apt install "
                "python3-opencv`), as docs/camera-sources.md shows; `edgeocr doctor` lists what "
                "an OpenCV has"
            )
        return cv2.VideoCapture(with_sink(place.value, every_frame), cv2.CAP_GSTREAMER)
    parameters = [
        cv2.CAP_PROP_OPEN_TIMEOUT_MSEC,
        math.ceil(open_timeout * 1000),
        cv2.CAP_PROP_READ_TIMEOUT_MSEC,
        math.ceil(read_timeout * 1000),
    ]
    capture = cv2.VideoCapture(place.value, cv2.CAP_FFMPEG, parameters)
    if capture.isOpened():
        # A phone stores upright videos lying on their side, with a note on how to turn them.
        capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)
    return capture


def _failure(place: Place) -> Exception:
    """Return the error for what OpenCV can't open."""
    if place.kind == "video":
        return VideoError(
            f"{place.name}: is not a video that OpenCV can open, or is cut off before the index "
            "that some formats have at their end: try to play it, or convert it with ffmpeg"
        )
    if place.kind == "stream":
        return DroppedError(refusal(place.value))
    if place.kind == "pipeline":
        return DroppedError(
            "GStreamer can't start the pipeline: try it with `gst-launch-1.0`, with `fakesink` in "
            "place of `appsink`"
        )
    return DroppedError(
        "OpenCV can't open the camera: another program may be using it, or V4L2 can't take "
        "pictures from this device (`v4l2-ctl --list-devices` lists cameras)"
    )


def _camera(device: str | int) -> cv2.VideoCapture:
    on_linux = isinstance(device, str)
    capture = cv2.VideoCapture(device, cv2.CAP_V4L2 if on_linux else cv2.CAP_ANY)
    if capture.isOpened():
        # A camera on USB 2 reaches a usable frame rate with large pictures only as JPEG. A camera
        # that doesn't know a setting ignores it.
        width, height = CAMERA_SIZE
        settings: dict[int, Any] = {
            cv2.CAP_PROP_FOURCC: cv2.VideoWriter.fourcc(*"MJPG"),
            cv2.CAP_PROP_FRAME_WIDTH: width,
            cv2.CAP_PROP_FRAME_HEIGHT: height,
            cv2.CAP_PROP_BUFFERSIZE: 1,  # so that no pictures wait in the driver and grow old
        }
        for prop, value in settings.items():
            capture.set(prop, value)
    return capture


def with_sink(pipeline: str, every_frame: bool) -> str:
    """Return a GStreamer pipeline that ends in an `appsink`, from which OpenCV takes pictures.

    Args:
        pipeline: The pipeline, with its own `appsink` or without one.
        every_frame: Whether it must wait instead of dropping pictures.
    """
    if "appsink" in pipeline:
        return pipeline
    drop = "" if every_frame else " drop=true max-buffers=1"
    return f"{pipeline} ! videoconvert ! video/x-raw,format=BGR ! appsink{drop}"


@functools.cache
def has_backend(backend: int) -> bool:
    """Tell whether this OpenCV has a backend of `cv2.VideoCapture`, such as `cv2.CAP_FFMPEG`."""
    return cv2.videoio_registry.hasBackend(backend)
