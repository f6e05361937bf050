"""Arithmetic that gives the same digits on every processor, for constants computed at conversion.

IEEE 754 fixes how a single sum, product, quotient or square root is rounded. A result that takes
many such steps, or a series, also depends on the order of the steps, which a library chooses by the
processor: OpenBLAS's kernels for two processors gave inverses of TPS's matrix that differed in the
last digits. The functions here therefore compute with enough digits and round once, at the end.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Context, Decimal
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Numbers: TypeAlias = NDArray[np.float64]

# More than twice the 17 digits of float64. An undefined result becomes NaN instead of an exception.
_DIGITS = Context(prec=40, traps=[])


def summed(values: NDArray[Any], axis: int = -1) -> Numbers:
    """Sum along an axis; the order of the values makes no difference.

    Args:
        values: Numbers of any type and shape.
        axis: The axis that is summed away.

    Returns:
        The sums, float64.

    Raises:
        OverflowError: If finite values have an infinite sum.
        ValueError: If infinities of both signs meet in one sum.
    """
    last = np.moveaxis(np.asarray(values, np.float64), axis, -1)
    rows = last.reshape(math.prod(last.shape[:-1]), last.shape[-1]).tolist()
    return np.array([math.fsum(row) for row in rows], np.float64).reshape(last.shape[:-1])


def logarithm(values: NDArray[Any]) -> Numbers:
    """Return the natural logarithm of each value, float64.

    For float32 values it is rounded to float32. Most of these are computed in float64; only a
    result so close to the middle of two float32 numbers that the last digits of float64 decide
    takes more digits.
    """
    given = np.asarray(values)

    def exactly(numbers: NDArray[Any]) -> Numbers:
        # The distances between the points of a grid are few numbers, which recur many times.
        different, places = np.unique(numbers, return_inverse=True)
        found = _each(lambda value: _DIGITS.ln(Decimal(value)), different)
        return found[places].reshape(numbers.shape)

    if given.dtype != np.float32:
        return exactly(given)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.atleast_1d(np.log(given.astype(np.float64)))
        margin = np.abs(found) * 2.0**-48  # far more than any library's error
        doubtful = (found - margin).astype(np.float32) != (found + margin).astype(np.float32)
    found[doubtful] = exactly(np.atleast_1d(given)[doubtful])
    return np.asarray(found.reshape(given.shape).astype(np.float32), np.float64)


def power(values: NDArray[Any], exponents: NDArray[Any] | float) -> Numbers:
    """Raise each value to its exponent; the shapes broadcast and the result is float64."""

    def one(value: float, exponent: float) -> Decimal:
        return _DIGITS.power(Decimal(value), Decimal(exponent)) if exponent else Decimal(1)

    return _each(one, values, exponents)


def norm(values: NDArray[Any], order: float, axis: int = -1) -> Numbers:
    """Compute the p-norm along an axis.

    Args:
        values: Numbers of any type and shape.
        order: p; also 0, inf and -inf, as `numpy.linalg.norm` defines them.
        axis: The axis that is reduced.

    Returns:
        The norms, float64.

    Raises:
        OverflowError: If finite values have an infinite norm.
    """
    sizes = np.abs(np.asarray(values, np.float64))
    if math.isinf(order):
        return np.asarray(sizes.max(axis) if order > 0 else sizes.min(axis), np.float64)
    if order == 0:
        return np.asarray(np.count_nonzero(sizes, axis=axis), np.float64)
    if order == 2:
        return np.asarray(np.sqrt(summed(np.square(sizes), axis)))
    return power(summed(power(sizes, order), axis), 1 / order)


def inverse(matrix: NDArray[Any]) -> Numbers:
    """Invert each square matrix.

    Args:
        matrix: Matrices [..., n, n] of finite numbers.

    Returns:
        The inverses, float64, in the same shape.

    Raises:
        ValueError: If a matrix is singular, not square or not finite.
    """
    given = np.asarray(matrix, np.float64)
    if given.ndim < 2 or given.shape[-1] != given.shape[-2] or not np.isfinite(given).all():
        raise ValueError(
            f"only square matrices of finite numbers have an inverse, not shape {given.shape}"
        )
    size = given.shape[-1]
    found = [_inverse(each) for each in given.reshape(-1, size, size).tolist()]
    return np.array(found, np.float64).reshape(given.shape)


def _inverse(matrix: list[list[float]]) -> list[list[float]]:
    """Invert by elimination among integers (Bareiss 1968), where no division has a remainder."""
    size = len(matrix)
    factor = max((value.as_integer_ratio()[1] for row in matrix for value in row), default=1)
    rows = [
        [*(int(n * (factor // d)) for n, d in map(float.as_integer_ratio, row)), *unit]
        for row, unit in zip(matrix, np.eye(size, dtype=int).tolist(), strict=True)
    ]
    before = 1
    for column in range(size):
        chosen = next((i for i in range(column, size) if rows[i][column]), None)
        if chosen is None:
            raise ValueError("the matrix is singular")
        rows[column], rows[chosen] = rows[chosen], rows[column]
        pivot = rows[column]
        for i, row in enumerate(rows):
            if i != column:
                rows[i] = [
                    (pivot[column] * a - row[column] * b) // before
                    for a, b in zip(row, pivot, strict=True)
                ]
        before = pivot[column]
    return [[value * factor / before for value in row[size:]] for row in rows]


def _each(function: Callable[..., Decimal], *operands: NDArray[Any] | float) -> Numbers:
    arrays = np.broadcast_arrays(*(np.asarray(each, np.float64) for each in operands))
    columns = (array.reshape(-1).tolist() for array in arrays)
    found = [float(function(*row)) for row in zip(*columns, strict=True)]
    return np.array(found, np.float64).reshape(arrays[0].shape)
