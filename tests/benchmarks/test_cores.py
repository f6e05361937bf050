"""How busy pages keep the cores: medians, the table, and each picture read once in each way."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import pytest

from benchmarks import cores
from benchmarks.cores import Pass, Way


def test_figures_are_medians_of_the_passes() -> None:
    passes = [Pass(1.0, 2.0), Pass(2.0, 3.0), Pass(4.0, 4.0)]
    assert Way.of("stream", passes, 150_000_000) == Way("stream", 2.0, 3.0, 1.5, 150.0)


def test_table_compares_with_the_first_way() -> None:
    ways = [Way("one", 2.0, 3.0, 1.5, None), Way("stream", 1.0, 2.0, 2.0, 150.4)]
    _, one, stream, last = cores.table(ways, pages=10, threads=2).splitlines()
    assert one.split() == ["one", "200.0", "300.0", "1.50", "1.000", "?"]
    assert stream.split() == ["stream", "100.0", "200.0", "2.00", "0.500", "150"]
    assert last == "10 pages, 2 threads"


class Reader:
    def __init__(self, seen: list[Path]) -> None:
        self.seen = seen

    def read(self, picture: Path) -> None:
        self.seen.append(picture)


def test_each_picture_is_read_by_one_of_the_readers() -> None:
    pictures = [Path(f"{i}.jpg") for i in range(20)]
    seen: list[Path] = []
    readers: Any = [Reader(seen) for _ in range(3)]
    cores.side_by_side(readers, pictures)
    assert sorted(seen) == sorted(pictures)


def test_all_ways_are_measured(
    pictures: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "badge.jpg").write_bytes((pictures / "badge.jpg").read_bytes())
    parser = argparse.ArgumentParser()
    cores.add_arguments(parser)
    cores.run(parser.parse_args(["--images", str(tmp_path), "--threads", "2", "--repeat", "1"]))
    rows = capsys.readouterr().out.splitlines()
    assert [row[:32].strip() for row in rows[1:4]] == [
        "one page at a time",
        "stream (read_many)",
        "2 pages side by side",
    ]
    assert rows[-1] == "1 pages, 2 threads"
