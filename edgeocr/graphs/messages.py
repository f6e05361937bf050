"""ONNX's messages: which of their fields a graph may have, and reading those that are checked.

The field numbers are those of onnx.proto (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).
A field that isn't listed here is refused, and so is a second value of a field that has one: it
would depend on the reader which of the two counts.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from ..errors import BundleError
from .operators import (
    FLOAT32,
    FLOAT64,
    INT8,
    INT16,
    INT32,
    INT64,
    UINT8,
    UINT16,
    UINT32,
    UINT64,
)
from .wire import EIGHT_BYTES, FOUR_BYTES, LENGTH, VARINT, Field, Wire, signed

# The value of an attribute.
Value: TypeAlias = (
    "int | float | bytes | tuple[int, ...] | tuple[float, ...] | tuple[bytes, ...] | Tensor | None"
)

# The values of a tensor are read, and checked one by one, if it has at most this many.
FEW = 64
_SHOWN = 60


@dataclass(frozen=True)
class Message:
    """A kind of message.

    Attributes:
        name: What error messages call it.
        single: Keys of the fields that are there once or not at all.
        repeated: Keys of the fields that may be there several times.
        refused: Numbers of known fields that a graph must not have, and what they stand for.
    """

    name: str
    single: frozenset[int]
    repeated: frozenset[int] = frozenset()
    refused: Mapping[int, str] = field(default_factory=dict)

    def fields(self, wire: Wire, start: int, end: int) -> list[Field]:
        """Read the message's fields and check that it may have them.

        Raises:
            BundleError: The message is malformed or has a field that it must not have.
        """
        found = wire.fields(start, end)
        keys = [each[0] for each in found]
        distinct = set(keys)
        if unknown := distinct - self.single - self.repeated:
            number, kind = divmod(min(unknown), 8)
            what = self.refused.get(number, f"an unknown field, {number} of type {kind}")
            raise BundleError(f"{self.name} has {what}, which no edge graph has")
        if len(distinct) < len(keys):
            for key in distinct & self.single:
                if keys.count(key) > 1:
                    raise BundleError(f"{self.name} has field {key >> 3} twice")
        return found


def _keys(kind: int, *numbers: int) -> frozenset[int]:
    return frozenset(number << 3 | kind for number in numbers)


MODEL = Message(
    "the model",
    _keys(VARINT, 1, 5) | _keys(LENGTH, 2, 3, 4, 6, 7),
    _keys(LENGTH, 8, 14),
    {20: "training information", 25: "functions of its own", 26: "a device configuration"},
)
GRAPH = Message(
    "the graph",
    _keys(LENGTH, 2, 10),
    _keys(LENGTH, 1, 5, 11, 12, 13, 16),
    {14: "quantization annotations", 15: "a sparse tensor"},
)
NODE = Message(
    "a node",
    _keys(LENGTH, 3, 4, 6, 7),
    _keys(LENGTH, 1, 2, 5, 9),
    {8: "an overload of a function", 10: "a device configuration"},
)
ATTRIBUTE = Message(
    "an attribute",
    _keys(LENGTH, 1, 4, 5, 13) | _keys(VARINT, 3, 20) | _keys(FOUR_BYTES, 2),
    # Integers and floats are packed or stand alone.
    _keys(LENGTH, 7, 8, 9) | _keys(VARINT, 8) | _keys(FOUR_BYTES, 7),
    {
        **{6: "a subgraph", 11: "subgraphs", 10: "a list of tensors", 14: "a type", 15: "types"},
        **{21: "a reference to a function's attribute"},
        **{22: "a sparse tensor", 23: "sparse tensors"},
    },
)
TENSOR = Message(
    "a tensor",
    _keys(LENGTH, 8, 9, 12) | _keys(VARINT, 2, 14),
    _keys(LENGTH, 1, 4, 5, 7, 10, 11, 16)
    | _keys(VARINT, 1, 5, 7, 11)
    | _keys(FOUR_BYTES, 4)
    | _keys(EIGHT_BYTES, 10),
    {3: "a segment", 6: "strings", 13: "external data, a file that is not in the bundle"},
)
OPSET = Message("an import of operators", _keys(LENGTH, 1) | _keys(VARINT, 2))
ENTRY = Message("an entry of metadata", _keys(LENGTH, 1, 2))
PORT = Message("a value's description", _keys(LENGTH, 1, 2, 3), _keys(LENGTH, 4))
TYPE = Message(
    "a type",
    _keys(LENGTH, 1, 6),
    refused={
        **{4: "a sequence", 5: "a map", 7: "an opaque value"},
        **{8: "a sparse tensor", 9: "an optional value"},
    },
)
TENSOR_TYPE = Message("a tensor's type", _keys(VARINT, 1) | _keys(LENGTH, 2))
SHAPE = Message("a shape", frozenset(), _keys(LENGTH, 1))
DIMENSION = Message("a dimension", _keys(VARINT, 1) | _keys(LENGTH, 2, 3))

# Number of an attribute's type → number of the field that holds the value, and the value if that
# field is absent.
_TYPES: Mapping[int, tuple[int, Value]] = {
    **{1: (2, 0.0), 2: (3, 0), 3: (4, b""), 4: (5, None)},
    **{6: (7, ()), 7: (8, ()), 8: (9, ())},
}
# The most numbers of a list of floats, such as the scales of `Upsample` in old versions.
_MAX_FLOATS = 1024
# The most bytes of an attribute that is kept to be recognized when it comes again.
_SHORT = 256
# A tensor's fields with data → bytes of a value that stands alone or is packed; 0 for varints.
_DATA_BYTES = {4: 4, 5: 0, 7: 0, 10: 8, 11: 0}
# Those of floating-point numbers → code in `struct`.
_FLOAT_CODES = {4: "f", 10: "d"}
# Element types whose values are read → code in `struct`.
_CODES = {
    **{FLOAT32: "f", FLOAT64: "d", UINT8: "B", INT8: "b", UINT16: "H", INT16: "h"},
    **{INT32: "i", INT64: "q", UINT32: "I", UINT64: "Q"},
}
# Every byte that is not the last one of a varint.
_NOT_LAST = bytes(range(0x80, 0x100))


class Tensor(NamedTuple):
    """A tensor with constant values.

    Attributes:
        name: The value's name; empty in an attribute.
        dims: The dimensions.
        element: ONNX's number of the element type.
        raw: Start and end of the values if the file has them as memory does; None otherwise.
        typed: How many values stand in a field of their type, by the field's number.
        values: The values in the fields of their type if they are few.
    """

    name: bytes
    dims: tuple[int, ...]
    element: int
    raw: tuple[int, int] | None
    typed: Mapping[int, int]
    values: tuple[float, ...]

    def numbers(self, data: bytes) -> tuple[float, ...] | None:
        """Return the values of a short tensor, or None of one that is long or not read.

        Args:
            data: The file.
        """
        code = _CODES.get(self.element)
        if code is None or math.prod(self.dims) > FEW:
            return None
        if self.raw is None:
            return self.values or None
        start, end = self.raw
        return struct.unpack(f"<{math.prod(self.dims)}{code}", data[start:end])


class Node(NamedTuple):
    """A node.

    Attributes:
        operator: The operator's name.
        domain: Its domain.
        name: The node's name.
        inputs: Names of the inputs; empty for one that is left out.
        outputs: Names of the outputs.
        attributes: The attributes by name.
    """

    operator: str
    domain: str
    name: bytes
    inputs: tuple[bytes, ...]
    outputs: tuple[bytes, ...]
    attributes: Mapping[str, Value]

    def __str__(self) -> str:
        """Name the node for an error message."""
        return f"node {shown(self.name)!r} ({self.operator})"


# An attribute's name, its value and what is wrong with it.
Attribute: TypeAlias = tuple[str, Value, str]


class Reader:
    """Reads tensors and nodes of one file."""

    def __init__(self, wire: Wire, problem: Callable[[str, Value], str]) -> None:
        """Begin to read a file.

        Args:
            wire: The file.
            problem: Returns what is wrong with an attribute of a name and a value, or nothing.
        """
        self._wire, self._data, self._problem = wire, wire.data, problem
        # Most attributes of a graph repeat one another, such as strides of 1.
        self._attributes: dict[bytes, Attribute] = {}

    def node(self, start: int, end: int) -> Node:
        """Read a node.

        Raises:
            BundleError: The node or an attribute is malformed, has a field that it must not have,
                or an attribute has a problem.
        """
        data = self._data
        inputs: list[bytes] = []
        outputs: list[bytes] = []
        texts = {3: b"", 4: b"", 7: b""}
        attributes: dict[str, Value] = {}
        wrong = ""
        for key, first, last in NODE.fields(self._wire, start, end):
            number = key >> 3
            if number == 1:
                inputs.append(data[first:last])
            elif number == 2:
                outputs.append(data[first:last])
            elif number == 5:
                name, value, problem = self._attribute(first, last)
                wrong = wrong or problem
                if name in attributes:
                    raise BundleError(f"a node has the attribute {name!r} twice")
                attributes[name] = value
            elif number in texts:
                texts[number] = data[first:last]
        node = Node(
            shown(texts[4]),
            shown(texts[7]) if texts[7] else "",
            texts[3],
            tuple(inputs),
            tuple(outputs),
            attributes,
        )
        if wrong:
            raise BundleError(f"{node} {wrong}")
        return node

    def tensor(self, start: int, end: int) -> Tensor:
        """Read where a tensor's values are, but not the values of a large one.

        Raises:
            BundleError: The tensor is malformed, or its data are not in this file.
        """
        data = self._data
        name, dims, element = b"", [], 0
        raw: tuple[int, int] | None = None
        typed: dict[int, int] = {}
        values: list[float] = []
        for key, first, last in TENSOR.fields(self._wire, start, end):
            number, kind = key >> 3, key & 7
            if number == 1:
                dims += self._integers(kind, first, last)
            elif number == 2:
                element = first
            elif number == 8:
                name = data[first:last]
            elif number == 9:
                raw = first, last
            elif number == 14 and first:
                raise BundleError(f"a tensor has {TENSOR.refused[13]}, which no edge graph has")
            elif number in _DATA_BYTES:
                typed[number] = typed.get(number, 0) + self._count(number, kind, first, last)
                if typed[number] > FEW:
                    continue
                if code := _FLOAT_CODES.get(number):
                    count = (last - first) // _DATA_BYTES[number]
                    values += struct.unpack(f"<{count}{code}", data[first:last])
                else:
                    values += self._integers(kind, first, last)
        few = tuple(values) if len(values) == sum(typed.values()) else ()
        return Tensor(name, tuple(dims), element, raw, typed, few)

    def _attribute(self, start: int, end: int) -> Attribute:
        if end - start > _SHORT:
            return self._new_attribute(start, end)
        content = self._data[start:end]
        if content not in self._attributes:
            self._attributes[content] = self._new_attribute(start, end)
        return self._attributes[content]

    def _new_attribute(self, start: int, end: int) -> Attribute:
        data, name, kind = self._data, "", 0
        values: dict[int, Value] = {}
        integers: list[int] = []
        floats: list[float] = []
        strings: list[bytes] = []
        for key, first, last in ATTRIBUTE.fields(self._wire, start, end):
            number = key >> 3
            if number == 1:
                name = shown(data[first:last])
            elif number == 20:
                kind = first
            elif number == 2:
                values[number] = float(struct.unpack("<f", data[first:last])[0])
            elif number == 3:
                values[number] = signed(first)
            elif number == 4:
                values[number] = data[first:last]
            elif number == 5:
                values[number] = self.tensor(first, last)
            elif number == 7:
                if (last - first) % 4 or last - first > _MAX_FLOATS * 4:
                    raise BundleError(f"the attribute {name!r} has too many numbers or part of one")
                floats += struct.unpack(f"<{(last - first) // 4}f", data[first:last])
            elif number == 8:
                integers += self._integers(key & 7, first, last)
            elif number == 9:
                strings.append(data[first:last])
        lists: dict[int, Value] = {7: tuple(floats), 8: tuple(integers), 9: tuple(strings)}
        values |= {number: value for number, value in lists.items() if value}
        if kind not in _TYPES or values.keys() - {_TYPES[kind][0]}:
            raise BundleError(f"the attribute {name!r} has no value of its type, {kind}")
        number, default = _TYPES[kind]
        value = values.get(number, default)
        return name, value, self._problem(name, value)

    def _integers(self, kind: int, first: int, last: int) -> list[int]:
        return [signed(first)] if kind == VARINT else self._wire.packed(first, last)

    def _count(self, number: int, kind: int, first: int, last: int) -> int:
        """Return how many values a field of a tensor has."""
        if kind == VARINT:
            return 1
        size = _DATA_BYTES[number]
        if not size:
            return len(self._data[first:last].translate(None, _NOT_LAST))
        if (last - first) % size:
            raise BundleError("a tensor has a part of a number")
        return (last - first) // size


def shown(name: bytes) -> str:
    """Return a name of the graph as text, cut to a length that an error message can have."""
    text = name[:_SHOWN].decode("utf-8", errors="replace")
    return text if len(name) <= _SHOWN else f"{text}…"


def messages(fields: list[Field], number: int) -> Iterator[tuple[int, int]]:
    """Yield where the messages in one of a message's fields start and end."""
    key = number << 3 | LENGTH
    return ((start, end) for found, start, end in fields if found == key)
