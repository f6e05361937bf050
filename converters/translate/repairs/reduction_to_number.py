"""paddle2onnx gives a reduction over all axes the shape [1] instead of [].

    reduce_mean → mean_0.tmp_0        [N, 3, 4] → []

So it was in Paddle before 2.5. What follows, a stack of such numbers for one, gets an axis too
many. Here that axis is taken away again. The translator only adds it where `reduce_all` is set,
which Paddle leaves to the list of axes at times; it is set here.
"""

from __future__ import annotations

from ...paddle.files import NAMES
from ...paddle.program import Program

WHY = "the translator reduces to the shape [1] where Paddle reduces to []; the axis was removed"


def mend(program: Program) -> list[str]:
    mended = []
    index = 0
    while index < len(program.block.ops):
        operator = program.operator(index)
        if operator.type.startswith("reduce_") and not operator.attribute("keep_dim"):
            (target,) = operator.output("Out")
            if program.variable(target) is not None and not program.shape(target):
                mended.append(str(operator))
                one = program.add_variable(f"{target}.one", [1], NAMES[program.dtype(target)])
                operator.set_output("Out", [one])
                operator.set_attribute("reduce_all", True)
                program.add_operator(
                    "squeeze2", {"X": [one]}, {"Out": [target]}, {"axes": [0]}, at=index + 1
                )
        index += 1
    return mended
