"""Lower the control flow of PIR: loops, conditions, and tensor arrays.

A value of PIR is computed once. In the legacy form, a loop's block assigns the values of the next
round to the variables of the loop, and a condition's two blocks are two operators, one of whose
results is selected.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from ..files import DTYPES
from ..program import Program
from .reader import Block, Operation, Value

# The operator at the end of a block, which says what the block gives.
YIELD = "cf.yield"


class Lowering(Protocol):
    """What the functions below use of the class that lowers a program; see `lowering`."""

    program: Program
    names: dict[int, str | list[str]]
    block: int

    def lower(self, operations: Iterable[Operation]) -> None:
        """Lower operators into the current block."""

    def add(
        self,
        kind: str,
        inputs: dict[str, list[str]],
        outputs: dict[str, list[str]],
        attributes: dict[str, Any],
    ) -> None:
        """Add a legacy operator to the current block."""

    def declare(self, value: Value) -> list[str]:
        """Declare the variables of a result."""

    def variables(self, number: int) -> list[str]:
        """Return the variables of an operand."""


def _assign(state: Lowering, source: str, target: str) -> None:
    state.add("assign", {"X": [source]}, {"Out": [target]}, {})


def _copies(
    state: Lowering,
    numbers: Sequence[int],
    values: Sequence[Value | None],
    names: Sequence[str | None] | None = None,
) -> list[str]:
    """Copy operands into new variables.

    Args:
        state: The lowering.
        numbers: The operands.
        values: Values with the types of the variables.
        names: The names of the new variables; None stands for a name that is not used yet.

    Returns:
        The variables.
    """
    targets = []
    for number, value, wanted in zip(numbers, values, names or [None] * len(numbers), strict=True):
        assert value is not None
        (source,) = state.variables(number)
        name = wanted or f"copy{len(state.program.block.vars)}"
        state.program.add_variable(name, value.shape, value.dtype)
        _assign(state, source, name)
        targets.append(name)
    return targets


def _into(state: Lowering, block: Block, end: Callable[[list[int]], None]) -> int:
    """Lower a block into a new one of the program; return its index.

    Args:
        state: The lowering.
        block: The block.
        end: What is done in the new block at its end, with the values that the block yields.
    """
    *operations, last = block.operations
    if last.name != YIELD:
        raise ValueError("a block ends without yield")
    outside = state.block
    state.block = index = state.program.add_block(outside)
    state.lower(operations)
    end(last.inputs)
    state.block = outside
    return index


def _while(state: Lowering, op: Operation) -> None:
    (block,) = op.blocks
    first, *given = op.inputs
    condition = Value(op.inputs[0], "bool")
    # After the last round, a loop's variables hold its results. They have the results' names,
    # because errors and reports name operators by their results.
    names = [None, *(None if value is None else f"v{value.number}" for value in op.outputs)]
    variables = _copies(state, [first, *given], [condition, *block.arguments], names)
    for argument, name in zip(block.arguments, variables[1:], strict=True):
        state.names[argument.number] = name

    def next_round(yielded: list[int]) -> None:
        # A yielded value may be another variable's, so all are copied before any is assigned.
        copies = _copies(state, yielded, [condition, *block.arguments])
        for source, target in zip(copies, variables, strict=True):
            _assign(state, source, target)

    index = _into(state, block, next_round)
    results = {"Out": variables[1:]}
    state.add("while", {"Condition": variables[:1]}, results, {"sub_block": index})
    for value, name in zip(op.outputs, variables[1:], strict=True):
        if value is not None:
            state.names[value.number] = name


def _if(state: Lowering, op: Operation) -> None:
    (condition,) = state.variables(op.inputs[0])
    name = f"not{len(state.program.block.vars)}"
    state.program.add_variable(name, state.program.shape(condition), "bool")
    state.add("logical_not", {"X": [condition]}, {"Out": [name]}, {})
    branches = []
    for block, holds in zip(op.blocks, (condition, name), strict=True):
        results: list[str] = []

        def keep(yielded: list[int], results: list[str] = results) -> None:
            results += _copies(state, yielded, op.outputs)

        index = _into(state, block, keep)
        attributes = {"sub_block": index, "is_scalar_condition": True}
        state.add("conditional_block", {"Cond": [holds]}, {"Out": results}, attributes)
        branches.append(results)
    mask = f"mask{len(state.program.block.vars)}"
    state.program.add_variable(mask, state.program.shape(condition), "int32")
    kinds = {"in_dtype": DTYPES["bool"][0], "out_dtype": DTYPES["int32"][0]}
    state.add("cast", {"X": [condition]}, {"Out": [mask]}, kinds)
    for value, true, false in zip(op.outputs, *branches, strict=True):
        assert value is not None
        inputs = {"Mask": [mask], "X": [false, true]}
        state.add("select_input", inputs, {"Out": state.declare(value)}, {})


def _create_array(state: Lowering, op: Operation) -> None:
    (value,) = op.outputs
    assert value is not None
    state.names[value.number] = f"array{value.number}"


def _array_write(state: Lowering, op: Operation) -> None:
    array, item, position = op.inputs
    (name,) = state.variables(array)
    inputs = {"X": state.variables(item), "I": state.variables(position)}
    state.add("write_to_array", inputs, {"Out": [name]}, {})
    (value,) = op.outputs
    assert value is not None
    state.names[value.number] = name


def _array_read(state: Lowering, op: Operation) -> None:
    array, position = op.inputs
    (value,) = op.outputs
    assert value is not None
    inputs = {"X": state.variables(array), "I": state.variables(position)}
    state.add("read_from_array", inputs, {"Out": state.declare(value)}, {})


def _array_length(state: Lowering, op: Operation) -> None:
    (value,) = op.outputs
    assert value is not None
    inputs = {"X": state.variables(op.inputs[0])}
    state.add("lod_array_length", inputs, {"Out": state.declare(value)}, {})


def _array_to_tensor(state: Lowering, op: Operation) -> None:
    outputs = {
        slot: state.declare(value)
        for slot, value in zip(("Out", "OutIndex"), op.outputs, strict=True)
        if value is not None
    }
    inputs = {"X": state.variables(op.inputs[0])}
    kinds = {name: op.attributes[name] for name in ("axis", "use_stack")}
    state.add("tensor_array_to_tensor", inputs, outputs, kinds)


# PIR's operator → how it is lowered; `YIELD` ends a block, see `_into`.
SPECIAL: dict[str, Callable[[Any, Operation], None]] = {
    "while": _while,
    "if": _if,
    "create_array": _create_array,
    "array_write_": _array_write,
    "array_read": _array_read,
    "array_length": _array_length,
    "array_to_tensor": _array_to_tensor,
}
