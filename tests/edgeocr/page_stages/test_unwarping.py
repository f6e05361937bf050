"""Networks for whole pages that return something else than they must, and pages of any size."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgeocr import OCR, GraphError, MemoryLimitError
from edgeocr.page_stages.orientation import PageOrienter
from edgeocr.page_stages.unwarping import LARGEST_SIDE, Unwarper
from edgeocr.runtime.stopwatch import Stopwatch
from tests.support.constant_graphs import graph
from tests.support.packing import Files
from tests.support.page_stages import (
    ORIENTATION,
    SIDE,
    UNWARPING,
    mark_reader,
    marked,
    wave_reader,
    with_page_stages,
)

FLAT = np.stack(np.meshgrid([-1, 1], [-1, 1]))[None].astype(np.float32)


def stages_of(
    files: Files, orientation: bytes, unwarping: bytes, **settings: Any
) -> tuple[PageOrienter, Unwarper]:
    stages = {
        "page_orientation": (orientation, {**ORIENTATION, **settings}),
        "unwarping": (unwarping, UNWARPING),
    }
    opened = OCR(with_page_stages(files, stages), provider="cpu", threads=1).stages
    orienter, unwarper = opened["page_orientation"], opened["unwarping"]
    assert isinstance(orienter, PageOrienter) and isinstance(unwarper, Unwarper)
    return orienter, unwarper


@pytest.mark.parametrize(
    "grid",
    [
        FLAT[:, :1],
        FLAT[0],
        FLAT.astype(np.float64),
        FLAT[..., :1],
        FLAT[:, :, [0] * 257],
        np.full_like(FLAT, np.nan),
        np.where(FLAT > 0, np.inf, FLAT),
    ],
)
def test_what_is_no_grid_is_refused(embedded_files: Files, grid: np.ndarray) -> None:
    _, unwarper = stages_of(embedded_files, mark_reader(), graph({"grid": grid}, "image"))
    with pytest.raises(GraphError, match="output 'grid' of the unwarping graph must be"):
        unwarper.unwarp(np.zeros((40, 60, 3), np.uint8), Stopwatch())


def test_probabilities_of_other_classes_are_refused(embedded_files: Files) -> None:
    three = graph({"probability": np.zeros((1, 3), np.float32)}, "image")
    orienter, _ = stages_of(embedded_files, three, wave_reader())
    with pytest.raises(GraphError, match=r"of the page_orientation graph must be .*\[1, 4\]"):
        orienter.rotation(np.zeros((40, 60, 3), np.uint8), Stopwatch())


def test_numbers_that_are_not_finite_turn_no_page(embedded_files: Files) -> None:
    values = np.array([[np.nan, np.inf, 0.1, 0.1]], np.float32)
    broken = graph({"probability": values}, "image")
    orienter, _ = stages_of(embedded_files, broken, wave_reader())
    assert orienter.rotation(np.zeros((40, 60, 3), np.uint8), Stopwatch()) is None


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (2, 2), (1000, 3)])
def test_pages_of_any_size_are_looked_at(embedded_files: Files, size: tuple[int, int]) -> None:
    page = np.full((*size, 3), 200, np.uint8)
    for short_side in (None, SIDE + 16, 32767):
        stages = stages_of(embedded_files, mark_reader(), wave_reader(), short_side=short_side)
        assert stages[0].rotation(page, Stopwatch()) is None
        unwarped = stages[1].unwarp(page, Stopwatch())
        assert unwarped is not None
        flat, grid = unwarped
        assert flat.shape == page.shape
        points = grid.in_picture(np.array([[0, 0], [size[1] - 1, size[0] - 1]], np.float32))
        assert (points >= 0).all() and (points <= [size[1] - 1, size[0] - 1]).all()


def test_the_middle_is_cut_out_of_a_page(embedded_files: Files) -> None:
    """With a mark in the corner of the part that is seen, and with one outside of it."""
    orienter, _ = stages_of(embedded_files, mark_reader(), wave_reader(), short_side=SIDE)
    page = np.full((2 * SIDE, 6 * SIDE, 3), 200, np.uint8)
    assert orienter.rotation(marked(page), Stopwatch()) is None
    page[:, 2 * SIDE : 4 * SIDE] = marked(page[:, 2 * SIDE : 4 * SIDE])
    assert orienter.rotation(page, Stopwatch()) == 0


def test_a_page_that_opencv_cannot_sample_stays_as_it_is(embedded_files: Files) -> None:
    _, unwarper = stages_of(embedded_files, mark_reader(), wave_reader())
    for side, works in ((LARGEST_SIDE, True), (LARGEST_SIDE + 1, False)):
        page = np.zeros((side, 2, 3), np.uint8)
        assert (unwarper.unwarp(page, Stopwatch()) is not None) is works


def test_a_memory_limit_counts_the_flat_page(embedded_files: Files) -> None:
    with_both = with_page_stages(
        embedded_files,
        {
            "page_orientation": (mark_reader(), ORIENTATION),
            "unwarping": (wave_reader(), UNWARPING),
        },
    )
    both = OCR(with_both, provider="cpu", threads=1)
    without = OCR(with_both, provider="cpu", threads=1, unwarp=False)
    with both.using() as reader, without.using() as other:
        assert reader.stages.copies_bytes == other.stages.copies_bytes + 3
    with pytest.raises(MemoryLimitError):
        OCR(with_both, provider="cpu", threads=1, memory_limit="10MB")


def test_warming_up_runs_each_network_in_its_size(embedded_files: Files) -> None:
    graphs = {
        "page_orientation": (mark_reader(), ORIENTATION),
        "unwarping": (wave_reader(), UNWARPING),
    }
    ocr = OCR(with_page_stages(embedded_files, graphs), provider="cpu", threads=1)
    shapes: dict[str, set[tuple[int, ...]]] = {}
    for name in graphs:
        found = shapes.setdefault(name, set())
        ocr.stages[name].session.observer = lambda batch, found=found: found.add(batch.shape)
        ocr.stages[name].session.run_smallest()
    warmed = ocr.warm_up()
    assert {"page_orientation", "unwarping"} <= warmed.keys()
    assert shapes["page_orientation"] == {(1, SIDE, SIDE, 3)}
    assert shapes["unwarping"] == {(1, 64, 64, 3)}
