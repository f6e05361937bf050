"""Keep what OpenCV and FFmpeg write to standard error away while captures are open.

Both write a line for each attempt and each damaged picture, some of them with the password of a
URL. edgeocr logs what matters in its own words.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import cv2

from ...runtime.forks import ProcessLock

# OpenCV reads this variable once, when a process uses FFmpeg for the first time. -8 is FFmpeg's
# AV_LOG_QUIET.
FFMPEG_VARIABLE, FFMPEG_QUIET = "OPENCV_FFMPEG_LOGLEVEL", "-8"
SILENT = 0

_lock = ProcessLock()
_captures = 0
_level_before = 0
_ffmpeg_asked = False


def hush() -> None:
    """Silence OpenCV until `unhush` has been called as often as this function."""
    global _captures, _level_before
    with _lock:
        if not _captures and "OPENCV_LOG_LEVEL" not in os.environ:
            _level_before = _set_level(SILENT)
        _captures += 1


def unhush() -> None:
    """Take one `hush` back; the last one restores OpenCV's level."""
    global _captures
    with _lock:
        _captures -= 1
        if not _captures and "OPENCV_LOG_LEVEL" not in os.environ:
            _set_level(_level_before)


def _set_level(level: int) -> int:
    """Set OpenCV's level, and return the one before."""
    # OpenCV 4 has the function at its top, up to 4.6 nowhere else; OpenCV 5 has it elsewhere only.
    function = getattr(cv2, "setLogLevel", None) or cv2.utils.logging.setLogLevel
    return int(function(level))


@contextmanager
def ffmpeg_quiet() -> Iterator[None]:
    """Have FFmpeg keep quiet if the block is the first in this process that uses it.

    A user who has set the variable, to see what FFmpeg says, keeps it.
    """
    global _ffmpeg_asked
    with _lock:
        first, _ffmpeg_asked = not _ffmpeg_asked, True
        first = first and not {FFMPEG_VARIABLE, "OPENCV_FFMPEG_DEBUG"} & os.environ.keys()
        if first:
            os.environ[FFMPEG_VARIABLE] = FFMPEG_QUIET
    try:
        yield
    finally:
        if first:
            os.environ.pop(FFMPEG_VARIABLE, None)
