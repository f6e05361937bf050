"""Test the table of paces, and the folder of repeated pictures; a real run needs Ray."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import scale
from benchmarks.scale import Pace

PACES = [Pace("one process", 10.0, 0.5), Pace("Ray", 8.0, 6.0)]


def test_table_has_hours_and_costs() -> None:
    head, one, ray = scale.table(PACES, 0.36).splitlines()
    assert head.split() == ["way", "pages/s", "ratio", "start", "s", "h/million", "per", "million"]
    assert one.split() == ["one", "process", "10.00", "1.000", "0.5", "27.8", "10.00"]
    assert ray.split() == ["Ray", "8.00", "0.800", "6.0", "34.7", "12.50"]


def test_table_without_a_price_has_no_costs() -> None:
    assert "per million" not in scale.table(PACES, None)


def test_pictures_are_repeated_in_turn(pictures: Path) -> None:
    given = [pictures / "badge.jpg", pictures / "sample.jpg"]
    with scale.repeated(given, 5) as folder:
        links = sorted(folder.iterdir())
        assert [link.resolve().name for link in links] == [
            *("badge.jpg", "sample.jpg"),
            *("badge.jpg", "sample.jpg", "badge.jpg"),
        ]


@pytest.mark.cluster
def test_both_ways_are_measured(capsys: pytest.CaptureFixture[str]) -> None:
    from benchmarks.__main__ import main

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["benchmarks", "scale", "--pages", "24", "--repeat", "1"])
        main()
    rows = capsys.readouterr().out.splitlines()[2:]
    assert all(float(row.split()[-4]) > 0 for row in rows)
    assert len(rows) == 2
