"""The scenes of the rendered videos in which texts move: pages, tickers, credits, parcels."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import TypeAlias

import cv2
import numpy as np

from edgeocr.images import Image

from .drawn_picture import WORDS
from .watch_drawing import (
    HEIGHT,
    WIDTH,
    Face,
    Lettering,
    Sensor,
    backdrop,
    lettering,
    put,
    shifted,
    shown,
    standing,
)
from .watch_truth import FPS, Shown

WHITE, INK = (245, 245, 245), (34, 30, 28)
Frames: TypeAlias = Iterator[tuple[Image, tuple[Shown, ...]]]


def phrase(random: np.random.Generator, words: int) -> str:
    """Return some different words, the first of which begins with a capital."""
    chosen = [WORDS[i] for i in random.choice(len(WORDS), words, replace=False)]
    return " ".join([chosen[0].title(), *chosen[1:]])


def page(random: np.random.Generator) -> Frames:
    """Yield a page of text that moves up steadily, by fractions of pixels, under a camera."""
    speed, length = 70 / FPS, 6000
    paper = backdrop("receipt.jpg", (WIDTH, length))
    paper[:, 120:1160] = (236, 240, 240)
    rows: list[tuple[int, Lettering]] = []
    top = 60
    while top < length - 80:
        face: Face = ("sans", "triplex", "duplex")[len(rows) % 3]
        size = (30, 34, 40)[len(rows) % 3]
        drawn = lettering(phrase(random, int(random.integers(3, 6))), size, INK, face)
        put(paper, "", drawn, 180, top)
        rows.append((top, drawn))
        top += 78
    sensor = Sensor(random, 3)
    for number in count():
        offset = number * speed
        whole = int(offset)
        seen = shifted(paper[whole : whole + HEIGHT + 1], 0, whole - offset)[:HEIGHT]
        lines = [shown(f"row {i}", drawn, 180, top - offset) for i, (top, drawn) in enumerate(rows)]
        yield sensor.take(seen), standing(lines)


def slow_ticker(random: np.random.Generator) -> Frames:
    """Yield headlines that run from right to left, one after the other."""
    return _ticker(random, 130)


def fast_ticker(random: np.random.Generator) -> Frames:
    """Yield headlines that run three times as fast."""
    return _ticker(random, 400)


def _ticker(random: np.random.Generator, speed: float) -> Frames:
    ground = backdrop("poster.jpg")
    title = put(ground, "title", lettering("World news", 56, WHITE, "bold"), 100, 120)
    cv2.rectangle(ground, (0, 590), (WIDTH, 680), (120, 40, 30), -1)
    headlines, begin = [], 200.0
    while begin < 60 * speed + WIDTH:
        drawn = lettering(phrase(random, int(random.integers(3, 6))), 44, WHITE)
        headlines.append((begin, drawn))
        begin += drawn.width + 220
    sensor = Sensor(random, 3)
    for number in count():
        picture = ground.copy()
        lines = [title]
        for i, (begin, drawn) in enumerate(headlines):
            left = begin - number * speed / FPS
            if -drawn.width < left < WIDTH:
                lines.append(put(picture, f"headline {i}", drawn, left, 612))
        yield sensor.take(picture), standing(lines)


def slow_credits(random: np.random.Generator) -> Frames:
    """Yield lines that rise from the bottom to the top of a dark picture."""
    return _credits(random, 60)


def fast_credits(random: np.random.Generator) -> Frames:
    """Yield lines that rise three times as fast."""
    return _credits(random, 180)


def _credits(random: np.random.Generator, speed: float) -> Frames:
    ground = backdrop("badge.jpg", dim=0.3)
    rows = []
    for i in range(int(60 * speed / 120)):
        face: Face = ("bold", "sans", "triplex")[i % 3]
        rows.append(lettering(phrase(random, 2), (46, 40, 40)[i % 3], WHITE, face))
    sensor = Sensor(random, 3)
    for number in count():
        picture, lines = ground.copy(), []
        for i, drawn in enumerate(rows):
            top = 300 + 120 * i - number * speed / FPS
            if -drawn.height < top < HEIGHT:
                lines.append(put(picture, f"row {i}", drawn, (WIDTH - drawn.width) / 2, top))
        yield sensor.take(picture), standing(lines)


def conveyor(random: np.random.Generator) -> Frames:
    """Yield parcels with codes that pass from right to left, blurred by their motion."""
    speed = 240 / FPS
    belt = backdrop("sample.jpg", (WIDTH, HEIGHT), 0.5)
    name = put(belt, "name", lettering("Line 4", 48, WHITE, "bold"), 80, 50)
    ribs = (random.standard_normal((1, 640, 1), np.float32) * 9).repeat(3, axis=2)
    parcels, begin = [], 500.0
    for _ in range(200):
        letters = "".join(chr(65 + i) for i in random.integers(0, 26, 2))
        text = f"{letters}-{random.integers(1000, 9999)}-{random.integers(10, 99)}"
        parcels.append((begin, int(random.integers(260, 420)), lettering(text, 46, INK)))
        begin += 640
    sensor = Sensor(random, 4)
    for number in count():
        moved = number * speed
        picture = belt.copy()
        turned = np.roll(ribs, -round(moved), axis=1)
        texture = np.tile(turned, (480, 2, 1)).astype(np.int16)
        picture[200:680] = cv2.add(picture[200:680], texture, dtype=cv2.CV_8U)
        lines = [name]
        for i, (start, top, code) in enumerate(parcels):
            left = round(start - moved)
            if -560 < left < WIDTH + 60:
                cv2.rectangle(
                    picture, (left - 50, top - 50), (left + 440, top + 150), (110, 160, 190), -1
                )
                cv2.rectangle(picture, (left - 20, top - 20), (left + 380, top + 70), WHITE, -1)
                lines.append(put(picture, f"parcel {i}", code, left, top))
        picture[200:680] = cv2.blur(picture[200:680], (3, 1))
        yield sensor.take(picture), standing(lines)
