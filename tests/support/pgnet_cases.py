"""Maps for PGNet's decoder, drawn from seeds, for the tests and for their oracle."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tests.support.ideal import pgnet as ideal
from tests.support.ideal.pgnet import BLANK, CHARACTERS, Maps
from tests.support.scenes import arcs, field, of_zoo, rounded, score_field, texts, words

# PaddleOCR's numbers for Total-Text.
NUMBERS: dict[str, Any] = {
    "score_threshold": 0.5,
    "expand_scale": 1.2,
    "shrink_ratio_of_width": 0.2,
    "minimum_points": 6,
    "minimum_characters": 2,
}
CHARSET = np.array([*CHARACTERS, ""], object)


def blurred(maps: Maps, seed: int) -> Maps:
    """Return maps as a network gives them: nothing is exact, and some characters are wrong."""
    random = np.random.RandomState(seed)
    return Maps(
        rounded(maps.score * random.uniform(0.55, 1, maps.score.shape)),
        rounded(maps.border + random.normal(0, 0.3, maps.border.shape)),
        rounded(maps.direction + random.normal(0, 1, maps.direction.shape)),
        rounded(5 * maps.characters + random.normal(0, 1.2, maps.characters.shape)),
    )


def smooth(seed: int, height: int, width: int) -> Maps:
    """Return smooth random fields: blots of centre lines that branch, and directions that turn."""
    random = np.random.RandomState(seed)
    score = score_field(random, height, width)
    # A line that runs out of the map goes on at the opposite side in PaddleOCR.
    score[[0, 1, -2, -1]] = 0
    score[:, [0, 1, -2, -1]] = 0
    border = np.array([3, 1, 3, 1]) * field(random, 4, height, width) + [-5, 0, 5, 0]
    direction = 8 * field(random, 2, height, width)
    characters = 3 * field(random, BLANK + 1, height, width)
    planes = (rounded(each.transpose(2, 0, 1)) for each in (border, direction, characters))
    return Maps(rounded(score), *planes)


def scene(
    kind: str, seed: int, number: int, height: int, width: int
) -> tuple[list[Any], list[str]]:
    """Return the polygons of words or arcs, and their texts."""
    polygons = {"words": words, "arcs": arcs}[kind](seed, number, height, width)
    return list(polygons), texts(seed, number, CHARACTERS)


def cases() -> Iterator[tuple[str, Maps]]:
    """Yield the name and the maps of each case."""
    for seed, number in enumerate((1, 9, 20)):
        size = 192 * (seed + 2), 256 * (seed + 2)
        for kind in ("words", "arcs"):
            perfect = ideal.maps(*scene(kind, seed, number, *size), *size)
            yield f"{kind}_{number}", Maps(*(rounded(each) for each in perfect))
            yield f"{kind}_{number}_blurred", blurred(perfect, seed)
    for seed in range(4):
        yield f"smooth_{seed}", smooth(seed, 256, 384)
    for run, maps in enumerate(of_zoo("e2e_r50_vd_pg")):
        yield f"zoo_{run}", Maps(maps[1][0], maps[4], maps[2], maps[BLANK + 1])
