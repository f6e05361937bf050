"""Check before ONNX Runtime sees a graph that it needs no other data and only computes."""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import BundleError
from .attributes import problem
from .limits import MAX_RANK, MAX_SIDE
from .messages import (
    DIMENSION,
    ENTRY,
    GRAPH,
    MODEL,
    OPSET,
    PORT,
    SHAPE,
    TENSOR_TYPE,
    TYPE,
    Node,
    Reader,
    Tensor,
    messages,
    shown,
)
from .operators import DOMAINS, ELEMENT_BYTES, IR_VERSIONS, OPERATORS, OPSETS, OPTIONAL_INPUTS
from .sizes import check_sizes
from .tensors import check_tensor, constant_of
from .weights import check_weights
from .wire import Wire, signed

# Offset and bytes that mark a file in ONNX Runtime's own format, which this check doesn't read.
_ORT_FORMAT = (4, b"ORTM")
# If an environment variable says so, ONNX Runtime takes settings from this entry of the metadata,
# such as a file to write.
_SETTINGS = b"ort_config"
# Operators whose output has the shape of their first input, which may be a weight, and `Constant`.
_FOLLOWED = ("Constant", "DequantizeLinear", "QuantizeLinear", "Cast", "Identity")


def check(graph: bytes) -> None:
    """Check the bytes of an ONNX file.

    The time grows with the number of nodes; weights are skipped, however large they are.

    Args:
        graph: The file.

    Raises:
        BundleError: The file isn't ONNX, it has data outside it, or it has an operator or a number
            that edge graphs don't have. The message names the operator.
    """
    offset, mark = _ORT_FORMAT
    if graph[offset : offset + len(mark)] == mark:
        raise BundleError("this is a file in ONNX Runtime's own format, not an ONNX file")
    wire = Wire(graph)
    fields = MODEL.fields(wire, 0, len(graph))
    version = next((value for key, value, _ in fields if key == 1 << 3), None)
    if version not in IR_VERSIONS:
        raise BundleError(f"this is no ONNX file of a known version; its version is {version}")
    _check_opsets(wire, [*messages(fields, 8)])
    _check_metadata(wire, [*messages(fields, 14)])
    graphs = [*messages(fields, 7)]
    if not graphs:
        raise BundleError("this ONNX file has no graph")
    _check_graph(wire, *graphs[0])


def _check_opsets(wire: Wire, opsets: list[tuple[int, int]]) -> None:
    standard = []
    for start, end in opsets:
        fields = OPSET.fields(wire, start, end)
        domain = next((wire.data[first:last] for key, first, last in fields if key == 10), b"")
        if shown(domain) in DOMAINS:
            standard.append(next((value for key, value, _ in fields if key == 16), 0))
    if len(standard) != 1 or standard[0] not in OPSETS:
        raise BundleError(
            f"the graph's operators are those of version {', '.join(map(str, standard)) or 'none'}"
            f", but edgeocr knows {OPSETS[0]} to {OPSETS[-1]}"
        )


def _check_metadata(wire: Wire, entries: list[tuple[int, int]]) -> None:
    for start, end in entries:
        for key, first, last in ENTRY.fields(wire, start, end):
            if key >> 3 == 1 and wire.data[first:last] == _SETTINGS:
                raise BundleError(
                    "the graph has settings for ONNX Runtime, which no edge graph has"
                )


def _check_graph(wire: Wire, start: int, end: int) -> None:
    fields = GRAPH.fields(wire, start, end)
    for first, last in messages(fields, 16):
        ENTRY.fields(wire, first, last)
    for first, last in (*messages(fields, 12), *messages(fields, 13)):
        _check_port(wire, first, last)
    inputs = {_check_port(wire, first, last) for first, last in messages(fields, 11)}
    reader = Reader(wire, problem)
    constants: dict[bytes, Tensor] = {}
    for first, last in messages(fields, 5):
        tensor = reader.tensor(first, last)
        check_tensor(tensor)
        if tensor.name in constants:
            raise BundleError(f"there are two tensors {shown(tensor.name)!r}")
        constants[tensor.name] = tensor
    nodes = (reader.node(first, last) for first, last in messages(fields, 1))
    _check_nodes(nodes, inputs, constants, wire.data)


def _check_nodes(
    nodes: Iterable[Node], inputs: set[bytes], constants: dict[bytes, Tensor], data: bytes
) -> None:
    """Check the nodes in their order; `constants` gets the tensors that they make."""
    dims = {name: tensor.dims for name, tensor in constants.items()}
    # An input may have a constant as its default. An input that is left out has an empty name.
    made = inputs | constants.keys() | {b""}
    for node in nodes:
        _check_operator(node)
        if b"" in node.inputs:
            _check_omission(node)
        if not made.issuperset(node.inputs):
            raise BundleError(f"{node} has an input that no node before it makes")
        if not made.isdisjoint(filter(None, node.outputs)):
            raise BundleError(f"{node} makes a value that is there already")
        made.update(node.outputs)
        check_weights(node, dims)
        check_sizes(node, constants, data)
        if node.operator in _FOLLOWED:
            _follow(node, constants, dims)


def _follow(node: Node, constants: dict[bytes, Tensor], dims: dict[bytes, tuple[int, ...]]) -> None:
    """Record a node's output if its values, or at least its shape, are constant."""
    made = constant_of(node) if node.operator == "Constant" else None
    source = node.inputs[0] if node.inputs else b""
    for output in node.outputs[:1]:
        if made is not None:
            constants[output], dims[output] = made, made.dims
        elif source in dims:
            dims[output] = dims[source]
            if node.operator == "Identity" and source in constants:
                constants[output] = constants[source]


def _check_omission(node: Node) -> None:
    """Check that an operator allows the inputs to be left out that a node leaves out."""
    first = OPTIONAL_INPUTS.get(node.operator)
    if first is None or b"" in node.inputs[:first]:
        raise BundleError(f"{node} has an input without a name, which it can't do without")


def _check_operator(node: Node) -> None:
    if node.domain not in DOMAINS:
        raise BundleError(
            f"{node} is an operator of the domain {node.domain!r}: only those of "
            "standard ONNX are allowed"
        )
    if node.operator not in OPERATORS:
        raise BundleError(
            f"{node} is an operator that no edge graph has; docs/graphs.md lists those that "
            "are allowed"
        )


def _check_port(wire: Wire, start: int, end: int) -> bytes:
    """Check that a value of the graph is a tensor with a sane shape, and return its name."""
    port = PORT.fields(wire, start, end)
    for type_at in messages(port, 2):
        for tensor_at in messages(TYPE.fields(wire, *type_at), 1):
            fields = TENSOR_TYPE.fields(wire, *tensor_at)
            for key, value, _ in fields:
                if key >> 3 == 1 and value not in ELEMENT_BYTES:
                    raise BundleError(
                        f"a value has the element type {value}, which no edge graph has"
                    )
            for shape_at in messages(fields, 2):
                _check_sides(wire, [*messages(SHAPE.fields(wire, *shape_at), 1)])
    return next((wire.data[first:last] for first, last in messages(port, 1)), b"")


def _check_sides(wire: Wire, sides: list[tuple[int, int]]) -> None:
    if len(sides) > MAX_RANK:
        raise BundleError(f"a value has {len(sides)} dimensions; the most are {MAX_RANK}")
    for start, end in sides:
        for key, value, _ in DIMENSION.fields(wire, start, end):
            if key >> 3 == 1 and not -1 <= signed(value) < MAX_SIDE:
                raise BundleError(f"a value has a dimension of {signed(value)}")
