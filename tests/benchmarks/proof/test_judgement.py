"""Verdicts from made-up figures: each can hold, and each can fail."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.proof.judgement import (
    MOST_GPU_GROWTH,
    CellVerdict,
    MapDifference,
    Ratio,
    changed,
    faster,
    flat,
    never_slower,
    no_spikes,
    overall,
    parity,
    reuse,
    search,
)
from benchmarks.spikes import PageTimes
from benchmarks.windows import Window
from edgeocr.accuracy.agreement import Agreement

SAME = Agreement(lines=100, found=100, same=100)
CLOSE = MapDifference(inputs=3, largest=1e-4, mean=1e-6, other=0.0)
WINDOW = Window(pictures=100, rss=200e6, descriptors=9, threads=20, milliseconds=50.0)


def ratio(middle: float) -> Ratio:
    return Ratio(middle, middle - 0.1, middle + 0.1)


def test_claim_fails_if_it_fails_for_one_cell() -> None:
    good, bad = CellVerdict("a", "holds"), CellVerdict("b", "fails", "it is wrong")
    left = CellVerdict("c", "not tried", "it needs a GPU")
    assert overall([good, bad, left]) == ("fails", "b: it is wrong")
    assert overall([good, left]) == ("holds", "for a; not tried: c")
    assert overall([left, left]) == ("not tried", "it needs a GPU")
    assert overall([]) == ("not tried", "there is nothing to try")


def test_equal_texts_and_close_maps_are_parity() -> None:
    assert parity("x", SAME, {"detection": CLOSE}, False) == CellVerdict("x", "holds")


@pytest.mark.parametrize(
    ("texts", "maps", "said"),
    [
        (replace(SAME, same=98), CLOSE, "it reads 2 of 100 lines differently"),
        (replace(SAME, score_difference=3.0), CLOSE, "its scores differ by 0.030"),
        (SAME, replace(CLOSE, largest=0.02), "detection: outputs differ by up to 0.02"),
        (SAME, replace(CLOSE, largest=float("nan")), "detection: outputs differ by up to nan"),
        (SAME, replace(CLOSE, mean=0.03), "outputs differ by 0.03 on average"),
        (SAME, replace(CLOSE, other=0.002), "0.20% of the characters' classes differ"),
    ],
)
def test_other_texts_or_maps_are_no_parity(
    texts: Agreement, maps: MapDifference, said: str
) -> None:
    verdict = parity("x", texts, {"detection": maps}, False)
    assert verdict.outcome == "fails" and said in verdict.reason


def test_lower_precision_may_differ_more_but_not_without_limit() -> None:
    rough = MapDifference(inputs=3, largest=0.3, mean=0.001, other=0.005)
    assert parity("x", SAME, {"detection": rough}, True).outcome == "holds"
    assert parity("x", SAME, {"detection": rough}, False).outcome == "fails"
    for worse in (replace(rough, mean=0.05), replace(rough, other=0.02)):
        assert parity("x", SAME, {"detection": worse}, True).outcome == "fails"


def test_nothing_to_read_is_no_parity() -> None:
    assert parity("x", Agreement(), {}, False).outcome == "not tried"


def test_ratio_is_taken_round_by_round() -> None:
    found = Ratio.of([1.0, 3.0, 2.0], [2.0, 2.0, 2.0])
    assert found == Ratio(1.0, 0.5, 1.5)
    assert str(found) == "1.00 (0.50 to 1.50)"


def test_slower_gpu_and_slower_auto_fail() -> None:
    assert faster("x", ratio(0.9)).outcome == "holds"
    assert "1.20 (1.10 to 1.30) times" in faster("x", ratio(1.2)).reason
    assert never_slower("auto", ratio(1.04)).outcome == "holds"
    assert never_slower("auto", ratio(1.2)).outcome == "fails"


def test_rounds_that_differ_too_much_decide_nothing() -> None:
    for verdict in (
        faster("x", ratio(1.05)),
        never_slower("x", ratio(1.08)),
        search("HEURISTIC", {"HEURISTIC": ratio(1.0), "DEFAULT": ratio(0.93)}),
    ):
        assert verdict.outcome == "not tried" and "differ too much to tell" in verdict.reason


def test_search_must_be_the_fastest_but_for_a_tolerance() -> None:
    times = {"EXHAUSTIVE": ratio(0.50), "HEURISTIC": ratio(0.52)}
    assert search("HEURISTIC", times).outcome == "holds"
    slow = search("HEURISTIC", {**times, "DEFAULT": ratio(0.4)})
    assert slow.outcome == "fails" and slow.reason.startswith("DEFAULT is faster: HEURISTIC takes")
    assert search("HEURISTIC", {"HEURISTIC": ratio(0.5)}).outcome == "not tried"
    assert search("HEURISTIC", {"DEFAULT": ratio(0.5), "EXHAUSTIVE": ratio(1)}).outcome == (
        "not tried"
    )


def test_second_process_must_be_quick_and_leave_the_folder_alone() -> None:
    kept = {"det.engine": "1", "all.timing": "2"}
    assert reuse("x", 100, 5, kept, {**kept, "all.timing": "3"}).outcome == "holds"
    for second, before, after, said in (
        (60, kept, kept, "took 60.0 s, the first one 100.0 s"),
        (5, kept, {**kept, "det.engine": "4"}, "det.engine differs"),
        (5, kept, {**kept, "rec.engine": "4"}, "rec.engine is new"),
        (5, kept, {"all.timing": "2"}, "det.engine is gone"),
        (5, {}, {}, "kept nothing"),
    ):
        verdict = reuse("x", 100, second, before, after)
        assert verdict.outcome == "fails" and said in verdict.reason


def test_unchanged_folder_has_no_changes() -> None:
    assert changed({"a": "1"}, {"a": "1"}) == ""


def test_one_long_page_is_a_spike() -> None:
    calm = PageTimes.from_milliseconds([10.0] * 99 + [29.0])
    assert no_spikes("x", calm, 100).outcome == "holds"
    verdict = no_spikes("x", PageTimes.from_milliseconds([10.0] * 99 + [40.0]), 100)
    assert verdict.outcome == "fails"
    assert verdict.reason.startswith("1 of 100 pages took more than 3 times the median")


def test_memory_that_grows_on_either_side_fails() -> None:
    gib = 1 << 30
    assert flat("x", [WINDOW, WINDOW], [gib, gib + MOST_GPU_GROWTH]).outcome == "holds"
    # Pages that become slower are not this claim's matter.
    assert flat("x", [WINDOW, replace(WINDOW, milliseconds=500.0)], []).outcome == "holds"
    assert flat("x", [WINDOW, replace(WINDOW, rss=250e6)], []).outcome == "fails"
    assert flat("x", [WINDOW, replace(WINDOW, threads=21)], []).outcome == "fails"
    grown = flat("x", [WINDOW, WINDOW], [gib, gib + 2 * MOST_GPU_GROWTH])
    assert grown.reason.startswith("memory of the GPU grew from 1024 to 1056 MiB")
    assert flat("x", [WINDOW], []).outcome == "not tried"
