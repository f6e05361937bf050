"""Read a program in Paddle's PIR format: an inference.json.

The JSON holds one block of operators. Each operator names its operands by number and states the
types of its results; parameters are operators named "p". Names of operators and types start with
the number of their dialect, 0 for `builtin` and 1 for `pd_op`; the prefix `pd_op` is left out here.
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
    """A result: one tensor, or a list of tensors."""

    number: int
    """The number by which operators refer to it."""
    dtype: str = ""
    shape: tuple[int, ...] = ()
    """The declared shape, -1 for open sizes."""
    parts: tuple[Value, ...] | None = None
    """The tensors of a list; None for a single tensor."""


@dataclass(frozen=True)
class Operation:
    """One operator of a program."""

    name: str
    inputs: list[int]
    """The number of each operand's value, 0 for an absent operand."""
    outputs: list[Value | None]
    """The results, None for an absent one."""
    attributes: dict[str, Any]

    def __str__(self) -> str:
        """Name the operator by its kind and outputs, as reports and errors do."""
        results = ", ".join(f"%{value.number}" for value in self.outputs if value is not None)
        return f"{self.name} → {results or 'nothing'}"


def read(path: Path) -> list[Operation]:
    """Read the operators of an inference.json, in their order.

    Raises:
        ModelFormatError: If the file isn't a PIR program, or has more than one block.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        magic = data["base_code"]["magic"]
        regions = data["program"]["regions"]
        blocks = [block["ops"] for region in regions for block in region["blocks"]]
    except (ValueError, KeyError, TypeError) as error:
        raise ModelFormatError(f"{path}: not a PIR program ({error!r})") from None
    if str(magic).lower() != "pir" or len(blocks) != 1:
        raise ModelFormatError(f"{path}: expected a PIR program of one block")
    operations = []
    for index, entry in enumerate(blocks[0]):
        try:
            operations.append(_operation(entry))
        except (KeyError, TypeError, IndexError, ValueError, AttributeError) as error:
            raise ModelFormatError(f"{path}: operator {index} can't be read: {error!r}") from None
    return operations


def _operation(entry: dict[str, Any]) -> Operation:
    if entry["#"] == "p":
        # The first flag is "persistable". Parameters without it, such as a dropout's state, are not
        # in the parameter file.
        saved = bool(entry.get("OA", [1])[0])
        attributes = {"name": entry["A"][3], "saved": saved}
        return Operation("parameter", [], [_value(entry["O"])], attributes)
    if entry.get("regions"):
        raise ValueError(f"{entry['#']} has blocks of its own; control flow can't be translated")
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
        raise ValueError(f"the type {kind['#']} is not supported")
    element = kind["D"][0]["#"].split(".")[-1]
    return Value(number, DTYPES.get(element, element), tuple(kind["D"][1]))


def _attribute(entry: dict[str, Any]) -> Any:
    """Convert an attribute's value: arrays become lists, data types their names."""
    if "VD" in entry:  # INF, -INF or NaN, which JSON can't write as numbers
        return float(entry["VD"])
    value = entry.get("D")
    if entry["#"].endswith("a_array"):
        return [_attribute(item) for item in value or []]
    return value
