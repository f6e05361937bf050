"""Decide whether outputs are as near to Paddle's as rounding lets them be.

Processors of different makes choose different kernels, which add numbers in another order. By how
much that changes the outputs depends on the network, so each has its own tolerance: a multiple of
what changes in Paddle's own outputs when the last bits of the input change.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

# A nudge changes the input only, while another kernel rounds differently in every layer. Outputs
# of an AMD EPYC differ from those of an Intel Xeon by up to 3.6 times what a nudge of the input
# changes on the Xeon (rec_mv3_tps_bilstm_att).
FACTOR = 10
# The least tolerance, for networks that hardly react to a nudge: the largest and the mean
# difference, as shares of the largest value.
FLOOR = np.array([1e-5, 2e-6])


def shares(found: Sequence[NDArray[Any]], expected: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """Return the largest and the mean difference of one output over all runs.

    Both are shares of the largest expected value.
    """
    pairs = list(zip(found, expected, strict=True))
    gaps = np.concatenate([np.abs(a.astype(np.float64) - b).reshape(-1) for a, b in pairs])
    largest = max(float(np.abs(value).max()) for value in expected)
    return np.array([gaps.max(), gaps.mean()]) / max(largest, 1e-9)


def excess(
    found: Sequence[NDArray[Any]], expected: Sequence[NDArray[Any]], own: NDArray[Any]
) -> str | None:
    """Describe what is wrong with one output of all runs.

    Rounding may change single values a lot, so that the largest difference alone would not show a
    wrong network. The mean difference does.

    Args:
        found: The output of each run.
        expected: What it should be.
        own: The `shares` by which a nudge of the input changes the output.

    Returns:
        The description; None where rounding explains the differences.
    """
    for a, b in zip(found, expected, strict=True):
        if (a.shape, a.dtype) != (b.shape, b.dtype):
            return f"{a.dtype}{list(a.shape)}, where {b.dtype}{list(b.shape)} is expected"
    differs, allowed = shares(found, expected), np.maximum(FLOOR, FACTOR * own)
    if (differs <= allowed).all():  # false where a difference is not a number
        return None
    return (
        f"differs by {differs[0]:.1e} of the largest value, mean {differs[1]:.1e}, where "
        f"{allowed[0]:.1e} and {allowed[1]:.1e} are allowed"
    )
