"""The input shapes that a stage is limited to where every new shape costs time.

A GPU's libraries choose algorithms, or build an engine, for each new input shape. Execution
providers that use them therefore get a finite set of shapes, which a bundle's manifest lists, and
inputs are padded to the nearest of them.
"""

from __future__ import annotations

import math
from dataclasses import replace

from edgeocr.bundle.manifest import Orientation, PageStage, Recognition, Resize
from edgeocr.resize import network_size

from ..model.stages import Stage

# The ratio between two neighbouring sides of a detection input. Padding changes what the networks
# see (the mean of a channel is taken over the whole picture) and costs time: on 12 photographs,
# with 1.3 the area grows by 11 to 17 % and Hmean stays within 0.7 points; with 1.5 the area grows
# by 30 % and a point is lost; 1.15 doubles the number of sizes.
SIDE_STEP = 1.3
# The ratio between two neighbouring widths of a line. Padding a line by up to a quarter changes the
# text of one line in 60 on 12 photographs, padding it by up to a tenth that of one line in 240.
WIDTH_STEP = 1.1
# The smallest width in pixels; narrower lines are padded to it.
NARROWEST = 64
# The sizes are made for pictures whose longer side is at most 16 times the shorter one and whose
# area in pixels lies between these two. Longer pictures are scaled down until they fit.
LONGEST = 16
AREAS = (64 * 64, 4096 * 4096)
# Numbers of crops in a run on a GPU: a single crop doesn't fill it, and more than four crops of a
# page seldom have the same width.
BATCHES = [1, 4]


def with_shapes(stage: Stage) -> Stage:
    """Return the stage with its sets of input shapes; sets that it has already are kept."""
    if isinstance(stage, Recognition):
        return replace(
            stage, batches=stage.batches or BATCHES, widths=stage.widths or widths(stage)
        )
    if isinstance(stage, Orientation):
        return replace(stage, batches=stage.batches or BATCHES)
    if isinstance(stage, PageStage):
        return stage  # its input has one shape
    rule = stage.resize
    return replace(stage, resize=replace(rule, sizes=rule.sizes or sizes(rule)))


def sizes(rule: Resize) -> list[list[int]]:
    """Return [height, width] of inputs that hold whatever a rule makes of a picture, ascending."""
    # A natural size has a side of the rule's limit, or as many pixels as the rule allows.
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


def widths(stage: Recognition) -> list[int]:
    """Return the input widths in pixels for a recognition network, ascending."""
    if stage.width is not None:
        return [stage.width]
    most = _up(stage.max_width + stage.margin, stage.multiple)
    found = [_up(max(stage.min_width, NARROWEST), stage.multiple)]
    while found[-1] < most:
        found.append(min(most, _up(math.ceil(found[-1] * WIDTH_STEP), stage.multiple)))
    return found


def _ladder(rule: Resize) -> list[int]:
    """Return sides that are `SIDE_STEP` apart, up and down from the rule's limit.

    All are multiples of the rule's `multiple`. The smallest is half the limit: smaller pictures are
    padded to it.
    """
    begin = _up(rule.limit_side, rule.multiple)
    most = max(rule.max_pixels // rule.multiple, begin)
    up = _steps(begin, most * SIDE_STEP, SIDE_STEP)
    down = _steps(begin / 2, begin, SIDE_STEP)
    return sorted({_up(round(side), rule.multiple) for side in (*down, *up)})


def _steps(first: float, last: float, step: float) -> list[float]:
    """Return numbers from `first` to `last` whose neighbours have a ratio of at most `step`."""
    number = math.ceil(math.log(last / first) / math.log(step))
    return [first * (last / first) ** (i / number) for i in range(number + 1)]


def _up(side: int, multiple: int) -> int:
    """Round a side up to a multiple."""
    return -(-side // multiple) * multiple
