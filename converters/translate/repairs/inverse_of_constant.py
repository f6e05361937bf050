"""paddle2onnx knows no `inverse`, which TPS (STAR-Net, RARE) applies to a constant matrix.

    inverse → inverse_0.tmp_0        the matrix of the fiducial points, [23, 23]

    [Paddle2ONNX] Oops, there are some operators not supported yet, including inverse

ONNX has no such operator either. All that leads to it is constant, so the inverse is computed here,
in double precision, and becomes a parameter. An inverse that depends on the input stays, and is
then reported as unsupported.
"""

from __future__ import annotations

from ...paddle import constants
from ...paddle.program import Program

WHY = "ONNX has no matrix inverse; the matrix is constant, so its inverse was computed"


def mend(program: Program) -> list[str]:
    return constants.fold(program, lambda operator: operator.type == "inverse")
