"""Maps for EAST's decoder, drawn from seeds, for the tests and for their oracle."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.support.ideal import east as ideal
from tests.support.scenes import of_zoo, quad_field, rounded, score_field, words

Maps = tuple[NDArray[np.float32], NDArray[np.float32]]

NUMBERS: dict[str, Any] = {"score_threshold": 0.8, "cover_threshold": 0.1, "nms_threshold": 0.2}


def blurred(maps: Maps, seed: int, jitter: float) -> Maps:
    """Return maps as a network gives them: scores vary, and corners are `jitter` pixels off."""
    score, geometry = maps
    random = np.random.RandomState(seed)
    sure = score * random.uniform(0.7, 1, score.shape)
    moved = geometry + random.normal(0, jitter, geometry.shape)
    return rounded(sure, 4), rounded(moved, 2)


def strayed(maps: Maps, seed: int) -> Maps:
    """Return maps in which one pixel of 500 is sure of a quad that is not there."""
    score, geometry = (array.copy() for array in maps)
    random = np.random.RandomState(seed)
    stray = random.uniform(size=score.shape) < 0.002
    geometry[:, stray] = random.uniform(-40, 40, (8, int(stray.sum())))
    score[stray] = 0.95
    return score, geometry


def smooth(seed: int, height: int, width: int) -> Maps:
    """Return smooth random fields: blots of text whose quads grow and shift from place to place."""
    random = np.random.RandomState(seed)
    score = score_field(random, height, width)
    _, geometry = quad_field(random, height, width, (24, 10), 1.5)
    return rounded(score, 4), rounded(geometry.transpose(2, 0, 1), 2)


def cases() -> Iterator[tuple[str, Maps]]:
    """Yield the name and the maps of each case."""
    for seed, (number, height, width) in enumerate(
        [(1, 64, 128), (6, 256, 320), (20, 320, 480), (60, 640, 640)]
    ):
        perfect = ideal.maps(words(seed, number, height, width), height, width)
        yield f"ideal_{number}", perfect
        yield f"blurred_{number}", blurred(perfect, seed, 1.5)
        yield f"rough_{number}", blurred(perfect, seed, 3)
    for seed in range(4):
        yield f"smooth_{seed}", smooth(seed, 256, 384)
    for network in ("det_mv3_east", "det_r50_vd_east"):
        for run, maps in enumerate(of_zoo(network)):
            yield f"{network}_{run}", (maps[1][0], maps[8])
