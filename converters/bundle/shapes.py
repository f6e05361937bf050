"""The few input shapes that a stage is given on execution providers that want few of them.

A GPU's libraries choose algorithms, or build an engine, for each new input shape. So pictures are
padded to the nearest of a finite set, which a bundle's manifest lists.
"""

from __future__ import annotations

import math
from typing import Any

from edgeocr.bundle.fields import parse
from edgeocr.bundle.manifest import Resize
from edgeocr.resize import network_size

# From one side of a detection input to the next. Padding makes the networks see another picture (a
# channel's mean is over all of it), and costs time: with 1.3 the area grows by 11 to 17 % on 12
# photographs and Hmean stays within 0.7 points, with 1.5 by 30 % and a point is lost; 1.15 doubles
# the number of sizes.
SIDE_STEP = 1.3
# From one width of a line to the next. Of the lines of 12 photographs a recognizer reads one in 60
# otherwise when they are padded by up to a quarter, and one in 240 when by up to a tenth.
WIDTH_STEP = 1.1
# Narrower lines are padded to this width.
NARROWEST = 64
# Pictures up to these proportions, from a thumbnail to 16 million pixels, keep their scale; longer
# ones are scaled down until they fit.
LONGEST = 16
AREAS = (64 * 64, 4096 * 4096)
# Crops in a run on a GPU, which one doesn't fill; more are seldom of one width on a page.
BATCHES = [1, 4]


def with_shapes(task: str, stage: dict[str, Any]) -> dict[str, Any]:
    """A stage of the manifest with its sets of input shapes, unless it has them."""
    if task in ("detection", "spotting"):
        rule: Resize = parse(Resize, stage["resize"])
        return {**stage, "resize": {"sizes": sizes(rule), **stage["resize"]}}
    if task == "orientation":
        return {"batches": BATCHES, **stage}
    return {"batches": BATCHES, "widths": widths(stage), **stage}


def sizes(rule: Resize) -> list[list[int]]:
    """[height, width] of inputs that hold whatever a resize rule makes of pictures, ascending."""
    # All natural sizes have one side of the rule's limit, or are bounded by its pixels.
    sides = _ladder(rule)
    found = set()
    proportions = _steps(1 / LONGEST, LONGEST, 1.01)
    for area in _steps(*AREAS, 1.2):
        for proportion in proportions:
            height = max(1, round(math.sqrt(area / proportion)))
            width = max(1, round(math.sqrt(area * proportion)))
            inside = network_size(height, width, rule)
            found.add(tuple(min(s for s in sides if s >= side) for side in inside))
    return [list(size) for size in sorted(found)]


def widths(stage: dict[str, Any]) -> list[int]:
    """Widths of a recognition network's input, ascending."""
    if (fixed := stage.get("width")) is not None:
        return [fixed]
    multiple = stage["multiple"]
    most = _up(stage["max_width"] + stage["margin"], multiple)
    found = [_up(max(stage["min_width"], NARROWEST), multiple)]
    while found[-1] < most:
        found.append(min(most, _up(math.ceil(found[-1] * WIDTH_STEP), multiple)))
    return found


def _ladder(rule: Resize) -> list[int]:
    """Multiples of the rule's, `SIDE_STEP` apart, up and down from its limit. Pictures with a side
    of less than half the limit don't get sizes of their own.
    """
    begin = _up(rule.limit_side, rule.multiple)
    most = max(rule.max_pixels // rule.multiple, begin)
    up = _steps(begin, most * SIDE_STEP, SIDE_STEP)
    down = _steps(begin / 2, begin, SIDE_STEP)
    return sorted({_up(round(side), rule.multiple) for side in (*down, *up)})


def _steps(first: float, last: float, step: float) -> list[float]:
    number = math.ceil(math.log(last / first) / math.log(step))
    return [first * (last / first) ** (i / number) for i in range(number + 1)]


def _up(side: int, multiple: int) -> int:
    return -(-side // multiple) * multiple
