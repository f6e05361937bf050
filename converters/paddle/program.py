"""Read, inspect, change and write a program in Paddle's legacy format.

PIR programs are brought into this form too (`pir`), so that one translator serves both formats.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path, PurePath
from typing import Any

from numpy.typing import NDArray

from ..errors import ModelFormatError
from .files import (
    DENSE_TENSOR,
    DTYPES,
    FEED_LIST,
    FETCH_LIST,
    is_file,
    messages,
    parse,
    read_parameters,
    tensor_bytes,
)

# Paddle's AttrType → the field of OpDesc.Attr that holds the value.
_ATTRIBUTE_FIELDS = {
    0: "i", 1: "f", 2: "s", 3: "ints", 4: "floats", 5: "strings", 6: "b", 7: "bools",
    8: "block_idx", 9: "l", 10: "blocks_idx", 11: "longs", 12: "float64s", 13: "var_name",
    14: "vars_name", 15: "float64",
}  # fmt: skip
_REPEATED = {3, 4, 5, 7, 10, 11, 12, 14}
# The AttrTypes of a variable and of a list of variables that give an attribute its value.
_VARIABLE, _VARIABLES = 13, 14
# The AttrTypes of a number of any type and of a list of such, which are read and never written.
_SCALAR, _SCALARS = 16, 17
# Paddle's type of such a number → the field that holds it.
_SCALAR_FIELDS = {1: "b", 2: "i", 3: "r"}


class Operator:
    """A view of one operator of a program: changes go to the program."""

    def __init__(self, desc: Any) -> None:
        """Wrap an OpDesc."""
        self.desc = desc

    @property
    def type(self) -> str:
        """The kind of operator, such as "conv2d"."""
        return str(self.desc.type)

    def input(self, slot: str) -> list[str]:
        """Return the names of the variables at an input slot; [] if it is empty or absent."""
        return _arguments(self.desc.inputs, slot)

    def output(self, slot: str) -> list[str]:
        """Return the names of the variables at an output slot; [] if it is empty or absent."""
        return _arguments(self.desc.outputs, slot)

    def inputs(self) -> list[str]:
        """Return the names of all variables that the operator reads, also those for attributes."""
        read = [name for item in self.desc.inputs for name in item.arguments]
        return read + [name for item in self.desc.attrs for name in _variables(item)]

    def outputs(self) -> list[str]:
        """Return the names of all variables that the operator writes."""
        return [name for item in self.desc.outputs for name in item.arguments]

    def attribute(self, name: str, default: Any = None) -> Any:
        """Return the value of an attribute, or `default` if it is absent."""
        for item in self.desc.attrs:
            if item.name == name and item.type in _ATTRIBUTE_FIELDS:
                value = getattr(item, _ATTRIBUTE_FIELDS[item.type])
                return list(value) if item.type in _REPEATED else value
            if item.name == name and item.type in (_SCALAR, _SCALARS):
                if item.type == _SCALARS:
                    return [_number(each) for each in item.scalars]
                return _number(item.scalar)
        return default

    def attribute_variables(self, name: str) -> list[str]:
        """Return the names of the variables that give an attribute its value, if any do."""
        return [each for item in self.desc.attrs if item.name == name for each in _variables(item)]

    def set_attribute(self, name: str, value: Any, kind: int | None = None) -> None:
        """Set an attribute; `kind` is its AttrType, which None derives from the value."""
        for index, item in enumerate(self.desc.attrs):
            if item.name == name:
                del self.desc.attrs[index]
                break
        if kind is None:
            kind = _attribute_kind(value)
        item = self.desc.attrs.add(name=name, type=kind)
        field = _ATTRIBUTE_FIELDS[kind]
        if kind in _REPEATED:
            getattr(item, field).extend(value)
        else:
            setattr(item, field, value)

    def __str__(self) -> str:
        """Name the operator by its kind and outputs, as reports and errors do."""
        return f"{self.type} → {', '.join(self.outputs()) or 'nothing'}"


def _variables(item: Any) -> list[str]:
    """Return the names of the variables that an OpAttr has in place of a value."""
    if item.type == _VARIABLES:
        return list(item.vars_name)
    return [item.var_name] if item.type == _VARIABLE else []


def _number(scalar: Any) -> bool | int | float:
    """Return the number that a Scalar holds."""
    value: bool | int | float = getattr(scalar, _SCALAR_FIELDS[scalar.type])
    return value


class Program:
    """A program with its parameters.

    Attributes:
        desc: The ProgramDesc message.
        parameters: Name → array for each of the program's persistable variables.
        constants: Names of the parameters that are numbers of the program itself, not weights.
    """

    def __init__(self, desc: Any, parameters: dict[str, NDArray[Any]]) -> None:
        """Combine a ProgramDesc with its parameters; none of them counts as a constant."""
        self.desc = desc
        self.parameters = parameters
        self.constants: set[str] = set()

    @classmethod
    def empty(cls) -> Program:
        """Return a program of one empty block."""
        desc = messages()["ProgramDesc"]()
        desc.blocks.add(idx=0, parent_idx=-1)
        desc.version.version = 0
        return cls(desc, {})

    @classmethod
    def read(cls, program: Path, parameters: Path | None) -> Program:
        """Read a program and its parameters.

        Args:
            program: The program's file.
            parameters: The parameters' file; None if each has a file of its own beside the program.

        Raises:
            ModelFormatError: If a file is damaged or isn't Paddle's, or if the files don't belong
                together.
        """
        desc = parse(program)
        declared = {
            var.name: var.type.dense_tensor.tensor
            for block in desc.blocks
            for var in block.vars
            if var.persistable and var.type.type not in (FEED_LIST, FETCH_LIST)
        }
        arrays = {}
        if parameters is not None:
            arrays = read_parameters(parameters, sorted(declared))
        for name in sorted(declared.keys() - arrays.keys()):
            inside = PurePath(name)
            if inside.is_absolute() or ".." in inside.parts or "\0" in name:
                raise ModelFormatError(
                    f"{program}: the parameter {name!r:.80} would be read from outside the "
                    "model's folder"
                )
            if not is_file(program.parent / name):
                raise ModelFormatError(
                    f"{program.parent}: {program.name} needs the parameter file {name!r:.80}, "
                    "which is missing; name a file that holds all parameters params, __params__ or "
                    "inference.pdiparams"
                )
            arrays.update(read_parameters(program.parent / name, [name]))
        for name, array in arrays.items():
            if list(array.shape) != list(declared[name].dims):
                raise ModelFormatError(
                    f"{program.parent}: parameter {name} has the shape {list(array.shape)} in its "
                    f"file, but {list(declared[name].dims)} in {program.name}; these files don't "
                    "belong together"
                )
        return cls(desc, arrays)

    def write(self, program: Path, parameters: Path) -> None:
        """Write both files the way Paddle does."""
        program.write_bytes(self.desc.SerializeToString(deterministic=True))
        with parameters.open("wb") as stream:
            for name in sorted(self.parameters):
                stream.write(tensor_bytes(self.parameters[name]))

    @property
    def block(self) -> Any:
        """The BlockDesc of the first block, the only one in networks without loops."""
        return self.desc.blocks[0]

    @property
    def operators(self) -> Iterator[Operator]:
        """All operators, one block after the other."""
        return (Operator(desc) for block in self.desc.blocks for desc in block.ops)

    @property
    def inputs(self) -> list[str]:
        """The names of the inputs, in the order of their columns."""
        feeds = [op for op in self.operators if op.type == "feed"]
        feeds.sort(key=lambda op: int(op.attribute("col", 0)))
        return [op.output("Out")[0] for op in feeds]

    @property
    def outputs(self) -> list[str]:
        """The names of the outputs, in the order of their columns."""
        fetches = [op for op in self.operators if op.type == "fetch"]
        fetches.sort(key=lambda op: int(op.attribute("col", 0)))
        return [op.input("X")[0] for op in fetches]

    def variable(self, name: str) -> Any | None:
        """Return the VarDesc of that name, or None."""
        for block in self.desc.blocks:
            for var in block.vars:
                if var.name == name:
                    return var
        return None

    def shape(self, name: str) -> list[int]:
        """Return the declared shape of a variable, -1 for open sizes; [] if it is unknown."""
        var = self.variable(name)
        return [] if var is None else list(var.type.dense_tensor.tensor.dims)

    def dtype(self, name: str) -> int:
        """Return the declared data type of a variable as a number of `DTYPES`; -1 if unknown."""
        var = self.variable(name)
        return -1 if var is None else int(var.type.dense_tensor.tensor.data_type)

    def add_variable(
        self, name: str, shape: Iterable[int], dtype: str, *, parameter: bool = False
    ) -> str:
        """Declare a tensor in the first block; return its name."""
        var = self.block.vars.add(
            name=name, persistable=parameter, is_parameter=parameter, stop_gradient=True
        )
        var.type.type = DENSE_TENSOR
        var.type.dense_tensor.tensor.data_type = DTYPES[dtype][0]
        var.type.dense_tensor.tensor.dims.extend(shape)
        return name

    def add_block(self, parent: int) -> int:
        """Add an empty block that an operator of another block runs; return its index."""
        index = len(self.desc.blocks)
        self.desc.blocks.add(idx=index, parent_idx=parent)
        return index

    def add_parameter(self, name: str, value: NDArray[Any], *, constant: bool = False) -> str:
        """Add a parameter, which the first block declares; return its name."""
        self.parameters[name] = value
        if constant:
            self.constants.add(name)
        return self.add_variable(name, value.shape, str(value.dtype), parameter=True)

    def replace_by_constant(self, name: str, value: NDArray[Any]) -> None:
        """Turn a computed variable into a parameter; `remove_dead` then removes its operator."""
        var = self.variable(name)
        assert var is not None
        var.persistable = var.is_parameter = True
        del var.type.dense_tensor.tensor.dims[:]
        var.type.dense_tensor.tensor.dims.extend(value.shape)
        self.parameters[name] = value
        self.constants.add(name)
        for operator in self.operators:
            for item in operator.desc.outputs:
                kept = [other for other in item.arguments if other != name]
                del item.arguments[:]
                item.arguments.extend(kept)

    def remove_dead(self) -> None:
        """Remove unused parameters, and operators of the first block whose results nothing uses."""
        block = self.block
        needed = {
            name for other in self.desc.blocks[1:] for op in other.ops
            for name in Operator(op).inputs()
        }  # fmt: skip
        alive = []
        for desc in reversed(block.ops):
            operator = Operator(desc)
            if operator.type == "fetch" or needed.intersection(operator.outputs()):
                needed.update(operator.inputs())
                alive.append(desc)
        kept = [desc.SerializeToString() for desc in reversed(alive)]
        del block.ops[:]
        for content in kept:
            block.ops.add().MergeFromString(content)
        for name in set(self.parameters) - needed:
            del self.parameters[name]
        self.constants &= needed
        for index in reversed(range(len(block.vars))):
            var = block.vars[index]
            if var.persistable and var.name not in needed and var.type.type == DENSE_TENSOR:
                del block.vars[index]

    def add_operator(
        self,
        kind: str,
        inputs: dict[str, list[str]],
        outputs: dict[str, list[str]],
        attributes: dict[str, Any] | None = None,
        block: int = 0,
    ) -> Operator:
        """Add an operator at the end of a block.

        Args:
            kind: The kind of operator, such as "relu".
            inputs: Slot → names of variables.
            outputs: Slot → names of variables.
            attributes: Name → value.
            block: The block's index.

        Returns:
            A view of the new operator.
        """
        desc = self.desc.blocks[block].ops.add(type=kind)
        for items, slots in ((desc.inputs, inputs), (desc.outputs, outputs)):
            for slot, names in slots.items():
                items.add(parameter=slot, arguments=names)
        operator = Operator(desc)
        for name, value in (attributes or {}).items():
            operator.set_attribute(name, value)
        return operator


def _arguments(items: Any, slot: str) -> list[str]:
    for item in items:
        if item.parameter == slot:
            return list(item.arguments)
    return []


def _attribute_kind(value: Any) -> int:
    """Return the AttrType of a Python value; integers beyond 32 bits become LONG or LONGS."""
    if isinstance(value, list):
        kinds = {_attribute_kind(item) for item in value}
        return {6: 7, 2: 5, 1: 4, 0: 3, 9: 11}[max(kinds, default=0)]
    if isinstance(value, bool):
        return 6
    if isinstance(value, (str, float)):
        return 2 if isinstance(value, str) else 1
    return 0 if -(2**31) <= value < 2**31 else 9
