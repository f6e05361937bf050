"""The median equals NumPy's, and reading a picture doesn't import what NumPy's does."""

from __future__ import annotations

import numpy as np
import pytest

from edgeocr.postprocess.median import median


@pytest.mark.parametrize("number", [1, 2, 5, 8])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
def test_the_median_is_numpys(number: int, dtype: type) -> None:
    values = (np.random.default_rng(number).random(number) * 100).astype(dtype)
    assert median(values) == float(np.median(values))
    assert median(values.tolist()) == float(np.median(values.tolist()))
