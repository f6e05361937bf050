"""Draw the pictures of docs/reading-order.md: `python -m tests.support.sheet_pictures`."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from edgeocr.layout import analyse
from tests.support.paths import ROOT
from tests.support.sheet_kinds import KINDS
from tests.support.sheets import Picture, drawn, imitated

FOLDER = ROOT / "docs" / "images"
# A sheet of each picture, by kind and seed; its width in pixels.
PICTURES = {"newspaper": 42, "perspective_table": 45}
WIDTH = 640
# Colours of blocks, one after the other, as BGR.
COLOURS = [(180, 60, 20), (20, 120, 20), (30, 30, 200), (150, 20, 150), (120, 100, 0)]


def numbered(kind: str, seed: int) -> Picture:
    """Return a picture of a sheet with its blocks in colours and a number at each line."""
    random = np.random.default_rng([list(KINDS).index(kind), seed])
    sheet = KINDS[kind](random)
    quads, texts = imitated(sheet, random)
    picture = drawn(sheet)
    if sheet.warp is not None:
        corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) * [sheet.width, sheet.height]
        quads = quads - sheet.placed(corners.astype(np.float32)).min(axis=0)
    scale = WIDTH / picture.shape[1]
    picture = np.asarray(cv2.resize(picture, None, fx=scale, fy=scale), np.uint8) // 2 + 120
    number = 0
    for k, block in enumerate(analyse(quads, texts=texts).blocks):
        colour = COLOURS[k % len(COLOURS)]
        for i in block:
            number += 1
            quad = (quads[i] * scale).round().astype(np.int32)
            cv2.polylines(picture, [quad], True, colour, 1, cv2.LINE_AA)
            place = int(quad[0, 0]) + 2, int(quad[0, 1]) + 11
            cv2.putText(picture, str(number), place, 0, 0.4, colour, 1, cv2.LINE_AA)
    return np.asarray(picture, np.uint8)


def write(folder: Path = FOLDER) -> list[Path]:
    """Write all pictures as PNG files with few colours, and return their paths."""
    folder.mkdir(exist_ok=True)
    paths = []
    for kind, seed in PICTURES.items():
        path = folder / f"{kind}.png"
        picture = numbered(kind, seed) // 16 * 16 + 15
        cv2.imwrite(str(path), picture, [cv2.IMWRITE_PNG_COMPRESSION, 9])
        paths.append(path)
    return paths


if __name__ == "__main__":
    for each in write():
        print(each.relative_to(ROOT), each.stat().st_size)
