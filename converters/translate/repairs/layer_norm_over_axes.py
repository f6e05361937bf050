"""paddle2onnx leaves the weights of a layer norm over several axes flat.

    layer_norm → layer_norm_0.tmp_2        [N, 4, 6] over the last two axes, weights [24]

    Non-zero status code returned while running LayerNormalization node. Scale and (optional) bias
    must match X.shape[axis:] or be NumPy-broadcastable to it.

Paddle stores these weights flat, but ONNX wants them in the shape of the normalized axes. The
repair gives them that shape.
"""

from __future__ import annotations

from ...paddle.program import Program

WHY = "the translator leaves the weights of a layer norm over several axes flat; they were shaped"


def mend(program: Program) -> list[str]:
    """Give the weights of each layer norm the shape of the axes that it normalizes."""
    mended = []
    for operator in program.operators:
        if operator.type != "layer_norm":
            continue
        sizes = program.shape(operator.input("X")[0])[operator.attribute("begin_norm_axis", 1) :]
        weights = [name for slot in ("Scale", "Bias") for name in operator.input(slot)]
        if len(sizes) < 2 or not weights or not all(name in program.parameters for name in weights):
            continue
        for slot in ("Scale", "Bias"):
            for name in operator.input(slot):
                shaped = f"{operator.output('Y')[0]}.{slot.lower()}"
                program.add_parameter(shaped, program.parameters[name].reshape(sizes))
                operator.set_input(slot, [shaped])
        mended.append(str(operator))
    if mended:
        program.remove_dead()
    return mended
