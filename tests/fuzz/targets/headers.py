"""The header reader: the memory limit relies on it to state no less than is decoded."""

from __future__ import annotations

import io

import cv2
import numpy as np

from edgeocr.decoding.headers import reader
from tests.fuzz.targets import pictures
from tests.fuzz.targets.pictures import MOST_PIXELS

seeds = pictures.seeds


def read(content: bytes) -> None:
    """Compare the size in the header with what OpenCV decodes."""
    content = pictures.repaired(content)
    header = reader.read(io.BytesIO(content))
    if header is None or header.width * header.height > MOST_PIXELS:
        return
    try:
        picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        return
    if picture is not None:
        stated, decoded = header.width * header.height, picture.shape[0] * picture.shape[1]
        assert decoded <= stated, f"{decoded} pixels are decoded, the header states {stated}"
