"""The share of an image's width that shows text, which SAR and RobustScanner take as an input.

PaddleOCR resizes a line to the network's height, pads it to the network's width, and tells the
network how much of that is the line, so that it leaves out the rest. An edge graph sees where the
padding begins: it is the columns on the right without any value above `PADDING`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, numpy_helper

# The value that these networks see where a line doesn't reach.
PADDING = 0


def of_images(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the share of each image.

    Args:
        images: uint8 [N, H, W, 3].

    Returns:
        float32 [N], at least that of one column.
    """
    shown = images.max((1, 3)) > PADDING
    shares = _shares(images.shape[2])
    return np.asarray(np.maximum((shown * shares).max(1), shares[0, 0]), np.float32)


def nodes(
    pixels: str, width: int, target: str, *, opset: int, column: bool
) -> tuple[list[NodeProto], list[TensorProto]]:
    """Return the nodes that compute the share of each image, and their constants.

    Args:
        pixels: The value with the images, float32 [N, 3, H, W], from 0 to 255.
        width: The images' width in pixels.
        target: The name of the result.
        opset: The version of the graph's operators.
        column: Whether the result is [N, 1] instead of [N].
    """
    constants: dict[str, NDArray[Any]] = {
        "edge.padding": np.array(PADDING, np.float32),
        "edge.shares": _shares(width),
        "edge.least_share": _shares(width)[0, 0],
    }
    made: list[NodeProto] = []

    def add(operator: str, inputs: list[str], output: str, **attributes: Any) -> str:
        made.append(helper.make_node(operator, inputs, [output], name=output, **attributes))
        return output

    def largest(source: str, axes: list[int], output: str, *, keep: bool) -> str:
        if opset < 18:  # later, the axes are an input
            return add("ReduceMax", [source], output, axes=axes, keepdims=int(keep))
        constants[f"{output}.axes"] = np.array(axes, np.int64)
        return add("ReduceMax", [source, f"{output}.axes"], output, keepdims=int(keep))

    brightest = largest(pixels, [1, 2], "edge.brightest", keep=False)
    shown = add("Greater", [brightest, "edge.padding"], "edge.is_shown")
    shown = add("Cast", [shown], "edge.shown", to=TensorProto.FLOAT)
    ends = add("Mul", [shown, "edge.shares"], "edge.ends")
    last = largest(ends, [1], "edge.last", keep=column)
    add("Max", [last, "edge.least_share"], target)
    return made, [numpy_helper.from_array(value, name) for name, value in constants.items()]


def _shares(width: int) -> NDArray[np.float32]:
    """Return the share of the width that ends with each column, float32 [1, width]."""
    return np.asarray(np.arange(1, width + 1)[None] / width, np.float32)
