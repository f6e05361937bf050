"""Record what a translation changes in a program because a bundle's graphs can't express it."""

from __future__ import annotations

from dataclasses import dataclass

from ..paddle.program import Program

_LOOPS = (
    "edge graphs have no loops; each is unrolled into all its steps, without an early exit, which "
    "changes nothing up to the end of a text"
)


@dataclass(frozen=True)
class Change:
    """A change that a translation made: why, and to which operators of the program."""

    name: str
    """The name that reports and manifests have for it."""
    why: str
    """The reason."""
    nodes: list[str]
    """The operators that it changed."""


def needed(program: Program) -> list[Change]:
    """Return the changes that the translation of a program makes.

    Edge graphs have no loops, so the body of a loop is written once for each round that it can have
    (see `operators.control`). PaddleOCR's decoders leave their loops once all texts of a batch have
    ended; a graph without loops computes all rounds:

        for i in range(25):        →   step 1, step 2, …, step 25
            step i
            if all texts ended:
                break
    """
    loops = [str(operator) for operator in program.operators if operator.type == "while"]
    return [Change("unrolled_loops", _LOOPS, loops)] if loops else []
