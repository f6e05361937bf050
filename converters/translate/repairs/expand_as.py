"""paddle2onnx expands to the sizes of an attribute, also where that says -1.

    expand_as_v2 → expand_as_v2_0.tmp_0        like x [-1, 3, 4]

    Non-zero status code returned while running Expand node. invalid expand shape

Beside the tensor whose shape it takes, the operator has that shape as an attribute, with -1 for
what varies. The translator looks for the tensor at a slot of another name, and takes the attribute
when it finds none there.
"""

from __future__ import annotations

from ...paddle.program import Program

WHY = "the translator expands to sizes of -1; it was shown the tensor that has the sizes"


def mend(program: Program) -> list[str]:
    mended = []
    for operator in program.operators:
        if operator.type == "expand_as_v2" and -1 in operator.attribute("target_shape", []):
            operator.set_input("target_tensor", operator.input("Y"))
            mended.append(str(operator))
    return mended
