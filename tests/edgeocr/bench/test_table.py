"""The tables of `edgeocr bench` for a terminal, and the notes below them."""

from __future__ import annotations

from edgeocr.bench.metrics import METRICS, stages_of, three_digits
from edgeocr.bench.provider_result import (
    PictureFailure,
    ProviderResult,
    Spread,
    ThrottlingChange,
)
from edgeocr.bench.table import table
from edgeocr.device.machine import Throttling
from tests.support.bench_results import bench_result, provider_result


def test_table_has_a_row_per_provider_and_per_stage() -> None:
    result = bench_result()
    summary, stages = table(result).split("\n\n")
    head, row = summary.splitlines()
    assert len(head) <= 110 and len(row) == len(head)
    assert row.split()[-1] == "1.00" and len(row.split()) == len(METRICS) + 2
    assert [line.split()[0] for line in stages.splitlines()[1:]] == [
        *("load", "detection", "recognition", "rest"),
    ]


def test_stages_of_all_providers_are_in_the_order_of_a_pictures_way() -> None:
    def with_stages(*names: str) -> ProviderResult:
        return provider_result(9, stages_ms=dict.fromkeys(names, Spread.of([1.0])))

    one, other = with_stages("rest", "crops", "load"), with_stages("later", "detection", "load")
    assert stages_of([one, other]) == ["load", "detection", "crops", "rest", "later"]


def test_speedup_is_relative_to_the_cpu_of_the_same_device() -> None:
    fast = provider_result(20, pages_per_second=2 * provider_result(200).pages_per_second)
    assert bench_result(cpu=provider_result(200), cuda=fast).speedup("cuda") == 2
    assert bench_result(cuda=fast).speedup("cuda") is None


def test_notes_tell_what_makes_figures_doubtful() -> None:
    doubtful = provider_result(
        20,
        same_each_time=False,
        texts_sha256="cd" * 32,
        providers={"detection": "cuda", "recognition": "cpu"},
        failed=[PictureFailure("a.jpg", "no image")],
        throttling=ThrottlingChange(Throttling([], ["hot"]), Throttling(["hot"], ["hot", "low"])),
    )
    text = table(bench_result(cpu=provider_result(200), cuda=doubtful, tensorrt="no library"))
    assert text.split("\n\n")[-1].splitlines() == [
        "cuda: a.jpg failed: no image",
        "cuda: a picture did not give the same text each time",
        "cuda: recognition ran on cpu",
        "cuda: the device slowed itself down (hot, low)",
        "tensorrt doesn't work here: no library",
        "the providers did not read the same texts",
    ]


def test_numbers_have_three_significant_digits() -> None:
    values = (None, 0, 0.034, 9.996, 12.34, 99.96, 1234.5)
    assert " ".join(map(three_digits, values)) == "– 0.00 0.03 10.0 12.3 100 1234"
