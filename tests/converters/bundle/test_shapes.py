"""Test the sets of input shapes that a bundle is frozen with."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from converters.bundle.shapes import LONGEST, sizes, widths, with_shapes
from edgeocr.bundle.manifest import (
    Charset,
    EASTDetection,
    Orientation,
    Recognition,
    Resize,
    Spotting,
)
from edgeocr.bundle.postprocess_settings import EASTSettings, PGNetSettings
from edgeocr.resize import fixed_size, network_size

RULES = [
    Resize("min", 544, 900_000, 32),
    Resize("min", 736, 3_200_000, 32),
    Resize("max", 960, 3_200_000, 32),
    Resize("long", 1536, 3_200_000, 128, "up"),
    Resize("height", 768, 3_200_000, 128, "up", 1.25),
]
DETECTION = EASTDetection(
    algorithm="EAST",
    graph="graph",
    model="model",
    resize=RULES[0],
    postprocess=EASTSettings(0.8, 0.1, 0.2),
)
SPOTTING = Spotting(
    algorithm="PGNet",
    graph="graph",
    model="model",
    resize=RULES[0],
    postprocess=PGNetSettings(0.5, 1.2, 0.2, 6, 2),
    charset=Charset("file", 37, blank=36),
)
ORIENTATION = Orientation(
    algorithm="CLS",
    graph="graph",
    model="model",
    height=48,
    width=192,
    padding=127,
    degrees=[0, 180],
    threshold=0.9,
)
LINES = Recognition(
    algorithm="CTC",
    graph="graph",
    model="model",
    height=48,
    min_width=16,
    max_width=3200,
    margin=8,
    padding=127,
    multiple=8,
    charset=Charset("file", 97, blank=0),
    minimum_score=0.5,
)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.limit)
def test_sizes_hold_every_picture_at_its_own_scale(rule: Resize) -> None:
    found = sizes(rule)
    assert found == sorted(found) and len(found) <= 51
    assert all(side % rule.multiple == 0 for size in found for side in size)
    rule = replace(rule, sizes=found)
    rng = np.random.default_rng(3)
    overhead = []
    for _ in range(2000):
        area, proportion = np.exp(rng.uniform((8.4, -2.7), (16.6, 2.7)))
        natural = network_size(
            max(1, round(math.sqrt(area / proportion))),
            max(1, round(math.sqrt(area * proportion))),
            rule,
        )
        inside, outside = fixed_size(*natural, rule)
        assert inside == natural
        assert list(outside) in found and outside[0] >= inside[0] and outside[1] >= inside[1]
        if min(natural) >= rule.limit_side / 2:
            overhead.append(math.prod(outside) / math.prod(inside))
    assert max(overhead) < 1.9 and np.mean(overhead) < 1.35


def test_picture_longer_than_all_sizes_is_scaled_down() -> None:
    rule = RULES[0]
    rule = replace(rule, sizes=sizes(rule))
    natural = network_size(100, 100 * 3 * LONGEST, rule)
    inside, outside = fixed_size(*natural, rule)
    assert list(outside) in rule.sizes
    assert inside[0] <= outside[0] and inside[1] <= outside[1] and inside != natural


def test_widths_ascend_in_small_steps() -> None:
    found = widths(LINES)
    assert found[0] == 64 and found[-1] == 3208
    assert all(width % 8 == 0 for width in found)
    # No step is wider than a tenth, or than the network's stride.
    assert all(b - a <= max(8, 0.1 * a + 8) for a, b in pairwise(found))
    assert len(found) == 38
    assert widths(replace(LINES, min_width=240))[0] == 240
    assert widths(replace(LINES, width=100)) == [100]


@pytest.mark.parametrize("stage", [DETECTION, SPOTTING], ids=["detection", "spotting"])
def test_stage_that_takes_pictures_gets_sizes(stage: EASTDetection | Spotting) -> None:
    assert with_shapes(stage) == replace(stage, resize=replace(RULES[0], sizes=sizes(RULES[0])))
    own = replace(stage, resize=replace(RULES[0], sizes=[[64, 64]]))
    assert with_shapes(own) == own


def test_stages_that_take_crops_get_batches_and_widths() -> None:
    assert with_shapes(LINES) == replace(LINES, batches=[1, 4], widths=widths(LINES))
    assert with_shapes(ORIENTATION) == replace(ORIENTATION, batches=[1, 4])
