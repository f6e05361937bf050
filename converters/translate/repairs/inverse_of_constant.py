"""paddle2onnx can't translate `inverse`, which TPS (STAR-Net, RARE) applies to a constant matrix.

    inverse → inverse_0.tmp_0        the matrix of the fiducial points, [23, 23]

    [Paddle2ONNX] Oops, there are some operators not supported yet, including inverse

ONNX has no such operator either. The matrix is constant, so the repair computes its inverse in
double precision and makes it a parameter. An inverse that depends on the input stays, and is then
reported as unsupported.
"""

from __future__ import annotations

from ...paddle import constants
from ...paddle.program import Program

WHY = "ONNX has no matrix inverse; the matrix is constant, so its inverse was computed"


def mend(program: Program) -> list[str]:
    """Compute the inverse of each constant matrix."""
    return constants.fold(program, lambda operator: operator.type == "inverse")
