"""Labelled and found regions, and words, on which scores are compared with another's.

The same seed always gives the same ones. Outlines don't cross themselves: the other implementation
leaves such ones out, and the official scripts don't.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import shapely

from edgeocr.accuracy.labels import LabelledLine
from edgeocr.accuracy.places import Polygon

Scene = tuple[list[LabelledLine], list[tuple[Polygon, str]]]

SCENES, SEED = 300, 2015
WORDS = (
    ("Hello", "hello"),
    ("Hello", "hellO"),
    ("Hello", "hallo"),
    ("don't", "dont"),
    ("don't", "don t"),
    ("A-B", "ab"),
    ("10%", "10"),
    ("10", "1O"),
    ("Café", "caf"),
    ("Café", "cafe"),
    ("!!!", "..."),
    ("!!!", "a"),
    ("", ""),
    ("word", ""),
    ("", "word"),
    ("two words", "TWOWORDS"),
    ("№5", "5"),
    ("Straße", "strae"),
    ("ＡＢＣ", "abc"),
)


def box(x: float, y: float, width: float, height: float) -> Polygon:
    return np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height]], float)


def hand_made() -> Iterator[Scene]:
    """Yield scenes at the limits of the rules."""
    word, unread = LabelledLine(box(0, 0, 100, 10), "ab", True), box(0, 50, 100, 10)
    yield [], []
    yield [word], []
    yield [], [(box(0, 0, 9, 9), "")]
    yield [word], [(box(0, 0, 100, 10), "ab")]
    yield [word], [(box(0, 0, 50, 10), "ab")]  # an IoU of exactly 0.5 is too little
    yield [word], [(box(0, 0, 51, 10), "ab")]
    yield [word], [(box(0, 0, 55, 10), "a"), (box(0, 0, 100, 10), "ab")]  # the first one matches
    yield [word, word], [(box(0, 0, 100, 10), "ab")]
    ignored = LabelledLine(box(0, 0, 100, 10), "###", False)
    yield [word, ignored], [(box(0, 0, 100, 10), "ab")]  # it is left out before it can match
    yield [ignored], [(box(0, 0, 200, 10), "half of it is covered")]
    yield [ignored], [(box(0, 0, 199, 10), "more than half of it is covered")]
    yield [ignored, word], [(unread, "elsewhere")]
    yield [ignored], []


def random() -> Iterator[Scene]:
    """Yield scenes of crowded, tilted regions that are found in part, cut, joined or twice."""
    rng = np.random.default_rng(SEED)
    for _ in range(SCENES):
        labels = [
            LabelledLine(_quad(rng), _text(rng), bool(rng.random() < 0.75))
            for _ in range(rng.integers(0, 9))
        ]
        found: list[tuple[Polygon, str]] = []
        for label in labels:
            for _ in range(rng.choice(3, p=[0.15, 0.65, 0.2])):
                moved = label.polygon + rng.normal(0, rng.choice([1, 6]), (4, 2))
                if rng.random() < 0.2:  # half of it
                    moved[1:3] = (moved[1:3] + moved[[0, 3]]) / 2
                found.append((moved, label.text if rng.random() < 0.6 else _text(rng)))
        found += [(_quad(rng), _text(rng)) for _ in range(rng.integers(0, 3))]
        rng.shuffle(found)
        yield labels, [each for each in found if shapely.Polygon(each[0]).is_valid]


def _quad(rng: np.random.Generator) -> Polygon:
    width, height, angle = rng.uniform(30, 90), rng.uniform(12, 30), rng.uniform(-0.6, 0.6)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    corners = (box(0, 0, width, height) - [width / 2, height / 2]) @ turn
    return np.round(corners + rng.uniform(30, 170, 2))


def _text(rng: np.random.Generator) -> str:
    return "".join(rng.choice(list("abAB1!"), rng.integers(1, 4)))
