"""Decode PSENet's kernel maps to quads or polygons.

PSENet is from Wang et al. 2019, "Shape Robust Text Detection with Progressive Scale Expansion
Network". The network predicts each text in several sizes. The smallest kernels tell texts apart,
and are grown through the next larger ones up to the whole text. A pixel that several texts could
take belongs to the one that reaches it first.
"""

from __future__ import annotations

from collections.abc import Iterable
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
    factor = STRIDE // scale
    inside = _enlarged(logits[0], factor) > threshold
    # Enlarged maps take 16 times the memory with the scale 1, so there is one at a time.
    growing = ((_enlarged(each, factor) > threshold) & inside for each in logits[::-1])
    smallest = (_enlarged(logits[-1], factor) > threshold) & inside
    most, labels = cv2.connectedComponents(smallest.view(np.uint8), connectivity=4)
    if most < 2:
        return nothing
    numbers: Numbers = np.asarray(labels, np.int32)
    small = numbered.sizes(numbers, most - 1) < minimum_area
    numbers[small[numbers]] = 0
    numbers = expanded(numbers, inside, growing)

    counts = numbered.sizes(numbers, most - 1)
    scores = numbered.means(numbers, _sigmoid(_enlarged(logits[0], factor)), counts)
    kept = (counts >= max(minimum_area, 1)) & (scores >= box_threshold)
    kept[0] = False
    chosen = numbered.largest(kept, counts)
    of_text = numbered.rows(numbers, chosen)
    found = [of_text.of(each) for each in chosen.tolist()]
    return numbers, found, scores[chosen].astype(np.float32)


def _enlarged(logits: Float32, factor: int) -> Float32:
    """Return a new map whose sides are `factor` times as long."""
    return np.asarray(cv2.resize(logits, None, fx=factor, fy=factor), np.float32)


def _sigmoid(logits: Float32) -> Float32:
    """Turn logits into probabilities, in place."""
    np.negative(logits, out=logits)
    with np.errstate(over="ignore"):
        np.exp(logits, out=logits)
    logits += 1
    return np.asarray(np.reciprocal(logits, out=logits), np.float32)


def expanded(
    numbers: Numbers, inside: NDArray[np.bool_], kernels: Iterable[NDArray[np.bool_]]
) -> Numbers:
    """Let numbered texts grow into each kernel, the smallest first, a ring of pixels at a time.

    The result is that of PSENet's queue, in which pixels wait to pass their text's number on to
    their upper, lower, left and right neighbours: a pixel that passes it on leaves the queue, and
    one that finds no free neighbour in a kernel waits for the next larger one. Here all pixels of a
    ring, which stand next to each other in the queue, are handled at once.

    Args:
        numbers: The number of each text, int32 [h, w], where it begins to grow, and 0 elsewhere.
        inside: Which pixels are in a text, bool [h, w].
        kernels: Where texts may grow, bool [h, w] each, the smallest first and that of whole texts
            last; each of them lies within `inside`.

    Returns:
        The grown texts, int32 [h, w]. In each kernel a text grows by no more rings than the map's
        height and width together, which only a labyrinth would need.
    """
    height, width = numbers.shape
    steps = np.array([-width - 2, width + 2, -1, 1])
    owner = np.pad(numbers, 1).reshape(-1)
    # The place of a pixel in the queue; only pixels that were reached in this ring are looked up.
    place = np.empty(len(owner), np.int32)
    unclaimed = np.pad(inside, 1).reshape(-1) & (owner == 0)
    beside = np.zeros(len(owner), bool)
    for step in steps.tolist():
        beside |= np.roll(unclaimed, -step)
    waiting = np.flatnonzero(beside & (owner != 0))
    for kernel in kernels:
        # Pixels that can't grow in whole texts can't grow in any kernel.
        waiting = waiting[unclaimed[waiting[:, None] + steps].any(axis=1)]
        free = np.pad(kernel, 1).reshape(-1) & unclaimed
        queue, stayed = waiting, []
        for _ in range(height + width):
            if not len(queue):
                break
            parent, step = np.nonzero(free[queue[:, None] + steps])
            reached = queue[parent] + steps[step]
            order = np.arange(len(reached), dtype=np.int32)
            place[reached[::-1]] = order[::-1]  # the first of those that reach a pixel
            first = place[reached] == order
            parent, reached = parent[first], reached[first]
            owner[reached] = owner[queue[parent]]
            free[reached] = unclaimed[reached] = False
            passed = np.zeros(len(queue), bool)
            passed[parent] = True
            stayed.append(queue[~passed])
            queue = reached
        waiting = np.concatenate(stayed) if stayed else waiting
    return np.ascontiguousarray(owner.reshape(height + 2, width + 2)[1:-1, 1:-1])
