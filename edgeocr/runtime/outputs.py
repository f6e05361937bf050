"""Check what a network returned, before anything is computed from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..errors import GraphError

# The axes of an output: a number of elements, or a name for one that is known only at the run.
Axes: TypeAlias = "tuple[int | str, ...]"


@dataclass(frozen=True)
class Output:
    """What an output of a graph must be.

    Attributes:
        name: Its name.
        axes: Its axes. Those with the same name have the same number of elements in all outputs.
        kind: The type of its elements.
    """

    name: str
    axes: Axes
    kind: type[np.generic] = np.float32


def checked(
    stage: str,
    expected: Sequence[Output],
    outputs: Sequence[Any],
    sides: Mapping[str, int | range],
) -> list[NDArray[Any]]:
    """Return the outputs of a run if they are what the stage's graph must return.

    Args:
        stage: Name of the stage, for the error.
        expected: What each output must be, in the order of `outputs`.
        outputs: What the run returned.
        sides: The number of elements that a named axis must have, or the range that it must be in.
            A name without an entry may have any number.

    Raises:
        GraphError: An output is not an array, or has another type or another shape.
    """
    known = dict(sides)
    for output, given in zip(expected, outputs, strict=True):
        if not (
            isinstance(given, np.ndarray)
            and given.dtype == output.kind
            and given.ndim == len(output.axes)
            and all(map(_fits, output.axes, given.shape, [known] * given.ndim))
        ):
            raise GraphError(_problem(stage, output, given, known))
    return list(outputs)


def _fits(axis: int | str, side: int, known: dict[str, int | range]) -> bool:
    """Return whether an axis has the right number of elements; remember that of a named one."""
    if not isinstance(axis, str):
        return side == axis
    wanted = known.get(axis, side)
    if side not in wanted if isinstance(wanted, range) else side != wanted:
        return False
    known[axis] = side
    return True


def _problem(stage: str, output: Output, given: object, known: Mapping[str, int | range]) -> str:
    found = type(given).__name__
    if isinstance(given, np.ndarray):
        found = f"{given.dtype} {list(given.shape)}"
    axes = ", ".join(_described(axis, known) for axis in output.axes)
    return (
        f"the output {output.name!r} of the {stage} graph must be {np.dtype(output.kind)} [{axes}],"
        f" not {found}: the bundle's graph is not one of this stage"
    )


def _described(axis: int | str, known: Mapping[str, int | range]) -> str:
    side = known.get(axis, axis) if isinstance(axis, str) else axis
    if isinstance(side, range):
        return f"{side[0]}" if len(side) == 1 else f"{side[0]} to {side[-1]}"
    return str(side)
