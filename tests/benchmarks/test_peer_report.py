"""The arithmetic of the comparison of engines, on made-up measurements."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import peer_report
from benchmarks.engines.measure import Ending
from benchmarks.peer_report import Summary
from benchmarks.peer_turns import Measured
from edgeocr.accuracy.labels import LabelledLine
from tests.support.engines import LOWER, SQUARE, answer, line, measured


def summary() -> Summary:
    labelled = {"0.jpg": [LabelledLine(np.array(SQUARE), "a", True)]}
    return peer_report.summarize(measured(), ["0.jpg", "1.jpg"], labelled)


def test_ratio_is_of_the_same_round() -> None:
    assert peer_report.ratios([1.0, 4.0], [3.0, 2.0]) == [3.0, 0.5]


def test_ratios_refuse_unequal_numbers_of_rounds() -> None:
    with pytest.raises(ValueError):
        peer_report.ratios([1.0], [1.0, 2.0])


def test_best_sums_the_best_time_of_each_picture() -> None:
    """The best time of each picture may come from another round."""
    ours = summary()["engines"]["edgeocr"]
    assert ours["wall_s"] == [4.0, 6.0, 5.0]
    assert ours["wall_s_median"] == 5.0
    assert ours["image_ms_best"] == {"0.jpg": 1000.0, "1.jpg": 2000.0}
    assert ours["wall_s_best"] == 3.0


def test_ratios_are_taken_round_by_round() -> None:
    comparison = summary()["comparisons"]["rapidocr"]
    assert comparison["time_ratio_of_each_round"] == [2.0, 1.0, 2.4]
    # The median of ratios, not the ratio of the medians (8 / 5).
    assert comparison["time_ratio_median"] == 2.0
    assert comparison["time_ratio_best"] == 2.0
    assert comparison["same_lines"] == 0.5


def test_cpu_seconds_include_those_after_a_picture_and_busy_cores_do_not() -> None:
    made = summary()
    # Each picture takes 1.5 CPU seconds for each second, and 0.5 CPU seconds more after it.
    assert made["engines"]["edgeocr"]["cpu_s"] == [7.0, 10.0, 8.5]
    assert made["engines"]["edgeocr"]["cpu_s_median"] == 8.5
    assert made["engines"]["edgeocr"]["cores_busy"] == 1.5
    assert made["comparisons"]["rapidocr"]["cpu_ratio_median"] == pytest.approx(13 / 7, abs=1e-3)


def test_cold_starts_are_compared_pair_by_pair() -> None:
    made = summary()
    assert made["engines"]["edgeocr"]["cold_start_ms"] == [200.0, 500.0, 400.0]
    assert made["engines"]["edgeocr"]["cold_start_ms_median"] == 400.0
    # Ratios of 3, 2 and 1; the medians' ratio would be 1.5.
    assert made["comparisons"]["rapidocr"]["cold_start_ratio_median"] == 2.0


def test_summary_counts_lines_and_rounds() -> None:
    made = summary()
    ours = made["engines"]["edgeocr"]
    assert (made["rounds"], made["images"], made["others_cpus"]) == (3, ["0.jpg", "1.jpg"], [0.25])
    assert (ours["lines"], ours["peak_rss_mib"]) == (2, 100.0)
    assert ours["accuracy"] is not None
    assert ours["accuracy"]["hmean"] == 1.0


def test_what_was_not_measured_is_none() -> None:
    one = {"edgeocr": [[answer(1.0, "a")]], "rapidocr": [[answer(2.0, "a")]]}
    ending: Ending = {"versions": {}, "peak_rss_mib": None}
    nothing = Measured(one, dict.fromkeys(one, ending), {name: [] for name in one}, [])
    made = peer_report.summarize(nothing, ["a.jpg"], {})
    ours = made["engines"]["edgeocr"]
    assert ours["cold_start_ms_median"] is None
    assert ours["peak_rss_mib"] is None
    assert ours["accuracy"] is None
    assert made["comparisons"]["rapidocr"]["cold_start_ratio_median"] is None


def test_same_lines_have_the_same_place_and_text() -> None:
    ours = {"a": [line("one"), line("two", LOWER)]}
    assert peer_report.same_lines(ours, {"a": [line("ｏ ne")]}) == (pytest.approx(2 / 3))
    assert peer_report.same_lines(ours, {"a": [line("two"), line("one", LOWER)]}) == 0
    assert peer_report.same_lines(ours, {"a": []}) == 0
    assert peer_report.same_lines({"a": []}, {"a": []}) == 1


def test_accuracy_without_labelled_pictures_is_none() -> None:
    assert peer_report.accuracy({}, {"a": [line("one")]}) is None
    assert peer_report.accuracy({"b": []}, {"a": [line("one")]}) is None
