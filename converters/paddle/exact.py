"""Numbers that come out the same on every processor, for what is computed at conversion.

One sum, product, quotient or square root is rounded as IEEE 754 says, wherever it is computed. What
is made of many of them, or of a series, depends on the order in which a library takes them, which
it chooses by the processor: the inverse of TPS's matrix had other last digits by OpenBLAS's kernels
for another one. So these here compute with as many digits as it needs, and round once.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Context, Decimal
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Numbers: TypeAlias = NDArray[np.float64]

# Twice the digits that float64 has, and some. What has no value is NaN, not an exception.
_DIGITS = Context(prec=40, traps=[])


def summed(values: NDArray[Any], axis: int = -1) -> Numbers:
    """The sums along an axis, float64, in whatever order; raises `OverflowError` or `ValueError`
    for infinite values that have none.
    """
    last = np.moveaxis(np.asarray(values, np.float64), axis, -1)
    rows = last.reshape(math.prod(last.shape[:-1]), last.shape[-1]).tolist()
    return np.array([math.fsum(row) for row in rows], np.float64).reshape(last.shape[:-1])


def logarithm(values: NDArray[Any]) -> Numbers:
    """The natural logarithm of each value, float64."""
    return _each(lambda value: _DIGITS.ln(Decimal(value)), values)


def power(values: NDArray[Any], exponents: NDArray[Any] | float) -> Numbers:
    """Each value to the power of its exponent, float64; the shapes broadcast."""

    def one(value: float, exponent: float) -> Decimal:
        return _DIGITS.power(Decimal(value), Decimal(exponent)) if exponent else Decimal(1)

    return _each(one, values, exponents)


def norm(values: NDArray[Any], order: float, axis: int = -1) -> Numbers:
    """The p-norms along an axis for p = `order`, float64; raises as `summed` does."""
    sizes = np.abs(np.asarray(values, np.float64))
    if math.isinf(order):
        return np.asarray(sizes.max(axis) if order > 0 else sizes.min(axis), np.float64)
    if order == 0:
        return np.asarray(np.count_nonzero(sizes, axis=axis), np.float64)
    if order == 2:
        return np.asarray(np.sqrt(summed(np.square(sizes), axis)))
    return power(summed(power(sizes, order), axis), 1 / order)


def inverse(matrix: NDArray[Any]) -> Numbers:
    """The inverse of each square matrix of [..., n, n], float64.

    Raises `ValueError` for one that has none.
    """
    given = np.asarray(matrix, np.float64)
    if given.ndim < 2 or given.shape[-1] != given.shape[-2] or not np.isfinite(given).all():
        raise ValueError(f"no square matrix of numbers: {given.shape}")
    size = given.shape[-1]
    found = [_inverse(each) for each in given.reshape(-1, size, size).tolist()]
    return np.array(found, np.float64).reshape(given.shape)


def _inverse(matrix: list[list[float]]) -> list[list[float]]:
    """Elimination among integers (Bareiss 1968), in which every division leaves no rest."""
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
