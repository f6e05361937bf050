"""How time and memory grow: the fit, the knee, the pictures and the chart."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest

from benchmarks import machine, peak_memory, scaling, scaling_chart, scaling_pages


def case(x: float, ms: float, peak: float | None = 100.0) -> scaling.Case:
    return scaling.Case(x, 1, 1, ms, {"detection": ms / 2, "load": 1.0}, peak)


def test_line_through_points_on_a_line_is_exact() -> None:
    made = scaling.fit([1, 2, 8], [5.0, 7.0, 19.0])
    assert (made.slope, made.intercept, made.r2, made.worst) == (2.0, 3.0, 1.0, 0.0)
    assert (made.first, made.last) == (1, 8)


def test_line_is_that_of_least_squares() -> None:
    """The oracle is numpy's solution of the linear system."""
    x, y = [1.0, 2.0, 3.0, 5.0], [1.0, 3.0, 2.0, 8.0]
    (slope, intercept), *_ = np.linalg.lstsq(np.c_[x, np.ones(4)], np.array(y), rcond=None)
    made = scaling.fit(x, y)
    assert made.slope == pytest.approx(slope, abs=1e-4)
    assert made.intercept == pytest.approx(intercept, abs=1e-3)
    assert made.r2 == pytest.approx(np.corrcoef(x, y)[0, 1] ** 2, abs=1e-4)
    off = np.abs(slope * np.array(x) + intercept - y) / y
    assert made.worst == pytest.approx(off.max(), abs=1e-3)
    assert made.worst_x == x[off.argmax()]


def test_constant_values_are_a_line() -> None:
    assert scaling.fit([1, 2, 3], [4.0, 4.0, 4.0]).r2 == 1


def test_stages_tell_what_grows() -> None:
    made = scaling.fits([case(1, 10.0), case(2, 14.0), case(3, 18.0, None)])
    assert made["stages_ms_per_unit"] == {"detection": 2.0, "load": 0.0}
    assert made["memory"] is None


def test_pictures_are_divided_where_detection_stops_to_grow() -> None:
    cases = [case(x, 1.0) for x in (0.2, 0.5, 0.9, 2.0, 8.0)]
    within, beyond = scaling.parts(cases, "background", 900_000)
    assert [each.x for each in within] == [0.2, 0.5, 0.9]
    assert [each.x for each in beyond] == [0.9, 2.0, 8.0]
    # A part of two points says nothing about whether they are on a line.
    assert scaling.parts(cases, "text", 10_000_000) == [cases]
    assert scaling.parts(cases, "lines", 900_000) == [cases]
    assert scaling.parts(cases, "threads", 900_000) == []


@pytest.mark.parametrize("series", ["lines", "background", "text"])
def test_pictures_have_ink_on_as_many_rows_as_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, series: str
) -> None:
    monkeypatch.setattr(scaling_pages, "FACTORS", (1.0, 1.25, 1.5, 2.0))
    drawn = scaling_pages.draw(series, tmp_path)
    assert [each.x for each in drawn] == sorted({each.x for each in drawn})
    for each in (drawn[0], drawn[3]):
        image = cv2.imread(each.path, cv2.IMREAD_GRAYSCALE)
        assert image is not None
        dark = (image < 128).any(axis=1)
        assert np.count_nonzero(np.diff(dark.astype(int)) == 1) == each.lines
        if series != "lines":
            assert image.size / 1e6 == pytest.approx(each.x, abs=1e-4)


def test_text_grows_only_if_it_is_told_to() -> None:
    def width(scale: float) -> int:
        image = np.asarray(scaling_pages.page((944, 944), 4, scale).convert("L"))
        columns = np.flatnonzero((image < 128).any(axis=0))
        return int(columns[-1] - columns[0])

    assert width(1.0) == pytest.approx(scaling_pages.LENGTH, rel=0.1)
    assert width(2.0) == pytest.approx(2 * width(1.0), rel=0.05)


@pytest.mark.skipif(sys.platform != "linux", reason="Linux only")
def test_peak_of_memory_begins_again() -> None:
    if not peak_memory.reset():
        pytest.fail("the kernel doesn't let the peak be reset")
    before = peak_memory.mib()
    held = np.ones(128 << 20, np.uint8)
    assert peak_memory.mib() > before + 100
    del held
    assert peak_memory.mib() > before + 100
    peak_memory.reset()
    assert peak_memory.mib() < before + 60


def result() -> dict[str, Any]:
    cases = [case(x, 3 * x + 2) for x in (1.0, 2.0, 9.0)]
    return {
        "bundle": "tiny & co",
        "threads": 2,
        "rounds": 3,
        "machine": {"cpu": "Some <CPU>", "cpus": 4},
        "series": {
            "lines": {
                "title": "More lines",
                "unit": "lines",
                "cases": [vars(each) for each in cases],
                "fits": [scaling.fits(cases)],
            },
            "threads": {
                "title": "More threads",
                "unit": "threads",
                "cases": [vars(case(1.0, 5.0, None)), vars(case(2.0, 3.0, None))],
                "fits": [],
            },
        },
    }


def test_chart_shows_points_on_their_line() -> None:
    root = ElementTree.fromstring(scaling_chart.svg(result()))
    name = "{http://www.w3.org/2000/svg}"
    charts = root.findall(f"{name}g")
    assert len(charts) == 3  # without the memory of the second series, which is unknown
    circles = charts[0].findall(f"{name}circle")
    points = [(float(each.attrib["cx"]), float(each.attrib["cy"])) for each in circles]
    (line,) = [each for each in charts[0].findall(f"{name}line") if "opacity" in each.attrib]
    x1, y1, x2, y2 = (float(line.attrib[key]) for key in ("x1", "y1", "x2", "y2"))
    assert len(points) == 3
    for x, y in points:
        assert y1 + (y2 - y1) * (x - x1) / (x2 - x1) == pytest.approx(y, abs=0.3)
    text = " ".join(root.itertext())
    assert "tiny & co" in text
    assert "Some <CPU>" in text
    assert "3 ms per line, R² 1.000" in text


@pytest.mark.slow  # starts a process, which opens the bundle
def test_command_writes_what_it_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(scaling_pages, "LINES", (1, 2, 4))
    parser = argparse.ArgumentParser()
    scaling.add_arguments(parser)
    words = ["--series", "lines", "--repeat", "1", "--threads", "1", "--output", str(tmp_path)]
    scaling.run(parser.parse_args(words))
    file = tmp_path / f"scaling-tiny-{machine.slug(machine.describe())}.json"
    made = json.loads(file.read_text("utf-8"))
    assert [each["found"] for each in made["series"]["lines"]["cases"]] == [1, 2, 4]
    assert file.with_suffix(".svg").read_text("utf-8") == scaling_chart.svg(made)
    assert "1 to 4 lines:" in capsys.readouterr().out
