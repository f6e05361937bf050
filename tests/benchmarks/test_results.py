"""Records and tables of the measurements are those of the recorded results."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any, get_type_hints

import pytest

from benchmarks import causes, decoders, npu, shapes, systems
from benchmarks.conversions import Converted, Row, Verified, table
from benchmarks.peer_report import Comparison, EngineFigures, Result
from benchmarks.peer_tables import markdown
from tests.support.paths import ROOT

RESULTS = ROOT / "benchmarks" / "results"


def record_of(name: str) -> dict[str, Any]:
    record: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text("utf-8"))
    return record


def markdown_of(name: str) -> str:
    return (RESULTS / f"{name}.md").read_text("utf-8")


def test_shapes_write_the_recorded_keys_and_table() -> None:
    recorded = record_of("shapes")["bundles"]
    comparisons = [
        shapes.Comparison(fixed_hmean=few_hmean, changed=tuple(map(tuple, changed)), **others)
        for few_hmean, changed, others in (
            (each.pop("few_hmean"), each.pop("changed"), each) for each in map(dict, recorded)
        )
    ]
    written = json.loads(json.dumps([each.to_dict() for each in comparisons]))
    assert written == recorded
    assert shapes.table(comparisons) + "\n" == markdown_of("shapes")
    assert not any(each.too_many_changed for each in comparisons)


def test_decoders_write_the_recorded_keys_and_table() -> None:
    recorded = record_of("decoders")["rows"]
    rows = [decoders.Row(**row) for row in recorded]
    assert [asdict(row) for row in rows] == recorded
    assert "\n".join(map(str, rows)) + "\n" in markdown_of("decoders")


@pytest.mark.parametrize(
    ("module", "page"), [(causes, "fine-tunes"), (npu, "npu")], ids=["causes", "npu"]
)
def test_what_is_recorded_of_conversions_is_in_the_docs(module: Any, page: str) -> None:
    name = module.__name__.rsplit(".", 1)[-1]
    recorded = record_of(name)["rows"]
    rows = [module.Row(**row) for row in recorded]
    assert [asdict(row) for row in rows] == recorded
    table = "\n".join([module.HEADER, *map(str, rows)]) + "\n"
    assert table == markdown_of(name)
    assert table in (ROOT / "docs" / f"{page}.md").read_text("utf-8")


def test_systems_write_the_recorded_keys() -> None:
    recorded = record_of("systems")["rows"]
    assert [asdict(systems.Row(**row)) for row in recorded] == recorded
    assert [row["system"] for row in recorded] == [system.name for system in systems.SYSTEMS]


def test_conversions_write_the_recorded_keys_and_table() -> None:
    recorded = record_of("conversions")["models"]
    rows = [
        Row(
            model["network"],
            model["format"],
            Converted(**{key: model[key] for key in Converted.__annotations__}),
            Verified(**{key: model[key] for key in Verified.__annotations__}),
            model.get("error"),
        )
        for model in recorded
    ]
    assert [row.to_dict() for row in rows] == recorded
    assert table(rows) + "\n" == markdown_of("conversions")


def test_peers_write_the_recorded_keys_and_page() -> None:
    results: list[Any] = [
        json.loads(path.read_text("utf-8")) for path in sorted(RESULTS.glob("peers-*.json"))
    ]
    assert len(results) > 3
    for result in results:
        # Older files lack the engines that failed.
        assert result.keys() | {"failed"} == get_type_hints(Result).keys()
        for figures in result["engines"].values():
            assert figures.keys() == get_type_hints(EngineFigures).keys()
        for comparison in result["comparisons"].values():
            assert comparison.keys() == get_type_hints(Comparison).keys()
    assert markdown(results) == markdown_of("peers")
