"""Decode CentripetalText's maps to quads or polygons.

CentripetalText is from Sheng, Chen and Lian 2021, "CentripetalText: An Efficient Text Instance
Representation for Scene Text Detection". The network predicts the kernel of each text, and for
each pixel of a text an offset that leads into the text's kernel.
"""

from __future__ import annotations

from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from . import maps, numbered
from .geometry import Float32, clockwise
from .maps import FARTHEST, STRIDE
from .numbered import Numbers, Rows

# PaddleOCR's numbers: the logit above which a pixel belongs to a kernel, the least number of pixels
# of a kernel, the pixels of the input in one unit of an offset, and the factor by which a rectangle
# is shrunk toward its center.
KERNEL_LOGIT = 0.2
KERNEL_PIXELS = 10
OFFSET_UNIT = 10
RECTANGLE = np.float32(0.85)
# The map of the texts' numbers, the rows of each text that is kept, and the scores of these.
_Texts: TypeAlias = tuple[Numbers, list[Rows], Float32]


def polygons(
    kernel_and_offsets: NDArray[np.float32], *, score_threshold: float, minimum_area: int
) -> tuple[list[Float32], Float32]:
    """Find polygons in CentripetalText's maps.

    If a text is in pieces, the outline is that of the largest.

    Args:
        kernel_and_offsets: float32 [3, h, w], at a quarter of the input's size: the logit of the
            kernels, and the offset, x before y, to a pixel of the kernel, in tens of pixels of the
            input. Pixels with an offset that is not finite, or that leads farther away than a
            picture is large, belong to a text only if they lie in its kernel.
        score_threshold: A text is kept if the mean probability over its kernel is at least this.
        minimum_area: Texts with fewer pixels of the input are dropped.

    Returns:
        N outlines in pixels of the network's input, float32 [P, 2] each, and float32 [N], the mean
        probabilities of the kernels.

    Raises:
        ArrayError: The array is not one of three maps.
    """
    numbers, found, scores = _texts(kernel_and_offsets, score_threshold, minimum_area)
    return [each.outline(numbers, STRIDE) for each in found], scores


def quads(
    kernel_and_offsets: NDArray[np.float32], *, score_threshold: float, minimum_area: int
) -> tuple[Float32, Float32]:
    """Find quads in CentripetalText's maps.

    Args:
        kernel_and_offsets: As in `polygons`.
        score_threshold: As in `polygons`.
        minimum_area: As in `polygons`.

    Returns:
        The smallest rectangles around the texts, shrunk by 15 % as PaddleOCR does, in pixels of the
        network's input: float32 [N, 4, 2], clockwise from the top left; and float32 [N], the mean
        probabilities of the kernels.

    Raises:
        ArrayError: The array is not one of three maps.
    """
    _, found, scores = _texts(kernel_and_offsets, score_threshold, minimum_area)
    around = [_enlarged(each).rectangle() for each in found]
    boxes = np.array(around, np.float32).reshape(-1, 4, 2)
    centers = boxes.mean(axis=1, keepdims=True)
    return clockwise(np.asarray(centers + (boxes - centers) * RECTANGLE, np.float32)), scores


def _enlarged(of_text: Rows) -> Rows:
    """Return the first and the last rows of the input's pixels of each row of the map."""
    last = STRIDE - 1
    return Rows(
        of_text.text.repeat(2),
        (of_text.row[:, None] * STRIDE + np.array([0, last])).reshape(-1),
        of_text.first.repeat(2) * STRIDE,
        of_text.last.repeat(2) * STRIDE + last,
    )


def _texts(
    kernel_and_offsets: NDArray[np.float32], score_threshold: float, minimum_area: int
) -> _Texts:
    """Return the map of the texts' numbers, the rows of the texts to keep, and their scores."""
    checked = maps.stacked("CT", "maps", kernel_and_offsets, range(3, 4))
    logit, offsets = checked[0], checked[1:]
    height, width = logit.shape
    nothing: _Texts = np.zeros(logit.shape, np.int32), [], np.empty(0, np.float32)
    if not logit.size:
        return nothing
    most, kernels = cv2.connectedComponents((logit > KERNEL_LOGIT).view(np.uint8), connectivity=4)
    counts = numbered.sizes(kernels, most - 1)
    small = counts < KERNEL_PIXELS
    small[0] = False
    kernels = np.where(small[kernels], 0, kernels).astype(np.int32)
    with np.errstate(over="ignore", invalid="ignore"):
        probability = np.where(kernels > 0, 1 / (1 + np.exp(-logit)), 0).astype(np.float32)
        near = (np.abs(offsets) < FARTHEST).all(axis=0)
        moved = np.where(near, offsets, 0) * np.float32(OFFSET_UNIT / STRIDE)
    scores = numbered.means(kernels, probability, counts)

    y, x = np.indices(logit.shape, np.float32)
    column = np.clip((x + moved[0]).astype(np.int32), 0, width - 1)
    row = np.clip((y + moved[1]).astype(np.int32), 0, height - 1)
    numbers = np.where(kernels > 0, kernels, np.where(near, kernels[row, column], 0))
    counts = numbered.sizes(numbers, most - 1)
    kept = ~small & (counts * STRIDE**2 >= max(minimum_area, 1)) & (scores >= score_threshold)
    kept[0] = False
    chosen = numbered.largest(kept, counts)
    of_text = numbered.rows(numbers, chosen)
    found = [of_text.of(each) for each in chosen.tolist()]
    return numbers, found, scores[chosen].astype(np.float32)
