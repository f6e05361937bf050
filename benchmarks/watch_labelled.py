"""Pictures with labels as frames of videos: the test pictures, and signs that are drawn."""

from __future__ import annotations

from random import Random

import cv2
import numpy as np
from numpy.typing import NDArray

from edgeocr.accuracy import label_file
from edgeocr.accuracy.labels import DONT_CARE
from edgeocr.images import Image

from .pages import draw_sign
from .peers import OWN_PICTURES
from .watch_drawing import HEIGHT, WIDTH, own_picture
from .watch_truth import Shown

# A line that slopes more than this is shown but not counted, because these scenes don't measure how
# well a single picture is read.
_MOST_SLOPE = 0.2
_LEAST_HEIGHT = 18


def labelled_picture(name: str, shot: str) -> tuple[Image, tuple[Shown, ...]]:
    """Return a test picture as a frame, and its lines.

    Curved, turned and very small lines are not counted.

    Args:
        name: The picture.
        shot: The beginning of the names of its lines.
    """
    labels = label_file.labels_of(OWN_PICTURES / "Label.txt")[(OWN_PICTURES / name).resolve()]
    return _framed(own_picture(name), [(each.text, each.polygon) for each in labels], shot)


def drawn_sign(shot: str, seed: int) -> tuple[Image, tuple[Shown, ...]]:
    """Return a sign of `python -m benchmarks pages` as a frame, and its lines."""
    sign = draw_sign("", Random(seed))
    picture = np.asarray(sign.image)[..., ::-1]
    return _framed(picture, [(line.text, np.array(line.corners)) for line in sign.lines], shot)


def _framed(
    picture: Image, lines: list[tuple[str, NDArray[np.floating]]], shot: str
) -> tuple[Image, tuple[Shown, ...]]:
    """Scale a picture to fit into a frame, centred on grey."""
    height, width = picture.shape[:2]
    scale = min(WIDTH / width, HEIGHT / height)
    size = (round(width * scale), round(height * scale))
    left, top = (WIDTH - size[0]) // 2, (HEIGHT - size[1]) // 2
    frame = np.full((HEIGHT, WIDTH, 3), 96, np.uint8)
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    frame[top : top + size[1], left : left + size[0]] = cv2.resize(picture, size, interpolation=how)
    shown = []
    for i, (text, polygon) in enumerate(lines):
        outline = (np.asarray(polygon, np.float32) * scale + (left, top)).astype(np.float32)
        whole = text not in DONT_CARE and _counts(outline)
        quad = outline if len(outline) == 4 else cv2.boxPoints(cv2.minAreaRect(outline))
        shown.append(Shown(f"{shot} {i}", text, np.asarray(quad, np.float32), whole))
    return frame, tuple(shown)


def _counts(outline: NDArray[np.float32]) -> bool:
    if len(outline) != 4:
        return False
    along, down = outline[1] - outline[0], outline[3] - outline[0]
    upright = along[0] > 0 and abs(along[1]) < _MOST_SLOPE * along[0]
    return bool(upright and np.linalg.norm(down) >= _LEAST_HEIGHT)
