"""The table of the operators that can be translated, which the modules of `operators` fill."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

# A function of a `call.Call`, whose module imports this one.
Translator: TypeAlias = Callable[..., None]
# Paddle's type of operator → the function that writes the nodes that compute the same.
OPERATORS: dict[str, Translator] = {}


def translates(*types: str) -> Callable[[Translator], Translator]:
    """Register a function as the translation of some types of operators."""

    def register(function: Translator) -> Translator:
        for each in types:
            if each in OPERATORS:
                raise ValueError(f"the operator {each} has two translations")
            OPERATORS[each] = function
        return function

    return register


class UnsupportedError(Exception):
    """An operator has a form that can't be expressed in ONNX; the message says which and why."""


class OpsetError(UnsupportedError):
    """An operator can be expressed in later versions of ONNX only.

    Attributes:
        least: The first opset that has what the operator needs.
    """

    def __init__(self, least: int) -> None:
        """Say which opset has what the operator needs."""
        super().__init__(f"ONNX can express it from opset {least} on")
        self.least = least


class OpenLoopError(UnsupportedError):
    """How many rounds a loop has depends on the input, such as on its number of pictures."""
