"""paddle2onnx declares constants of double precision as float, and the graph doesn't load.

    cast → cast_4.tmp_0              float64 → float32, TPS's spline matrices

    Type Error: Type (tensor(float)) of output arg (Concat.15) of node (Concat.14) does not match
    expected type (tensor(double)).

Everything up to the cast is constant. It is computed here in the double precision that the program
asks for; only the result, in single precision, goes into the graph.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import constants
from ..paddle_program import Operator, Program

WHY = "the translator mistypes constants in double precision; they were computed up to the cast"


def mend(program: Program) -> list[str]:
    return constants.fold(program, _narrows)


def _narrows(operator: Operator, values: dict[str, NDArray[Any]]) -> bool:
    return operator.type == "cast" and values[operator.input("X")[0]].dtype == np.float64
