"""paddle2onnx knows no `meshgrid`, with which TPS lays out the points of its constant grid.

    meshgrid → meshgrid_0.tmp_0, meshgrid_0.tmp_1

    [Paddle2ONNX] Oops, there are some operators not supported yet, including meshgrid

The coordinates are constant, so the grid is computed here.
"""

from __future__ import annotations

from .. import constants
from ..paddle_program import Program

WHY = "the translator knows no meshgrid; its coordinates are constant, so the grid was computed"


def mend(program: Program) -> list[str]:
    return constants.fold(program, lambda operator, _: operator.type == "meshgrid")
