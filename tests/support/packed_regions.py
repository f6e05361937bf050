"""Regions of different lengths in the fixtures: an array of points and one of lengths."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray


def unpacked(file: Mapping[str, NDArray[Any]], name: str) -> list[NDArray[np.int32]]:
    """Return the regions [K, 2] that tests/oracle/make_curved_fixtures.py stored as `name`."""
    lengths = file[f"{name}_lengths"]
    return np.split(file[f"{name}_points"], np.cumsum(lengths)[:-1]) if len(lengths) else []
