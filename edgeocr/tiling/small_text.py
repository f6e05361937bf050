"""Decide which places of a picture hold text that is too small at the size that a network saw."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from ..images import Image
from ..postprocess.geometry import Float32, side_lengths
from ..results.lines import Region, quads_of
from .detail import detailed, letter_heights
from .tiles import Place

# Text is small if its letters are less than this many pixels high in the network's input.
SMALL = 5.25
# The height in pixels that most small letters have in the second look.
LIKED = 7.5
# A second look at less than this many times the scale of the first would find the same.
LEAST_GAIN = 1.25
# A region that would be higher than this in the second look is kept from the first one, because
# large letters fall apart.
LARGEST = 96.0
# The side of the cells by which small text is grouped into places, in pixels of the first look.
CELL = 32
# How many cells around small text belong to its place.
MARGIN = 1
# A sample of detail that may be text: its side in pixels of the network's input, and its scale as a
# multiple of that of the first look, which finds letters of five pixels and more.
SAMPLE = 192
SAMPLE_GAIN = 4.0
# A region proves that a sample is text if its score and the ratio of its sides are at least these.
SURE, ELONGATED = 0.65, 2.0
# After this many samples without text, the search ends.
MOST_FAILURES = 2

Boxes = NDArray[np.int64]
Mask = NDArray[np.bool_]


def places(
    image: Image,
    regions: Sequence[Region],
    scale: float,
    look: Callable[[Place], Sequence[Region]],
) -> list[Place]:
    """Return the places of a picture that are worth a second look; no two of them overlap.

    Text is known to be small where the first look has found regions with low letters. Text that is
    smaller still leaves no trace in the first look, but the picture has detail there: where there
    is much detail and no region, a sample tells whether it is text.

    Args:
        image: uint8 [H, W, 3] BGR.
        regions: What the first look has found, in pixels of the image.
        scale: The network's pixels per pixel of the image in the first look.
        look: Runs the network on a place and returns what it finds there.

    Returns:
        The places; each holds any region either wholly or not at all.
    """
    if scale * LEAST_GAIN > 1:
        return []
    quads, cell = quads_of(regions), CELL / scale
    boxes, letters = _boxes(quads), letter_heights(image, quads) * scale
    counts = detailed(image, quads, cell)
    # The scale of the second look that each cell calls for, as a multiple of the first one's.
    gains = np.zeros(counts.shape, np.float32)
    for i in np.flatnonzero(letters < SMALL).tolist():
        left, top, right, bottom = (boxes[i] / cell).astype(int).tolist()
        part = gains[top : bottom + 1, left : right + 1]
        np.maximum(part, LIKED / max(1.0, float(letters[i])), out=part)
    counts[_dilated(gains > 0)] = 0
    failures = 0
    for cells, sample in _samples(counts, cell, scale, image):
        text = _text(look(sample))
        if len(text):
            typical = float(np.quantile(letter_heights(image, text), 0.25)) * scale
            gains[cells] = LIKED / max(1.0, typical)
            continue
        failures += 1
        if failures == MOST_FAILURES:
            break
    result = []
    for box in _clusters(gains > 0, boxes, cell, image):
        left, top, right, bottom = (box / cell).astype(int).tolist()
        part = gains[top : bottom + 1, left : right + 1]
        gain = float(np.quantile(part[part > 0], 0.75))
        if gain >= LEAST_GAIN:
            left, top, right, bottom = box.tolist()
            result.append(Place(left, top, right, bottom, min(1.0, scale * gain)))
    return result


def merged(first: Sequence[Region], second: Sequence[Region], place: Place) -> list[Region]:
    """Replace what was found in a place of a picture by what a second look has found there.

    A region of the first look is kept if it is so large that its letters fall apart in the second,
    unless it is a block of several lines that the second look has told apart.

    Args:
        first: The regions of the whole picture.
        second: The regions that the second look has found in the place.
        place: The place, which holds each region of `first` wholly or not at all.
    """
    quads = quads_of(first)
    inside = _within(_boxes(quads), np.array([place.left, place.top, place.right, place.bottom]))
    kept = [first[i] for i in np.flatnonzero(~inside).tolist()]
    found = list(second)
    for i in np.flatnonzero(inside & (_heights(quads) * place.scale > LARGEST)).tolist():
        centers = [region.quad.mean(axis=0) for region in found]
        parts = [cv2.pointPolygonTest(quads[i], center.tolist(), False) >= 0 for center in centers]
        if not _lines_of(quads[i], [found[j] for j in np.flatnonzero(parts).tolist()]):
            found = [region for region, part in zip(found, parts, strict=True) if not part]
            kept.append(first[i])
    return [*kept, *found]


def _lines_of(block: Float32, parts: Sequence[Region]) -> bool:
    """Return whether regions within a block are its lines, and not letters."""
    if not parts:
        return False
    short, long = sorted(float(side[0]) for side in side_lengths(block[None]))
    lengths = np.sort(np.stack(side_lengths(quads_of(parts))), axis=0)
    return bool(((lengths[0] < 0.6 * short) & (lengths[1] > 0.5 * long)).any())


def _samples(
    counts: NDArray[np.int64], cell: float, scale: float, image: Image
) -> Iterator[tuple[Mask, Place]]:
    """Yield the cells of each connected part that has detail, and a sample of it; largest first."""
    height, width = image.shape[:2]
    scale = min(1.0, scale * SAMPLE_GAIN)
    side = round(SAMPLE / scale)
    _, labels, statistics, _ = cv2.connectedComponentsWithStats(
        _dilated(counts > 0).astype(np.uint8), connectivity=8
    )
    for label in (1 + np.argsort(-statistics[1:, cv2.CC_STAT_AREA], kind="stable")).tolist():
        cells = (labels == label) & (counts > 0)
        # The sample is taken where there is most detail.
        window = max(1, round(side / cell))
        sums = cv2.boxFilter(
            np.where(cells, counts, 0).astype(np.float32),
            -1,
            (window, window),
            normalize=False,
            borderType=cv2.BORDER_CONSTANT,
        )
        y, x = np.unravel_index(int(sums.argmax()), sums.shape)
        top = int(np.clip((y + 0.5) * cell - side / 2, 0, max(0, height - side)))
        left = int(np.clip((x + 0.5) * cell - side / 2, 0, max(0, width - side)))
        yield cells, Place(left, top, min(width, left + side), min(height, top + side), scale)


def _text(regions: Sequence[Region]) -> Float32:
    """Return the quads [N, 4, 2] of those regions that are lines of text beyond doubt."""
    sure = quads_of([region for region in regions if region.score >= SURE])
    short, long = np.sort(np.stack(side_lengths(sure)), axis=0)
    return np.asarray(sure[long >= ELONGATED * short], np.float32)


def _dilated(cells: Mask) -> Mask:
    """Return the cells and those around them."""
    side = 2 * MARGIN + 1
    around = cv2.dilate(cells.astype(np.uint8), np.ones((side, side), np.uint8))
    return np.asarray(around > 0, np.bool_)


def _clusters(cells: Mask, boxes: Boxes, cell: float, image: Image) -> Boxes:
    """Return boxes [N, 4] around connected cells; they hold any of `boxes` wholly or not at all."""
    _, _, statistics, _ = cv2.connectedComponentsWithStats(
        _dilated(cells).astype(np.uint8), connectivity=8
    )
    clusters = statistics[1:, :4].astype(np.int64)  # left, top, width, height
    clusters[:, 2:] += clusters[:, :2]
    height, width = image.shape[:2]
    grown = _whole(np.rint(clusters * cell).astype(np.int64), boxes)
    return np.clip(grown, 0, [width, height, width, height])


def _heights(quads: Float32) -> Float32:
    """Return the shorter sides [N] of quads [N, 4, 2]: the heights of lines of any direction."""
    return np.asarray(np.minimum(*side_lengths(quads)), np.float32)


def _boxes(quads: Float32) -> Boxes:
    """Return left, top, right and bottom [N, 4] of quads; right and bottom lie beyond them."""
    low, high = np.floor(quads.min(axis=1)), np.floor(quads.max(axis=1)) + 1
    return np.concatenate([low, high], axis=1).astype(np.int64)


def _within(boxes: Boxes, outer: Boxes) -> Mask:
    """Return which boxes [N, 4] lie in another one [4]."""
    inside = (boxes[:, :2] >= outer[:2]) & (boxes[:, 2:] <= outer[2:])
    return np.asarray(inside.all(axis=1), np.bool_)


def _touching(boxes: Boxes, other: Boxes) -> Mask:
    """Return which boxes [N, 4] have points in common with another one [4]."""
    common = (boxes[:, :2] < other[2:]) & (boxes[:, 2:] > other[:2])
    return np.asarray(common.all(axis=1), np.bool_)


def _whole(clusters: Boxes, boxes: Boxes) -> Boxes:
    """Grow clusters until no two of them touch and none holds only a part of a box."""
    i = 0
    while i < len(clusters):
        mine = clusters[i]
        touched = _touching(clusters, mine)
        around = np.concatenate([boxes[_touching(boxes, mine)], clusters[touched]])
        grown = np.concatenate([around[:, :2].min(axis=0), around[:, 2:].max(axis=0)])
        if (grown == mine).all():
            i += 1
            continue
        clusters[i] = grown
        touched[i] = False
        clusters = clusters[~touched]
        i -= int(touched[:i].sum())
    return clusters
