"""The JSON file of a proof: it is read back as it was, and nothing else is read."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.proof.record import Proof, ProofFileError, Table, load
from edgeocr.bundle.fields import FieldError
from tests.support.paths import ROOT
from tests.support.proofs import PROOF, TABLE

RESULTS = ROOT / "benchmarks" / "results"


def read(content: bytes) -> Proof:
    return Proof.from_json(content, "gpu.json")


def test_a_proof_is_read_back_as_it_was() -> None:
    assert read(PROOF.to_json().encode()) == PROOF


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda it: it.update(schema=2), "its schema is 2, and this version reads 1"),
        (lambda it: it.pop("schema"), "its schema is None"),
        (lambda it: it.pop("verdicts"), "field verdicts is missing"),
        (lambda it: it.update(more=1), "unknown field more"),
        (lambda it: it["verdicts"][0].update(outcome="maybe"), r"verdicts\[0\].outcome must be"),
        (lambda it: it["verdicts"][0].update(seconds="1"), r"verdicts\[0\].seconds must be"),
        (lambda it: it["verdicts"][0]["tables"][0]["rows"][0].pop(), "a row of the table"),
        (
            lambda it: it["verdicts"][0]["tables"][0]["rows"][0].__setitem__(0, ["x"]),
            r"a cell of the table .* is \['x'\]",
        ),
        (lambda it: it["machine"]["gpus"][0].pop("name"), r"machine.gpus\[0\].name is missing"),
    ],
)
def test_whatever_else_is_refused_by_its_name(change: Callable[[Any], object], said: str) -> None:
    record = json.loads(PROOF.to_json())
    change(record)
    with pytest.raises(ProofFileError, match=said):
        read(json.dumps(record).encode())


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'{"schema": 1, "schema": 1}', b"\xff"])
def test_broken_files_are_refused(content: bytes) -> None:
    with pytest.raises(ProofFileError, match=r"gpu\.json"):
        read(content)


def test_a_missing_file_is_an_error_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(ProofFileError, match=r"none\.json: No such file"):
        load(tmp_path / "none.json")


def test_a_figure_that_is_no_number_is_not_written() -> None:
    verdict = replace(PROOF.verdicts[0], tables=[Table("t", ["x"], [[float("inf")]])])
    assert read(replace(PROOF, verdicts=[verdict]).to_json().encode()).verdicts[0].tables[
        0
    ].rows == [["inf"]]


def test_a_row_has_as_many_cells_as_there_are_columns() -> None:
    with pytest.raises(FieldError, match="has 1 cells, and there are 5 columns"):
        replace(TABLE, rows=[[1]])


@pytest.mark.parametrize("path", sorted(RESULTS.glob("gpu-*.json")), ids=lambda path: path.stem)
def test_committed_proofs_can_be_read(path: Path) -> None:
    proof = load(path)
    assert proof.verdicts and not proof.interrupted
