"""The HTML report of `edgeocr bench`, and the lengths and axes of its charts."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pytest

from edgeocr.bench.charts import BAR, BINS, Segment, axis_over, histogram, segments
from edgeocr.bench.html import report
from edgeocr.bench.html_sections import COLOURS
from edgeocr.bench.metrics import STAGES
from edgeocr.bench.provider_result import PictureFailure, Spread
from tests.support.bench_results import PICTURES, REPEAT, bench_result, provider_result

BROKEN = "provider 'tensorrt' did not start here: <libnvinfer.so.10> & more"
HOSTILE = """A "board" <script>alert('x')</script> & ]]> </style>"""


def body(html: str) -> ElementTree.Element:
    """Parse a report as XML, which is stricter than HTML about closing and escaping."""
    return ElementTree.fromstring(html)


def classed(element: ElementTree.Element, name: str) -> list[ElementTree.Element]:
    return [each for each in element.iter() if name in each.get("class", "").split()]


ONE = bench_result(cpu=provider_result(200), cuda=provider_result(20), tensorrt=BROKEN)
OTHER = bench_result("Another board", cpu=provider_result(300))
REPORTS = {
    "one": report([ONE]),
    "several": report([ONE, OTHER]),
    "nothing works": report([bench_result(tensorrt=BROKEN)]),
    "equal names": report([OTHER, OTHER]),
    "hostile": report(
        [bench_result(HOSTILE, cpu=provider_result(200)), bench_result(HOSTILE, tensorrt=BROKEN)]
    ),
}


def test_every_stage_has_a_colour() -> None:
    assert tuple(COLOURS) == STAGES
    spread = Spread.of([1.0])
    stages = dict.fromkeys([*STAGES, "a later stage"], spread)
    html = report([bench_result(cpu=provider_result(200, stages_ms=stages))])
    used = set(re.findall(r"var\(--([\w-]+)\)", html))
    assert used > set(STAGES) and used <= set(re.findall(r"--([\w-]+):", html))


@pytest.mark.parametrize("name", REPORTS)
def test_report_is_well_formed_and_needs_no_other_file(name: str) -> None:
    html = REPORTS[name]
    body(html)
    seen: list[str] = []

    class Parser(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            seen.append(tag)
            assert not {"src", "href", "onload"} & {key for key, _ in attrs}

    Parser().feed(html)
    assert not {"script", "link", "img", "iframe"} & set(seen)
    assert "url(" not in html and "@import" not in html
    assert '<meta charset="utf-8"/>' in html


def test_names_are_escaped() -> None:
    html = REPORTS["hostile"]
    assert "<script" not in html
    heading = classed(body(html), "card")[0].find("h2")
    assert heading is not None and heading.text == f"{HOSTILE} (1)"
    failure = PictureFailure("<b>.jpg", "<i>")
    hostile = bench_result(cpu=provider_result(9, failed=[failure]))
    pictures = [replace(hostile.images[0], name="<b>&"), *hostile.images[1:]]
    html = report(
        [
            replace(
                hostile,
                images=pictures,
                bundle=replace(hostile.bundle, name="<b>&"),
                device=replace(hostile.device, os="<i>"),
                power_mode="<i>",
                packages={"<u>": "<i>"},
            )
        ]
    )
    body(html)
    assert not re.search("<[biu]>", html)


def test_card_names_device_bundle_and_versions() -> None:
    (card,) = classed(body(REPORTS["one"]), "card")
    text = "".join(card.itertext())
    for words in ("A board", "tiny", "onnxruntime 1.23.0", "2025-11-25 08:30:00 UTC", "8.0 GiB"):
        assert words in text


def test_failed_provider_is_listed_with_its_reason() -> None:
    for name in ("one", "several", "nothing works"):
        assert any(
            "doesn't work here: " + BROKEN in (item.text or "")
            for item in body(REPORTS[name]).iter("li")
        )
    assert not list(body(REPORTS["equal names"]).iter("li"))


def test_segments_add_up_to_the_total() -> None:
    fast, slow = provider_result(20), provider_result(200)
    stages = list(slow.stages_ms)
    total = sum(slow.stages_ms[stage].p50 for stage in stages)
    parts = segments(slow, stages, total)
    assert [part.stage for part in parts] == stages
    assert sum(part.width for part in parts) == pytest.approx(BAR)
    for part, following in pairwise(parts):
        assert part.start + part.width == pytest.approx(following.start)
    share = sum(fast.stages_ms[stage].p50 for stage in stages) / total
    drawn = sum(part.width for part in segments(fast, stages, total))
    assert drawn == pytest.approx(BAR * share)
    assert segments(fast, ["orientation"], total) == [Segment("orientation", 0.0, 0.0)]


def test_drawn_bars_have_the_widths_of_the_medians() -> None:
    (chart,) = classed(body(REPORTS["several"]), "bar")
    bars = [[float(rect.get("width", 0)) for rect in svg] for svg in chart.iter("svg")]
    assert [len(bar) for bar in bars] == [4, 4, 4]
    assert max(map(sum, bars)) == pytest.approx(BAR, abs=0.01)
    stages = [provider_result(ms).stages_ms for ms in (200, 20, 300)]
    totals = [sum(spread.p50 for spread in each.values()) for each in stages]
    expected = [BAR * total / max(totals) for total in totals]
    assert list(map(sum, bars)) == pytest.approx(expected, abs=0.01)


def test_histograms_count_every_page() -> None:
    (chart,) = classed(body(REPORTS["several"]), "histogram")
    pictures = list(chart.iter("svg"))
    assert len(pictures) == 3
    for svg in pictures:
        counts = [int((title.text or "").removeprefix("pages: ")) for title in svg.iter("title")]
        assert sum(counts) == REPEAT * len(PICTURES)


def test_histogram_equals_that_of_numpy() -> None:
    values = np.random.default_rng(3).uniform(100, 200, 500).tolist()
    axis = axis_over(values)
    assert not axis.logarithmic
    expected, _ = np.histogram(values, BINS, (axis.low, axis.high))
    assert histogram(values, axis) == expected.tolist()


@pytest.mark.parametrize(
    ("values", "low", "high", "logarithmic"),
    [
        ([103.0, 187.0], 100, 200, False),
        ([12.0, 430.0], 10, 500, True),
        ([0.0, 5.0], 0.001, 5, True),
        ([0.7, 90000.0], 0.5, 100000, True),
        ([50.0], 50, 60, False),
        ([0.0], 0.001, 0.0012, False),
    ],
)
def test_axes_have_round_ends_and_few_ticks(
    values: list[float], low: float, high: float, logarithmic: bool
) -> None:
    axis = axis_over(values)
    assert (axis.low, axis.high) == pytest.approx((low, high))
    assert axis.logarithmic is logarithmic
    assert 2 <= len(axis.ticks) <= 8
    assert all(-1e-9 <= axis.position(tick) <= 1 + 1e-9 for tick in axis.ticks)
    assert (axis.position(axis.low), axis.position(axis.high)) == (0, 1)
    assert sum(histogram(values, axis)) == len(values)


def test_devices_with_equal_names_are_numbered() -> None:
    headings = [card.find("h2") for card in classed(body(REPORTS["equal names"]), "card")]
    assert [each.text for each in headings if each is not None] == [
        "Another board (1)",
        "Another board (2)",
    ]


def test_picture_that_failed_has_no_median() -> None:
    measured = provider_result(200)
    first, _, last = measured.reads_ms
    half = replace(measured, reads_ms=[first, [], last])
    rows = [list(row) for row in body(report([bench_result(cpu=half)])).iter("tr")]
    cells = {"".join(row[0].itertext()): row[1].text for row in rows}
    assert cells["receipt.jpg960 × 720"] == "–"
    assert cells["poster.jpg960 × 720"] != "–"
