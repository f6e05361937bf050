"""What HTTP costs: the queue that is compared with, the table, and both ways measured."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from benchmarks import serve
from benchmarks.queue_model import response_times
from benchmarks.serve import Round, Row
from benchmarks.serve_clients import Window
from tests.support.paths import ROOT


def test_queue_without_waiting_takes_as_long_as_the_service() -> None:
    assert set(response_times([0.25], clients=2, servers=2, window=50)) == {0.25}


def test_clients_wait_for_those_before_them() -> None:
    # The first four requests are sent at once; from then on each waits for the three others.
    times = response_times([1.0], clients=4, servers=1, window=10)
    assert times[:10] == [1.0, 2.0, 3.0, *[4.0] * 7]
    assert times[10:13] == [1.0, 2.0, 3.0]
    assert response_times([1.0], clients=4, servers=2, window=6)[:6] == [1, 1, 2, 2, 2, 2]


def test_figures_are_medians_and_percentiles() -> None:
    here, there = Window(1.0, [0.5, 0.5], 1.0), Window(2.0, [1.0, 1.0], 0.5)
    row = serve.summary(1, 1, [Round(here, there, (0.1, 0.9))] * 3)
    assert (row.in_process, row.http, row.throughput) == (2.0, 1.0, 0.5)
    assert (row.p50_ms, row.p99_ms, row.ideal_p99_ms, row.p99_ratio) == (1000, 1000, 500, 2)
    cpu = (row.in_process_cpu_ms, row.client_cpu_ms, row.front_cpu_ms, row.reader_cpu_ms)
    assert cpu == (500, 250, 50, 450)
    missed = [line.split(", ")[1].split(":")[0] for line in serve.judgements([row])]
    assert missed == ["missed"]


def test_page_has_the_recorded_table() -> None:
    recorded = ROOT / "benchmarks" / "results" / "serve-tiny-intel-xeon-2.json"
    rows = [Row(**row) for row in json.loads(recorded.read_text("utf-8"))["rows"]]
    assert serve.table(rows) in (ROOT / "docs" / "service-speed.md").read_text("utf-8")


@pytest.mark.stress
def test_both_ways_are_measured(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "badge.jpg").write_bytes((pictures / "badge.jpg").read_bytes())
    parser = argparse.ArgumentParser()
    serve.add_arguments(parser)
    arguments = ["--data", str(tmp_path), "--seconds", "0.5", "--repeat", "1", "--clients", "2"]
    serve.run(parser.parse_args([*arguments, "--threads", "2", "--output", str(tmp_path)]))
    (file,) = tmp_path.glob("serve-*.json")
    (row,) = (Row(**row) for row in json.loads(file.read_text("utf-8"))["rows"])
    assert (row.clients, row.pages_at_once) == (2, 2)
    assert row.requests > 0
    assert serve.table([row]) in capsys.readouterr().out
