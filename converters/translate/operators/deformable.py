"""Deformable convolutions, composed of operators that every ONNX Runtime has.

ONNX has DeformConv from opset 19 on only, and edge graphs don't hold it (`edgeocr.graphs`). Here
the input is sampled at all places of all kernels by one GridSample, and a convolution of 1 x 1 sums
up what was sampled:

    offset ──► places of K kernel positions ──► GridSample(input) ── × mask ──► Conv 1 x 1
               [N * G, K * h, w, 2]             [N * G, C / G, K * h, w]        [N, C * K, h, w]

G is the number of groups of channels that have places of their own. The parts of the samples stand
in memory as the kernel's weights do, so that only shapes change, and nothing is transposed.
"""

from __future__ import annotations

import numpy as np

from ..call import Call
from ..registry import UnsupportedError, translates
from ..values import Value


@translates("deformable_conv", "deformable_conv_v1")
def deformable_convolution(call: Call) -> None:
    """Write a convolution whose kernel positions are moved by offsets and weighted by a mask."""
    call.require_opset(16)  # of GridSample
    x, offset, kernel = call.operand("Input"), call.operand("Offset"), call.operand("Filter")
    channels, own = x.shape[1], call.attribute("deformable_groups", 1)
    out, per_group, *sides = kernel.shape
    positions = sides[0] * sides[1]
    if channels < 1 or channels % own:
        raise UnsupportedError(f"its {channels} channels are not in {own} groups")
    height, width = call.size(offset, 2), call.size(offset, 3)
    rows = call.combine("Mul", height, positions)

    grid = _places(call, x, offset, sides, height, width)
    grid = call.reshape(grid, call.vector([call.constant([-1]), rows, width, call.constant([2])]))
    inner = call.vector([call.size(x, 2), call.size(x, 3)])
    if own > 1:
        x = call.reshape(x, call.vector([call.constant([-1, channels // own]), inner]))
    samples = call.add(
        "GridSample", x, grid,
        shape=(x.shape[0], channels // own, -1, offset.shape[3]),
        mode="linear" if call.opset >= 20 else "bilinear",
        padding_mode="zeros",
        align_corners=0,
    )  # fmt: skip
    mask = call.optional("Mask")
    if mask is not None:
        weights = call.reshape(mask, call.vector([call.constant([-1, 1]), rows, width]))
        samples = call.combine("Mul", samples, weights)
    columns = call.reshape(
        samples, call.vector([call.constant([-1, channels * positions]), height, width])
    )
    result = call.add(
        "Conv", columns, call.reshape(kernel, [out, per_group * positions, 1, 1]),
        shape=(columns.shape[0], out, *offset.shape[2:]),
        kernel_shape=[1, 1],
        group=call.attribute("groups", 1),
    )  # fmt: skip
    call.give(result, "Output")


def _places(
    call: Call, x: Value, offset: Value, sides: list[int], height: Value, width: Value
) -> Value:
    """Return where each kernel position reads, [N * G, K, h, w, 2], x before y, as GridSample does.

    Args:
        call: The operator.
        x: The input, [N, C, H, W].
        offset: The offsets [N, G * K * 2, h, w], y before x.
        sides: Height and width of the kernel, of which K is the product.
        height: The height h.
        width: The width w.
    """
    positions = sides[0] * sides[1]
    paddings = call.attribute("paddings", [0, 0])
    sizes = call.vector([call.constant([-1, positions, 2]), height, width])
    split = call.reshape(offset, sizes)
    # In an axis of the length L, GridSample's coordinate of the pixel p is (2 p + 1) / L - 1.
    found = []
    for axis, count in ((1, width), (0, height)):
        stride = call.attribute("strides", [1, 1])[axis]
        dilation = call.attribute("dilations", [1, 1])[axis]
        first = np.indices(sides)[axis].reshape(-1, 1, 1) * dilation - paddings[axis]
        start, step = call.constant(0, np.int64), call.constant(1, np.int64)
        line = call.add("Range", start, call.number(count), step, dtype=np.int64, shape=(-1,))
        line = call.combine("Mul", call.cast(line, np.float32), float(stride))
        line = line if axis == 1 else call.reshape(line, [-1, 1])
        moved = call.gather(split, call.constant(axis, np.int64), 2)
        place = call.combine("Add", moved, call.combine("Add", line, call.constant(
            first.astype(np.float32)
        )))  # fmt: skip
        length = call.cast(call.size(x, 2 + axis), np.float32)
        doubled = call.combine("Add", call.combine("Mul", place, 2.0), 1.0)
        found.append(call.combine("Sub", call.combine("Div", doubled, length), 1.0))
    return call.add(
        "Concat", *(call.unsqueeze(each, [-1]) for each in found), axis=-1, shape=(-1,) * 4 + (2,)
    )
