"""The cells: on an NVIDIA GPU, and where OpenVINO stands in for it."""

from __future__ import annotations

from dataclasses import fields

import pytest

from benchmarks.proof.cells import SEARCHES, Cell, Cells, cells_for
from benchmarks.proof.claims.speed import AT_ONCE, divided
from edgeocr.runtime.options import RuntimeOptions
from edgeocr.runtime.providers import AUTO, PROVIDERS

VARIANTS = ("fp32", "int8", "fp16")


def all_cells(cells: Cells) -> list[Cell]:
    found: list[Cell] = []
    for field in fields(cells):
        value = getattr(cells, field.name)
        found += [value] if isinstance(value, Cell) else []
        if isinstance(value, tuple):
            found += [each if isinstance(each, Cell) else each.cell for each in value]
    return found


@pytest.mark.parametrize("stand_in", [None, "openvino"])
@pytest.mark.parametrize("variants", [(), VARIANTS])
def test_every_cell_can_be_asked_for(stand_in: str | None, variants: tuple[str, ...]) -> None:
    for cell in all_cells(cells_for(stand_in, variants)):
        setup = cell.setup
        assert setup.provider in PROVIDERS and setup.provider != AUTO
        RuntimeOptions(provider_options=setup.options, fp16=setup.fp16, variant=setup.variant)


def test_every_search_is_tried_with_and_without_cuda_graphs() -> None:
    cells = cells_for(None, ())
    assert {(each.search, each.recorded) for each in cells.searches} == {
        (search, recorded) for search in SEARCHES for recorded in (True, False)
    }
    options = [each.cell.setup.options["cuda"] for each in cells.searches]
    assert len({tuple(each.items()) for each in options}) == 6
    assert cells.chosen == PROVIDERS["cuda"].options["cudnn_conv_algo_search"]
    assert cells.chosen in SEARCHES


def test_float32_is_pinned_where_a_bundle_has_several_graphs() -> None:
    for stand_in in (None, "openvino"):
        cells = cells_for(stand_in, VARIANTS)
        exact = (cells.plain, cells.reference, cells.main, *cells.parity)
        assert {each.setup.variant for each in exact if each.missing is None} == {"fp32"}
        graphs = {each.setup.variant for each in cells.reduced}
        assert {"int8", "fp16"} <= graphs
        assert cells_for(stand_in, ()).main.setup.variant is None


def test_cells_that_need_nvidia_cannot_be_tried_elsewhere() -> None:
    for cell in all_cells(cells_for("openvino", ())):
        needs_nvidia = PROVIDERS[cell.setup.provider].needs_nvidia_driver
        assert (cell.missing is not None) == needs_nvidia, cell.name


def test_precisions_have_engines_of_their_own() -> None:
    full, half = cells_for(None, ()).engines
    assert full.builds and half.builds and half.setup.fp16 and not full.setup.fp16
    assert full.setup.cache != half.setup.cache


def test_names_tell_cells_apart() -> None:
    for stand_in in (None, "openvino"):
        named: dict[str, Cell] = {}
        for cell in all_cells(cells_for(stand_in, VARIANTS)):
            assert named.setdefault(cell.name, cell).setup.options == cell.setup.options
            assert named[cell.name].setup.fp16 == cell.setup.fp16


def test_other_providers_cannot_stand_in() -> None:
    with pytest.raises(ValueError, match="'qnn' can't stand in for a GPU: choose openvino"):
        cells_for("qnn", ())


def test_only_a_few_cells_are_open_at_a_time() -> None:
    cells = [Cell(str(i), cells_for(None, ()).main.setup) for i in range(5)]
    missing = Cell("x", cells[0].setup, missing="it needs a GPU")
    groups = divided([cells[0], missing, *cells[1:]])
    assert [[each.name for each in group] for group in groups] == [["0", "1", "2"], ["3", "4", "x"]]
    assert all(sum(c.missing is None for c in group) <= AT_ONCE for group in groups)
    assert divided([missing]) == [[missing]] and divided([]) == []
