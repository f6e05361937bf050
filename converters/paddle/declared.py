"""What a program declares about inputs, outputs and parameters, read without the parameters."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from ..errors import ModelFormatError
from . import pir
from .files import FAULTS, FEED_LIST, FETCH_LIST, parse
from .program import Program

# Sizes of a tensor, None for open ones.
Shape: TypeAlias = list[int | None]
# The operators that PaddleSlim puts into a network which it quantizes.
QUANTIZED = re.compile(r"fake_.*quantize.*|(de)?quantize_linear")


@dataclass(frozen=True)
class Declaration:
    """The tensors that a program declares."""

    inputs: list[Shape]
    """The shape of each input, in order."""
    outputs: list[Shape]
    """The shape of each output, in order."""
    parameters: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """Name → shape of each parameter that has a place in the parameter file."""
    names: list[str] = field(default_factory=list)
    """The name of each input, in order."""


def of_legacy(program: Path) -> Declaration:
    """Read the declarations of an inference.pdmodel.

    Raises:
        ModelFormatError: The file isn't a Paddle program, its inputs and outputs are not as Paddle
            writes them, or the network is quantized.
    """
    parsed = Program(parse(program), {})
    _require_float(program, (op.type for block in parsed.desc.blocks for op in block.ops))
    parameters = {
        str(variable.name): tuple(variable.type.dense_tensor.tensor.dims)
        for block in parsed.desc.blocks
        for variable in block.vars
        if variable.persistable and variable.type.type not in (FEED_LIST, FETCH_LIST)
    }
    try:
        names, fetched = parsed.inputs, parsed.outputs
    except FAULTS as error:
        raise ModelFormatError(
            f"{program}: its inputs and outputs are not as Paddle writes them "
            f"({type(error).__name__}: {error!s:.200}); export the network again"
        ) from error
    inputs, outputs = ([_open(parsed.shape(name)) for name in each] for each in (names, fetched))
    return Declaration(inputs, outputs, parameters, names)


def of_pir(graph: Path) -> Declaration:
    """Read the declarations of an inference.json.

    Raises:
        ModelFormatError: The file isn't a PIR program, or the network is quantized.
    """
    operations = pir.read(graph)
    _require_float(graph, (op.name for op in pir.every(operations)))
    shapes = {
        value.number: value.shape for op in operations for value in op.outputs if value is not None
    }
    parameters = {
        str(op.attributes["name"]): value.shape
        for op in operations
        for value in op.outputs
        if op.name == "parameter" and op.attributes["saved"] and value is not None
    }
    fed = [
        (str(op.attributes.get("name", "")), value)
        for op in operations
        for value in op.outputs
        if op.name in ("data", "feed") and value is not None
    ]
    fetched = [op for op in operations if op.name == "fetch" and op.inputs]
    fetched.sort(
        key=lambda op: column if isinstance(column := op.attributes.get("col"), int) else 0
    )
    outputs = [_open(shapes.get(op.inputs[0], ())) for op in fetched]
    inputs = [_open(value.shape) for _, value in fed]
    return Declaration(inputs, outputs, parameters, [name for name, _ in fed])


def _require_float(program: Path, operators: Iterable[str]) -> None:
    """Raise `ModelFormatError` for a network that is quantized, by the names of its operators."""
    found = [name for name in operators if QUANTIZED.fullmatch(name)]
    if found:
        raise ModelFormatError(
            f"{program}: a quantized network: {len(found)} of its operators are "
            f"{', '.join(sorted(set(found)))}. Convert the network in float32 that it was made "
            "from; `freeze --precision int8` quantizes the graphs of a bundle"
        )


def _open(sizes: list[int] | tuple[int, ...]) -> Shape:
    return [size if size >= 0 else None for size in sizes]
