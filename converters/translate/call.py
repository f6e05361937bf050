"""What the translation of one operator works with: operands, attributes, the graph to write."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..paddle.files import NUMPY
from ..paddle.program import Operator, Program
from .nodes import Nodes
from .registry import OpsetError, UnsupportedError
from .values import Value, contradict
from .writer import Writer


@dataclass(frozen=True)
class Scope:
    """What the operators of a program have computed so far.

    Attributes:
        values: Variable → its value.
        lists: Variable of the type tensor array → the values in it.
        translate: Translates the operators of the block with an index, here and now.
        inside: Whether the operator is in a block of a loop or a condition. The shapes that a
            program declares there need not hold for all rounds.
    """

    values: dict[str, Value]
    lists: dict[str, list[Value]]
    translate: Callable[[int], None]
    inside: bool = False


class Call(Nodes):
    """One operator of a program, and the graph that gets the nodes which compute the same.

    Attributes:
        operator: The operator.
        scope: What the operators before it have computed.
    """

    def __init__(self, operator: Operator, program: Program, scope: Scope, writer: Writer) -> None:
        """Take an operator of a program, at a point where the scope's values are computed."""
        super().__init__(writer)
        self.operator = operator
        self.scope = scope
        self._program = program
        self._values = scope.values

    def require_opset(self, least: int) -> None:
        """Refuse the operator if the graph's opset is older than `least`, the first that has it.

        Raises:
            OpsetError: If it is.
        """
        if self.opset < least:
            raise OpsetError(least)

    # What the operator has

    def operands(self, slot: str) -> list[Value]:
        """Return the values at an input slot; [] if it is empty or absent.

        Raises:
            KeyError: If nothing has computed one of them.
        """
        return [self._values[name] for name in self.operator.input(slot)]

    def optional(self, slot: str) -> Value | None:
        """Return the first value at an input slot, or None if it is empty or absent."""
        found = self.operands(slot)
        return found[0] if found else None

    def operand(self, slot: str = "X") -> Value:
        """Return the first value at an input slot.

        Raises:
            UnsupportedError: If the slot is empty or absent.
        """
        found = self.optional(slot)
        if found is None:
            raise UnsupportedError(f"its input {slot} is missing")
        return found

    def attribute(self, name: str, default: Any = None) -> Any:
        """Return an attribute, or `default` if it is absent.

        Paddle lets some attributes be given by variables. A single number in one is returned as a
        list if the default is a list.

        Raises:
            UnsupportedError: If a variable gives it whose value isn't constant.
        """
        names = self.operator.attribute_variables(name)
        if not names:
            return self.operator.attribute(name, default)
        arrays = [self._values[each].array for each in names]
        known = [array for array in arrays if array is not None]
        if len(known) < len(arrays):
            raise UnsupportedError(f"its {name} is computed from the input")
        numbers = [item for array in known for item in array.reshape(-1).tolist()]
        return numbers[0] if len(numbers) == 1 and not isinstance(default, list) else numbers

    def dtype(self, name: str, default: Any) -> np.dtype[Any]:
        """Return the NumPy type that an attribute names by Paddle's number, or `default` for -1.

        Raises:
            UnsupportedError: If the number is that of a type that edgeocr doesn't read.
        """
        number = self.attribute(name, -1)
        found: np.dtype[Any] = np.dtype(NUMPY.get(number, default))
        if number != -1 and number not in NUMPY:
            raise UnsupportedError(f"edgeocr doesn't read values of Paddle's type {number}")
        return found

    def result_shape(self) -> tuple[int, ...]:
        """Return the shape that the program declares for the operator's first result."""
        return tuple(self._program.shape(self.operator.output("Out")[0]))

    def result_dtype(self, default: Any) -> np.dtype[Any]:
        """Return the NumPy type that the program declares for the first result, or `default`."""
        names = self.operator.output("Out")
        number = self._program.dtype(names[0]) if names else -1
        found: np.dtype[Any] = np.dtype(NUMPY.get(number, default))
        return found

    def integers(self, attribute: str, tensor: str = "", tensors: str = "") -> Value:
        """Return a list of integers, int64 [n], from a filled input slot, or else an attribute.

        The attribute may itself be given by variables.

        Args:
            attribute: The attribute with the list.
            tensor: The slot for the list as one tensor; "" if there is none.
            tensors: The slot for one tensor per integer; "" if there is none.

        Raises:
            UnsupportedError: If neither a slot nor the attribute has the list.
        """
        for slot in (tensor, tensors):
            if slot and (given := self.operands(slot)):
                return self.vector(given)
        if names := self.operator.attribute_variables(attribute):
            return self.vector(self._values[name] for name in names)
        listed = self.attribute(attribute)
        if listed is None:
            raise UnsupportedError(f"it has no {attribute}")
        return self.constant(np.array(listed, np.int64).reshape(-1))

    # What it gives

    def give(
        self, value: Value | Sequence[Value], slot: str = "Out", *, typed: bool = False
    ) -> None:
        """Make values the results of the operator at an output slot, in the declared type.

        A result gets the shape that the program declares for it where that is less open than what
        the nodes show, unless the two contradict each other: Paddle declares a wrong shape for
        `gather` if a tensor gives the axis. A single number gets the shape [1] if the program
        declares it, as programs of Paddle before 2.5 do. Slots that the operator doesn't have are
        left out.

        Args:
            value: The result, or all results of the slot.
            slot: The output slot.
            typed: Whether the results keep their type, because Paddle computes this one whatever
                the program declares.

        Raises:
            UnsupportedError: If the operator has another number of results at the slot.
        """
        given = [value] if isinstance(value, Value) else list(value)
        names = self.operator.output(slot)
        if names and len(names) != len(given):
            raise UnsupportedError(f"it has {len(names)} results {slot} where {len(given)} belong")
        for name, item in zip(names, given, strict=False):
            declared = NUMPY.get(self._program.dtype(name))
            if declared is not None and not typed:
                item = self.cast(item, declared)
            shape = tuple(self._program.shape(name))
            if shape == (1,) and item.rank == 0:
                item = self.unsqueeze(item, [0])
            item = self.writer.named(item, name)
            if (
                item.array is None
                and len(shape) == item.rank
                and not self.scope.inside
                and not contradict(item.shape, shape)
            ):
                sizes = zip(shape, item.shape, strict=True)
                shape = tuple(size if size >= 0 else found for size, found in sizes)
            else:
                shape = item.shape
            self._values[name] = Value(item.name, item.dtype, shape, item.array)
