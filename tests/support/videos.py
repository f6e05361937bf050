"""Rendered videos and pictures that show the number of their frame, as a row of bars."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

SIZE = 320, 240
BITS = 8


def picture(number: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    """Draw a frame: a bar for each bit, over a ground with text and a slope of greys."""
    width, height = size
    slope = np.linspace(60, 220, height, dtype=np.uint8)[:, None, None]
    image = np.repeat(np.repeat(slope, width, 1), 3, 2)
    cv2.putText(image, f"{number:04}", (10, height - 20), 0, 1, (0, 0, 0), 2)
    for bit in range(BITS):
        left, right = (round(width * each / BITS) for each in (bit, bit + 1))
        image[: height // 4, left:right] = 255 if number >> bit & 1 else 0
    return image


def number_of(image: np.ndarray) -> int:
    """Read the number of a frame from its bars."""
    height, width = image.shape[:2]
    return sum(
        (int(image[height // 8, round(width * (bit + 0.5) / BITS)].mean()) > 127) << bit
        for bit in range(BITS)
    )


@functools.cache
def jpeg(number: int, size: tuple[int, int] = SIZE, **options: int) -> bytes:
    """Encode a frame; `options` are names of OpenCV's flags after `IMWRITE_JPEG_`."""
    flags = [
        each
        for name, value in options.items()
        for each in (getattr(cv2, f"IMWRITE_JPEG_{name.upper()}"), value)
    ]
    return cv2.imencode(".jpg", picture(number, size), flags)[1].tobytes()


def render(
    path: Path,
    numbers: Sequence[int] = range(20),
    *,
    fps: float = 25.0,
    codec: str = "MJPG",
    size: tuple[int, int] = SIZE,
) -> Path:
    """Write a video whose frames show these numbers."""
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*codec), fps, size)
    assert writer.isOpened(), path
    for number in numbers:
        writer.write(picture(number, size))
    writer.release()
    return path


def turned(content: bytes) -> bytes:
    """Return an MP4 file whose head tells players to turn it by 90 degrees clockwise."""
    at = content.index(b"tkhd") - 4
    # Version 0: size, type, version and flags, then 36 bytes of times, ids and volume.
    matrix = at + 8 + 4 + 36
    one = 1 << 16
    rows = (0, one, 0, -one, 0, 0, 0, 0, 1 << 30)
    packed = b"".join(each.to_bytes(4, "big", signed=True) for each in rows)
    return content[:matrix] + packed + content[matrix + len(packed) :]
