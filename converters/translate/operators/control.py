"""Control flow: loops, conditions, and lists of values.

Edge graphs have no loops and no branches. A loop's block is written once for each of its rounds:
the loop's counter starts at a constant and is compared with a constant, so the translation knows
when it ends. Whatever else would end the loop, such as the end of all texts of a
batch, is left out: a decoder ignores what follows the end of a text.
"""

from __future__ import annotations

import numpy as np

from ..call import Call
from ..registry import OpenLoopError, UnsupportedError, translates
from ..values import Value

# The most rounds of a loop; PaddleOCR's networks read texts of up to 40 characters.
MOST_ROUNDS = 200


@translates("while")
def while_(call: Call) -> None:
    """Write the block of a loop for each of its rounds."""
    block = call.attribute("sub_block")
    (name,) = call.operator.input("Condition")
    values = call.scope.values
    outside = set(values)
    if values[name].array is None:
        raise OpenLoopError("the number of its rounds follows from the input")
    for _ in range(MOST_ROUNDS + 1):
        condition = values[name]
        if condition.array is not None and not condition.array.any():
            return
        call.scope.translate(block)
        for inner in values.keys() - outside:  # values of this round only
            del values[inner]
    raise UnsupportedError(f"it hasn't ended after {MOST_ROUNDS} rounds, the most that are written")


@translates("conditional_block")
def conditional_block(call: Call) -> None:
    """Write a block if its condition is true.

    If that is known only when the graph runs, the block is computed in any case, and variables that
    had a value keep it where the condition is false. A block that then changes a list is refused.
    """
    condition, values = call.operand("Cond"), call.scope.values
    if condition.array is not None:
        if condition.array.all():
            call.scope.translate(call.attribute("sub_block"))
        return
    before = {name: values[name] for name in call.operator.output("Out") if name in values}
    lists = _names(call)
    call.scope.translate(call.attribute("sub_block"))
    if lists != _names(call):
        raise UnsupportedError("whether it changes a list is known only when the graph runs")
    for name, old in before.items():
        new = values[name]
        if new != old and not _is_placeholder(old, new):
            values[name] = _chosen(call, condition, new, old)


def _names(call: Call) -> dict[str, list[str]]:
    """Return the names of the values that each list of the program holds now."""
    return {name: [item.name for item in listed] for name, listed in call.scope.lists.items()}


def _chosen(call: Call, condition: Value, new: Value, old: Value) -> Value:
    """Return the first value where a condition of one element is true, and the second elsewhere."""
    if new.shape != old.shape or new.dtype != old.dtype:
        raise UnsupportedError("its results have other shapes than before, which ONNX can't choose")
    return call.select(call.number(call.cast(condition, bool)), new, old)


@translates("select_input")
def select_input(call: Call) -> None:
    """Write the value whose number a mask gives: what one of two branches has computed."""
    mask, names = call.operand("Mask"), call.operator.input("X")
    if mask.array is not None:
        call.give(call.scope.values[names[int(mask.array.item())]])
        return
    if len(names) != 2:
        raise UnsupportedError(f"it chooses one of {len(names)} values when it runs")
    others, first = (call.scope.values[name] for name in names)
    if call.scope.inside and _is_truth(others, False) and _is_truth(first, True):
        # Paddle writes `break` as a variable that becomes true, and puts everything after it into
        # a condition that the variable is false. It stays false, since early exits are left out.
        call.give(call.constant(np.zeros(first.shape, bool)))
        return
    if _is_placeholder(others, first):
        call.give(first)
        return
    call.give(_chosen(call, mask, first, others))


def _is_placeholder(value: Value, other: Value) -> bool:
    """Tell whether a value is the number that Paddle 2.6 puts where a branch has no other value.

    In SAR and RobustScanner the first branch hides a picture's padding, and changes nothing if
    there is none. In place of the unchanged value the second branch gives such a number. No network
    can go on with it, and Paddle Inference raises an error.
    """
    return value.array is not None and value.shape == () and other.shape != ()


def _is_truth(value: Value, known: bool) -> bool:
    """Tell whether a value is a constant of one element, the boolean `known`."""
    if value.dtype != bool or value.array is None or value.array.size != 1:
        return False
    return bool(value.array.item()) is known


def _position(call: Call) -> int:
    index = call.operand("I")
    if index.array is None:
        raise UnsupportedError("its position in the list is computed from the input")
    return int(index.array.item())


@translates("write_to_array")
def write_to_array(call: Call) -> None:
    """Put a value into a list: at a position, or at its end."""
    (name,) = call.operator.output("Out")
    listed = call.scope.lists.setdefault(name, [])
    position = _position(call)
    if not 0 <= position <= len(listed):
        raise UnsupportedError(f"it writes position {position} of a list of {len(listed)} values")
    listed[position : position + 1] = [call.operand()]


@translates("read_from_array")
def read_from_array(call: Call) -> None:
    """Take a value out of a list."""
    call.give(_list(call)[_position(call)])


@translates("lod_array_length")
def lod_array_length(call: Call) -> None:
    """Write how many values a list has."""
    (name,) = call.operator.input("X")
    call.give(call.constant(np.array(len(call.scope.lists.get(name, [])), np.int64)))


@translates("tensor_array_to_tensor")
def tensor_array_to_tensor(call: Call) -> None:
    """Join the values of a list along an axis, or along a new one."""
    listed, axis = _list(call), call.attribute("axis", 0)
    rank = listed[0].rank
    if call.attribute("use_stack", False):
        axis %= rank + 1
        listed = [call.unsqueeze(value, [axis]) for value in listed]
    else:
        axis = listed[0].axis(axis)
    shape = list(listed[0].shape)
    sizes = [value.shape[axis] for value in listed]
    shape[axis] = sum(sizes) if min(sizes) >= 0 else -1
    call.give(call.add("Concat", *listed, axis=axis, shape=shape))
    if min(sizes) >= 0:
        call.give(call.constant(np.array(sizes, np.int32)), "OutIndex")


def _list(call: Call) -> list[Value]:
    (name,) = call.operator.input("X")
    listed = call.scope.lists.get(name)
    if not listed:
        raise UnsupportedError("its list is empty")
    return listed


@translates("memcpy", "memcpy_d2h", "memcpy_h2d")
def memcpy(call: Call) -> None:
    """Give the value itself: the operator only copies it from one device to another."""
    call.give(call.operand())
