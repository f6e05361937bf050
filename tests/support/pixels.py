"""The difference of pictures."""

from __future__ import annotations

import numpy as np


def mean_difference(a: np.ndarray, b: np.ndarray) -> float:
    """Return the mean absolute difference of two uint8 pictures of one shape, in grey values."""
    assert a.shape == b.shape and a.dtype == b.dtype == np.uint8
    return float(np.abs(a.astype(int) - b).mean())
