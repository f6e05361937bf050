"""The Markdown page of `edgeocr bench`, rendered by markdown-it-py."""

from __future__ import annotations

from xml.etree import ElementTree

from markdown_it import MarkdownIt

from edgeocr.bench.markdown import is_markdown, markdown
from edgeocr.bench.result import BenchResult
from tests.support.bench_results import bench_result, cell, matrix, measured

HOSTILE = "<b>*x*|`y`_z_[a](b)&lt;"


def rendered(result: BenchResult) -> ElementTree.Element:
    text = markdown(result)
    assert is_markdown(text.encode()[:100])
    html = MarkdownIt("commonmark", {"xhtmlOut": True}).enable("table").render(text)
    return ElementTree.fromstring(f"<body>{html}</body>")


def tables(page: ElementTree.Element) -> list[list[list[str]]]:
    return [
        [["".join(cell.itertext()) for cell in row] for row in table.iter("tr")]
        for table in page.iter("table")
    ]


def test_matrix_sustained_loads_and_stages_are_tables() -> None:
    page = rendered(matrix("Raspberry_Pi *5*"))
    (heading,) = page.iter("h1")
    assert heading.text == "edgeocr bench: Raspberry_Pi *5*"
    cells, loads, stages = tables(page)
    assert [row[0] for row in cells] == ["", "★", "", "×", "☆", "", "×"]
    assert len({len(row) for row in cells}) == 1
    assert cells[3][1:4] == ["tiny", "openvino", "fp32"]
    assert [row[0] for row in loads[1:]] == ["tiny cpu fp32", "mobile cpu fp32"]
    assert stages[0] == ["stage", "tiny cpu fp32", "mobile cpu fp32"]
    assert [row[0] for row in stages[1:]] == ["load", "detection", "recognition", "rest"]
    items = ["".join(item.itertext()) for item in page.iter("li")]
    assert any(item.startswith("tiny cpu fp32 is the best: ") for item in items)
    assert any("were not measured: libcudart.so.12 is missing" in item for item in items)


def test_names_of_strangers_mean_nothing() -> None:
    page = rendered(bench_result(HOSTILE, cell(measured(9), bundle=HOSTILE)))
    assert {each.tag for each in page.iter()} <= {
        *("body", "h1", "h2", "p", "ul", "li"),
        *("table", "thead", "tbody", "tr", "th", "td"),
    }
    assert tables(page)[0][1][1] == HOSTILE
    (heading,) = page.iter("h1")
    assert heading.text == f"edgeocr bench: {HOSTILE}"


def test_result_without_figures_has_its_reasons() -> None:
    page = rendered(bench_result(cuda="no driver"))
    assert tables(page) == []
    assert "cuda was not measured: no driver" in "".join(page.itertext())
