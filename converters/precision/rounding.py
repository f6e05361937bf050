"""Weights → integers, so that what a layer computes of real inputs changes least.

Rounding each weight to the nearest integer makes errors that add up. Here columns are rounded one
after the other, and what one column's rounding does to the outputs is made good by the columns that
are still to come, as far as their inputs go together (GPTQ; Frantar et al. 2022).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]

# Largest absolute integer, the same on both sides.
MOST = 127
# Added to the diagonal of the moments, as a share of its mean: inputs that never vary have none.
DAMPING = 0.05


def steps(weights: Float64) -> Float64:
    """What an integer stands for in each row of weights [rows, columns]: [rows]."""
    return np.asarray(np.maximum(np.abs(weights).max(axis=1) / MOST, 1e-8))


def nearest(weights: Float64, step: Float64) -> NDArray[np.int8]:
    """Each weight's nearest integer."""
    return np.clip(np.round(weights / step[:, None]), -MOST, MOST).astype(np.int8)


def compensated(weights: Float64, step: Float64, moments: Float64) -> NDArray[np.int8]:
    """Integers for weights [rows, columns] of a product with inputs [columns].

    moments: sum over real inputs of each pair of columns' product, [columns, columns].
    """
    columns = weights.shape[1]
    damped = moments + np.eye(columns) * (DAMPING * np.trace(moments) / columns + 1e-12)
    # Row j of the inverse's upper Cholesky factor says how column j's error is made good by the
    # columns after it, once those before are settled.
    upper = np.linalg.cholesky(np.linalg.inv(damped)).T
    left = weights.copy()
    integers = np.empty(weights.shape, np.int8)
    for j in range(columns):
        integers[:, j] = np.clip(np.round(left[:, j] / step), -MOST, MOST)
        error = (left[:, j] - integers[:, j] * step) / upper[j, j]
        left[:, j + 1 :] -= np.outer(error, upper[j, j + 1 :])
    return integers
