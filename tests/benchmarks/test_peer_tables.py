"""The tables of the comparison of engines."""

from __future__ import annotations

from typing import Any

from benchmarks import peer_report, peer_tables
from benchmarks.peer_report import Result
from tests.support.engines import measured

INTEL = {"cpu": "Some CPU", "cpus": 4, "os": "Some OS", "python": "3.11.7"}


def result(**changes: Any) -> Result:
    made: Any = {
        "bundle": "tiny",
        "data": "photographs",
        "models": {},
        "orientation": False,
        "threads": 2,
        "date": "2026-01-02 03:04 UTC",
        "command": "python -m benchmarks peers",
        "commit": "abc1234",
        "machine": INTEL,
        "left_out": {"other": "it needs Python 3.99 or later, which was not found"},
        **peer_report.summarize(measured(), ["0.jpg", "1.jpg"], {}),
        **changes,
    }
    whole: Result = made
    return whole


def test_row_has_a_cell_for_each_column() -> None:
    ours, theirs = peer_tables.rows(result())
    assert len(ours) == len(theirs) == len(peer_tables.HEADER)
    assert ours[:7] == ["tiny", "photographs", "edgeocr 1.2", "3.00", "1", "5.00", "1"]
    assert theirs[2:7] == ["rapidocr 3.10.0", "6.00", "2.00", "8.00", "2.00 (1.00–2.40)"]
    assert theirs[9:13] == ["600", "100", "2", "50.0 %"]
    assert theirs[13:] == ["–"] * 4


def test_a_peer_that_failed_has_a_row_that_says_so() -> None:
    made = result(failed={"slow": "slow: the worker did not finish within 300 s"})
    row = peer_tables.rows(made)[-1]
    assert row[:4] == ["tiny", "photographs", "slow", "failed"]
    assert len(row) == len(peer_tables.HEADER)
    assert "- tiny, photographs: slow: the worker did not finish" in peer_tables.markdown([made])


def test_page_has_a_table_for_each_machine() -> None:
    other = {**INTEL, "cpu": "Another CPU"}
    results = [result(), result(machine=other), result(bundle="mobile", orientation=True)]
    text = peer_tables.markdown(results)
    titles = [row for row in text.splitlines() if row.startswith("## ")]
    assert titles == ["## Another CPU, 4 CPUs", "## Some CPU, 4 CPUs"]
    table = [row for row in text.splitlines() if row.startswith("|")]
    assert len(table) == 2 * 2 + 6
    assert {row.count("|") for row in table} == {len(peer_tables.HEADER) + 1}
    first, second = text.split("## Some CPU")
    assert "| mobile + classifier | photographs | edgeocr 1.2 |" in second
    assert "mobile" not in first
    assert "images: 2, rounds: 3, threads: 2" in text
    assert "other processes kept up to 0.2 of the CPUs busy" in text
    assert "- tiny, photographs: other is left out because it needs Python 3.99" in text


def test_busy_cpus_are_those_of_the_worst_round() -> None:
    assert peer_tables.others_cpus(result(others_cpus=[0.1, 1.5, 0.2])) == 1.5
    assert peer_tables.others_cpus(result(others_cpus=[])) is None


def test_terminal_table_is_aligned() -> None:
    head, *body = peer_tables.aligned([result()]).splitlines()
    end = head.index("Best s") + len("Best s")
    assert [row[end - 4 : end] for row in body] == ["3.00", "6.00"]
