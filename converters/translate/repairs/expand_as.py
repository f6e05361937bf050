"""paddle2onnx expands to the sizes that an attribute states, even if one of them is -1.

    expand_as_v2 → expand_as_v2_0.tmp_0        like x [-1, 3, 4]

    Non-zero status code returned while running Expand node. invalid expand shape

The operator takes its shape from a tensor, and also has it as an attribute, with -1 for open sizes.
The translator looks for the tensor at a slot of another name, finds none, and uses the attribute.
"""

from __future__ import annotations

from ...paddle.program import Program

WHY = "the translator expands to sizes of -1; it was shown the tensor that has the sizes"


def mend(program: Program) -> list[str]:
    """Connect the tensor whose shape is wanted to the slot where the translator looks for it."""
    mended = []
    for operator in program.operators:
        if operator.type == "expand_as_v2" and -1 in operator.attribute("target_shape", []):
            operator.set_input("target_tensor", operator.input("Y"))
            mended.append(str(operator))
    return mended
