"""Decode a JPEG file into memory of NumPy's, which takes less time than OpenCV's own memory.

`cv2.imdecode` decodes into a buffer of OpenCV's and copies that into an array. For large pictures
the system has to provide the pages of both anew each time. `cv2.imread` can decode into an array
that exists already, but it reads a file, so the content is put into a file in memory.
"""

from __future__ import annotations

import os

import cv2
import numpy as np
from numpy.typing import NDArray

# The marker with which every whole JPEG file ends. From a file that was cut off, `cv2.imread` makes
# a picture whose rest is grey, where `cv2.imdecode` fails.
END = b"\xff\xd9"
# Smaller pictures are decoded as fast by `cv2.imdecode`, because the C library keeps their memory.
LEAST_BYTES = 4 << 20


def decode(
    content: bytes | bytearray, flag: int, height: int, width: int
) -> NDArray[np.uint8] | None:
    """Decode a file as `cv2.imdecode` does, if there is a faster way.

    Args:
        content: The file.
        flag: How OpenCV decodes it, to three channels.
        height: Height in pixels, as decoded, before the EXIF orientation is applied.
        width: Width in pixels.

    Returns:
        uint8 [H, W, 3] BGR, upright; None if `cv2.imdecode` has to decode the file, or to say what
        is wrong with it.
    """
    if height * width * 3 < LEAST_BYTES or not hasattr(os, "memfd_create"):
        return None
    if content[:3] != b"\xff\xd8\xff" or content[-2:] != END:
        return None
    try:
        descriptor = os.memfd_create("edgeocr-jpeg")
    except OSError:
        return None
    try:
        with open(descriptor, "wb", closefd=False) as file:
            file.write(content)
        path = f"/proc/self/fd/{descriptor}"
        # OpenCV would log a warning if it could not open the file.
        return _read(path, flag, height, width) if os.access(path, os.R_OK) else None
    except OSError:
        return None
    finally:
        os.close(descriptor)


def _read(path: str, flag: int, height: int, width: int) -> NDArray[np.uint8] | None:
    """Decode a file into a new array of this size; return None if that fails."""
    array = np.empty((height, width, 3), np.uint8)
    # OpenCV doesn't tell whether it could decode the file. The last row is decoded last, so if it
    # is still what it was, decoding has failed.
    untouched = np.tile(np.array([0, 255], np.uint8), -(-width * 3 // 2))[: width * 3]
    array[-1] = untouched.reshape(width, 3)
    last = array[-1]
    try:
        decoded = cv2.imread(path, array, flag)
    except (cv2.error, TypeError):  # another size, or an OpenCV without this argument
        return None
    if decoded is None or np.array_equal(last.ravel(), untouched):
        return None
    return np.asarray(decoded, np.uint8)
