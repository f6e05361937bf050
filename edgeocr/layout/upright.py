"""The lean of a page's columns, whose edges aren't upright if the page was seen from the side."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .boxes import Boxes, Float64

# The next line of a column is at most NEXT line heights below. It begins at the same place, except
# for a lean of the slope LEAN, and for STRAY line heights.
NEXT, LEAN, STRAY = 2.2, 0.15, 0.3
# The lean can be told if there are two edges of at least this many lines.
LINES = 5
# Columns are straightened if an edge strays by at least this many line heights.
LEAST = 0.4
# Standard deviation of the difference between the slopes of edges at the page's left and right.
SPREAD = 0.1


def straightened(boxes: Boxes) -> Boxes:
    """Return boxes of a level page with the edges of its columns upright.

    Under perspective, all edges run towards one point, so their slopes change evenly across the
    page. The edges are fitted to the places where lines that stand one below the other begin (or
    where they end, on a page that is read from right to left).
    """
    if len(boxes) < 2 * LINES:
        return boxes
    height = boxes.line_height()
    middle = boxes.middle - boxes.middle.mean()
    centre = float(boxes.left.min() + boxes.right.max()) / 2
    both = [_edges(x - centre, middle, height) for x in (boxes.left, boxes.right)]
    edges = max(both, key=lambda found: sum(weight for _, _, weight in found))
    if len(edges) < 2:
        return boxes
    place, slope, weight = np.array(edges).T
    reach = max(float(np.ptp(boxes.left)) / 2, height)
    root = np.sqrt(weight)
    # Slopes are known to within about half a line's height over the length of the edge.
    left = np.stack([root, root * place], 1) / (0.2 * height)
    left = np.concatenate([left, [[0, reach / SPREAD]]])
    right = np.append(root * slope / (0.2 * height), 0)
    lean, change = np.linalg.lstsq(left, right, rcond=None)[0]
    fall = float(np.abs(middle).max())
    if (abs(lean) + abs(change) * reach) * fall < LEAST * height or abs(change) * fall > 0.5:
        return boxes

    def upright(x: Float64) -> Float64:
        return np.asarray((x - centre - lean * middle) / (1 + change * middle) + centre)

    return replace(boxes, left=upright(boxes.left), right=upright(boxes.right))


def _edges(x: Float64, middle: Float64, height: float) -> list[tuple[float, float, float]]:
    """Return the place, slope and weight of each edge along which lines begin or end.

    Args:
        x: Where the lines begin, or end.
        middle: How far down the lines are.
        height: The usual height of a line.
    """
    order = np.argsort(middle, kind="stable")
    x, y = x[order], middle[order]
    last = np.searchsorted(y, y + NEXT * height).tolist()
    first = np.searchsorted(y, y + 0.5 * height).tolist()
    begins, heights = x.tolist(), y.tolist()
    after: dict[int, int] = {}
    for i, (begin, place) in enumerate(zip(begins, heights, strict=True)):
        for k in range(first[i], last[i]):
            if abs(begins[k] - begin) < LEAN * (heights[k] - place) + STRAY * height:
                after[i] = k
                break
    found = []
    below = set(after.values())
    for start in after:
        if start in below:
            continue
        edge = [start]
        while edge[-1] in after:
            edge.append(after[edge[-1]])
        if len(edge) >= LINES:
            fall = y[edge] - y[edge].mean()
            weight = float(fall @ fall)
            found.append((float(x[edge].mean()), float(fall @ x[edge]) / weight, weight))
    return found
