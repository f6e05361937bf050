"""paddle2onnx reduces all axes to the shape [1], where Paddle reduces them to [].

    reduce_mean → mean_0.tmp_0        [N, 3, 4] → []

Paddle itself did so before 2.5. Operators that follow, such as a stack of such numbers, get an axis
too many. The repair removes the axis again. The translator adds it only if `reduce_all` is set;
since Paddle sometimes lists all axes instead, the repair also sets `reduce_all`.
"""

from __future__ import annotations

from ...paddle.files import NAMES
from ...paddle.program import Program

WHY = "the translator reduces to the shape [1] where Paddle reduces to []; the axis was removed"


def mend(program: Program) -> list[str]:
    """Remove the extra axis behind each reduction of all axes."""
    mended = []
    for index, operator in program.numbered():
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
    return mended
