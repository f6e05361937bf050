"""Merging and suppression of quads: which count, and what a loop over pixels would find."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from edgeocr.postprocess import nms
from edgeocr.postprocess.maps import FARTHEST
from tests.support.east_cases import NUMBERS, blurred
from tests.support.ideal import east as ideal
from tests.support.scenes import words
from tests.support.work import count

THRESHOLD = NUMBERS["nms_threshold"]
SQUARE = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float64)


def pixels_of_words() -> tuple[np.ndarray, np.ndarray]:
    """Return the quads and the weights that the pixels of noisy maps of words predict."""
    maps = blurred(ideal.maps(words(7, 12, 256, 384), 256, 384), 7, 1.0)
    score, geometry = maps
    y, x = np.nonzero(score > NUMBERS["score_threshold"])
    corners = 4 * np.stack([x, y], 1)[:, None] - geometry[:, y, x].T.reshape(-1, 4, 2)
    return corners.astype(np.float64), score[y, x].astype(np.float64)


@pytest.mark.parametrize(
    ("quad", "counts"),
    [
        (SQUARE, True),
        (SQUARE[::-1], True),
        (SQUARE * [1, 0.99], False),
        (2 * SQUARE[[0, 0, 1, 2]], True),
        (9 * SQUARE[[0, 2, 1, 3]], False),
        (9 * np.array([[0, 0], [1, 0], [0.2, 0.2], [0, 1]]), False),
        (SQUARE + FARTHEST - 2, True),
        (SQUARE + FARTHEST, False),
        (SQUARE - FARTHEST, False),
    ],
    ids=["area 1", "mirrored", "small", "triangle", "crossed", "dent", "near", "far", "far left"],
)
def test_convex_quads_of_some_size_within_reach_count(quad: np.ndarray, counts: bool) -> None:
    assert nms.sound(quad[None]).tolist() == [counts]


def test_quads_that_are_not_finite_do_not_count() -> None:
    quads = np.stack([9 * SQUARE] * 3)
    quads[1, 2, 0], quads[2, 0, 1] = np.nan, np.inf
    assert nms.sound(quads).tolist() == [True, False, False]


def test_merging_along_rows_finds_what_a_loop_over_pixels_finds() -> None:
    quads, weights = pixels_of_words()
    groups: list[tuple[np.ndarray, float]] = []
    for quad, weight in zip(quads, weights, strict=True):
        if groups:
            total, mass = groups[-1]
            one, other = shapely.polygons(np.stack([quad, total / mass]))
            common = one.intersection(other).area
            if common > THRESHOLD * (one.area + other.area - common):
                groups[-1] = total + weight * quad, mass + weight
                continue
        groups.append((weight * quad, weight))
    merged, masses = nms._merged_along_rows(quads, weights, THRESHOLD)
    assert 12 < len(groups) < len(quads) / 3
    assert masses == pytest.approx([mass for _, mass in groups])
    assert merged == pytest.approx(np.stack([total / mass for total, mass in groups]))


def test_merging_loses_no_pixel() -> None:
    random = np.random.RandomState(0)
    corners = np.array([[-8, -8], [8, -8], [8, 8], [-8, 8]])
    places = np.stack(np.meshgrid(np.arange(80), np.arange(80)), -1).reshape(-1, 1, 2) * 4
    noisy = places + corners + random.normal(0, 1, (6400, 4, 2))
    weights = random.uniform(0.8, 1, 6400)
    _, merged = nms._merged_along_rows(noisy, weights, THRESHOLD)
    assert len(merged) < 6400 and merged.sum() == pytest.approx(weights.sum())


def test_suppression_keeps_what_a_loop_over_quads_keeps() -> None:
    merged, masses = nms._merged_along_rows(*pixels_of_words(), THRESHOLD)
    polygons = shapely.polygons(merged)
    kept: list[int] = []
    for i in np.argsort(-masses, kind="stable").tolist():
        common = shapely.area(shapely.intersection(polygons[kept], polygons[i]))
        union = shapely.area(polygons[kept]) + polygons[i].area - common
        if not (common > THRESHOLD * union).any():
            kept.append(i)
    assert 12 <= len(kept) < len(merged)
    assert nms._suppress(merged, masses, THRESHOLD).tolist() == kept


def test_suppression_in_several_blocks_keeps_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    merged, masses = nms._merged_along_rows(*pixels_of_words(), THRESHOLD)
    kept = nms._suppress(merged, masses, THRESHOLD).tolist()
    monkeypatch.setattr(nms, "BLOCK", 5)
    blocks = count(monkeypatch, nms, "_pairs")
    assert nms._suppress(merged, masses, THRESHOLD).tolist() == kept
    assert blocks.calls > 4
