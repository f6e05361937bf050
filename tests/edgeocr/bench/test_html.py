"""The HTML report of `edgeocr bench`, and the lengths and axes of its charts."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pytest

from edgeocr.bench.cell import PictureFailure
from edgeocr.bench.charts import BAR, BINS, Segment, axis_over, histogram, segments
from edgeocr.bench.html import report
from edgeocr.bench.html_charts import COLOURS, PANELS
from edgeocr.bench.metrics import METRICS, STAGES
from edgeocr.bench.spread import Spread
from edgeocr.bench.sustained import Sample, Sustained, after_heat_up
from tests.support.bench_results import PICTURES, REPEAT, bench_result, cell, matrix, measured

BROKEN = "provider 'tensorrt' did not start here: <libnvinfer.so.10> & more"
HOSTILE = """A "board" <script>alert('x')</script> & ]]> </style>"""


def body(html: str) -> ElementTree.Element:
    """Parse a report as XML, which is stricter than HTML about closing and escaping."""
    return ElementTree.fromstring(html)


def classed(element: ElementTree.Element, name: str) -> list[ElementTree.Element]:
    return [each for each in element.iter() if name in each.get("class", "").split()]


ONE = bench_result(cpu=measured(200), cuda=measured(20), tensorrt=BROKEN)
OTHER = bench_result("Another board", cpu=measured(300))
REPORTS = {
    "one": report([ONE]),
    "several": report([ONE, OTHER]),
    "nothing works": report([bench_result(tensorrt=BROKEN)]),
    "equal names": report([OTHER, OTHER]),
    "matrix": report([matrix()]),
    "two matrices": report([matrix(), matrix("Another board")], [HOSTILE]),
    "hostile": report(
        [
            matrix(HOSTILE, (HOSTILE, "&amp;")),
            bench_result(HOSTILE, cell(measured(200), HOSTILE)),
            bench_result(HOSTILE, tensorrt=BROKEN),
        ],
        [HOSTILE],
    ),
}


def test_every_stage_has_a_colour() -> None:
    assert tuple(COLOURS) == STAGES
    spread = Spread.of([1.0])
    stages = dict.fromkeys([*STAGES, "a later stage"], spread)
    html = report([bench_result(cpu=measured(200, stages_ms=stages))])
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
    texts = ["".join(each.itertext()) for each in body(html).iter() if each.tag in ("td", "li")]
    assert HOSTILE in texts and any(HOSTILE in text and "is the best" in text for text in texts)
    failure = PictureFailure("<b>.jpg", "<i>")
    hostile = bench_result(cpu=measured(9, failed=[failure]))
    pictures = [replace(hostile.images[0], name="<b>&"), *hostile.images[1:]]
    html = report(
        [
            replace(
                hostile,
                images=pictures,
                bundles={"<b>&": hostile.bundles["tiny"]},
                cells=[replace(each, bundle="<b>&") for each in hostile.cells],
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
            "was not measured: " + BROKEN in (item.text or "")
            for item in body(REPORTS[name]).iter("li")
        )


def test_segments_add_up_to_the_total() -> None:
    fast, slow = measured(20), measured(200)
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
    stages = [measured(ms).stages_ms for ms in (200, 20, 300)]
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


def table_after(html: str, heading: str) -> list[list[str]]:
    """Return the texts of the table in the section with a heading."""
    page = body(html).find("body")
    assert page is not None
    parts = list(page)
    start = next(i for i, part in enumerate(parts) if part.tag == "h2" and part.text == heading)
    table = next(part for part in parts[start:] if part.find("table") is not None)
    return [["".join(cell.itertext()) for cell in row] for row in table.iter("tr")]


def test_picture_that_failed_has_no_median() -> None:
    figures = measured(200)
    first, _, last = figures.reads_ms
    half = replace(figures, reads_ms=[first, [None] * REPEAT, last])
    rows = table_after(report([bench_result(cpu=half)]), "Pictures")
    cells = dict(rows)
    assert cells["receipt.jpg960 × 720"] == "–"
    assert cells["poster.jpg960 × 720"] != "–"


def test_matrix_has_a_row_for_each_measured_cell_and_marks_the_best() -> None:
    head, *rows = table_after(REPORTS["matrix"], "Cells")
    known = [metric.title for metric in METRICS if metric.title != "GPU memory, MiB"]
    assert head[1:] == ["Bundle", "Provider", "Precision", "Threads", *known, "Time ÷ best"]
    assert [row[0] for row in rows] == ["★", "", "×", "☆", "", "×"]
    assert {len(row) for row in rows} == {len(head)}
    marked = [row.get("class") for row in body(REPORTS["matrix"]).iter("tr")][1:7]
    assert marked == ["best", "slower", "refused", "best-of-its-bundle", "slower", "refused"]
    (best,) = [each for each in classed(body(REPORTS["matrix"]), "best") if each.tag == "p"]
    text = "".join(best.itertext())
    assert text.startswith("★ tiny cpu fp32 is the best: 80.0 ms a page after the heat-up")


def test_rows_of_several_devices_stand_below_their_names() -> None:
    rows = table_after(REPORTS["two matrices"], "Cells")
    assert [rows[1], rows[8]] == [["A board"], ["Another board"]]
    assert len(rows) == 1 + 2 * (1 + 6)
    (warnings,) = classed(body(REPORTS["two matrices"]), "warnings")
    assert [item.text for item in warnings] == [HOSTILE]


def test_bars_beside_each_other_have_the_lengths_of_their_figures() -> None:
    (chart,) = classed(body(REPORTS["matrix"]), "beside")
    assert [each.text for each in classed(chart, "head")] == [panel.title for panel in PANELS]
    figures = classed(chart, "figure")
    assert len(figures) == 6 * len(PANELS)
    pages = figures[:: len(PANELS)]
    widths = [float(rect.get("width", 0)) for each in pages for rect in each.iter("rect")]
    expected = [each.measured.page_ms.p50 for each in matrix().cells if each.measured is not None]
    longest = max(expected)
    assert widths == pytest.approx([BAR * ms / longest for ms in expected], abs=0.01)
    # 3 of 73 lines differ, and 1 % are allowed.
    refused = figures[2 * len(PANELS) + 2]
    (line,) = refused.iter("line")
    (rect,) = refused.iter("rect")
    assert float(line.get("x1", 0)) < float(rect.get("width", 0)) == BAR
    assert classed(chart, "limit") == []


def test_chart_without_reference_and_labels_has_times_only() -> None:
    (chart,) = classed(body(report([bench_result(cpu=measured(9, agreement=None))])), "beside")
    assert [each.text for each in classed(chart, "head")] == ["Page p50, ms"]


def test_sustained_load_is_drawn_over_the_time_with_the_quoted_figure() -> None:
    html = REPORTS["matrix"]
    first, second = classed(body(html), "lines")
    assert [each.text for each in classed(first, "name")] == [
        *("page, ms", "clock, MHz", "temperature, °C", "power, W"),
    ]
    assert [each.text for each in classed(second, "value")] == [
        *("150 – 200", "1800 – 2400", "40.0 – 60.0", "6.50"),
    ]
    (line,) = next(first.iter("svg")).iter("polyline")
    points = [tuple(map(float, point.split(","))) for point in line.get("points", "").split()]
    assert len(points) == 31 and (points[0][0], points[-1][0]) == (0, BAR)
    # The page gets slower, so that the line rises, up to the end of the heat-up.
    assert points[0][1] > points[10][1] > points[-1][1]
    assert len(classed(next(first.iter("svg")), "throttled")) == 15
    (hot,) = classed(next(first.iter("svg")), "hot")
    assert float(hot.get("x", 0)) == pytest.approx(BAR * 2 / 3, abs=0.1)
    quoted = ["".join(each.itertext()) for each in classed(body(html), "quoted")]
    assert quoted == ["80.0 ms", "200 ms"]
    assert "(+33 %); the device was slowed down (throttled)." in html


def test_sensors_that_are_missing_now_and_then_interrupt_their_line() -> None:
    seen = [None, 50.0, None, 52.0, 53.0]
    samples = [
        Sample(float(i + 1), 5, 100.0 + i, None, temperature, None, None)
        for i, temperature in enumerate(seen)
    ]
    load = Sustained(0.1, samples, *after_heat_up(samples), None, [])
    (chart,) = classed(body(report([bench_result(cpu=measured(9, sustained=load))])), "lines")
    assert [each.text for each in classed(chart, "name")] == ["page, ms", "temperature, °C"]
    drawing = list(chart.iter("svg"))[1]
    points = [line.get("points", "").split() for line in drawing.iter("polyline")]
    assert [len(part) for part in points] == [2, 3]
    assert classed(chart, "throttled") == []
