"""Change attributes, operands, shapes, types, operators and parameters of programs at random."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from typing import Any

from converters.paddle.program import Program

# What takes the place of an attribute's value.
_STRANGE: tuple[Any, ...] = (
    0, 1, -1, 7, 2**31 - 1, -(2**31), 2**62, True, 0.5, -1e30, float("nan"), float("inf"), "", "x",
    [], [0], [-1], [1, 1], [2**31 - 1], [0.5], ["x"],
)  # fmt: skip


def of_program(program: Program, chance: random.Random) -> None:
    """Change one to three places of a legacy program, which may be no program any more."""
    for _ in range(chance.randint(1, 3)):
        chance.choice(_CHANGES)(program, chance)


def of_pir(tree: Any, chance: random.Random) -> Any:
    """Return a copy of a PIR program with one to three operators changed, in their JSON."""
    changed = copy.deepcopy(tree)
    operations = changed["program"]["regions"][0]["blocks"][0]["ops"]
    for _ in range(chance.randint(1, 3)):
        chance.choice(_PIR_CHANGES)(operations, chance)
    return changed


def _operator(program: Program, chance: random.Random) -> Any:
    return chance.choice(program.block.ops)


def _attribute(program: Program, chance: random.Random) -> None:
    """Drop an attribute, or replace its value by one of any type."""
    desc = _operator(program, chance)
    if desc.attrs:
        index = chance.randrange(len(desc.attrs))
        name = desc.attrs[index].name
        del desc.attrs[index]
        if chance.random() < 0.7:
            view = next(op for op in program.operators if op.desc is desc or op.desc == desc)
            view.set_attribute(name, chance.choice(_STRANGE))


def _operand(program: Program, chance: random.Random) -> None:
    """Drop an operand, rename it, or take another variable."""
    desc = _operator(program, chance)
    slots = list(desc.inputs if chance.random() < 0.7 else desc.outputs)
    if slots:
        slot = chance.choice(slots)
        names = list(slot.arguments)
        others = [var.name for var in program.block.vars]
        what = chance.randrange(4)
        if what == 0:
            names = names[:-1]
        elif what == 1:
            names = [*names, chance.choice(others)]
        elif what == 2:
            names = ["missing", *names[1:]]
        else:
            names = [chance.choice(others), *names[1:]]
        del slot.arguments[:]
        slot.arguments.extend(names)


def _variable(program: Program, chance: random.Random) -> None:
    """Change the declared shape or type of a variable, or drop it."""
    index = chance.randrange(len(program.block.vars))
    tensor = program.block.vars[index].type.dense_tensor.tensor
    what = chance.randrange(4)
    if what == 0:
        tensor.data_type = chance.choice((0, 2, 3, 4, 5, 6, 20, 22))
    elif what == 1 and tensor.dims:
        tensor.dims[chance.randrange(len(tensor.dims))] = chance.choice((-1, 0, 1, 3, 2**40))
    elif what == 2:
        tensor.dims.extend([chance.choice((-1, 1, 5))])
    elif tensor.dims:
        del tensor.dims[chance.randrange(len(tensor.dims))]


def _order(program: Program, chance: random.Random) -> None:
    """Repeat, remove, move or rename an operator."""
    ops = program.block.ops
    first, second = chance.randrange(len(ops)), chance.randrange(len(ops))
    what = chance.randrange(4)
    if what == 0:
        ops.insert(second, ops[first])
    elif what == 1 and len(ops) > 1:
        del ops[first]
    elif what == 2:
        moved = copy.deepcopy(ops[first])
        del ops[first]
        ops.insert(second, moved)
    else:
        ops[first].type = ops[second].type


def _parameter(program: Program, chance: random.Random) -> None:
    """Drop a parameter, or cut it."""
    if program.parameters:
        name = chance.choice(sorted(program.parameters))
        if chance.random() < 0.5:
            del program.parameters[name]
        else:
            program.parameters[name] = program.parameters[name].reshape(-1)[:-1]


_CHANGES: tuple[Callable[[Program, random.Random], None], ...] = (
    _attribute, _attribute, _operand, _operand, _variable, _order, _parameter,
)  # fmt: skip


def _pir_attribute(operations: list[Any], chance: random.Random) -> None:
    listed = chance.choice(operations).get("A")
    if listed:
        index = chance.randrange(len(listed))
        if chance.random() < 0.3 or not isinstance(listed[index], dict):
            del listed[index]
        elif "AT" in listed[index]:
            listed[index]["AT"]["D"] = chance.choice(_STRANGE)


def _pir_operand(operations: list[Any], chance: random.Random) -> None:
    operands = chance.choice(operations).get("I")
    if operands:
        index = chance.randrange(len(operands))
        if chance.random() < 0.3:
            del operands[index]
        else:
            operands[index] = {"%": chance.randrange(len(operations))}


def _pir_result(operations: list[Any], chance: random.Random) -> None:
    results = chance.choice(operations).get("O")
    if isinstance(results, list) and results and results[0].get("TT", {}).get("D"):
        kind = results[0]["TT"]["D"]
        if chance.random() < 0.5:
            kind[0] = {"#": f"0.t_{chance.choice(('f64', 'i32', 'i64', 'bool', 'bf16'))}"}
        elif len(kind) > 1 and isinstance(kind[1], list):
            kind[1] = [*kind[1], 3] if chance.random() < 0.5 else kind[1][1:]


def _pir_order(operations: list[Any], chance: random.Random) -> None:
    first, second = chance.randrange(len(operations)), chance.randrange(len(operations))
    what = chance.randrange(4)
    if what == 0:
        operations.insert(second, copy.deepcopy(operations[first]))
    elif what == 1 and len(operations) > 1:
        del operations[first]
    elif what == 2:
        operations.insert(second, operations.pop(first))
    else:
        operations[first]["#"] = operations[second]["#"]


_PIR_CHANGES: tuple[Callable[[list[Any], random.Random], None], ...] = (
    _pir_attribute, _pir_attribute, _pir_operand, _pir_operand, _pir_result, _pir_order,
)  # fmt: skip
