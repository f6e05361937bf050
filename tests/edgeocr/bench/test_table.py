"""The tables of `edgeocr bench` for a terminal, and the notes below them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edgeocr.accuracy.agreement import Agreement
from edgeocr.bench.cell import Measured, NotMeasured, PictureFailure, Taken
from edgeocr.bench.metrics import percent, stages_of, three_digits
from edgeocr.bench.notes import notes
from edgeocr.bench.result import ThrottlingChange
from edgeocr.bench.rows import detailed, rows_of
from edgeocr.bench.spread import Spread
from edgeocr.bench.table import table
from edgeocr.device.machine import Throttling
from tests.support.bench_results import bench_result, cell, labelled, matrix, measured, sustained


def blocks(text: str) -> list[list[str]]:
    return [block.splitlines() for block in text.split("\n\n")]


def test_single_cell_has_its_figures_and_stages() -> None:
    cells, stages = blocks(table(bench_result()))
    head, row = cells
    assert len(head) <= 130 and row.split()[:5] == ["★", "tiny", "cpu", "auto:", "fp32"]
    assert head.split()[-1] == "best" and row.split()[-1] == "1.00"
    # Figures that no cell has, such as energy, have no column.
    assert "J/page" not in head and "Hmean" not in head and "hot page" not in head
    assert [line.split()[0] for line in stages[1:]] == ["load", "detection", "recognition", "rest"]


def test_matrix_has_a_row_for_each_measured_cell_with_its_mark() -> None:
    (head, *rows, legend), *_ = blocks(table(matrix()))
    for word in ("hot page", "J/page", "Hmean", "CER", "same %"):
        assert word in head
    assert [row[:1] for row in rows] == ["★", " ", "×", "☆", " ", "×"]
    assert all(mark in legend for mark in "★☆×")
    assert rows[2].split()[1:4] == ["tiny", "openvino", "fp32"]
    starts = {row.index(" cpu " if " cpu " in row else " openvino ") for row in rows}
    assert len(starts) == 1


def test_stages_are_those_of_the_best_cell_of_each_bundle() -> None:
    result = matrix()
    shown = [(row.cell.bundle, row.verdict.kind) for row in detailed(rows_of([result]))]
    assert shown == [("tiny", "best"), ("mobile", "best of its bundle")]
    head = blocks(table(result))[2][0]
    assert "tiny cpu fp32 min" in head and "mobile cpu fp32 min" in head and "int8" not in head


def test_a_bundle_without_a_best_cell_shows_its_fastest() -> None:
    wrong = Agreement(73, 73, 60, 0.0)
    cells = [cell(measured(ms, agreement=wrong), f"p{ms}") for ms in (50, 40, 60, 70)]
    assert [row.name for row in detailed(rows_of([bench_result("A", *cells)]))] == ["p40"]


def test_sustained_loads_say_how_pages_and_sensors_changed() -> None:
    head, row = blocks(table(bench_result(cpu=measured(90, sustained=sustained(90)))))[1]
    assert head.split() == [
        *("sustained", "load", "min", "first", "ms", "hot", "ms", "change", "pages/s"),
        *("MHz", "°C", "W"),
    ]
    assert row.split("  ")[0] == "cpu" and "90.0" in row and "+33 %" in row
    assert "2400 → 1800" in row and "40 → 60" in row and "6.50" in row


def test_stages_of_all_providers_are_in_the_order_of_a_pictures_way() -> None:
    def with_stages(*names: str) -> Measured:
        return measured(9, stages_ms=dict.fromkeys(names, Spread.of([1.0])))

    one, other = with_stages("rest", "crops", "load"), with_stages("later", "detection", "load")
    assert stages_of([one, other]) == ["load", "detection", "crops", "rest", "later"]


def test_notes_tell_what_makes_figures_doubtful() -> None:
    doubtful = measured(
        20,
        same_each_time=False,
        agreement=Agreement(73, 73, 60, 0.0),
        taken={"detection": Taken("cuda", "fp32"), "recognition": Taken("cpu", "fp32")},
    )
    failed = measured(30, failed=[PictureFailure("a.jpg", "no image")])
    result = bench_result(cpu=measured(200), cuda=doubtful, openvino=failed, tensorrt="no library")
    hot = ThrottlingChange(Throttling([], ["hot"]), Throttling(["hot"], ["hot", "low"]))
    result = replace(result, throttling=hot)
    found = [
        "cpu is the best: the shortest median page of all cells that read what fp32 on the CPU "
        "reads",
        "cuda is refused: it reads 13 of 73 lines differently (17.8%, and at most 1% are allowed)",
        "openvino can't be the best: 1 of 3 pictures failed, such as a.jpg",
        "tensorrt was not measured: no library",
        "cuda: a picture did not give the same text each time",
        "cuda: recognition ran on cpu",
        "openvino: a.jpg failed: no image",
        "openvino: detection ran on cpu, recognition ran on cpu",
        "the device slowed itself down (hot, low)",
    ]
    assert notes(result) == found
    assert blocks(table(result))[-1] == found


def test_notes_say_once_what_cells_have_in_common() -> None:
    missing = NotMeasured("no meaning", "the bundle has no int8 graphs")
    changing = measured(20, same_each_time=False)
    cells = [cell(changing, "cpu"), cell(changing, "cuda")]
    cells += [cell(missing, provider, "int8") for provider in ("cpu", "cuda")]
    found = notes(bench_result("A", *cells))
    assert "cpu int8, cuda int8 were not measured: the bundle has no int8 graphs" in found
    assert "cpu auto, cuda auto: a picture did not give the same text each time" in found


def test_notes_say_that_no_cell_is_the_best_and_what_the_reference_reads() -> None:
    wrong = measured(20, agreement=Agreement(73, 73, 60, 0.0))
    result = labelled(bench_result(cpu=wrong, cuda=wrong), hmean=0.9035, cer=0.029)
    found = notes(result)
    assert found[0].startswith("no cell is the best one")
    assert any("Hmean of 0.9035 and a CER of 0.0290" in note for note in found)


def test_notes_name_what_slowed_a_sustained_load_down() -> None:
    (note,) = notes(bench_result(cpu=measured(90, sustained=sustained(90))))
    assert note == "cpu: the sustained load was slowed down (throttled)"


def test_names_of_strangers_cannot_steer_the_terminal() -> None:
    text = table(bench_result("A", cell(measured(9), bundle="x\x1b[2J\ny")))
    assert "\x1b" not in text and "x\ufffd[2J y" in text


def test_numbers_have_three_significant_digits() -> None:
    values = (None, 0, 0.034, 9.996, 12.34, 99.96, 1234.5)
    assert " ".join(map(three_digits, values)) == "– 0.00 0.03 10.0 12.3 100 1234"


@pytest.mark.parametrize(
    ("share", "text"), [(None, "–"), (1.0, "100"), (0.9999, "99.9"), (0.986, "98.6"), (0, "0.0")]
)
def test_only_the_whole_is_100_percent(share: float | None, text: str) -> None:
    assert percent(share) == text
