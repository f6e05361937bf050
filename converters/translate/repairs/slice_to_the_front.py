"""paddle2onnx makes a backward slice empty if it extends to the first element.

    strided_slice → strided_slice_0.tmp_0        x[:, ::-1]: starts [-1], ends [-1], strides [-1]

In Paddle 2, an end of -1 with a negative stride means the position before the first element. In
ONNX, -1 is the last element, so that nothing is left. The repair puts the end before every axis's
first element, as Paddle 3 writes it.
"""

from __future__ import annotations

import numpy as np

from ...paddle.program import Program

WHY = "the translator takes -1, where a backward slice ends, for the last element"
BEFORE_THE_FIRST = int(np.iinfo(np.int32).min)


def mend(program: Program) -> list[str]:
    """Replace an end of -1 in backward slices."""
    mended = []
    for operator in program.operators:
        if operator.type != "strided_slice":
            continue
        ends, strides = operator.attribute("ends", []), operator.attribute("strides", [])
        fixed = [
            BEFORE_THE_FIRST if end == -1 and stride < 0 else end
            for end, stride in zip(ends, strides, strict=False)
        ]
        if fixed != ends and not operator.input("EndsTensor"):
            operator.set_attribute("ends", fixed)
            mended.append(str(operator))
    return mended
