"""The HTML page of edgeocr bench, and the lengths and axes in it."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from edgeocr.bench.charts import BAR, BINS, axis_over, histogram, segments
from edgeocr.bench.html import page
from tests.support.bench_results import PICTURES, REPEAT, figures, result

BROKEN = {"error": "provider 'tensorrt' did not start here: <libnvinfer.so.10> & more"}
HOSTILE = """A "board" <script>alert('x')</script> & ]]> </style>"""


def body(html: str) -> ElementTree.Element:
    """The page as XML, which is stricter than HTML about what is closed and escaped."""
    return ElementTree.fromstring(html)


def classed(element: ElementTree.Element, name: str) -> list[ElementTree.Element]:
    return [each for each in element.iter() if name in each.get("class", "").split()]


def pages() -> dict[str, str]:
    one = result(cpu=figures(200), cuda=figures(20), tensorrt=BROKEN)
    other = result("Another board", cpu=figures(300))
    return {
        "one": page([one]),
        "several": page([one, other]),
        "nothing works": page([result(tensorrt=BROKEN)]),
        "alike": page([other, other]),
        "hostile": page([result(HOSTILE, cpu=figures(200)), result(HOSTILE, tensorrt=BROKEN)]),
    }


@pytest.mark.parametrize("name", list(pages()))
def test_the_page_is_well_formed_and_needs_nothing_else(name: str) -> None:
    html = pages()[name]
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


def test_what_a_device_is_called_is_escaped() -> None:
    html = pages()["hostile"]
    assert "<script" not in html
    heading = classed(body(html), "card")[0].find("h2")
    assert heading is not None and heading.text == f"{HOSTILE} (1)"
    hostile: Any = result(cpu=figures(9, failed=[{"image": "<b>.jpg", "error": "<i>"}]))
    hostile["images"][0]["name"] = hostile["bundle"]["name"] = "<b>&"
    hostile["power_mode"] = hostile["device"]["os"] = hostile["packages"]["<u>"] = "<i>"
    html = page([hostile])
    body(html)
    assert not re.search("<[biu]>", html)


def test_the_head_says_what_was_measured() -> None:
    (card,) = classed(body(pages()["one"]), "card")
    text = "".join(card.itertext())
    for words in ("A board", "tiny", "onnxruntime 1.23.0", "2025-11-25 08:30:00 UTC", "8.0 GiB"):
        assert words in text


def test_what_does_not_work_has_its_reason() -> None:
    for name in ("one", "several", "nothing works"):
        assert any(
            "doesn't work here" in (item.text or "") and "<libnvinfer.so.10> & more" in item.text
            for item in body(pages()[name]).iter("li")
        )
    assert not list(body(pages()["alike"]).iter("li"))


def test_bars_add_up_to_the_total() -> None:
    fast, slow = figures(20), figures(200)
    stages = list(slow["stages_ms"])
    total = sum(slow["stages_ms"][stage]["p50"] for stage in stages)
    parts = segments(slow, stages, total)
    assert [stage for stage, *_ in parts] == stages
    assert sum(width for *_, width in parts) == pytest.approx(BAR)
    for (_, start, width), (_, after, _) in pairwise(parts):
        assert start + width == pytest.approx(after)
    share = sum(fast["stages_ms"][stage]["p50"] for stage in stages) / total
    assert sum(width for *_, width in segments(fast, stages, total)) == pytest.approx(BAR * share)
    assert segments(fast, ["orientation"], total) == [("orientation", 0.0, 0.0)]


def test_the_drawn_bars_are_those() -> None:
    (chart,) = classed(body(pages()["several"]), "bar")
    bars = [[float(rect.get("width", 0)) for rect in svg] for svg in chart.iter("svg")]
    assert [len(bar) for bar in bars] == [4, 4, 4]
    assert max(map(sum, bars)) == pytest.approx(BAR, abs=0.01)
    stages = [figures(ms)["stages_ms"] for ms in (200, 20, 300)]
    totals = [sum(spread["p50"] for spread in each.values()) for each in stages]
    expected = [BAR * total / max(totals) for total in totals]
    assert list(map(sum, bars)) == pytest.approx(expected, abs=0.01)


def test_histograms_have_every_page() -> None:
    (chart,) = classed(body(pages()["several"]), "histogram")
    pictures = list(chart.iter("svg"))
    assert len(pictures) == 3
    for svg in pictures:
        counts = [int((title.text or "").removeprefix("pages: ")) for title in svg.iter("title")]
        assert sum(counts) == REPEAT * len(PICTURES)


def test_a_histogram_counts_as_numpy_does() -> None:
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
def test_axes_are_round(values: list[float], low: float, high: float, logarithmic: bool) -> None:
    axis = axis_over(values)
    assert (axis.low, axis.high) == pytest.approx((low, high))
    assert axis.logarithmic is logarithmic
    assert 2 <= len(axis.ticks) <= 8
    assert all(-1e-9 <= axis.place(tick) <= 1 + 1e-9 for tick in axis.ticks)
    assert (axis.place(axis.low), axis.place(axis.high)) == (0, 1)
    assert sum(histogram(values, axis)) == len(values)


def test_devices_called_alike_are_told_apart() -> None:
    headings = [card.find("h2") for card in classed(body(pages()["alike"]), "card")]
    assert [each.text for each in headings if each is not None] == [
        "Another board (1)",
        "Another board (2)",
    ]


def test_a_picture_that_failed_has_no_median() -> None:
    half = figures(200)
    half["reads_ms"][1] = []
    rows = [list(row) for row in body(page([result(cpu=half)])).iter("tr")]
    cells = {"".join(row[0].itertext()): row[1].text for row in rows}
    assert cells["receipt.jpg960 × 720"] == "–"
    assert cells["poster.jpg960 × 720"] != "–"
