"""Render the test video in this folder, meter.mp4.

It shows the panel of a machine as a camera sees it, with some noise: its name is always there, the
pressure on the display changes, and a warning lights up for a while. docs/camera.md watches it.

Font: Noto Sans CJK, as for the pictures; see make_images.py.

Usage: ``python tests/images/make_videos.py [--out DIR]`` (needs numpy, OpenCV and Pillow).
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

FONT = "/usr/share/fonts/opentype/noto/NotoSansCJK-Bold.ttc"
SIZE, FPS = (480, 270), 10
STEEL, GLASS, LIT, WHITE, RED = (
    (92, 98, 104),
    (16, 24, 20),
    (120, 240, 170),
    (240, 240, 236),
    (200, 40, 36),
)


class Scene(NamedTuple):
    """What the panel shows until a time, in seconds."""

    until: float
    pressure: str
    warning: str = ""


SCENES = (
    Scene(1.0, ""),
    Scene(2.5, "6.14 bar"),
    Scene(4.0, "6.97 bar"),
    Scene(5.5, "8.32 bar", "VALVE 2 CLOSED"),
    Scene(7.0, "7.05 bar"),
)


def panel(scene: Scene) -> Image.Image:
    """Draw the panel as it stands before the camera."""
    sheet = Image.new("RGB", SIZE, STEEL)
    draw = ImageDraw.Draw(sheet)
    draw.text((40, 24), "BOILER 3", WHITE, ImageFont.truetype(FONT, 30))
    draw.rounded_rectangle((36, 84, 330, 168), 8, GLASS)
    draw.text((56, 92), scene.pressure, LIT, ImageFont.truetype(FONT, 48))
    draw.rounded_rectangle((36, 196, 444, 248), 8, RED if scene.warning else GLASS)
    draw.text((60, 200), scene.warning, WHITE, ImageFont.truetype(FONT, 32))
    return sheet


def main() -> None:
    """Write the video."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    out = parser.parse_args().out / "meter.mp4"
    chance = np.random.default_rng(7)
    video = cv2.VideoWriter(str(out), cv2.VideoWriter.fourcc(*"mp4v"), FPS, SIZE)
    if not video.isOpened():
        raise SystemExit(f"{out}: OpenCV can't write MPEG-4")
    start = 0.0
    for scene in SCENES:
        drawn = cv2.GaussianBlur(np.asarray(panel(scene))[..., ::-1], (3, 3), 0)
        for _ in range(round((scene.until - start) * FPS)):
            noisy = drawn + chance.normal(0, 3, drawn.shape)
            video.write(np.clip(noisy, 0, 255).astype(np.uint8))
        start = scene.until
    video.release()


if __name__ == "__main__":
    main()
