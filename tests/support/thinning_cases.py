"""Masks to thin, drawn from seeds, for the tests and for their oracle."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray


def masks() -> Iterator[NDArray[np.uint8]]:
    """Yield noise of several densities, then discs, bars and rings; uint8 of 0 and 1."""
    random = np.random.RandomState(0)
    for density in (0.2, 0.4, 0.6, 0.8, 0.95, 1):
        yield (random.uniform(size=random.randint(20, 60, 2)) < density).astype(np.uint8)
    y, x = np.mgrid[:80, :120]
    for _ in range(8):
        mask = np.zeros(y.shape, bool)
        for _ in range(random.randint(1, 6)):
            distance = np.hypot(x - random.randint(120), y - random.randint(80))
            radius = random.randint(3, 30)
            mask |= (distance < radius) & (distance >= random.randint(radius))
            left, top = random.randint(120), random.randint(80)
            mask[top : top + random.randint(1, 12), left : left + random.randint(1, 60)] = True
        yield mask.astype(np.uint8)
