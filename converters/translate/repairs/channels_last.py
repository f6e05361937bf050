"""paddle2onnx treats channels that come last as if they came second.

    pad3d → pad3d_0.tmp_0    [N, 25, 1, 1, 1] → [N, 26, 1, 1, 1], paddings [0, 0, 0, 0, 1, 0], NDHWC

It translates NDHWC as if it were NCDHW, and so pads axis 2 instead of axis 1. SRN shifts its
characters by one in this way; the Squeeze that follows then meets a size of 2, and the graph
doesn't load. In other networks the result would silently be wrong. Convolutions, pooling, batch
norms, resizing and pixel shuffles in NHWC have the same fault. The repair moves the channels to
where the translator expects them, and back behind the operator.
"""

from __future__ import annotations

from ...paddle.files import NAMES
from ...paddle.program import Program

WHY = "the translator takes channels that come last for channels that come second"
FIRST = {"NHWC": "NCHW", "NDHWC": "NCDHW"}
# Operator → the slot of its input, the slot of its output, and the attribute with the layout.
_CONVOLUTION = ("Input", "Output", "data_format")
_RESIZING = ("X", "Out", "data_layout")
SLOTS = {
    "conv2d": _CONVOLUTION,
    "depthwise_conv2d": _CONVOLUTION,
    "conv2d_transpose": _CONVOLUTION,
    "depthwise_conv2d_transpose": _CONVOLUTION,
    "nearest_interp_v2": _RESIZING,
    "bilinear_interp_v2": _RESIZING,
    "bicubic_interp_v2": _RESIZING,
    "batch_norm": ("X", "Y", "data_layout"),
    "group_norm": ("X", "Y", "data_layout"),
    "pool2d": ("X", "Out", "data_format"),
    "pixel_shuffle": ("X", "Out", "data_format"),
    "pad3d": ("X", "Out", "data_format"),
}


def mend(program: Program) -> list[str]:
    """Move the channels to the front of each channels-last operator, and back behind it."""
    mended = []
    for index, operator in program.numbered():
        given, gives, attribute = SLOTS.get(operator.type, ("", "", ""))
        layout = operator.attribute(attribute)
        if layout in FIRST:
            source, target = operator.input(given)[0], operator.output(gives)[0]
            mended.append(str(operator))
            first, done = f"{target}.channels_first", f"{target}.done"
            rank = len(program.shape(source)) or len(layout)
            to_first = [0, rank - 1, *range(1, rank - 1)]
            to_last = [0, *range(2, rank), 1]
            for name, like in ((first, source), (done, target)):
                sizes = program.shape(like)
                moved = [sizes[axis] for axis in to_first] if sizes else []
                program.add_variable(name, moved, NAMES[program.dtype(source)])
            operator.set_input(given, [first])
            operator.set_output(gives, [done])
            operator.set_attribute(attribute, FIRST[layout])
            program.add_operator(
                "transpose2", {"X": [done]}, {"Out": [target]}, {"axis": to_last}, at=index + 1
            )
            program.add_operator(
                "transpose2", {"X": [source]}, {"Out": [first]}, {"axis": to_first}, at=index
            )
    return mended
