"""paddle2onnx translates GELU's tanh approximation as the exact function.

    gelu → gelu_0.tmp_0        approximate: True

The two differ by up to 5e-4, and the translator doesn't report it. The repair writes out the
approximation:

    x · (½ + ½ · tanh(√(2/π) · (x + 0.044715 · x³)))
"""

from __future__ import annotations

import math

from ...paddle.files import NAMES
from ...paddle.program import Program

WHY = "the translator takes GELU's approximation by tanh for the exact one; it was written out"


def mend(program: Program) -> list[str]:
    """Write out each approximate GELU in operators that the translator handles correctly."""
    mended = []
    for index, operator in program.numbered():
        if operator.type == "gelu" and operator.attribute("approximate"):
            mended.append(str(operator))
            _write_out(program, operator.input("X")[0], operator.output("Out")[0], index)
            del program.block.ops[index + 7]
    return mended


def _write_out(program: Program, x: str, target: str, at: int) -> None:
    names = iter(f"{target}.{step}" for step in range(1, 7))

    def add(kind: str, inputs: list[str], result: str, **attributes: float) -> str:
        nonlocal at
        slots = {slot: [name] for slot, name in zip("XY", inputs, strict=False)}
        program.add_operator(kind, slots, {"Out": [result]}, attributes, at)
        at += 1
        return result

    def named() -> str:
        return program.add_variable(next(names), program.shape(x), NAMES[program.dtype(x)])

    def scaled(name: str, scale: float, bias: float) -> str:
        return add("scale", [name], named(), scale=scale, bias=bias, bias_after_scale=True)

    square = add("elementwise_mul", [x, x], named(), axis=-1)
    cubic = add("elementwise_mul", [x, scaled(square, 0.044715, 1.0)], named(), axis=-1)
    bent = add("tanh", [scaled(cubic, math.sqrt(2 / math.pi), 0.0)], named())
    add("elementwise_mul", [x, scaled(bent, 0.5, 0.5)], target, axis=-1)
