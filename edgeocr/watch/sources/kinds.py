"""Find out what kind of source a user has named, and which name messages may show."""

from __future__ import annotations

import os
import re
import stat
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

from ...errors import VideoError, printable

Kind = Literal["device", "video", "stream", "pipeline", "folder", "pipe"]

URL = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)
# The user and the password of a URL, and values in a query whose names say that they are passwords.
# A password may contain characters that should have been escaped, so it ends at the last "@".
CREDENTIALS = re.compile(r"(?<=://)([^/@\s:]*):\S*@")
SECRET_VALUE = re.compile(
    r"(?i)\b((?:pass(?:wor[dt])?|passwd|pwd|token|secret|api_?key|auth|user-pw|location-pw)=)"
    r"[^&\s!]+"
)


@dataclass(frozen=True)
class Place:
    """Where frames come from.

    Attributes:
        kind: The kind of source.
        value: What opens it: the path of a device, video or folder, a URL, a pipeline, or the
            binary file of a pipe. A device is a number on systems where devices have no paths.
        name: Its name in messages, without passwords.
    """

    kind: Kind
    value: Any
    name: str


def place_of(source: object) -> Place:
    """Find out what kind a source is.

    Args:
        source: A camera's number, a path, a URL, a GStreamer pipeline, "-" for standard input, or
            an open binary file.

    Raises:
        VideoError: No such file or device exists.
        TypeError: A source can't be of this type.
        ValueError: The source is an empty text or a negative number.
    """
    if isinstance(source, int) and not isinstance(source, bool):
        return _camera(source)
    if isinstance(source, (str, os.PathLike)):
        return _named(os.fspath(source))
    if hasattr(source, "read"):
        name = getattr(source, "name", None)  # a file that has no path has its descriptor here
        if name == 0 and not isinstance(name, bool):
            return Place("pipe", source, "standard input")
        return Place("pipe", source, shown(name) if isinstance(name, str) else "<file object>")
    raise TypeError(
        "a source is a camera's number, a path, a URL, a GStreamer pipeline, '-' or a binary file, "
        f"not a {type(source).__name__}"
    )


def shown(text: str) -> str:
    """Return an address as messages show it: in one line, with `***` in place of passwords."""
    hidden = CREDENTIALS.sub(r"\1:***@", text)
    return printable(SECRET_VALUE.sub(r"\1***", hidden))


def _named(text: str | bytes) -> Place:
    if isinstance(text, bytes):
        text = os.fsdecode(text)
    if not text.strip():
        raise ValueError("the source is an empty text")
    if text == "-":
        return _standard_input()
    if text.isascii() and text.isdigit():
        return _camera(int(text))
    if " ! " in text:
        return Place("pipeline", text, shown(text))
    if URL.match(text):
        if text.lower().startswith("file://"):
            return _path(unquote(urlsplit(text).path))
        return Place("stream", text, shown(text))
    return _path(text)


def _standard_input() -> Place:
    if sys.stdin is None or sys.stdin.closed:
        raise VideoError("standard input: is closed")
    if sys.stdin.isatty():
        raise VideoError(
            "standard input: is a terminal: let a program write MJPEG into a pipe, as in "
            "`rpicam-vid --codec mjpeg -o - | edgeocr watch -`"
        )
    return Place("pipe", sys.stdin.buffer, "standard input")


def _camera(number: int) -> Place:
    if number < 0:
        raise ValueError(f"cameras are numbered from 0, not {number}")
    if sys.platform != "linux":
        return Place("device", number, f"camera {number}")
    return _device(f"/dev/video{number}")


def _path(path: str) -> Place:
    name = shown(path)
    try:
        mode = Path(path).stat().st_mode
    except FileNotFoundError:
        if path.startswith("/dev/"):
            return _device(path)
        raise VideoError(f"{name}: there is no such file or folder") from None
    except (OSError, ValueError) as error:  # ValueError: the path has a null byte
        reason = getattr(error, "strerror", None) or error
        raise VideoError(f"{name}: can't be read: {reason}") from error
    if stat.S_ISDIR(mode):
        return Place("folder", path, name)
    if stat.S_ISFIFO(mode):
        return Place("pipe", path, name)
    if stat.S_ISCHR(mode):
        return _device(path)
    if not stat.S_ISREG(mode):
        raise VideoError(f"{name}: is neither a file, a folder, a camera nor a named pipe")
    if not os.access(path, os.R_OK):
        raise VideoError(f"{name}: can't be read: permission denied")
    if not Path(path).stat().st_size:
        raise VideoError(f"{name}: the file is empty")
    return Place("video", path, name)


def _device(path: str) -> Place:
    """Check a camera's device on Linux; OpenCV would only say that it can't open it."""
    # A link such as /dev/v4l/by-id/… always names the same camera, whatever its number is.
    target = os.path.realpath(path)
    name = shown(path)
    if not Path(target).exists():
        found = sorted(Path("/dev").glob("video*"), key=lambda each: (len(each.name), each.name))
        there = ", ".join(map(str, found)) if found else "no /dev/video* at all"
        raise VideoError(f"{name}: there is no such camera; this machine has {there}")
    if not os.access(target, os.R_OK | os.W_OK):
        raise VideoError(
            f"{name}: this user may not use the camera: add the user to the group `video` "
            "(sudo usermod -aG video $USER), and log in again"
        )
    return Place("device", target, name)
