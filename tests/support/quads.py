"""Quads for tests."""

from __future__ import annotations

import numpy as np

from edgeocr.postprocess.geometry import Float32


def level(x: float, y: float, width: float, height: float) -> Float32:
    """Return an upright rectangle as a quad, float32 [4, 2]."""
    corners = [[x, y], [x + width, y], [x + width, y + height], [x, y + height]]
    return np.array(corners, np.float32)
