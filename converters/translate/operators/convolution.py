"""Convolutions and transposed convolutions."""

from __future__ import annotations

from collections.abc import Sequence

from ..call import Call
from ..registry import UnsupportedError, translates
from ..values import Value
from .layouts import channels_first, give_in_layout


@translates("conv2d", "depthwise_conv2d", "conv3d")
def convolution(call: Call) -> None:
    """Write a convolution; padding that follows from the input's size is left to ONNX."""
    x, kernel = channels_first(call, "data_format", "Input"), call.operand("Filter")
    sides = x.rank - 2
    strides = call.attribute("strides", [1] * sides)
    dilations = call.attribute("dilations", [1] * sides)
    algorithm = call.attribute("padding_algorithm", "EXPLICIT")
    before, after = explicit_padding(call, sides)
    spatial = []
    if algorithm == "SAME":
        dilations = [1] * sides  # Paddle ignores dilations here
    for axis in range(sides):
        size, reach = x.shape[2 + axis], dilations[axis] * (kernel.shape[2 + axis] - 1) + 1
        if size < 0:
            spatial.append(-1)
        elif algorithm == "SAME":
            spatial.append(-(-size // strides[axis]))
        else:
            spatial.append((size + before[axis] + after[axis] - reach) // strides[axis] + 1)
    made = call.add(
        "Conv", x, kernel, call.optional("Bias"),
        shape=(x.shape[0], kernel.shape[0], *spatial),
        kernel_shape=list(kernel.shape[2:]),
        strides=strides,
        dilations=dilations,
        group=call.attribute("groups", 1),
        pads=None if algorithm == "SAME" else [*before, *after],
        auto_pad="SAME_UPPER" if algorithm == "SAME" else None,
    )  # fmt: skip
    give_in_layout(call, made, "data_format", "Output")


@translates("conv2d_transpose", "depthwise_conv2d_transpose")
def transposed_convolution(call: Call) -> None:
    """Write a transposed convolution.

    A wanted output size is reached by computing as many positions as the strides allow, and
    cutting off what is beyond it.
    """
    x, kernel = channels_first(call, "data_format", "Input"), call.operand("Filter")
    sides = x.rank - 2
    strides = call.attribute("strides", [1] * sides)
    dilations = call.attribute("dilations", [1] * sides)
    before, after = explicit_padding(call, sides)
    if call.attribute("padding_algorithm", "EXPLICIT") == "SAME":
        dilations = [1] * sides
        before, after = same_padding(x, kernel.shape[2:], strides)
    wanted = None
    if call.optional("OutputSize") is not None or call.attribute("output_size", []):
        wanted = call.integers("output_size", "OutputSize")
    longer = call.attribute("output_padding", []) or [0] * sides
    if wanted is not None:
        longer = [stride - 1 for stride in strides]
    groups = call.attribute("groups", 1)
    spatial = [
        (size - 1) * stride - begin - end + dilation * (reach - 1) + 1 + more if size >= 0 else -1
        for size, stride, begin, end, dilation, reach, more in zip(
            x.shape[2:], strides, before, after, dilations, kernel.shape[2:], longer, strict=True
        )
    ]
    made = call.add(
        "ConvTranspose", x, kernel, call.optional("Bias"),
        shape=(x.shape[0], kernel.shape[1] * groups, *spatial),
        kernel_shape=list(kernel.shape[2:]),
        strides=strides,
        dilations=dilations,
        group=groups,
        pads=[*before, *after],
        output_padding=longer if any(longer) else None,
    )  # fmt: skip
    if wanted is not None:
        axes = list(range(2, x.rank))
        made = call.slice(made, axes, [0] * sides, wanted)
    give_in_layout(call, made, "data_format", "Output")


def explicit_padding(call: Call, sides: int) -> tuple[list[int], list[int]]:
    """Return the padding before and behind each spatial axis, as the attribute `paddings` has it.

    The attribute has one number for each axis, or two; it is ignored with the algorithms "SAME"
    and "VALID".

    Raises:
        UnsupportedError: If the attribute has another length.
    """
    listed = call.attribute("paddings", [0] * sides)
    if call.attribute("padding_algorithm", "EXPLICIT") in ("SAME", "VALID"):
        listed = [0] * sides
    if len(listed) == sides:
        return list(listed), list(listed)
    if len(listed) == 2 * sides:
        return list(listed[::2]), list(listed[1::2])
    raise UnsupportedError(f"it has {len(listed)} paddings for {sides} axes")


def same_padding(
    x: Value, kernel: Sequence[int], strides: Sequence[int]
) -> tuple[list[int], list[int]]:
    """Return the padding of SAME before and behind each spatial axis.

    Raises:
        UnsupportedError: If it depends on an open size of the input.
    """
    before, after = [], []
    for size, reach, stride in zip(x.shape[2:], kernel, strides, strict=True):
        if size < 0 and stride > 1 and reach > 1:
            raise UnsupportedError("its padding SAME depends on the size of its input")
        total = reach - 1 if size < 0 else max((-(-size // stride) - 1) * stride + reach - size, 0)
        before.append(total // 2)
        after.append(total - total // 2)
    return before, after
