"""Keep the four children of a pixel apart until the end of a detector's head.

    DepthToSpace 4 (f(Conv 3x3 (d) + crop(DepthToSpace 2 (Conv 2x2 (c)))))
      →  DepthToSpace 8 (Gather(Concat(f(Conv 3x3, stride 2 (d) + Conv 2x2 (c)), ...)))

`upsampled_input` computes the part of a sum that comes from a map of half the size at that size,
and then puts four results, the children of a pixel, side by side. If nothing but operators on
single pixels (`f`) follows until another `DepthToSpace`, each child can be computed as a map of its
own: the other part of the sum needs a convolution with stride two for each child, which together
take as many products as before. The sum becomes part of a convolution, and three passes over the
large map are saved. `Gather` puts the channels into the order that one `DepthToSpace` needs for
both steps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx

from ..graph.editor import Editor, attribute, is_pointwise
from . import equal_sizes
from .transposed_convolution import POINTWISE
from .upsampled_input import is_three_by_three

WHY = "the pixels of a detector's map are put side by side once, at its end"

# The operators that read the convolutions, the children side by side, and their crop.
READERS = ("Add", "Slice", "DepthToSpace")


@dataclass(frozen=True)
class Head:
    """The nodes that are replaced.

    Attributes:
        total: The sum of both parts.
        same: The 3x3 convolution over the large map.
        small: The 2x2 convolution over the small map, whose results are the children.
        between: The nodes that bring the children to the large map's size.
        chain: The nodes on single pixels after the sum, in order.
        last: The `DepthToSpace` that ends the chain.
    """

    total: onnx.NodeProto
    same: onnx.NodeProto
    small: onnx.NodeProto
    between: tuple[onnx.NodeProto, ...]
    chain: list[onnx.NodeProto]
    last: onnx.NodeProto


def rewrite(editor: Editor) -> list[str]:
    """Apply the rewrite that the module describes; return the sums that were replaced."""
    replaced = []
    for total in editor.nodes("Add"):
        for same, other in (total.input, total.input[::-1]):
            head = _head(editor, total, same, other)
            if head is not None:
                _replace(editor, head)
                editor.tidy()
                replaced.append(total.name or total.output[0])
                break
    return replaced


def _head(editor: Editor, total: onnx.NodeProto, same: str, other: str) -> Head | None:
    convolution = editor.producer(same, "Conv")
    crop = editor.producer(other, "Slice")
    apart = None if crop is None else editor.producer(crop.input[0], "DepthToSpace")
    small = None if apart is None else editor.producer(apart.input[0], "Conv")
    if convolution is None or crop is None or apart is None or small is None:
        return None
    steps = (convolution, crop, apart, small)
    if any(editor.sole_consumer(node.output[0], *READERS) is None for node in steps):
        return None
    weights, kernels = (editor.constant(node.input[1]) for node in (convolution, small))
    if not is_three_by_three(convolution, weights) or weights is None or kernels is None:
        return None
    children = (
        kernels.shape[0] == 4 * weights.shape[0]
        and kernels.shape[2:] == (2, 2)
        and list(attribute(small, "pads", [0])) == [1, 1, 1, 1]
        and len(small.input) == 2
        and attribute(apart, "blocksize") == 2
        and attribute(apart, "mode", b"DCR") == b"DCR"
        and _numbers(editor, crop) == ([1, 1], [-1, -1], [2, 3])
    )
    chain = _chain(editor, total.output[0])
    if not children or not chain or chain[-1].op_type != "DepthToSpace":
        return None
    if attribute(chain[-1], "mode", b"DCR") != b"DCR":
        return None
    return Head(total, convolution, small, (crop, apart), chain[:-1], chain[-1])


def _numbers(editor: Editor, crop: onnx.NodeProto) -> tuple[list[int], ...]:
    """Return the beginnings, ends and axes of a crop; empty lists for what is computed."""
    found = [editor.constant(name) for name in crop.input[1:]]
    return tuple([] if each is None else each.tolist() for each in found)


def _chain(editor: Editor, value: str) -> list[onnx.NodeProto]:
    """Return the nodes on single pixels that follow, and the `DepthToSpace` after them."""
    nodes: list[onnx.NodeProto] = []
    while (node := editor.sole_consumer(value, "Conv", "DepthToSpace", *POINTWISE)) is not None:
        nodes.append(node)
        if node.op_type == "DepthToSpace" or (node.op_type == "Conv" and not _is_dense(node)):
            break
        value = node.output[0]
    return nodes


def _is_dense(node: onnx.NodeProto) -> bool:
    """Return whether a convolution is an ordinary 1x1 one."""
    return is_pointwise(node) and attribute(node, "group", 1) == 1


def _replace(editor: Editor, head: Head) -> None:
    like = head.total.output[0]
    kernels = editor.constant(head.small.input[1])
    assert kernels is not None
    outputs = len(kernels) // 4
    maps = []
    for row in range(2):
        for column in range(2):
            # The children that `small` returns begin with those of odd rows and columns.
            place = 2 * (1 - row) + (1 - column)
            own = kernels[place * outputs : (place + 1) * outputs]
            pads = [1 - row, 1 - column, row, column]
            maps.append(_child(editor, head, own, pads, f"{like}.child{row}{column}"))
    together, ordered = (editor.new_name(f"{like}.{what}") for what in ("children", "ordered"))
    editor.add_node("Concat", maps, together, axis=1)
    order = editor.add_constant(_order(editor, head), f"{like}.order")
    editor.add_node("Gather", [together, order], ordered, axis=1)
    editor.remove(head.total, head.same, head.small, *head.between, *head.chain, head.last)
    block = 2 * attribute(head.last, "blocksize")
    editor.add_node("DepthToSpace", [ordered], head.last.output[0], blocksize=block, mode="DCR")


def _child(editor: Editor, head: Head, kernels: np.ndarray, pads: list[int], like: str) -> str:
    """Add the nodes that compute the map of one child; return its name."""
    small, same, value = (editor.new_name(f"{like}.{what}") for what in ("small", "same", "sum"))
    own = editor.add_constant(kernels, head.small.input[1])
    editor.add_node("Conv", [head.small.input[0], own], small, kernel_shape=[2, 2], pads=pads)
    large = {"kernel_shape": [3, 3], "strides": [2, 2], "pads": pads}
    editor.add_node("Conv", head.same.input, same, **large)
    editor.add_node("Add", [same, small], value)
    equal_sizes.declare(editor, [same, small], len(kernels), value)
    for node in head.chain:
        output = editor.new_name(f"{like}.{node.op_type}")
        copy = editor.add_node(node.op_type, [value, *node.input[1:]], output)
        copy.attribute.extend(node.attribute)
        value = output
    return value


def _order(editor: Editor, head: Head) -> np.ndarray:
    """Return where each channel of the last rearrangement is among the children's channels."""
    block = attribute(head.last, "blocksize")
    weights = [editor.constant(node.input[1]) for node in head.chain if node.op_type == "Conv"]
    last = editor.constant(head.same.input[1]) if not weights else weights[-1]
    assert last is not None
    channels = len(last)
    # [row of the child, column of the child, row within it, column within it, map]
    places = np.arange(4 * channels).reshape(2, 2, block, block, channels // block**2)
    order: np.ndarray = places.transpose(0, 2, 1, 3, 4).reshape(-1).astype(np.int64)
    return order
