"""Short videos that show one text after the other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

SIZE, FPS = (480, 200), 10


def frame(text: str, top: int = 60) -> NDArray[np.uint8]:
    """Draw black letters on light ground: uint8 [200, 480, 3]."""
    image = np.full((SIZE[1], SIZE[0], 3), 225, np.uint8)
    place = (40, top + 40)
    cv2.putText(image, text, place, cv2.FONT_HERSHEY_SIMPLEX, 1.4, (20, 20, 20), 3, cv2.LINE_AA)
    return image


def clip(path: Path, scenes: Sequence[tuple[float, str]], top: int = 60) -> Path:
    """Write a video of 10 frames a second.

    Args:
        path: The file, an .avi.
        scenes: For how many seconds each text is shown; an empty one shows the bare ground.
        top: Where the texts stand, in pixels.
    """
    video = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), FPS, SIZE)
    assert video.isOpened(), path
    for seconds, text in scenes:
        for _ in range(round(seconds * FPS)):
            video.write(frame(text, top))
    video.release()
    return path
