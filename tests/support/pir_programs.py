"""Make PIR programs of a few operators, each an inference.json as Paddle 3 writes it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def tensor(number: int, shape: list[int], kind: str = "f32") -> dict[str, Any]:
    """Describe a result by its number and its type."""
    form = {"#": "0.t_dtensor", "D": [{"#": f"0.t_{kind}"}, shape, "NCHW", [], 0]}
    return {"%": number, "TT": form}


def operation(name: str, inputs: list[int], /, *outputs: dict[str, Any], **attributes: Any) -> Any:
    """Describe an operator of the dialect pd_op, or of builtin if its name begins with that."""
    dialect, _, kind = name.rpartition(".")
    return {
        "#": f"{0 if dialect == 'builtin' else 1}.{kind}",
        "A": [{"N": key, "AT": _attribute(value)} for key, value in attributes.items()],
        "I": [{"%": number} for number in inputs],
        "O": list(outputs),
        "OA": [],
    }


def parameter(name: str, output: dict[str, Any], *, persistable: bool = True) -> Any:
    """Describe a parameter, whose value is in inference.pdiparams."""
    flags = [int(persistable), 1, 0]
    return {"#": "p", "A": [0, 1, 1, name], "DA": [], "O": output, "OA": flags, "QA": []}


def data(name: str, output: dict[str, Any]) -> Any:
    """Describe an input of the program."""
    return operation("data", [], output, name=name)


def full(number: int, value: float, kind: str = "float32") -> Any:
    """Describe a constant of one value."""
    short = {"float32": "f32", "int64": "i64", "int32": "i32"}[kind]
    return operation("full", [], tensor(number, [1], short), shape=[1], value=value, dtype=kind)


def integers(number: int, values: list[int]) -> Any:
    """Describe a constant list of integers."""
    return operation("full_int_array", [], tensor(number, [len(values)], "i64"), value=values)


def fetch(number: int, column: int = 0) -> Any:
    """Describe an output of the program."""
    return operation("fetch", [number], tensor(1000 + column, []), col=column)


def write(folder: Path, *operations: Any) -> Path:
    """Write the program, and return the path of its inference.json."""
    block = {"#": "block_0", "args": [], "ops": list(operations)}
    program = {"regions": [{"#": "region_0", "blocks": [block]}]}
    head = {"magic": "pir", "trainable": True, "version": 4}
    path = folder / "inference.json"
    path.write_text(json.dumps({"base_code": head, "program": program}), "utf-8")
    return path


def _attribute(value: Any) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    if isinstance(value, list):
        return {"#": "0.a_array", "D": [_attribute(item) for item in value]}
    kind = {bool: "bool", int: "i32", float: "f32", str: "str"}[type(value)]
    return {"#": f"0.a_{kind}", "D": value}
