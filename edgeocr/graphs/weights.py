"""Check that the shapes of a node's weights fit each other and the node's attributes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from ..errors import BundleError
from .limits import MAX_WINDOW
from .messages import Node

# The shape of each input of a node; None if the input isn't constant.
Shapes: TypeAlias = "list[tuple[int, ...] | None]"
Fits: TypeAlias = Callable[["Node", "Shapes"], bool]


def check_weights(node: Node, dims: Mapping[bytes, tuple[int, ...]]) -> None:
    """Check that the shapes of a node's weights, where they are known, fit each other.

    Args:
        node: The node.
        dims: The shapes of the values that are constant.

    Raises:
        BundleError: ONNX Runtime would read beyond a weight, or end the process.
    """
    rule = _WEIGHTS.get(node.operator)
    if rule is not None and not rule(node, [dims.get(name) for name in node.inputs]):
        shapes = ", ".join(str(list(dims[name])) for name in node.inputs if name in dims)
        raise BundleError(
            f"{node} has attributes that don't fit each other or its constant weights, which have "
            f"the shapes {shapes or 'none'}"
        )


def _at(shapes: Shapes, index: int) -> tuple[int, ...] | None:
    return shapes[index] if index < len(shapes) else None


def _integer(node: Node, name: str, default: int) -> int:
    value = node.attributes.get(name, default)
    return value if isinstance(value, int) else -1


def _window_fits(node: Node, rank: int | None = None) -> bool:
    """Return whether the attributes of a window are for the same number of dimensions, `rank`."""
    ranks = set() if rank is None else {float(rank)}
    for name, times in (("strides", 1), ("dilations", 1), ("kernel_shape", 1), ("pads", 2)):
        value = node.attributes.get(name)
        if isinstance(value, tuple):
            ranks.add(len(value) / times)
            if name == "pads" and not all(0 <= pad <= MAX_WINDOW for pad in _integers(value)):
                return False
    return len(ranks) <= 1


def _integers(values: tuple[object, ...]) -> list[int]:
    return [value if isinstance(value, int) else -1 for value in values]


def _convolution(node: Node, shapes: Shapes, weight_at: int = 1) -> bool:
    weight, bias = _at(shapes, weight_at), _at(shapes, 8 if weight_at == 3 else 2)
    if weight is None:  # it is computed when the graph runs, so that its shape is not known
        return False
    if len(weight) < 3 or not all(weight) or not _window_fits(node, len(weight) - 2):
        return False
    group = _integer(node, "group", 1)
    outputs = weight[1] * group if node.operator == "ConvTranspose" else weight[0]
    return (
        node.attributes.get("kernel_shape", weight[2:]) == weight[2:]
        and weight[0] % group == 0
        and (node.operator == "ConvInteger" or bias in (None, (outputs,)))
    )


def _recurrent(gates: int) -> Fits:
    def fits(node: Node, shapes: Shapes) -> bool:
        sequence, given, again, bias = (_at(shapes, index) for index in range(4))
        if sequence is not None and not all(sequence):
            return False  # ONNX Runtime ends the process
        directions = 2 if node.attributes.get("direction") == b"bidirectional" else 1
        known = [each for each in (given, again) if each is not None]
        if any(len(each) != 3 or each[0] != directions for each in known):
            return False
        hidden = _integer(node, "hidden_size", known[0][1] // gates if known else 1)
        return (
            all(each[1] == gates * hidden for each in known)
            and (again is None or again[2] == hidden)
            and bias in (None, (directions, 2 * gates * hidden))
        )

    return fits


def _normalization(node: Node, shapes: Shapes) -> bool:
    known = [shape for shape in shapes[1:] if shape is not None]
    return all(shape == known[0] and len(shape) == 1 for shape in known)


def _product(node: Node, shapes: Shapes) -> bool:
    return all(shape is None or len(shape) == 2 for shape in shapes[:2])


def _split(node: Node, shapes: Shapes) -> bool:
    """Return whether a `Split` has as many outputs as it says; ONNX Runtime may abort otherwise."""
    return _integer(node, "num_outputs", len(node.outputs)) == len(node.outputs)


_WEIGHTS: Mapping[str, Fits] = {
    "AveragePool": lambda node, _: _window_fits(node),
    "LpPool": lambda node, _: _window_fits(node),
    "MaxPool": lambda node, _: _window_fits(node),
    "Conv": _convolution,
    "ConvTranspose": _convolution,
    "ConvInteger": _convolution,
    "QLinearConv": lambda node, shapes: _convolution(node, shapes, 3),
    "LSTM": _recurrent(4),
    "GRU": _recurrent(3),
    "RNN": _recurrent(1),
    "BatchNormalization": _normalization,
    "InstanceNormalization": _normalization,
    "Gemm": _product,
    "Split": _split,
}
