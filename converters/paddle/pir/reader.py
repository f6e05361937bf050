"""Paddle's PIR format: inference.json → operators and values with their types.

The JSON has one block of operators. Each names its operands by number and gives its results' types;
parameters are operators named "p". Names of operators and types start with the number of their
dialect, 0 for `builtin` and 1 for `pd_op`; here `pd_op` is left out.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import ModelFormatError

DTYPES = {
    "t_bool": "bool", "t_i8": "int8", "t_ui8": "uint8", "t_i16": "int16", "t_i32": "int32",
    "t_i64": "int64", "t_f16": "float16", "t_f32": "float32", "t_f64": "float64",
}  # fmt: skip
_DIALECTS = {"0": "builtin"}


@dataclass(frozen=True)
class Value:
    """A result: one tensor, or with `parts` a list of them.

    shape: -1 for what may vary.
    """

    number: int
    dtype: str = ""
    shape: tuple[int, ...] = ()
    parts: tuple[Value, ...] | None = None


@dataclass(frozen=True)
class Operation:
    """One operator: `inputs` are the numbers of values, 0 for an operand that is absent."""

    name: str
    inputs: list[int]
    outputs: list[Value | None]
    attributes: dict[str, Any]

    def __str__(self) -> str:
        results = ", ".join(f"%{value.number}" for value in self.outputs if value is not None)
        return f"{self.name} → {results or 'nothing'}"


def read(path: Path) -> list[Operation]:
    """The operators of an inference.json in their order.

    Raises `ModelFormatError` when the file is no PIR program or has more than one block.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        magic = data["base_code"]["magic"]
        regions = data["program"]["regions"]
        blocks = [block["ops"] for region in regions for block in region["blocks"]]
    except (ValueError, KeyError, TypeError) as error:
        raise ModelFormatError(f"{path}: not a PIR program ({error!r})") from None
    if str(magic).lower() != "pir" or len(blocks) != 1:
        raise ModelFormatError(f"{path}: a PIR program of one block was expected")
    operations = []
    for index, entry in enumerate(blocks[0]):
        try:
            operations.append(_operation(entry))
        except (KeyError, TypeError, IndexError, ValueError, AttributeError) as error:
            raise ModelFormatError(f"{path}: operator {index} can't be read: {error!r}") from None
    return operations


def _operation(entry: dict[str, Any]) -> Operation:
    if entry["#"] == "p":
        # Its flags start with "persistable"; what is not, the state of a dropout, has no values.
        saved = bool(entry.get("OA", [1])[0])
        attributes = {"name": entry["A"][3], "saved": saved}
        return Operation("parameter", [], [_value(entry["O"])], attributes)
    if entry.get("regions"):
        raise ValueError(f"{entry['#']} has blocks of its own: control flow can't be translated")
    attributes = {
        item["N"]: _attribute(item["AT"])
        for item in entry["A"]
        if not item["AT"]["#"].endswith("a_place")
    }
    dialect, _, name = entry["#"].partition(".")
    return Operation(
        name if dialect == "1" else f"{_DIALECTS.get(dialect, dialect)}.{name}",
        [item["%"] for item in entry["I"]],
        [_value(item) for item in entry["O"]],
        attributes,
    )


def _value(entry: dict[str, Any]) -> Value | None:
    kind = entry["TT"]
    if kind["#"] == "NULL":
        return None
    return _typed(entry["%"], kind)


def _typed(number: int, kind: dict[str, Any]) -> Value:
    name = kind["#"].split(".")[-1]
    if name == "t_vec":
        return Value(number, parts=tuple(_typed(number, part) for part in kind["D"]))
    if name != "t_dtensor":
        raise ValueError(f"type {kind['#']} is unknown")
    element = kind["D"][0]["#"].split(".")[-1]
    return Value(number, DTYPES.get(element, element), tuple(kind["D"][1]))


def _attribute(entry: dict[str, Any]) -> Any:
    """Arrays become lists, a data type its name."""
    if "VD" in entry:  # what JSON can't write: INF, -INF, NaN
        return float(entry["VD"])
    value = entry.get("D")
    if entry["#"].endswith("a_array"):
        return [_attribute(item) for item in value or []]
    return value
