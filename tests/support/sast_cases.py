"""Maps for SAST's decoder, drawn from seeds, for the tests and for their oracle."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tests.support.ideal import sast as ideal
from tests.support.ideal.sast import Maps
from tests.support.scenes import arcs, field, of_zoo, quad_field, rounded, score_field, words

COMMON: dict[str, Any] = {"score_threshold": 0.5, "nms_threshold": 0.2}
# PaddleOCR's numbers for ICDAR 2015 and for Total-Text.
NUMBERS: dict[str, dict[str, Any]] = {
    "quads": {"sample_points": 2, "expand_scale": 1.0, "shrink_ratio_of_width": 0.3, **COMMON},
    "polygons": {"sample_points": 6, "expand_scale": 1.2, "shrink_ratio_of_width": 0.2, **COMMON},
}


def blurred(maps: Maps, seed: int, jitter: float) -> Maps:
    """Return maps as a network gives them: scores vary, and offsets are `jitter` pixels off."""
    random = np.random.RandomState(seed)
    score = maps.tcl * random.uniform(0.55, 1, maps.tcl.shape)
    moved = [each + random.normal(0, jitter, each.shape) for each in maps[1:]]
    return Maps(rounded(score), *(rounded(each) for each in moved))


def smooth(seed: int, height: int, width: int) -> Maps:
    """Return smooth random fields: blots of centre lines whose texts grow and shift."""
    random = np.random.RandomState(seed)
    score = score_field(random, height, width)
    half, tvo = quad_field(random, height, width, (10, 4), 0.6)
    border = np.array([0, 1, 0, 1]) * field(random, 4, height, width)
    border[..., 0] -= half[..., 1]
    border[..., 2] += half[..., 1]
    tco = 2 * field(random, 2, height, width)
    planes = (rounded(each.transpose(2, 0, 1)) for each in (border, tvo, tco))
    return Maps(rounded(score), *planes)


def cases() -> Iterator[tuple[str, Maps]]:
    """Yield the name and the maps of each case."""
    for seed, number in enumerate((1, 9, 30)):
        size = 128 * (seed + 2), 160 * (seed + 2)
        for kind, scene in (("words", words), ("arcs", arcs)):
            perfect = ideal.maps(scene(seed, number, *size), *size)
            yield f"{kind}_{number}", Maps(*(rounded(each) for each in perfect))
            yield f"{kind}_{number}_blurred", blurred(perfect, seed, 0.3)
    for seed in range(4):
        yield f"smooth_{seed}", smooth(seed, 256, 384)
    for run, maps in enumerate(of_zoo("det_r50_vd_sast_icdar15")):
        yield f"zoo_{run}", Maps(maps[1][0], maps[4], maps[8], maps[2])
