"""Decode PSENet's kernel maps to quads or polygons.

PSENet is from Wang et al. 2019, "Shape Robust Text Detection with Progressive Scale Expansion
Network". The network predicts each text in several sizes. The smallest kernels tell texts apart,
and are grown through the next larger ones up to the whole text. A pixel that several texts could
take belongs to the one that reaches it first.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from . import maps, numbered
from .geometry import Float32, clockwise
from .maps import STRIDE
from .numbered import Numbers, Rows

# Kernels that a network may have; the published ones have 7.
KERNELS = range(2, 65)
# The map of the texts' numbers, the rows of each text that is kept, and the scores of these.
_Texts: TypeAlias = tuple[Numbers, list[Rows], Float32]


def polygons(
    kernels: NDArray[np.float32],
    *,
    threshold: float,
    box_threshold: float,
    minimum_area: int,
    scale: Literal[1, 2, 4],
) -> tuple[list[Float32], Float32]:
    """Find polygons in PSENet's maps.

    Args:
        kernels: float32 [K, h, w], logits at a quarter of the input's size: whole texts first, the
            smallest kernels last. NaN belongs to no text.
        threshold: A pixel with a larger logit belongs to a kernel.
        box_threshold: A text is kept if its mean probability is at least this.
        minimum_area: Texts and smallest kernels with fewer pixels are dropped.
        scale: The size of the pixels on which texts grow, in pixels of the input. With 1 or 2 the
            maps are enlarged before.

    Returns:
        N outlines in pixels of the network's input, float32 [P, 2] each, and float32 [N], the mean
        probabilities of the texts.

    Raises:
        ArrayError: `kernels` is not an array of maps.
    """
    numbers, found, scores = _texts(kernels, threshold, box_threshold, minimum_area, scale)
    return [each.outline(numbers, 1) * np.float32(scale) for each in found], scores


def quads(
    kernels: NDArray[np.float32],
    *,
    threshold: float,
    box_threshold: float,
    minimum_area: int,
    scale: Literal[1, 2, 4],
) -> tuple[Float32, Float32]:
    """Find quads, the smallest rectangles around texts, in PSENet's maps.

    Args:
        kernels: As in `polygons`.
        threshold: As in `polygons`.
        box_threshold: As in `polygons`.
        minimum_area: As in `polygons`.
        scale: As in `polygons`.

    Returns:
        Quads in pixels of the network's input, float32 [N, 4, 2], clockwise from the top left, and
        float32 [N], the mean probabilities of the texts.

    Raises:
        ArrayError: `kernels` is not an array of maps.
    """
    _, found, scores = _texts(kernels, threshold, box_threshold, minimum_area, scale)
    around = np.array([each.rectangle() for each in found], np.float32).reshape(-1, 4, 2)
    return clockwise(around * np.float32(scale)), scores


def _texts(
    kernels: NDArray[np.float32],
    threshold: float,
    box_threshold: float,
    minimum_area: int,
    scale: int,
) -> _Texts:
    """Return the map of the texts' numbers, the rows of the texts to keep, and their scores."""
    logits = maps.stacked("PSE", "kernels", kernels, KERNELS)
    nothing: _Texts = np.zeros(logits.shape[1:], np.int32), [], np.empty(0, np.float32)
    if not logits[0].size:
        return nothing
    texts, inside = _inside(logits, threshold, STRIDE // scale)
    most, numbers = cv2.connectedComponents(inside[-1], connectivity=4)
    if most < 2:
        return nothing
    small = numbered.sizes(numbers, most - 1) < minimum_area
    small[0] = False
    numbers = expanded(np.where(small[numbers], 0, numbers).astype(np.int32), inside)

    with np.errstate(over="ignore"):
        probability = np.asarray(1 / (1 + np.exp(-texts)), np.float32)
    probability[numbers == 0] = 0
    counts = numbered.sizes(numbers, most - 1)
    scores = numbered.means(numbers, probability, counts)
    kept = (counts >= max(minimum_area, 1)) & (scores >= box_threshold)
    kept[0] = False
    chosen = numbered.largest(kept, counts)
    of_text = numbered.rows(np.where(kept[numbers], numbers, 0).astype(np.int32))
    found = [of_text.of(each) for each in chosen.tolist()]
    return numbers, found, scores[chosen].astype(np.float32)


def _inside(logits: Float32, threshold: float, factor: int) -> tuple[Float32, NDArray[np.uint8]]:
    """Enlarge logits [K, h, w], and tell which pixels are in each kernel and in a whole text.

    Returns:
        The logits of whole texts, float32 [factor · h, factor · w], and uint8 of K such maps, 1
        inside.
    """
    # One map at a time, because enlarged maps take 16 times the memory with a factor of 4.
    enlarged = (cv2.resize(each, None, fx=factor, fy=factor) for each in logits)
    texts = np.asarray(next(enlarged), np.float32)
    first = texts > threshold
    inside = np.stack([first, *((each > threshold) & first for each in enlarged)])
    return texts, inside.view(np.uint8)


def expanded(numbers: Numbers, kernels: NDArray[np.uint8]) -> Numbers:
    """Grow numbered texts through kernels, the last first, one ring of pixels at a time.

    The result is that of PSENet's queue, in which pixels wait to pass their text's number on to
    their upper, lower, left and right neighbours: a pixel that passes it on leaves the queue, and
    one that finds no free neighbour in a kernel waits for the next larger one. Here all pixels of a
    ring, which stand next to each other in the queue, are handled at once.

    Args:
        numbers: The number of each text, int32 [h, w], where it begins to grow, and 0 elsewhere.
        kernels: uint8 [K, h, w], 1 where texts may grow; each of them lies within the first.

    Returns:
        The grown texts, int32 [h, w]. In each kernel a text grows by no more rings than the map's
        height and width together, which only a labyrinth would need.
    """
    height, width = numbers.shape
    steps = np.array([-width - 2, width + 2, -1, 1])
    owner = np.pad(numbers, 1).reshape(-1)
    # The place of a pixel in the queue; only pixels that were reached in this ring are looked up.
    place = np.zeros(len(owner), np.int64)
    everywhere = np.pad(kernels[0], 1).reshape(-1) != 0
    waiting = np.flatnonzero(owner)
    for kernel in kernels[::-1]:
        unclaimed = owner == 0
        # Pixels that can't grow in the largest kernel can't grow in any.
        waiting = waiting[(everywhere & unclaimed)[waiting[:, None] + steps].any(axis=1)]
        free = (np.pad(kernel, 1).reshape(-1) != 0) & unclaimed
        queue, stayed = waiting, []
        for _ in range(height + width):
            if not len(queue):
                break
            parent, step = np.nonzero(free[queue[:, None] + steps])
            reached = queue[parent] + steps[step]
            order = np.arange(len(reached))
            place[reached[::-1]] = order[::-1]  # the first of those that reach a pixel
            first = place[reached] == order
            parent, reached = parent[first], reached[first]
            owner[reached] = owner[queue[parent]]
            free[reached] = False
            passed = np.zeros(len(queue), bool)
            passed[parent] = True
            stayed.append(queue[~passed])
            queue = reached
        waiting = np.concatenate(stayed) if stayed else waiting
    return np.ascontiguousarray(owner.reshape(height + 2, width + 2)[1:-1, 1:-1])
