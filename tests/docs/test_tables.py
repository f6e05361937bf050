"""The tables of figures in the pages are those of the recorded results."""

from __future__ import annotations

import re

import pytest

from benchmarks import compare
from converters.catalog import entries
from edgeocr.bench.table import table
from tests.support import docs, imports
from tests.support.paths import ROOT

RESULTS = ROOT / "benchmarks" / "results"


def text_of(page: str) -> str:
    return (ROOT / page).read_text("utf-8")


def rows_of(text: str) -> list[list[str]]:
    """Return the cells of each row of the tables in a text."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


@pytest.mark.parametrize(
    ("result", "page"),
    [
        ("decoders", "docs/benchmarks.md"),
        ("shapes", "docs/providers.md"),
        ("systems", "docs/benchmarks.md"),
    ],
)
def test_table_is_the_recorded_result(result: str, page: str) -> None:
    assert (RESULTS / f"{result}.md").read_text("utf-8") in text_of(page)


def test_tables_of_peers_are_the_recorded_results() -> None:
    """Every column that a table has, and every row."""
    page = rows_of(text_of("docs/benchmarks.md"))
    for name, first in (("peers", "Pictures"), ("peers-amd-epyc-2", "Engine")):
        header, _, *rows = rows_of((RESULTS / f"{name}.md").read_text("utf-8"))
        start = next(i for i, row in enumerate(page) if row[:2] == ["Bundle", first])
        columns = [header.index(title) for title in page[start]]
        recorded = [[row[i] for i in columns] for row in rows]
        assert page[start + 2 : start + 2 + len(rows)] == recorded


def test_figures_of_the_readme_are_in_the_recorded_result() -> None:
    header, _, *rows = rows_of((RESULTS / "peers.md").read_text("utf-8"))
    readme = rows_of(text_of("README.md"))
    start = next(i for i, row in enumerate(readme) if row[:2] == ["Bundle", "Engine"])
    columns = [header.index(name) for name in readme[start]]
    recorded = [[row[i] for i in columns] for row in rows]
    shown = [row for row in readme[start + 2 :] if len(row) == len(columns)]
    assert len(shown) == 12
    assert all(row in recorded for row in shown)


def test_table_of_profiles_is_that_of_the_catalog() -> None:
    page = ROOT / "docs" / "bundles.md"
    rows = {row[0].strip("`"): " ".join(row[1:]) for row in rows_of(page.read_text("utf-8"))}
    for profile in entries.load().profiles.values():
        row = rows[profile.name]
        for value in (profile.memory_limit, profile.max_pixels, profile.threads):
            assert value is None or str(value) in row.replace(" ", "")
        for values in (profile.providers, profile.batches):
            assert values is None or ", ".join(map(str, values)) in row


def test_levels_of_the_architecture_page_are_those_that_the_imports_are_checked_by() -> None:
    rows = rows_of(text_of("docs/architecture.md"))
    start = rows.index(["Package or module", "What it is"]) + 2
    levels = [level for level in imports.LEVELS["edgeocr"] if not level[0].startswith("__")]
    shown = [
        tuple(re.findall(r"`edgeocr/(\w+)", cells[0]))
        for cells in rows[start : start + len(levels)]
    ]
    assert shown == levels


def test_readme_counts_the_models_of_the_catalog() -> None:
    number = len(entries.load().models)
    assert f"[models.toml](models.toml) lists {number} published models" in text_of("README.md")


def test_table_of_bench_is_that_of_the_recorded_result() -> None:
    result = compare.load(RESULTS / "devices" / "intel-xeon-2-openvino.json")
    page = ROOT / "docs" / "measure-a-device.md"
    (shown,) = (block.content for block in docs.blocks(page) if block.info == "text")
    assert shown.rstrip() == table(result).split("\n\n")[0]
