"""Whether outputs are as near to Paddle's as rounding lets them be.

Processors of different makes choose different kernels, which take sums in another order. How much
that changes depends on the network: each has its own tolerance, a multiple of what Paddle differs
from itself when the input's last bits change.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

# A nudge shows what happens behind the first layer, while another kernel rounds differently in
# every layer: outputs stored on an AMD EPYC are up to 3.6 times as far from those of an Intel Xeon
# (rec_mv3_tps_bilstm_att) as a nudge takes the Xeon's from themselves.
FACTOR = 10
# Shares of the largest value, for the largest and the mean difference of networks that hardly
# react to a nudge.
FLOOR = np.array([1e-5, 2e-6])


def shares(found: Sequence[NDArray[Any]], expected: Sequence[NDArray[Any]]) -> NDArray[Any]:
    """The largest and the mean difference of one output over all runs, as shares of the largest
    expected value.
    """
    pairs = list(zip(found, expected, strict=True))
    gaps = np.concatenate([np.abs(a.astype(np.float64) - b).reshape(-1) for a, b in pairs])
    largest = max(float(np.abs(value).max()) for value in expected)
    return np.array([gaps.max(), gaps.mean()]) / max(largest, 1e-9)


def excess(
    found: Sequence[NDArray[Any]], expected: Sequence[NDArray[Any]], own: NDArray[Any]
) -> str | None:
    """What is wrong with one output of all runs; None where rounding explains the differences.

    own: the `shares` that a nudge takes the network from itself. A wrong network may hide behind
    the largest difference, for rounding strikes single values hard; its mean gives it away.
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
