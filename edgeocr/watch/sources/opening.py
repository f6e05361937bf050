"""Find out what a source is, and open it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from typing import BinaryIO

from ..frames import Frame
from ..options import Pace, WatchOptions
from .arrivals import Pictures, Source
from .capture import SILENCE, Capture
from .folder import Folder, Memory
from .kinds import Place, place_of
from .pipe import Pipe, is_recording
from .reader import Reader
from .web import Web, answer, is_jpeg


@contextmanager
def open_source(
    source: str | int | os.PathLike[str] | BinaryIO, options: WatchOptions
) -> Iterator[Iterator[Frame]]:
    """Open a source, whose frames arrive while the `with` block runs.

    Args:
        source: A camera's number or path (`0`, "/dev/video0"), a video file, a URL
            ("rtsp://…", "http://…"), a GStreamer pipeline (a text with " ! " in it), a folder that
            fills up with pictures, "-" for MJPEG on standard input, or a binary file object that
            yields MJPEG.
        options: Which frames to give, and how long to wait for them.

    Yields:
        An iterator of frames. It ends with the source, and raises `VideoError` if the source fails
        for good.

    Raises:
        VideoError: The source doesn't exist, or this machine can't open sources of its kind.
        TypeError: A source can't be of this type.
        ValueError: The source is an empty text or a negative number.
    """
    place = place_of(source)
    pace = options.pace or default_pace(place)
    reader = Reader(
        _source(place, pace, options),
        pace,
        every=options.every,
        open_timeout=options.open_timeout,
        give_up=options.give_up,
    )
    try:
        yield reader
    finally:
        reader.close()


def default_pace(place: Place) -> Pace:
    """Return "all" for sources that can wait, such as files, and "newest" for live ones."""
    if place.kind == "pipe":
        return "all" if is_recording(place.value) else "newest"
    return "all" if place.kind in ("video", "folder") else "newest"


def _source(place: Place, pace: Pace, options: WatchOptions) -> Source:
    if place.kind == "folder":
        memory = Memory()

        def folder(stopped: Event) -> Pictures:
            return Folder(place.value, place.name, memory, stopped)

        return Source(place.name, folder, live=True, stills=True)
    if place.kind == "pipe":
        return Source(place.name, lambda stopped: Pipe(place, stopped), live=False)

    silence = min(SILENCE, options.give_up or SILENCE)

    def capture(stopped: Event) -> Pictures:
        if place.kind == "stream" and place.value.lower().startswith(("http://", "https://")):
            response = answer(place, min(options.open_timeout, silence))
            if is_jpeg(response):
                return Web(place, response, silence, stopped)
            response.close()
        return Capture(place, options.open_timeout, silence, every_frame=pace == "all")

    return Source(place.name, capture, live=place.kind != "video")
