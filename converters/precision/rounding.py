"""Round a layer's weights to integers so that its outputs on real inputs change least.

Errors add up if each weight is rounded to the nearest integer. Here columns are rounded one after
the other, and the later columns compensate for the error that rounding a column makes in the
outputs, as far as their inputs are correlated (GPTQ; Frantar et al. 2022).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]

# The largest absolute integer; the range is symmetric.
MOST = 127
# The share of the mean of the moments' diagonal that is added to the diagonal, because inputs that
# never vary have no moments.
DAMPING = 0.05


def steps(weights: Float64) -> Float64:
    """Return the value of an integer step, [rows], for each row of weights [rows, columns]."""
    return np.asarray(np.maximum(np.abs(weights).max(axis=1) / MOST, 1e-8))


def nearest(weights: Float64, step: Float64) -> NDArray[np.int8]:
    """Round each weight [rows, columns] to the nearest multiple of its row's step [rows]."""
    return np.clip(np.round(weights / step[:, None]), -MOST, MOST).astype(np.int8)


def compensated(weights: Float64, step: Float64, moments: Float64) -> NDArray[np.int8]:
    """Round weights so that their products with real inputs change least.

    Args:
        weights: float64 [rows, columns].
        step: float64 [rows], as `steps` returns it.
        moments: The sum over real inputs of the products of each pair of columns, float64
            [columns, columns].
    """
    columns = weights.shape[1]
    damped = moments + np.eye(columns) * (DAMPING * np.trace(moments) / columns + 1e-12)
    # Row j of the inverse's upper Cholesky factor tells how the columns after j compensate for the
    # error of column j, once the columns before it are settled.
    upper = np.linalg.cholesky(np.linalg.inv(damped)).T
    left = weights.copy()
    integers = np.empty(weights.shape, np.int8)
    for j in range(columns):
        integers[:, j] = np.clip(np.round(left[:, j] / step), -MOST, MOST)
        error = (left[:, j] - integers[:, j] * step) / upper[j, j]
        left[:, j + 1 :] -= np.outer(error, upper[j, j + 1 :])
    return integers
