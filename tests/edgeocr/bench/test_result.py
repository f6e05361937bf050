"""The result of `edgeocr bench` as its JSON file has it: read strictly, and documented."""

from __future__ import annotations

import copy
import dataclasses
import json
import re
import typing
from collections.abc import Iterator
from typing import Any

import pytest

from edgeocr.bench.cell import Accuracy
from edgeocr.bench.result import SCHEMA, BenchResult, Labels, is_result
from edgeocr.bundle.fields import FieldError
from tests.support.bench_results import bench_result, cell, measured, sustained
from tests.support.paths import ROOT

PAGE = ROOT / "docs" / "bench-results.md"
ACCURACY = Accuracy(pictures=1, lines=16, detection_hmean=1.0, hmean=0.9, cer=0.02)
FULL = dataclasses.replace(
    bench_result(
        "A board",
        cell(measured(200, accuracy=ACCURACY, sustained=sustained(200)), threads=4),
        cell("no driver", "cuda"),
    ),
    labels=Labels("Label.txt", "ab" * 32, 1, 16),
)


def record() -> Any:
    """Return the decoded JSON of a result that has every kind of record."""
    return json.loads(json.dumps(FULL.to_dict()))


def test_result_survives_json() -> None:
    assert BenchResult.from_dict(record()) == FULL
    assert is_result(json.dumps(record(), indent=1).encode())
    assert not is_result(b'{"schema": 2}')


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every field of a decoded result."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in items:
        if isinstance(value, dict):
            yield (*path, key)
        if isinstance(item, (dict, list)) and item:
            yield from leaves(item, (*path, key))


# Keys of these objects are names, such as those of stages and packages, and may be absent.
NAMED = {"packages", "bundles", "models", "graphs", "clocks", "taken", "stages_ms", "detection"}


def test_every_missing_field_is_named() -> None:
    fields = [path for path in leaves(record()) if not NAMED & set(path[:-1][-1:])]
    assert len(fields) > 100
    for path in fields:
        changed = record()
        holder = changed
        for key in path[:-1]:
            holder = holder[key]
        del holder[path[-1]]
        with pytest.raises(FieldError, match=re.escape(str(path[-1]))):
            BenchResult.from_dict(changed)


def change(path: str, value: Any) -> Any:
    """Return a decoded result with another value at a path such as "cells.0.threads"."""
    changed = copy.deepcopy(record())
    holder = changed
    *keys, last = path.split(".")
    for key in keys:
        holder = holder[int(key) if isinstance(holder, list) else key]
    holder[int(last) if isinstance(holder, list) else last] = value
    return changed


M = "cells.0.measured"


@pytest.mark.parametrize(
    ("path", "value", "complaint"),
    [
        ("schema", 1, "it has schema 1, and this version reads 2"),
        ("schema", [2], "it has schema [2]"),
        ("host", "ann", "unknown field host"),
        (f"{M}.speed", 1, "unknown field cells[0].measured.speed"),
        ("repeat", 2.5, "repeat must be an integer, not 2.5"),
        ("repeat", True, "repeat must be an integer, not True"),
        ("minutes", float("nan"), "minutes must be a finite number"),
        ("temperature_c.after", float("inf"), "temperature_c.after must be a finite number"),
        (f"{M}.warm_up_ms", -1, "cells[0].measured.warm_up_ms must be at least 0"),
        (f"{M}.page_ms.p50", 1e400, "cells[0].measured.page_ms.p50 must be a finite number"),
        (f"{M}.page_ms.p50", 1, "cells[0].measured.page_ms is not the spread of reads_ms"),
        (f"{M}.reads_ms.1", [1.0], "cells[0].measured.reads_ms[1] must have 8 times"),
        (f"{M}.reads_ms", [[1.0] * 8], "cells[0].measured.reads_ms must have 3 lists"),
        (f"{M}.reads_ms", [[None] * 8] * 3, "reads_ms must have at least one time"),
        (f"{M}.pages_per_second", 9, "cells[0].measured.pages_per_second does not follow"),
        (f"{M}.stream", [], "cells[0].measured.stream must have at least one turn"),
        (f"{M}.stream_pages_per_second", 9, "stream_pages_per_second does not follow from stream"),
        (f"{M}.agreement", None, "cells[0].measured.agreement must be there"),
        (f"{M}.agreement.same", 74, "agreement.same must be at most lines"),
        (f"{M}.agreement.lines", 74, "agreement.lines must be at most the lines"),
        (f"{M}.agreement.found", -1, "agreement.found must be at least 0"),
        (f"{M}.agreement.score_difference", 74.0, "agreement.score_difference must be from 0"),
        (f"{M}.accuracy", None, "cells[0].measured.accuracy must be there"),
        (f"{M}.accuracy.hmean", 1.5, "accuracy.hmean must be from 0 to 1"),
        (f"{M}.sustained.samples", [], "sustained.samples must have at least one sample"),
        (f"{M}.sustained.samples.3.seconds", 0.5, "samples must be in the order"),
        (f"{M}.sustained.page_ms", 1, "sustained.page_ms does not follow from samples"),
        (f"{M}.sustained.pages_per_second", 1, "pages_per_second does not follow from samples"),
        ("cells.0.precision", "fp8", "cells[0].precision must be one of"),
        ("cells.0.bundle", "large", "cells[0].bundle is not in bundles"),
        ("cells.0.measured", None, "cells[0] must have either measured or not_measured"),
        ("cells.1.not_measured.why", "tired", "cells[1].not_measured.why must be one of"),
        ("bundles.tiny.reference.error", "no", "bundles.tiny.reference must have either"),
    ],
)
def test_what_does_not_fit_is_named(path: str, value: Any, complaint: str) -> None:
    with pytest.raises(FieldError) as raised:
        BenchResult.from_dict(change(path, value))
    assert complaint in str(raised.value)


def test_same_combination_twice_is_refused() -> None:
    changed = record()
    changed["cells"][1] = changed["cells"][0]
    with pytest.raises(FieldError, match=r"cells\[1\] is the same combination as an earlier one"):
        BenchResult.from_dict(changed)


def records(kind: Any, found: dict[str, Any]) -> dict[str, Any]:
    """Collect the dataclasses that a result is made of, by name."""
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        if kind.__name__ in found:
            return found
        found[kind.__name__] = kind
        for hint in typing.get_type_hints(kind).values():
            records(hint, found)
    for argument in typing.get_args(kind):
        records(argument, found)
    return found


def test_page_documents_every_field() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert f"`schema`: {SCHEMA}" in text
    documented = re.findall(r"^\| `(\w+\.\w+)` \|", text, re.MULTILINE)
    expected = [
        f"{name}.{field.name}"
        for name, kind in records(BenchResult, {}).items()
        for field in dataclasses.fields(kind)
    ]
    assert sorted(documented) == sorted(expected)
