"""Read the labelled test pictures, and cut out of them what the fixtures need."""

import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.oracle.reference import perspective_crop

CROP_HEIGHT = 48


@dataclass(frozen=True)
class Picture:
    """A picture, uint8 BGR, and the quads float32 [4, 2] of its legible labels."""

    name: str
    pixels: NDArray[np.uint8]
    quads: tuple[NDArray[np.float32], ...]


def read_pictures(folder: Path, names: tuple[str, ...]) -> list[Picture]:
    """Read the pictures NAME.jpg of a folder, with their quads from its Label.txt."""
    labels = {}
    for line in (folder / "Label.txt").read_text("utf-8").splitlines():
        path, separator, regions = line.partition("\t")
        if separator:
            labels[Path(path).stem] = json.loads(regions)
    pictures = []
    for name in names:
        pixels = cv2.imread(str(folder / f"{name}.jpg"), cv2.IMREAD_COLOR)
        if pixels is None:
            raise SystemExit(f"{folder / name}.jpg cannot be read")
        quads = tuple(
            np.array(region["points"], np.float32)
            for region in labels[name]
            if len(region["points"]) == 4 and region["transcription"] not in ("", "###")
        )
        pictures.append(Picture(name, np.asarray(pixels, np.uint8), quads))
    return pictures


def text_window(picture: Picture, height: int, width: int) -> NDArray[np.uint8]:
    """Return the part of this size around a label's centre that holds the most whole labels."""
    rows, columns = picture.pixels.shape[:2]
    if rows < height or columns < width:
        raise SystemExit(f"{picture.name}.jpg is smaller than {height} x {width}")
    corners = np.stack(picture.quads)
    best, most = (0, 0), -1
    for quad in picture.quads:
        x, y = quad.mean(axis=0)
        left = int(np.clip(x - width / 2, 0, columns - width))
        top = int(np.clip(y - height / 2, 0, rows - height))
        inside = (corners >= (left, top)) & (corners <= (left + width, top + height))
        held = int(inside.all(axis=(1, 2)).sum())
        if held > most:
            best, most = (top, left), held
    top, left = best
    return picture.pixels[top : top + height, left : left + width]


def resize_for_detection(pixels: NDArray[np.uint8], side: int, longer: bool) -> NDArray[np.uint8]:
    """Scale a picture so that its shorter (or longer) side is `side`, in multiples of 32."""
    rows, columns = pixels.shape[:2]
    ratio = side / (max(rows, columns) if longer else min(rows, columns))
    height, width = (max(32, round(length * ratio / 32) * 32) for length in (rows, columns))
    return np.asarray(cv2.resize(pixels, (width, height)), np.uint8)


def line_crop(
    pixels: NDArray[np.uint8], quad: NDArray[np.float32], width: int | None = None
) -> NDArray[np.uint8]:
    """Cut out a quad as an upright line 48 pixels high, `width` or as many as it needs wide."""
    crop = perspective_crop(pixels, quad)
    natural = max(16, round(CROP_HEIGHT * crop.shape[1] / crop.shape[0]))
    return np.asarray(cv2.resize(crop, (width or natural, CROP_HEIGHT)), np.uint8)


def lines_nearest(
    pictures: list[Picture], natural: int, width: int, count: int
) -> NDArray[np.uint8]:
    """Cut out the `count` lines whose natural width is nearest to `natural`, `width` wide.

    Returns:
        uint8 BGR [count, 48, width, 3], at most one line of each picture.
    """
    candidates = []
    for picture in pictures:
        misses = [abs(line_crop(picture.pixels, quad).shape[1] - natural) for quad in picture.quads]
        nearest = int(np.argmin(misses))
        crop = line_crop(picture.pixels, picture.quads[nearest], width)
        candidates.append((misses[nearest], picture.name, crop))
    candidates.sort(key=lambda candidate: candidate[:2])
    return np.stack([crop for _, _, crop in candidates[:count]])
