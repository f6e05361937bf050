"""Which cell is the best one, and why the others aren't."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edgeocr.accuracy.agreement import Agreement
from edgeocr.bench.cell import NotMeasured, PictureFailure, Reference, Taken
from edgeocr.bench.verdicts import best_cells, ratio, verdicts
from tests.support.bench_results import bench_result, cell, measured

WRONG = Agreement(lines=73, found=73, same=60, score_difference=0.0)


def test_fastest_cell_that_reads_right_is_the_best() -> None:
    result = bench_result(
        "A board",
        cell(measured(200), precision="fp32"),
        cell(measured(90, taken={"recognition": Taken("cpu", "int8")}), precision="int8"),
        cell(measured(30, agreement=WRONG), "openvino", "int8"),
        cell(measured(20, failed=[PictureFailure("a.jpg", "no")]), "openvino", "fp32"),
        cell("no driver", "cuda", "fp32"),
        cell(NotMeasured("no meaning", "no graph"), "cuda", "int8"),
    )
    found = verdicts(result)
    assert [each.kind for each in found] == [
        *("slower", "best", "refused", "failed", "not measured", "not measured"),
    ]
    assert found[0].ratio == pytest.approx(200 / 90, rel=0.05)
    page, best = (result.cells[i].measured.page_ms.p50 for i in (0, 1))  # type: ignore[union-attr]
    assert found[0].reason == (
        f"its median page takes {page:.1f} ms, and {best:.1f} ms with cpu int8, "
        f"and a round takes {found[0].ratio:.2f} times as long"
    )
    assert found[1].ratio == 1
    assert found[2].reason.startswith("it reads 13 of 73 lines differently (17.8%")
    assert found[2].ratio == pytest.approx(30 / 90, rel=0.05)
    assert found[3].reason == "1 of 3 pictures failed, such as a.jpg"
    assert [each.reason for each in found[4:]] == ["no driver", "no graph"]
    assert found[4].ratio is None


def test_every_bundle_has_a_best_cell() -> None:
    result = bench_result(
        "A board",
        *(
            cell(measured(ms), provider, bundle=bundle)
            for bundle, provider, ms in (
                *(("tiny", "cpu", 50), ("tiny", "cuda", 40)),
                *(("small", "cpu", 400), ("small", "cuda", 300)),
            )
        ),
    )
    found = verdicts(result)
    assert [each.kind for each in found] == ["slower", "best", "slower", "best of its bundle"]
    assert best_cells(result) == [1, 3]
    assert found[2].bundle_ratio == pytest.approx(400 / 300, rel=0.05)
    assert found[2].ratio == pytest.approx(400 / 40, rel=0.05)
    assert "with small cuda" in found[2].reason and "with tiny cuda" in found[3].reason


def test_cell_that_runs_the_same_as_the_best_says_so() -> None:
    result = bench_result(cpu=measured(50), auto=measured(51))
    assert verdicts(result)[1].reason.startswith(
        "it runs the same graphs on the same execution providers; its median page takes"
    )


def test_without_a_reference_no_cell_is_the_best() -> None:
    result = bench_result(cpu=measured(50, agreement=None))
    missing = Reference(None, None, "no memory")
    bundles = {"tiny": replace(result.bundles["tiny"], reference=missing)}
    result = replace(result, bundles=bundles)
    (found,) = verdicts(result)
    assert (found.kind, found.ratio) == ("refused", None)
    assert found.reason.endswith("to compare it with: no memory")
    assert best_cells(result) == []


def test_ratio_is_the_median_of_the_rounds() -> None:
    # The device is three times slower in the second and third round, for both alike.
    one = measured(1, reads_ms=[[20.0, 60.0, 60.0], [10.0, 30.0, 33.0]])
    other = measured(1, reads_ms=[[10.0, 30.0, 30.0], [5.0, 15.0, 15.0]])
    assert ratio(one, other) == 2
    assert ratio(other, one) == 0.5
    # Only pictures that both have read in a round count.
    partly = measured(1, reads_ms=[[40.0, None, None], [None, 45.0, None]])
    assert ratio(partly, other) == 3.5
    assert (
        ratio(measured(1, reads_ms=[[None, None, 9.0]]), measured(1, reads_ms=[[1.0, 1.0, None]]))
        is None
    )
