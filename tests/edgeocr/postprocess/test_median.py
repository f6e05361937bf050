"""The median equals NumPy's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edgeocr.postprocess.median import median


@pytest.mark.parametrize("number", [1, 2, 5, 8])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
def test_the_median_is_numpys(number: int, dtype: type) -> None:
    values: NDArray[Any] = (np.random.default_rng(number).random(number) * 100).astype(dtype)
    assert median(values) == float(np.median(values))
    assert median(values.tolist()) == float(np.median(values.tolist()))
