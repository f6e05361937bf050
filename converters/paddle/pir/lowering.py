"""Lower a PIR program to a legacy program that computes the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import ModelFormatError, TranslationError
from .. import constants
from ..files import DTYPES, FAULTS, FEED_LIST, FETCH_LIST, read_parameters, require_affordable
from ..program import Program
from . import control
from .operators import ATTRIBUTE_KINDS, RULES, Number, Numbers, Rule
from .reader import Operation, Value, every, read

INT32 = np.iinfo(np.int32)


def lower(graph: Path, parameters: Path | None) -> Program:
    """Read a PIR program and bring it into the legacy form.

    Args:
        graph: The inference.json.
        parameters: The inference.pdiparams; None if the program has no parameters.

    Raises:
        ModelFormatError: If a file can't be read.
        TranslationError: If an operator can't be expressed; the message lists all operators that
            have no rule.
    """
    operations = read(graph)
    unknown = [
        op for op in every(operations) if _named(op.name) not in {*RULES, *_SPECIAL, control.YIELD}
    ]
    if unknown:
        listed = "\n  ".join(str(op) for op in unknown)
        number = "1 operator" if len(unknown) == 1 else f"{len(unknown)} operators"
        raise TranslationError(
            f"{graph}: {number} can't be translated:\n  {listed}\n"
            "Export the network without what is listed, or add rules to "
            "converters/paddle/pir/operators.py"
        )
    saved = [op for op in operations if op.name == "parameter" and op.attributes["saved"]]
    names = sorted(str(op.attributes["name"]) for op in saved)
    arrays = read_parameters(parameters, names) if parameters is not None else {}
    return _Lowering(graph, arrays).run(operations)


def _named(name: str) -> str:
    """Return the name of an operator's rule: that of relu for relu_, which computes in place.

    In PIR every result is a value of its own, so that it doesn't matter where Paddle keeps it.
    """
    return name if name in RULES or name in _SPECIAL else name.removesuffix("_")


class _Lowering:
    """The state of one lowering: what each numbered value has become.

    Attributes:
        graph: The file, for error messages.
        program: The legacy program so far.
        parameters: Name → array, from the parameter file.
        names: Value → the name of its legacy variable, or the names of a list's variables.
        constants: Value → array, if it is known; it becomes a variable only if an operator needs
            one.
        lists: Value of a combined list → its items.
        block: Index of the legacy block that operators are added to.
    """

    def __init__(self, graph: Path, parameters: dict[str, NDArray[Any]]) -> None:
        """Start with an empty program."""
        self.graph = graph
        self.program = Program.empty()
        self.parameters = parameters
        self.names: dict[int, str | list[str]] = {}
        self.constants: dict[int, NDArray[Any]] = {}
        self.lists: dict[int, list[int]] = {}
        self.block = 0

    def run(self, operations: list[Operation]) -> Program:
        """Lower all operators; return the program.

        Raises:
            ModelFormatError: If an operator lacks something that Paddle writes.
            TranslationError: If an operator can't be expressed.
        """
        block = self.program.desc.blocks[0]
        for name, kind in (("feed", FEED_LIST), ("fetch", FETCH_LIST)):
            block.vars.add(name=name, persistable=True).type.type = kind
        self.lower(operations)
        return self.program

    def lower(self, operations: Iterable[Operation]) -> None:
        """Lower operators into the current block; see `run`."""
        for op in operations:
            try:
                special = _SPECIAL.get(_named(op.name))
                if special is not None:
                    special(self, op)
                else:
                    self._apply(op, RULES[_named(op.name)])
            except FAULTS as error:
                # The reader has checked the form of an operator. Only its rule knows which
                # attributes, operands and results it needs.
                raise ModelFormatError(
                    f"{self.graph}: {op} is not as Paddle writes it "
                    f"({type(error).__name__}: {error!s:.200}); export the network again"
                ) from error

    def _apply(self, op: Operation, rule: Rule) -> None:
        if any(op.inputs[len(rule.inputs) :]):
            raise TranslationError(
                f"{self.graph}: {op} has operands that its rule in "
                "converters/paddle/pir/operators.py doesn't cover; extend the rule, or export the "
                "network without the operator"
            )
        inputs: dict[str, list[str]] = {}
        attributes = dict(rule.add)
        for name, value in op.attributes.items():
            if name == "dtype" and isinstance(value, str):
                # Other names, "" and "undefined", mean that the result has the operand's type.
                value = DTYPES[value][0] if value in DTYPES else -1
            attributes[rule.rename.get(name, name)] = value
        for number, operand in zip(op.inputs, rule.inputs, strict=False):
            if number == 0 or operand == "":
                continue
            if isinstance(operand, Number):
                self._number(op, number, operand, inputs, attributes)
            elif isinstance(operand, Numbers):
                self._numbers(op, number, operand, inputs, attributes)
            else:
                inputs[operand] = self.variables(number)
        if rule.kind.startswith("reduce_"):
            axes = attributes.get("dim")
            attributes["reduce_all"] = not axes or len(axes) == len(self._shape(op.inputs[0]))
            attributes |= {"in_dtype": -1, "out_dtype": attributes.pop("dtype", -1)}
        if rule.kind.startswith("fill_constant") and "value" in attributes:
            attributes["str_value"] = str(attributes["value"])
        outputs = {}
        for value, slot in zip(op.outputs, rule.outputs, strict=False):
            if value is not None:
                outputs[slot] = self.declare(value)
        self.add(rule.kind, inputs, outputs, attributes)

    def add(
        self,
        kind: str,
        inputs: dict[str, list[str]],
        outputs: dict[str, list[str]],
        attributes: dict[str, Any],
    ) -> None:
        """Add a legacy operator whose attributes have the types that Paddle expects."""
        operator = self.program.add_operator(kind, inputs, outputs, block=self.block)
        for name, value in attributes.items():
            operator.set_attribute(name, value, ATTRIBUTE_KINDS.get((kind, name)))

    def cast(self, source: list[str], name: str, dtype: str) -> list[str]:
        """Return a variable of another type with the same values; `source` if it has the type."""
        have, wanted = self.program.dtype(source[0]), DTYPES[dtype][0]
        if have == wanted:
            return source
        self.program.add_variable(name, self.program.shape(source[0]), dtype)
        self.add("cast", {"X": source}, {"Out": [name]}, {"in_dtype": have, "out_dtype": wanted})
        return [name]

    def declare(self, value: Value) -> list[str]:
        """Declare the variables of a result, named after its number; return their names."""
        if value.parts is None:
            name = f"v{value.number}"
            self.names[value.number] = name
            self._variable(name, value)
            return [name]
        names = [f"v{value.number}.{index}" for index in range(len(value.parts))]
        self.names[value.number] = names
        for name, part in zip(names, value.parts, strict=True):
            self._variable(name, part)
        return names

    def _variable(self, name: str, value: Value) -> None:
        self.type(value)
        self.program.add_variable(name, value.shape, value.dtype)

    def type(self, value: Value) -> Any:
        """Return NumPy's type for a value."""
        if value.dtype not in DTYPES:
            raise TranslationError(
                f"{self.graph}: %{value.number} has the type {value.dtype!r}, which can't be "
                "translated; export the network in float32"
            )
        return DTYPES[value.dtype][1]

    def variables(self, number: int) -> list[str]:
        """Return the variables of an operand; a constant becomes a parameter here."""
        if number in self.lists:
            return [name for item in self.lists[number] for name in self.variables(item)]
        if number not in self.names:
            name = f"constant{number}"
            self.program.add_parameter(name, self.constants[number], constant=True)
            self.names[number] = name
        names = self.names[number]
        return [names] if isinstance(names, str) else names

    def _shape(self, number: int) -> list[int]:
        """Return the declared shape of an operand."""
        if number in self.constants:
            return list(self.constants[number].shape)
        return self.program.shape(self.variables(number)[0])

    def _number(
        self,
        op: Operation,
        number: int,
        operand: Number,
        inputs: dict[str, list[str]],
        attributes: dict[str, Any],
    ) -> None:
        constant = self.constants.get(number)
        if constant is not None and constant.size == 1:
            attributes[operand.attribute] = operand.kind(constant.reshape(()).item())
        elif operand.tensor:
            inputs[operand.tensor] = self.variables(number)
            attributes[operand.attribute] = operand.kind(operand.default)
        else:
            raise self._varies(op, operand.attribute)

    def _numbers(
        self,
        op: Operation,
        number: int,
        operand: Numbers,
        inputs: dict[str, list[str]],
        attributes: dict[str, Any],
    ) -> None:
        items = self.lists.get(number)
        constant = self.constants.get(number)
        if items is not None and all(item in self.constants for item in items):
            constant = np.concatenate([self.constants[item].reshape(-1) for item in items])
        if constant is not None:
            clipped = np.clip(constant.reshape(-1), INT32.min, INT32.max)
            attributes[operand.attribute] = [int(item) for item in clipped]
        elif items is not None and operand.tensors:
            inputs[operand.tensors] = self.variables(number)
            attributes[operand.attribute] = [
                int(self.constants[item].reshape(())) if item in self.constants else -1
                for item in items
            ]
        elif items is None and operand.tensor:
            inputs[operand.tensor] = self.variables(number)
            length = max(self._shape(number), default=0)
            require_affordable(length)
            attributes[operand.attribute] = [-1] * length
        else:
            raise self._varies(op, operand.attribute)

    def _varies(self, op: Operation, what: str) -> TranslationError:
        return TranslationError(
            f"{self.graph}: {op}: its {what} is computed from the input, which the legacy "
            f"operator can't express; export the network with a fixed {what}"
        )


def _parameter(state: _Lowering, op: Operation) -> None:
    value, name = op.outputs[0], str(op.attributes["name"])
    assert value is not None
    state.names[value.number] = name
    if name in state.parameters:
        array = state.parameters[name]
        if list(array.shape) != list(value.shape) or str(array.dtype) != value.dtype:
            raise TranslationError(
                f"{state.graph}: parameter {name} is {value.dtype} {list(value.shape)} in the "
                f"program, but {array.dtype} {list(array.shape)} in the parameter file; these "
                "files don't belong together"
            )
        state.program.add_parameter(name, array)


def _result(op: Operation) -> Value:
    """Return the first result of an operation, which it always has."""
    value = op.outputs[0]
    assert value is not None
    return value


def _data(state: _Lowering, op: Operation) -> None:
    value = _result(op)
    name = str(op.attributes["name"])
    state.names[value.number] = name
    state._variable(name, value)
    column = sum(item.type == "feed" for item in state.program.operators)
    column = int(op.attributes.get("col", column))
    state.add("feed", {"X": ["feed"]}, {"Out": [name]}, {"col": column})


def _fetch(state: _Lowering, op: Operation) -> None:
    (name,) = state.variables(op.inputs[0])
    state.add("fetch", {"X": [name]}, {"Out": ["fetch"]}, {"col": int(op.attributes["col"])})


def _eye(state: _Lowering, op: Operation) -> None:
    if not all(number in state.constants for number in op.inputs):
        raise state._varies(op, "size")
    rows, columns = (int(state.constants[number].reshape(())) for number in op.inputs)
    require_affordable(rows, columns)
    _constant(state, op, np.eye(rows, columns))


def _arange(state: _Lowering, op: Operation) -> None:
    """Cast all operands, because the legacy operator has the type of the first one."""
    value = _result(op)
    inputs: dict[str, list[str]] = {}
    for slot, number in zip(("Start", "End", "Step"), op.inputs, strict=True):
        name = f"v{value.number}.{slot.lower()}"
        if number in state.constants:
            array = constants.cast(state.constants[number], state.type(value))
            inputs[slot] = [state.program.add_parameter(name, array, constant=True)]
        else:
            inputs[slot] = state.cast(state.variables(number), name, value.dtype)
    state.add("range", inputs, {"Out": state.declare(value)}, {})


def _full(state: _Lowering, op: Operation) -> None:
    require_affordable(*op.attributes["shape"])
    _constant(state, op, np.full(op.attributes["shape"], op.attributes["value"]))


def _full_int_array(state: _Lowering, op: Operation) -> None:
    _constant(state, op, np.array(op.attributes["value"], np.int64))


def _assign_value(state: _Lowering, op: Operation) -> None:
    _constant(state, op, np.array(op.attributes["values"]).reshape(op.attributes["shape"]))


def _constant(state: _Lowering, op: Operation, value: NDArray[Any]) -> None:
    result = _result(op)
    state.constants[result.number] = constants.cast(value, state.type(result))


def _combine(state: _Lowering, op: Operation) -> None:
    state.lists[_result(op).number] = op.inputs


def _uncombine(state: _Lowering, op: Operation) -> None:
    """Lower builtin.split, which makes each item of a list a value of its own."""
    for value, name in zip(op.outputs, state.variables(op.inputs[0]), strict=True):
        if value is not None:
            state.names[value.number] = name


def _item(state: _Lowering, op: Operation) -> None:
    """Lower builtin.slice, which takes one item of a list."""
    state.names[_result(op).number] = state.variables(op.inputs[0])[int(op.attributes["index"])]


def _cast(state: _Lowering, op: Operation) -> None:
    value = _result(op)
    source, target = state.variables(op.inputs[0]), state.declare(value)
    kinds = {"in_dtype": state.program.dtype(source[0]), "out_dtype": DTYPES[value.dtype][0]}
    state.add("cast", {"X": source}, {"Out": target}, kinds)


def _shape64(state: _Lowering, op: Operation) -> None:
    """Cast the result to int64, because the legacy operator returns int32."""
    value = _result(op)
    narrow = f"v{value.number}.int32"
    state.program.add_variable(narrow, value.shape, "int32")
    state.add("shape", {"Input": state.variables(op.inputs[0])}, {"Out": [narrow]}, {})
    kinds = {"in_dtype": DTYPES["int32"][0], "out_dtype": DTYPES["int64"][0]}
    state.add("cast", {"X": [narrow]}, {"Out": state.declare(value)}, kinds)


_SPECIAL: dict[str, Callable[[_Lowering, Operation], None]] = {
    "parameter": _parameter,
    "data": _data,
    "feed": _data,
    "fetch": _fetch,
    "eye": _eye,
    "arange": _arange,
    "full": _full,
    "full_int_array": _full_int_array,
    "assign_value": _assign_value,
    "assign_value_": _assign_value,
    "builtin.combine": _combine,
    "builtin.split": _uncombine,
    "builtin.slice": _item,
    "cast": _cast,
    "shape64": _shape64,
    **control.SPECIAL,
}
