"""Rows of counts, made up as count.c writes them, become counts of parts and operators."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.emulation import counts
from benchmarks.emulation.counts import CLOCK_GETTIME, GETPPID, Counts, Node, Row
from benchmarks.emulation.errors import EmulationError


def mark(count: int) -> Row:
    return Row(GETPPID, 0, Counts(count))


def clock(microseconds: int, count: int) -> Row:
    return Row(CLOCK_GETTIME, microseconds, Counts(count))


def test_lines_become_rows() -> None:
    assert counts.parse("173 5 60 20 10 3\n113 7 80 30 11 3\n") == [
        Row(GETPPID, 5, Counts(60, 20, 10, 3)),
        Row(CLOCK_GETTIME, 7, Counts(80, 30, 11, 3)),
    ]


@pytest.mark.parametrize("text", ["173 5 60 x 10 3\n", "173\n", "173 5 60 20 10 3 9\n"])
def test_damaged_file_is_an_error(text: str) -> None:
    with pytest.raises(EmulationError, match="damaged"):
        counts.parse(text)


def test_counts_subtract_kind_by_kind() -> None:
    assert Counts(9, 8, 7, 6) - Counts(1, 2, 3, 4) == Counts(8, 6, 4, 2)


def test_parts_with_one_name_are_added_and_the_clock_is_ignored() -> None:
    rows = [mark(10), mark(12), clock(1, 15), mark(20), mark(50), mark(51)]
    found = counts.by_name(rows, ["start", "opening", "rest", "network", "rest"])
    assert found == {"opening": Counts(2), "rest": Counts(9), "network": Counts(30)}


def test_other_number_of_marks_is_an_error() -> None:
    with pytest.raises(EmulationError, match="2 marks were counted where the job set 3"):
        counts.by_name([mark(1), mark(2)], ["a", "b", "c"])


def run_rows(first: int, before: int, offset: int) -> list[Row]:
    """Rows of a run of three nodes that cost 100, 20 and 3; `before` rows precede the nodes."""
    rows = [clock(offset - 7000 * (before - n), first + n) for n in range(before)]
    at = first + before
    for start, cost in ((0, 100), (9000, 20), (12500, 3)):
        rows += [clock(offset + start + 30, at), clock(offset + start + 20 * cost, at + cost)]
        at += cost + 5  # what ONNX Runtime does between two nodes
    return [*rows, clock(offset + 40000, at), clock(offset + 50000, at + 1)]


NODES = [Node("Conv", 500, 2000), Node("Gelu", 9500, 400), Node("Conv", 13000, 60)]


@pytest.mark.parametrize("before", [0, 1, 3])
def test_nodes_are_found_among_other_readings_of_the_clock(before: int) -> None:
    rows = [mark(0), mark(5), *run_rows(10, before, 10**9), mark(500)]
    rows += [mark(600), *run_rows(700, 3, 2 * 10**9), mark(1000)]
    found = counts.by_operator(
        rows, ["start", "rest", "network", "rest", "network"], [NODES, NODES], {"network"}
    )
    assert found == {"network": {"Conv": Counts(206), "Gelu": Counts(40)}}


@pytest.mark.parametrize(
    "nodes", [[replace(node, start=10 * node.start) for node in NODES], NODES * 3, []]
)
def test_nodes_that_do_not_fit_the_rows_are_an_error(nodes: list[Node]) -> None:
    rows = [mark(0), *run_rows(10, 2, 10**9), mark(500)]
    with pytest.raises(EmulationError, match="can't be told apart"):
        counts.by_operator(rows, ["rest", "network"], [nodes], {"network"})


def test_other_number_of_runs_is_an_error() -> None:
    rows = [mark(0), *run_rows(10, 2, 10**9), mark(500)]
    with pytest.raises(EmulationError, match="other runs"):
        counts.by_operator(rows, ["rest", "network"], [NODES, NODES], {"network"})
