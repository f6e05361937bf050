"""The scenes of the rendered videos: signs, displays, pages and parcels in front of a camera."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

import cv2
import numpy as np

from edgeocr.images import Image

from . import watch_moving_scenes as moving
from .watch_drawing import (
    HEIGHT,
    WIDTH,
    Sensor,
    backdrop,
    hide,
    lettering,
    put,
    shifted,
    standing,
)
from .watch_labelled import drawn_sign, labelled_picture
from .watch_moving_scenes import Frames, phrase
from .watch_truth import FPS, Shown, Video

# Somebody who stands before a sign: how wide, and how wide the blurred edge is, in pixels.
_PERSON, _SOFT = 260, 12
WHITE, BLACK, AMBER = (245, 245, 245), (24, 22, 20), (40, 180, 250)


@dataclass(frozen=True)
class Scene:
    """A kind of video.

    Attributes:
        name: Its name.
        about: What it shows, in a few words.
        draw: Yields each frame and its lines, without end. Its argument is the only source of
            randomness.
    """

    name: str
    about: str
    draw: Callable[[np.random.Generator], Frames]

    def render(self, seconds: float, seed: int) -> Video:
        """Draw a video of some seconds, which depends only on the seed."""
        random = np.random.default_rng([seed, *self.name.encode()])
        images, truth = [], []
        for (image, lines), _ in zip(self.draw(random), range(round(seconds * FPS)), strict=False):
            images.append(image)
            truth.append(lines)
        return Video(self.name, images, truth)


def _sign(random: np.random.Generator) -> Frames:
    picture, lines = labelled_picture("poster.jpg", "poster")
    sensor = Sensor(random, 3)
    while True:
        yield sensor.take(picture), lines


def _board(random: np.random.Generator, top: int = 90) -> tuple[Image, tuple[Shown, ...]]:
    """Draw a board with five lines in several fonts and sizes."""
    picture = backdrop("sample.jpg")
    cv2.rectangle(picture, (140, 50), (1140, 670), (222, 230, 226), -1)
    rows = (
        ("sans", 54, (40, 30, 120)),
        ("triplex", 38, BLACK),
        ("bold", 34, (110, 60, 20)),
        ("duplex", 30, BLACK),
        ("sans", 26, (60, 60, 60)),
    )
    lines = []
    for i, (face, size, colour) in enumerate(rows):
        drawn = lettering(phrase(random, 3), size, colour, face)
        lines.append(put(picture, f"row {i}", drawn, 200, top + 112 * i))
    return picture, standing(lines)


def _flicker(random: np.random.Generator) -> Frames:
    picture, lines = _board(random)
    sensor = Sensor(random, 6)
    for number in count():
        seconds = number / FPS
        # The exposure wanders, and jumps every four seconds as cameras adjust it.
        gain = 0.9 + 0.15 * np.sin(seconds * 1.7) - 0.3 * (seconds % 4 > 3)
        right, down = random.uniform(-1, 1, 2)
        lit = sensor.light(shifted(picture, right, down), gain, 2.4 * number, 0.12)
        yield sensor.take(lit), lines


def _dusk(random: np.random.Generator) -> Frames:
    picture = backdrop("poster.jpg", dim=0.4)
    cv2.rectangle(picture, (240, 80), (1040, 640), (62, 60, 56), -1)
    lines = []
    for i, face in enumerate(("sans", "bold", "triplex", "duplex", "sans", "bold")):
        words = phrase(random, 2), f"{random.integers(100, 10_000) / 100:.2f}"
        drawn = lettering(words[i % 2], (22, 20, 26)[i // 2], (150, 150, 150), face)
        lines.append(put(picture, f"row {i}", drawn, 320, 130 + 80 * i))
    sensor = Sensor(random, 12)
    for number in count():
        # A hand that holds the camera shakes, by up to three pixels.
        right, down = 2 * np.sin(number / 3), 1.5 * np.sin(number / 5) + random.uniform(-1, 1)
        soft = cv2.GaussianBlur(shifted(picture, right, down), (0, 0), 0.8)
        yield sensor.take(np.asarray(soft, np.uint8)), standing(lines)


def _subtitles(random: np.random.Generator) -> Frames:
    ground = backdrop("poster.jpg", (WIDTH + 400, HEIGHT), 0.7)
    sensor = Sensor(random, 4)
    number = 0
    for cue in count():
        drawn = lettering(phrase(random, int(random.integers(3, 7))), 38, WHITE, "bold")
        outline = lettering(drawn.text, 38, BLACK, "bold")
        pause = (0, 5, 25)[cue % 3]  # at once, after 0.2 s, after 1 s
        for i in range(pause + int(random.integers(1, 3) * FPS)):
            offset = 200 + round(200 * np.sin(number / 40))
            picture = ground[:, offset : offset + WIDTH].copy()
            line = None
            if i >= pause:
                left = (WIDTH - drawn.width) / 2
                for x, y in ((-2, 0), (2, 0), (0, -2), (0, 2)):
                    put(picture, "", outline, left + x, 620 + y)
                line = put(picture, "subtitle", drawn, left, 620)
            yield sensor.take(picture), standing([line])
            number += 1


def _cuts(random: np.random.Generator) -> Frames:
    sensor = Sensor(random, 3)
    for shot in count():
        if shot % 4 in (0, 2):
            picture, lines = labelled_picture(
                ("poster.jpg", "sample.jpg")[shot % 4 // 2], str(shot)
            )
        else:
            picture, lines = drawn_sign(str(shot), int(random.integers(1 << 30)))
        for _ in range(round(1.6 * FPS)):
            yield sensor.take(picture), lines


def _meter(random: np.random.Generator) -> Frames:
    ground = backdrop("receipt.jpg")
    cv2.rectangle(ground, (90, 90), (720, 330), (70, 72, 66), -1)
    cv2.rectangle(ground, (90, 420), (720, 640), (36, 34, 30), -1)
    cv2.rectangle(ground, (860, 160), (1160, 560), (30, 28, 24), -1)
    names = [
        put(ground, "name", lettering("ENERGY kWh", 34, WHITE), 130, 110),
        put(ground, "power", lettering("POWER W", 34, WHITE), 130, 440),
    ]
    sensor = Sensor(random, 4)
    energy, power, digit = int(random.integers(10_000, 80_000)), 0, 0
    for number in count():
        if number % FPS == 0:
            energy += 1
        if number % 8 == 0:  # about three times a second
            power = int(random.integers(1000, 9999))
        if number % 17 == 0:
            digit = (digit + int(random.integers(1, 9))) % 10
        picture = ground.copy()
        lines = [
            *names,
            put(picture, "energy", lettering(f"{energy:06}", 96, WHITE), 150, 190),
            put(picture, "watts", lettering(f"{power}", 96, AMBER, "bold"), 150, 520),
            put(picture, "digit", lettering(str(digit), 160, AMBER, "bold"), 960, 300),
        ]
        yield sensor.take(picture), standing(lines)


def _occlusion(random: np.random.Generator) -> Frames:
    picture, lines = _board(random)
    exit_sign = lettering("EXIT", 44, (30, 140, 30), "bold")
    more = put(picture, "exit", exit_sign, 960, 560)
    lines = (*lines, *standing([more]))
    sensor = Sensor(random, 3)
    for number in count():
        # Somebody walks past within 1.5 s, comes back, stands there for two seconds, and leaves.
        seconds = number / FPS % 8
        if seconds < 3.5:
            left = -300 + 1250 * (seconds - 1)
        elif seconds < 6.3:
            left = max(900, WIDTH - 1000 * (seconds - 3.5))
        else:
            left = 900 + 1000 * (seconds - 6.3)
        seen = _with_somebody(picture, round(left))
        behind = (left - _SOFT, 0, left + _PERSON + _SOFT, HEIGHT)
        yield sensor.take(seen), standing([hide(line, behind) for line in lines])


def _with_somebody(picture: Image, left: int) -> Image:
    """Return a picture before which somebody stands, out of focus, from a column on."""
    if not -_PERSON - _SOFT < left < WIDTH + _SOFT:
        return picture
    mask = np.zeros((HEIGHT, WIDTH), np.float32)
    cv2.rectangle(mask, (left, 0), (left + _PERSON, HEIGHT), 1.0, -1)
    mask = np.asarray(cv2.blur(mask, (2 * _SOFT, 1)), np.float32)
    ends = np.array([[[80, 110, 150]], [[92, 66, 52]]], np.float32)  # a face, and clothes
    colours = cv2.resize(ends, (1, HEIGHT))
    mixed = picture + (colours - picture) * mask[..., None]
    return np.asarray(np.clip(mixed, 0, 255), np.uint8)


def _display(random: np.random.Generator) -> Frames:
    ground = backdrop("badge.jpg", dim=0.6)
    cv2.rectangle(ground, (160, 120), (1120, 600), (18, 20, 18), -1)
    rows = [lettering(phrase(random, 2), 64, AMBER, face) for face in ("sans", "bold", "duplex")]
    sensor = Sensor(random, 4)
    for number in count():
        # Dark for 1.5 s of every four, and for a moment of 0.16 s.
        moment = number % (4 * FPS)
        is_on = moment < 2.5 * FPS and not 1 * FPS <= moment < 1.16 * FPS
        picture, lines = ground.copy(), []
        if is_on:
            lines = [
                put(picture, f"row {i}", row, 220, 170 + 140 * i) for i, row in enumerate(rows)
            ]
        yield sensor.take(picture), standing(lines)


SCENES = (
    Scene("sign", "a sign that doesn't change, with the noise of a sensor", _sign),
    Scene(
        "flicker",
        "a sign in flickering light, with changing exposure and a shaking hand",
        _flicker,
    ),
    Scene("dusk", "small, pale texts in little light, with much noise", _dusk),
    Scene("page", "a page that moves past, 70 pixels a second", moving.page),
    Scene("ticker-slow", "a line that moves past, 130 pixels a second", moving.slow_ticker),
    Scene("ticker-fast", "a line that moves past, 400 pixels a second", moving.fast_ticker),
    Scene("credits-slow", "lines that rise, 60 pixels a second", moving.slow_credits),
    Scene("credits-fast", "lines that rise, 180 pixels a second", moving.fast_credits),
    Scene("subtitles", "subtitles that come and go over a moving picture", _subtitles),
    Scene("cuts", "another picture every 1.6 s", _cuts),
    Scene("meter", "numbers that change once, three times and 1.5 times a second", _meter),
    Scene("conveyor", "labels with codes that pass, 240 pixels a second", moving.conveyor),
    Scene("occlusion", "a sign in front of which somebody walks and stands", _occlusion),
    Scene("display", "a display that is switched off and on", _display),
)
