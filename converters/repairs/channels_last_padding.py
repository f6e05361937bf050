"""paddle2onnx pads the wrong axes of `pad3d` when the channels come last.

    pad3d → pad3d_0.tmp_0    [N, 25, 1, 1, 1] → [N, 26, 1, 1, 1], paddings [0, 0, 0, 0, 1, 0], NDHWC

It pads as if the data were NCDHW: axis 2 instead of axis 1. In SRN, which shifts its characters by
one like this, the Squeeze that follows then meets a size of 2 and the graph doesn't load; elsewhere
the result would just be wrong. Here the channels are moved to where the translator expects them,
and back after it.
"""

from __future__ import annotations

from ..paddle_files import NAMES
from ..paddle_program import Program

WHY = "the translator pads NDHWC data as if it were NCDHW"
TO_CHANNELS_FIRST = [0, 4, 1, 2, 3]
TO_CHANNELS_LAST = [0, 2, 3, 4, 1]


def mend(program: Program) -> list[str]:
    mended = []
    index = 0
    while index < len(program.block.ops):
        operator = program.operator(index)
        if operator.type == "pad3d" and operator.attribute("data_format") == "NDHWC":
            source, target = operator.input("X")[0], operator.output("Out")[0]
            mended.append(str(operator))
            first, padded = f"{target}.channels_first", f"{target}.padded"
            for name, like in ((first, source), (padded, target)):
                sizes = program.shape(like)
                moved = [sizes[axis] for axis in TO_CHANNELS_FIRST] if sizes else []
                program.add_variable(name, moved, NAMES[program.dtype(source)])
            operator.set_input("X", [first])
            operator.set_output("Out", [padded])
            operator.set_attribute("data_format", "NCDHW")
            program.add_operator(
                "transpose2",
                {"X": [padded]},
                {"Out": [target]},
                {"axis": TO_CHANNELS_LAST},
                at=index + 1,
            )
            program.add_operator(
                "transpose2",
                {"X": [source]},
                {"Out": [first]},
                {"axis": TO_CHANNELS_FIRST},
                at=index,
            )
            index += 2
        index += 1
    return mended
