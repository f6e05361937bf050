"""Read a program in Paddle's PIR format: an inference.json.

The JSON holds one block of operators. Each operator names its operands by number and states the
types of its results; parameters are operators named "p". Loops and conditions have blocks of their
own, which may have arguments and end with `yield`. Names of operators and types start with the
number of their dialect, 0 for `builtin`, 1 for `pd_op` and 2 for `cf`; the prefix `pd_op` is left
out here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...errors import ModelFormatError

DTYPES = {
    "t_bool": "bool", "t_i8": "int8", "t_ui8": "uint8", "t_i16": "int16", "t_i32": "int32",
    "t_i64": "int64", "t_f16": "float16", "t_f32": "float32", "t_f64": "float64",
}  # fmt: skip
_DIALECTS = {"0": "builtin", "2": "cf"}
# The most blocks within blocks; PARSeq's loop has three.
MAX_DEPTH = 16
# The most axes that a tensor of Paddle has.
MAX_AXES = 9
# What a damaged entry of the JSON raises while it is read.
_FAULTS = (AttributeError, IndexError, KeyError, TypeError, ValueError, RecursionError)


@dataclass(frozen=True)
class Value:
    """A result: one tensor, a list of tensors, or a tensor array, which grows."""

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
    blocks: tuple[Block, ...] = ()
    """The blocks of a loop or a condition."""

    def __str__(self) -> str:
        """Name the operator by its kind and outputs, as reports and errors do."""
        results = ", ".join(f"%{value.number}" for value in self.outputs if value is not None)
        return f"{self.name} → {results or 'nothing'}"


@dataclass(frozen=True)
class Block:
    """A block of a loop or a condition."""

    arguments: tuple[Value, ...]
    """The values that a loop gives each round."""
    operations: tuple[Operation, ...]


def every(operations: Iterable[Operation]) -> Iterator[Operation]:
    """Yield operators, and those of their blocks."""
    for operation in operations:
        yield operation
        for block in operation.blocks:
            yield from every(block.operations)


def read(path: Path) -> list[Operation]:
    """Read the operators of an inference.json, in their order.

    Raises:
        ModelFormatError: If the file isn't a PIR program, has more than one block at its top, or
            has an entry of another form than Paddle writes; the message names the operator.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        magic = data["base_code"]["magic"]
        regions = data["program"]["regions"]
        blocks = [block["ops"] for region in regions for block in region["blocks"]]
    except json.JSONDecodeError as error:
        raise ModelFormatError(
            f"{path}: not a PIR program: it ends early, or is damaged, at character {error.pos}; "
            "fetch or export it again"
        ) from error
    except _FAULTS as error:
        raise ModelFormatError(
            f"{path}: not a PIR program: it lacks what Paddle writes; fetch or export it again"
        ) from error
    if str(magic).lower() != "pir" or len(blocks) != 1 or not isinstance(blocks[0], list):
        raise ModelFormatError(f"{path}: expected a PIR program of one block")
    operations: list[Operation] = []
    known = {0}
    for index, entry in enumerate(blocks[0]):
        try:
            operation = _operation(entry)
            _check_known([operation], known)
        except _FAULTS as error:
            raise ModelFormatError(
                f"{path}: operator {index} can't be read: {_in_words(error)}; the file is damaged: "
                "export the network again"
            ) from error
        operations.append(operation)
    return operations


def _check_known(operations: Iterable[Operation], known: set[int]) -> None:
    """Check that operators read only what others compute before them, and note their results."""
    for operation in operations:
        if missing := [number for number in operation.inputs if number not in known]:
            raise ValueError(f"it reads %{missing[0]}, which no operator before it computes")
        for block in operation.blocks:
            _check_known(block.operations, known | {value.number for value in block.arguments})
        known.update(value.number for value in operation.outputs if value is not None)


def _in_words(error: Exception) -> str:
    """Describe a fault; the `repr` of a `UnicodeDecodeError` would contain the whole file."""
    return f"{type(error).__name__}: {error}"[:300]


def _operation(entry: dict[str, Any], depth: int = 0) -> Operation:
    if depth > MAX_DEPTH:
        raise ValueError(f"blocks are nested more than {MAX_DEPTH} deep")
    kind = _text(entry["#"])
    if kind == "p":
        # The first flag is "persistable". Parameters without it, such as a dropout's state, are not
        # in the parameter file.
        saved = bool(entry.get("OA", [1])[0])
        value = _value(entry["O"])
        if value is None:
            raise ValueError("a parameter without a value")
        return Operation("parameter", [], [value], {"name": _text(entry["A"][3]), "saved": saved})
    blocks = tuple(
        Block(
            tuple(_typed(_integer(item["#"]), item["TT"]) for item in block["args"]),
            tuple(_operation(item, depth + 1) for item in block["ops"]),
        )
        for region in entry.get("regions") or ()
        for block in region["blocks"]
    )
    attributes = {
        _text(item["N"]): _attribute(item["AT"])
        for item in entry["A"]
        if not item["AT"]["#"].endswith("a_place")
    }
    dialect, _, name = kind.partition(".")
    return Operation(
        name if dialect == "1" else f"{_DIALECTS.get(dialect, dialect)}.{name}",
        [_integer(item["%"]) for item in entry["I"]],
        [_value(item) for item in entry["O"]],
        attributes,
        blocks,
    )


def _value(entry: dict[str, Any]) -> Value | None:
    kind = entry["TT"]
    if kind["#"] == "NULL":
        return None
    return _typed(_integer(entry["%"]), kind)


def _typed(number: int, kind: dict[str, Any]) -> Value:
    name = kind["#"].split(".")[-1]
    if name == "t_vec":
        return Value(number, parts=tuple(_typed(number, part) for part in kind["D"]))
    if name not in ("t_dtensor", "t_dense_tensor_array"):
        raise ValueError(f"the type {kind['#']} is not supported")
    element = kind["D"][0]["#"].split(".")[-1]
    return Value(number, DTYPES.get(element, element), _shape(kind["D"][1]))


def _shape(sizes: Sequence[Any]) -> tuple[int, ...]:
    """Check a declared shape; Paddle writes open sizes as -1, or as other negative numbers."""
    if not isinstance(sizes, list) or len(sizes) > MAX_AXES:
        raise ValueError(f"a shape must be a list of at most {MAX_AXES} sizes")
    return tuple(_integer(size) for size in sizes)


def _integer(value: Any) -> int:
    """Check an integer of 64 bits, which JSON doesn't limit."""
    if not isinstance(value, int) or isinstance(value, bool) or not -(2**63) <= value < 2**63:
        raise ValueError(f"expected an integer of 64 bits, not {type(value).__name__}")
    return value


def _text(value: Any) -> str:
    """Check a text that can be written as UTF-8; JSON may contain half of a surrogate pair."""
    if not isinstance(value, str):
        raise ValueError(f"expected a text, not {type(value).__name__}")
    value.encode()
    return value


def _attribute(entry: dict[str, Any]) -> Any:
    """Convert an attribute's value: arrays become lists, data types their names."""
    if "VD" in entry:  # INF, -INF or NaN, which JSON can't write as numbers
        return float(entry["VD"])
    value = entry.get("D")
    if entry["#"].endswith("a_array"):
        return [_attribute(item) for item in value or []]
    if isinstance(value, list):
        return [_scalar(item) for item in value]
    return value if value is None else _scalar(value)


def _scalar(value: Any) -> bool | int | float | str:
    """Check a value that legacy attributes can hold."""
    if isinstance(value, (bool, float)):
        return value
    return _text(value) if isinstance(value, str) else _integer(value)
