"""The list of allowed operators."""

from __future__ import annotations

import onnx

from edgeocr.graphs.operators import IR_VERSIONS, OPERATORS, OPSETS, OPTIONAL_INPUTS
from tests.support.paths import ROOT

PAGE = ROOT / "docs" / "graphs.md"


def test_operators_are_those_of_onnx() -> None:
    known = {
        schema.name for schema in onnx.defs.get_all_schemas_with_history() if not schema.domain
    }
    assert known >= OPERATORS
    bodies = {
        schema.name
        for schema in onnx.defs.get_all_schemas_with_history()
        for each in schema.attributes.values()
        if each.type in (onnx.defs.OpSchema.AttrType.GRAPH, onnx.defs.OpSchema.AttrType.GRAPHS)
    }
    assert bodies >= {"If", "Loop", "Scan"} and not bodies & OPERATORS


def test_optional_inputs_are_those_of_onnx() -> None:
    optional = onnx.defs.OpSchema.FormalParameterOption.Optional
    first: dict[str, int] = {}
    for schema in onnx.defs.get_all_schemas_with_history():
        for position, parameter in enumerate(schema.inputs):
            if parameter.option == optional and schema.name in OPERATORS and not schema.domain:
                first[schema.name] = min(position, first.get(schema.name, position))
    assert first == OPTIONAL_INPUTS


def test_page_lists_the_operators_and_versions() -> None:
    text = PAGE.read_text("utf-8")
    table = text.partition("| Kind | Operators |\n|---|---|\n")[2].partition("\n\n")[0]
    named = [name for row in table.splitlines() for name in row.split("`")[1::2]]
    assert len(named) == len(set(named)) and set(named) == OPERATORS
    words = " ".join(text.split())
    assert f"an IR version from {IR_VERSIONS[0]} to {IR_VERSIONS[-1]}" in words
    assert f"operators of one version from {OPSETS[0]} to {OPSETS[-1]}" in words
