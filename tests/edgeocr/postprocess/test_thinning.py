"""Thinning, compared with that of scikit-image (tests/fixtures/README.md)."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from edgeocr.postprocess.thinning import thin
from tests.support.thinning_cases import masks
from tests.support.work import count


def test_lines_are_those_of_scikit_image(fixtures: Path) -> None:
    with np.load(fixtures / "thinning.npz") as file:
        stored = [np.unpackbits(file[key], axis=1) for key in file.files]
    for mask, expected in zip(masks(), stored, strict=True):
        found = thin(mask)
        assert np.array_equal(found, expected[:, : mask.shape[1]])


@pytest.mark.parametrize("size", [(0, 0), (0, 3), (1, 1), (1, 9), (9, 1)])
def test_masks_that_are_thin_already_stay_as_they_are(size: tuple[int, int]) -> None:
    assert np.array_equal(thin(np.ones(size, np.uint8)), np.ones(size, np.uint8))


def test_pieces_stay_connected_and_the_given_mask_is_not_changed() -> None:
    for mask in masks():
        before = mask.copy()
        parts, _ = cv2.connectedComponents(mask, connectivity=8)
        assert cv2.connectedComponents(thin(mask), connectivity=8)[0] == parts
        assert np.array_equal(mask, before)


@pytest.mark.parametrize("side", [64, 128, 447])
def test_full_mask_takes_no_more_rounds_than_half_its_side(
    side: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    filtered = count(monkeypatch, cv2, "filter2D")
    thin(np.ones((side, side), np.uint8))
    rounds = filtered.calls / 2  # each round has two subiterations
    assert rounds <= side / 2 + 2
