"""The sets of input shapes that a bundle is frozen with."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from converters.bundle.shapes import LONGEST, sizes, widths, with_shapes
from edgeocr.bundle.manifest import Resize
from edgeocr.resize import finite_size, network_size

RULES = [
    Resize("min", 544, 900_000, 32),
    Resize("min", 736, 3_200_000, 32),
    Resize("max", 960, 3_200_000, 32),
    Resize("long", 1536, 3_200_000, 128, "up"),
    Resize("height", 768, 3_200_000, 128, "up", 1.25),
]
LINES: dict[str, Any] = {"min_width": 16, "max_width": 3200, "margin": 8, "multiple": 8}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.limit)
def test_every_picture_fits_at_its_own_scale(rule: Resize) -> None:
    found = sizes(rule)
    assert found == sorted(found) and len(found) <= 51
    assert all(side % rule.multiple == 0 for size in found for side in size)
    rule = Resize(**{**vars(rule), "sizes": found})
    rng = np.random.default_rng(3)
    overhead = []
    for _ in range(2000):
        area, proportion = np.exp(rng.uniform((8.4, -2.7), (16.6, 2.7)))
        natural = network_size(
            max(1, round(math.sqrt(area / proportion))),
            max(1, round(math.sqrt(area * proportion))),
            rule,
        )
        inside, outside = finite_size(*natural, rule)
        assert inside == natural
        assert list(outside) in found and outside[0] >= inside[0] and outside[1] >= inside[1]
        if min(natural) >= rule.limit_side / 2:
            overhead.append(math.prod(outside) / math.prod(inside))
    assert max(overhead) < 1.9 and np.mean(overhead) < 1.35


def test_longer_pictures_are_scaled_down() -> None:
    rule = RULES[0]
    rule = Resize(**{**vars(rule), "sizes": sizes(rule)})
    natural = network_size(100, 100 * 3 * LONGEST, rule)
    inside, outside = finite_size(*natural, rule)
    assert list(outside) in rule.sizes
    assert inside[0] <= outside[0] and inside[1] <= outside[1] and inside != natural


def test_widths() -> None:
    found = widths(LINES)
    assert found[0] == 64 and found[-1] == 3208
    assert all(width % 8 == 0 for width in found)
    # No step is wider than a tenth, or than the network's stride.
    assert all(b - a <= max(8, 0.1 * a + 8) for a, b in pairwise(found))
    assert len(found) == 38
    assert widths({**LINES, "min_width": 240})[0] == 240
    assert widths({**LINES, "width": 100}) == [100]


@pytest.mark.parametrize("task", ["detection", "spotting"])
def test_a_stage_that_takes_images(task: str) -> None:
    resize = {"limit": "min", "limit_side": 544, "max_pixels": 900_000, "multiple": 32}
    made = with_shapes(task, {"resize": resize, "postprocess": {}})
    assert made["resize"] == {**resize, "sizes": sizes(RULES[0])}
    own = with_shapes(task, {"resize": {**resize, "sizes": [[64, 64]]}})
    assert own["resize"]["sizes"] == [[64, 64]]


def test_stages_that_take_crops() -> None:
    assert with_shapes("recognition", LINES)["widths"] == widths(LINES)
    assert with_shapes("recognition", LINES)["batches"] == [1, 4]
    assert with_shapes("orientation", {"width": 192}) == {"width": 192, "batches": [1, 4]}
